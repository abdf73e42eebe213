//! Certificates that end one day: what gateways show to browsers, the farm's authority, and this broker's own.

use std::{collections::HashMap, sync::Mutex};

use jiff::SignedDuration;
use oriel_model::{Id, Timestamp, gateway::Gateway, role::Role};
use oriel_net::{
    fingerprint::Fingerprint,
    identity::{NodeIdentity, Validity},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, parse_x509_certificate, time::ASN1Time,
};

use crate::{Broker, farm::FarmView, hosts::lock};

/// Names of one certificate that are kept: more than that are read by nobody.
const NAMES_MAX: usize = 100;
/// Longest name that is kept, in characters: a host name has at most 253.
const NAME_MAX: usize = 500;
/// A certificate that ends sooner than this should have been renewed: certbot and the like begin a month before.
const ENDING: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Short-lived ones are renewed later: a certificate with more than this share of its life before it is none
/// that ends.
const ENDING_SHARE: i64 = 6;

/// A certificate as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who made it.
    pub issuer: String,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// SHA-256 of it, in hexadecimal digits.
    pub sha256: String,
    /// Whether nobody but itself vouches for it: browsers warn of it.
    pub self_signed: bool,
}

/// How a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing is to be done.
    Good,
    /// It ends soon and should have been renewed.
    Ending,
    /// It has ended.
    Ended,
    /// It is not valid yet: it is too new, or a clock is wrong.
    NotYet,
}

/// A certificate, and how it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CertificateState {
    /// What it says.
    #[serde(flatten)]
    pub certificate: Certificate,
    /// How it stands.
    pub standing: Standing,
}

/// Who shows a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// The farm's authority, which vouches for all components.
    Authority,
    /// The broker that answers: for components, and for its management portal.
    Broker,
    /// A gateway, to browsers and clients.
    Gateway,
}

/// A certificate that somebody shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeldCertificate {
    /// Who.
    pub holder: Holder,
    /// Which gateway; none: it is no gateway.
    pub gateway: Option<Id<Gateway>>,
    /// Its name.
    pub name: String,
    /// The certificate.
    #[serde(flatten)]
    pub state: CertificateState,
}

impl Certificate {
    /// Reads one; none: it is none, or its times are no times.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = parse_x509_certificate(der).ok()?;
        let moment = |time: ASN1Time| Timestamp::from_second(time.timestamp()).ok();
        let cut = |text: String| text.chars().take(NAME_MAX).collect::<String>();
        Some(Self {
            subject: cut(parsed.subject().to_string()),
            issuer: cut(parsed.issuer().to_string()),
            names: names(&parsed).take(NAMES_MAX).map(cut).collect(),
            not_before: moment(parsed.validity().not_before)?,
            not_after: moment(parsed.validity().not_after)?,
            sha256: Fingerprint::of(der).to_string(),
            self_signed: parsed.subject() == parsed.issuer() && parsed.verify_signature(None).is_ok(),
        })
    }

    /// How it stands at a time.
    pub fn standing(&self, now: Timestamp) -> Standing {
        standing(self.valid(), now)
    }

    /// From when until when it is valid.
    pub fn valid(&self) -> Validity {
        Validity { not_before: self.not_before, not_after: self.not_after }
    }

    /// With how it stands at a time.
    pub fn at(self, now: Timestamp) -> CertificateState {
        CertificateState { standing: self.standing(now), certificate: self }
    }
}

fn standing(valid: Validity, now: Timestamp) -> Standing {
    let left = valid.not_after.duration_since(now);
    let life = valid.not_after.duration_since(valid.not_before);
    if now < valid.not_before {
        Standing::NotYet
    } else if left <= SignedDuration::ZERO {
        Standing::Ended
    } else if left < ENDING && left.as_secs() < life.as_secs() / ENDING_SHARE {
        Standing::Ending
    } else {
        Standing::Good
    }
}

/// For how long a certificate is still valid that its holder renews by itself: its whole life, until that should
/// have happened and has not. Else who is told a fortnight before other certificates end would be told of each
/// that is renewed ten days before.
pub(crate) fn left_of_renewed(valid: Validity, now: Timestamp) -> SignedDuration {
    match standing(valid, now) {
        Standing::Good | Standing::NotYet => valid.not_after.duration_since(valid.not_before),
        Standing::Ending | Standing::Ended => valid.not_after.duration_since(now),
    }
}

/// Until when the farm's certificates of gateways and agents are valid, as far as they have come to this broker
/// since it began: with a certificate, or for a new one.
#[derive(Debug, Default)]
pub struct NodeCertificates(Mutex<HashMap<(Role, Id<Value>), Validity>>);

impl NodeCertificates {
    /// One is attached with a certificate, or has got a new one.
    pub(crate) fn note(&self, role: Role, id: Id<Value>, valid: Validity) {
        lock(&self.0).insert((role, id), valid);
    }

    /// That of a component; none: it has not come yet.
    pub(crate) fn of(&self, role: Role, id: Id<Value>) -> Option<Validity> {
        lock(&self.0).get(&(role, id)).copied()
    }

    /// Forgets those of components that the farm has no more.
    pub(crate) fn forget_deleted(&self, view: &FarmView) {
        lock(&self.0).retain(|(role, id), _| match role {
            Role::Gateway => view.gateways.get(id.cast()).is_some(),
            Role::Agent => view.hosts.get(id.cast()).is_some(),
            Role::Broker => view.brokers.get(id.cast()).is_some(),
        });
    }
}

fn names<'a>(certificate: &'a X509Certificate<'_>) -> impl Iterator<Item = String> + 'a {
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let names = alternatives.into_iter().flat_map(|alternatives| &alternatives.value.general_names);
    names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    })
}

fn address(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => Some(std::net::Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string()),
        16 => Some(std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string()),
        _ => None,
    }
}

/// Those of the farm itself: its authority's, and this broker's own, as it lies in its data directory.
pub(crate) async fn of_farm(broker: &Broker) -> Vec<(Holder, Certificate)> {
    let folder = broker.config.data_dir.clone();
    let own = tokio::task::spawn_blocking(move || NodeIdentity::load(&folder)).await;
    let own = own.ok().and_then(Result::ok).and_then(|own| Certificate::read(own.certificate()));
    let authority = Certificate::read(broker.authority.certificate());
    let found = [(Holder::Authority, authority), (Holder::Broker, own)];
    found.into_iter().filter_map(|(holder, certificate)| Some((holder, certificate?))).collect()
}

/// Those that the gateways show which are connected.
pub(crate) fn of_gateways(broker: &Broker, view: &FarmView) -> Vec<(Id<Gateway>, String, Certificate)> {
    let shown = broker.gateways.all().into_iter().filter_map(|live| {
        let gateway = view.gateways.get(live.id)?;
        Some((live.id, gateway.name.clone(), live.certificate?))
    });
    let mut shown: Vec<_> = shown.collect();
    shown.sort_by(|a, b| a.1.cmp(&b.1));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_who_it_is_for_and_whether_it_ends() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().expect("a time");
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = ["apps.example.org", "192.0.2.7", "2001:db8::7"].map(str::to_owned).to_vec();
        let mut params = rcgen::CertificateParams::new(names.clone()).expect("names");
        params.distinguished_name.push(rcgen::DnType::CommonName, "apps");
        params.not_before = rcgen::date_time_ymd(2026, 11, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 30);
        let made = params.self_signed(&key).expect("signed");
        let read = Certificate::read(made.der()).expect("a certificate");
        assert!(read.subject.contains("CN=apps") && read.issuer == read.subject && read.self_signed);
        assert_eq!(read.names, names);
        assert_eq!(read.sha256, Fingerprint::of(made.der()).to_string());
        let day = |days: i64| now + SignedDuration::from_hours(days * 24);
        // Of 90 days, the last fifteen count.
        for (days, standing) in [
            (-30, Standing::NotYet),
            (0, Standing::Good),
            (54, Standing::Good),
            (55, Standing::Ending),
            (69, Standing::Ending),
            (70, Standing::Ended),
        ] {
            assert_eq!(read.standing(day(days)), standing, "{days}");
        }
        // One that is renewed by itself has its whole life before it until that should have happened.
        for (days, left) in [(0, 90), (54, 90), (55, 14), (69, 0), (75, -5)] {
            assert_eq!(left_of_renewed(read.valid(), day(days)).as_hours() / 24, left, "{days}");
        }
        // Of ten years, the last month.
        let old = Certificate { not_before: day(-3_600), ..read };
        assert_eq!(old.standing(day(39)), Standing::Good);
        assert_eq!(old.standing(day(40)), Standing::Ending);
        for odd in [&b""[..], b"x", &made.der()[..50]] {
            assert_eq!(Certificate::read(odd), None);
        }
        // One that another has made is not self-signed, though it may claim to be.
        let other = rcgen::KeyPair::generate().expect("a key");
        let issuer = rcgen::Issuer::from_params(&params, &other);
        let claimed = params.signed_by(&key, &issuer).expect("signed");
        let claimed = Certificate::read(claimed.der()).expect("a certificate");
        assert!(claimed.subject == claimed.issuer && !claimed.self_signed);
    }
}
