//! What is asked, and how it becomes a packet for one server.

use std::net::IpAddr;

use super::{
    answer::Answer,
    attribute::Attribute,
    error::{Dropped, RadiusError},
    mschap::{self, Proof},
    packet::{AUTHENTICATOR_LEN, Packet, VALUE_MAX, Writer, code, kind},
    password::{self, PAP_MAX},
    settings::{Encoding, Server, Settings},
};

/// Service-Type: somebody is to be let into a computer (RFC 2865, 5.6).
const LOGIN: u32 = 1;
/// NAS-Port-Type: not a socket in a wall (RFC 2865, 5.41).
const VIRTUAL: u32 = 5;

/// Random numbers for one packet: nobody may foresee an authenticator or a challenge.
#[derive(Clone, Copy)]
pub(super) struct Dice {
    pub authenticator: [u8; AUTHENTICATOR_LEN],
    pub challenge: [u8; 16],
    pub peer_challenge: [u8; 16],
}

/// What a request proves.
#[derive(Clone, Copy)]
pub(super) enum Credential<'a> {
    /// Only that we are there: Status-Server (RFC 5997).
    None,
    /// A password, before the server asked for anything.
    Password(Encoding, &'a str),
    /// The answer to what the server asked, with its State.
    Answer(&'a str, Option<&'a [u8]>),
}

/// A request before it is known to which server it goes.
pub(super) struct Request<'a> {
    user: &'a str,
    credential: Credential<'a>,
    attributes: Vec<Attribute>,
}

impl<'a> Request<'a> {
    /// A request of what can be sent: names and passwords have limits.
    pub fn new(
        settings: &Settings,
        user: &'a str,
        credential: Credential<'a>,
        client: Option<IpAddr>,
    ) -> Result<Self, RadiusError> {
        if !(1..=VALUE_MAX).contains(&user.len()) || user.contains('\0') {
            return Err(RadiusError::Name);
        }
        if let Credential::Answer(password, _) | Credential::Password(Encoding::Pap, password) = credential
            && password.len() > PAP_MAX
        {
            return Err(RadiusError::PasswordTooLong);
        }
        Ok(Self { user, credential, attributes: attributes(settings, client) })
    }

    /// Only asks whether a server is there.
    pub fn status(settings: &Settings) -> Self {
        let nas_identifier = settings.nas_identifier.as_bytes().to_vec();
        let attributes = vec![Attribute { kind: kind::NAS_IDENTIFIER, value: nas_identifier }];
        Self { user: "", credential: Credential::None, attributes }
    }

    /// The packet for one server.
    pub fn write(&self, server: &Server, identifier: u8, dice: &Dice) -> Result<Sent, RadiusError> {
        let secret = server.secret.bytes();
        let code = match self.credential {
            Credential::None => code::STATUS_SERVER,
            _ => code::ACCESS_REQUEST,
        };
        let mut writer = Writer::new(code, identifier, &dice.authenticator);
        let mut proof = None;
        if !self.user.is_empty() {
            writer.put(kind::USER_NAME, self.user.as_bytes());
        }
        match self.credential {
            Credential::None => {}
            Credential::Password(Encoding::Pap, password) => {
                writer.put(kind::USER_PASSWORD, &self.hidden(password, secret, dice)?);
            }
            Credential::Answer(answer, state) => {
                writer.put(kind::USER_PASSWORD, &self.hidden(answer, secret, dice)?);
                if let Some(state) = state {
                    writer.put(kind::STATE, state);
                }
            }
            Credential::Password(Encoding::Chap, password) => {
                let value = password::chap(identifier, password.as_bytes(), &dice.challenge);
                writer.put(kind::CHAP_PASSWORD, &value);
                writer.put(kind::CHAP_CHALLENGE, &dice.challenge);
            }
            Credential::Password(Encoding::MsChap2, password) => {
                let made = Proof::new(identifier, self.user, password, &dice.challenge, &dice.peer_challenge);
                for (kind, value) in
                    [(mschap::CHALLENGE, &dice.challenge[..]), (mschap::RESPONSE, &made.response)]
                {
                    let attribute = Attribute::vendor(mschap::VENDOR, kind, value);
                    writer.put(attribute.kind, &attribute.value);
                }
                proof = Some(made);
            }
        }
        for attribute in &self.attributes {
            writer.put(attribute.kind, &attribute.value);
        }
        let bytes = writer.sign(secret).ok_or(RadiusError::RequestTooLong)?;
        Ok(Sent { bytes, authenticator: dice.authenticator, proof })
    }

    fn hidden(&self, password: &str, secret: &[u8], dice: &Dice) -> Result<Vec<u8>, RadiusError> {
        password::hidden(password.as_bytes(), secret, &dice.authenticator).ok_or(RadiusError::PasswordTooLong)
    }
}

/// What every request for somebody says besides; what is set takes the place of what would be.
fn attributes(settings: &Settings, client: Option<IpAddr>) -> Vec<Attribute> {
    let mut ours = vec![
        Attribute { kind: kind::NAS_IDENTIFIER, value: settings.nas_identifier.as_bytes().to_vec() },
        Attribute::integer(kind::NAS_PORT_TYPE, VIRTUAL),
        Attribute::integer(kind::SERVICE_TYPE, LOGIN),
    ];
    if let Some(client) = client {
        let value = client.to_canonical().to_string().into_bytes();
        ours.push(Attribute { kind: kind::CALLING_STATION_ID, value });
    }
    ours.retain(|attribute| settings.attributes.iter().all(|set| set.kind != attribute.kind));
    ours.extend(settings.attributes.iter().cloned());
    ours
}

/// A request as it went to one server. Repeating it is sending the same bytes again, so that the server knows
/// it for a repetition (RFC 5080, 2.2.2).
pub(super) struct Sent {
    pub bytes: Vec<u8>,
    authenticator: [u8; AUTHENTICATOR_LEN],
    proof: Option<Proof>,
}

impl Sent {
    /// The answer in a datagram, if this server signed it for this request: the signature covers the
    /// identifier.
    pub fn read(&self, datagram: &[u8], server: &Server) -> Result<Answer, Dropped> {
        let packet = Packet::read(datagram).map_err(Dropped::Garbage)?;
        packet.verify(&self.authenticator, server.secret.bytes(), server.is_unsigned_allowed)?;
        Answer::read(packet, self.proof.as_ref())
    }
}
