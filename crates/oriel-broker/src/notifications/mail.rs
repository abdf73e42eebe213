//! Mail, through the farm's mailbox.

use std::{collections::BTreeMap, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message as Letter, Tokio1Executor,
    address::Envelope,
    message::{Mailbox as Named, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
        response::Response,
    },
};
use oriel_model::{
    Kind, Object,
    administrator::Administrator,
    farm::{MailTls, Mailbox},
    notification::MailTo,
    permission::{Action, Target},
};
use oriel_store::{CommitError, StoreError, Transaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{message::Message, trust};
use crate::{
    Broker,
    app::{administrators::Caller, objects::ChangeError},
    farm::FarmView,
};

/// Name of the farm's secret that holds the password of its mailbox.
pub(crate) const SECRET: &str = "mailbox_password";
/// How long a mail server may take for one mail.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of a server's answer is shown, in characters.
const ANSWER_MAX: usize = 500;
/// Longest password, in characters.
const PASSWORD_MAX: usize = 500;

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// There is none.
    #[error("the farm has no mailbox; set one in the farm's settings")]
    NoMailbox,
    /// The account has no password.
    #[error("the mailbox has a user name and no password; set it with PUT /farm/mailbox-password")]
    NoPassword,
    /// The password is another server's.
    #[error("the mailbox's password was set for another server or account; set it anew")]
    OtherPassword,
    /// Nobody is there who would get it.
    #[error("nobody would get the mail: no administrator is notified who may see what it says")]
    Nobody,
    /// The settings are no good.
    #[error("the mailbox cannot be used: {0}")]
    Unusable(String),
    /// The server took too long.
    #[error("the mail server {0} did not answer in time")]
    TooSlow(String),
    /// The server, or the way there.
    #[error("the mail could not be given to {server}: {reason}")]
    Refused {
        /// Which.
        server: String,
        /// What was said.
        reason: String,
    },
    /// The server took it for some only.
    #[error("the mail server {server} takes no mail for {}", .addresses.join(", "))]
    Some {
        /// Which.
        server: String,
        /// For whom it does not.
        addresses: Vec<String>,
    },
    /// The password cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many lately.
    #[error("too many messages were sent lately; try again in a few minutes")]
    TooMany,
}

/// The password, and for whom it is: whoever sets another server does not get it sent there.
#[derive(Serialize, Deserialize)]
struct Password {
    server: String,
    user_name: String,
    password: Zeroizing<String>,
}

/// Sets the password of the farm's mailbox, for the server and account that are set now. It is never given
/// back.
pub async fn set_password(
    broker: &Broker,
    by: &Caller,
    password: Zeroizing<String>,
) -> Result<(), ChangeError> {
    let invalid = |message: String| {
        let field = "password".to_owned();
        ChangeError::Invalid(vec![oriel_model::validate::Mistake { field, message }])
    };
    let length = password.chars().count();
    if length == 0 || length > PASSWORD_MAX {
        return Err(invalid(format!("must have 1 to {PASSWORD_MAX} characters")));
    }
    let mailbox = broker.farm.load().farm().mailbox;
    let Some((server, user_name)) = mailbox.and_then(|mailbox| Some((mailbox.server, mailbox.user_name?)))
    else {
        return Err(invalid("belongs to a mailbox with a user name, and the farm has none".into()));
    };
    let kept = serde_json::to_vec(&Password { server, user_name, password });
    let kept = Zeroizing::new(
        kept.map_err(|error| CommitError::from(StoreError::Unavailable { reason: error.to_string() }))?,
    );
    let transaction = Transaction::new(by.author.clone(), broker.now());
    broker.commit_by(by, transaction.put_secret(broker.farm_id, SECRET, kept)).await?;
    Ok(())
}

/// The password of the farm's mailbox, which is never given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordState {
    /// There is no mailbox, or it has no user name.
    NotNeeded,
    /// It is set, for the server and account of now.
    Set,
    /// It was set for another server or account, and is not used.
    OfAnother,
    /// It is wanted, and not set.
    Missing,
}

/// Whether the mailbox has the password that it needs.
///
/// # Errors
///
/// The store does not answer.
pub async fn password_state(broker: &Broker) -> Result<PasswordState, StoreError> {
    let mailbox = broker.farm.load().farm().mailbox;
    let Some((server, user_name)) = mailbox.and_then(|mailbox| Some((mailbox.server, mailbox.user_name?)))
    else {
        return Ok(PasswordState::NotNeeded);
    };
    Ok(match kept_password(broker).await? {
        None => PasswordState::Missing,
        Some(kept) if kept.server == server && kept.user_name == user_name => PasswordState::Set,
        Some(_) => PasswordState::OfAnother,
    })
}

async fn kept_password(broker: &Broker) -> Result<Option<Password>, StoreError> {
    let kept = broker.store.secret(broker.farm_id.cast(), SECRET).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
}

/// Sends a mail that says that it is a test to one address; gives the server's answer.
pub async fn test(broker: &Broker, to: &str) -> Result<String, MailError> {
    if !broker.notifications.take_turn(broker.now()) {
        return Err(MailError::TooMany);
    }
    let farm = broker.farm.load().farm_name();
    let mail = Mail {
        id: uuid::Uuid::now_v7().to_string(),
        subject: format!("[{farm}] test of the mailbox").replace(|c: char| c.is_control(), " "),
        text: format!("This is a test. The farm \"{farm}\" can send mail.\n"),
    };
    Office::open(broker).await?.send(&mail, &[address(to)?]).await
}

/// Sends a message to those who are to have it; each is told only what they may see.
pub(super) async fn send(broker: &Broker, to: &MailTo, message: &Message) -> Result<(), MailError> {
    let view = broker.farm.load();
    let letters = letters(&view, to, message);
    if letters.is_empty() {
        return Err(MailError::Nobody);
    }
    let office = Office::open(broker).await?;
    for (number, (keep, addresses)) in letters.iter().enumerate() {
        let said = message.only(keep);
        // The same again when it is tried again: whoever got it already sees it once.
        let id = format!("{}.{number}", message.id);
        let mail = Mail { id, subject: said.subject(), text: said.text() };
        let addresses: Vec<_> = addresses.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
        office.send(&mail, &addresses).await?;
    }
    Ok(())
}

fn address(text: &str) -> Result<Address, MailError> {
    text.parse().map_err(|_| MailError::Unusable(format!("{text} is no address")))
}

/// Who is told which of a message's lines.
fn letters(view: &FarmView, to: &MailTo, message: &Message) -> BTreeMap<Vec<bool>, Vec<String>> {
    let mut letters: BTreeMap<Vec<bool>, Vec<String>> = BTreeMap::new();
    let everything = vec![true; message.said.len()];
    for address in &to.addresses {
        letters.entry(everything.clone()).or_default().push(address.clone());
    }
    if to.administrators {
        for administrator in view.administrators.iter().filter(|one| one.spec.enabled && one.spec.notified) {
            let Some(email) = &administrator.spec.email else { continue };
            let keep = seen(view, administrator, message);
            if keep.iter().any(|keep| *keep)
                || (message.said.is_empty() && may_see_farm(administrator, message))
            {
                letters.entry(keep).or_default().push(email.clone());
            }
        }
    }
    for addresses in letters.values_mut() {
        addresses.sort();
        addresses.dedup();
    }
    letters
}

fn seen(view: &FarmView, administrator: &Object<Administrator>, message: &Message) -> Vec<bool> {
    let permissions = administrator.spec.permissions();
    // As it is now, where it is still there: it may have gone to another site.
    let site_now = |target: &Target| match target.id {
        Some(id) if target.kind == Kind::Host => view.site_of_host(id.cast()).or(target.site),
        Some(id) => view.site_of_object(target.kind, id).or(target.site),
        None => target.site,
    };
    let sees = |target: Target| permissions.on(Action::View, &Target { site: site_now(&target), ..target });
    message.said.iter().map(|said| sees(said.target(message.farm))).collect()
}

fn may_see_farm(administrator: &Object<Administrator>, message: &Message) -> bool {
    let target = Target { kind: Kind::Notification, id: Some(message.notification.cast()), site: None };
    administrator.spec.permissions().on(Action::View, &target)
}

struct Mail {
    id: String,
    subject: String,
    text: String,
}

/// Where mail is given.
struct Office {
    mailbox: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Office {
    async fn open(broker: &Broker) -> Result<Self, MailError> {
        let mailbox = broker.farm.load().farm().mailbox.ok_or(MailError::NoMailbox)?;
        let roots = trust::authorities(mailbox.trusted_certificates.as_deref()).await;
        let tls = tls(&mailbox, roots.map_err(MailError::Unusable)?)
            .map_err(|error| MailError::Unusable(error.to_string()))?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mailbox.server)
            .port(mailbox.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some(user_name) = &mailbox.user_name {
            let kept = kept_password(broker).await?.ok_or(MailError::NoPassword)?;
            if kept.server != mailbox.server || kept.user_name != *user_name {
                return Err(MailError::OtherPassword);
            }
            builder = builder.credentials(Credentials::new(kept.user_name, kept.password.to_string()));
        }
        Ok(Self { transport: builder.build(), mailbox })
    }

    /// Gives a mail to the server; gives its answer. Where it refuses some of the addresses, the others get it
    /// nevertheless.
    async fn send(&self, mail: &Mail, to: &[Address]) -> Result<String, MailError> {
        let refused = match self.give(mail, to).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let is_about_addresses = refused.is_permanent()
            && refused.status().is_some_and(|code| is_about_mailboxes(&code.to_string()));
        if !is_about_addresses || to.len() < 2 {
            return Err(self.explained(&refused));
        }
        let (mut without, mut said) = (Vec::new(), String::new());
        for one in to {
            match self.give(mail, std::slice::from_ref(one)).await {
                Ok(answer) => said = answer,
                Err(Failed::Smtp(error)) if error.is_permanent() => without.push(one.to_string()),
                Err(error) => return Err(self.explained(&error)),
            }
        }
        if without.len() == to.len() {
            return Err(MailError::Some { server: self.mailbox.server.clone(), addresses: without });
        }
        // Trying again changes nothing, and the others would get it twice.
        if !without.is_empty() {
            tracing::warn!(addresses = ?without, "the mail server takes no mail for some who are to be notified");
        }
        Ok(said)
    }

    async fn give(&self, mail: &Mail, to: &[Address]) -> Result<String, Failed> {
        let sender: Address = self.mailbox.sender.parse().map_err(|_| Failed::Sender)?;
        let domain = sender.domain().to_owned();
        // Nobody is shown who else gets it.
        let from = Named::new(None, sender.clone());
        let envelope = Envelope::new(Some(sender), to.to_vec()).map_err(|_| Failed::Sender)?;
        let letter = Letter::builder()
            .from(from.clone())
            .to(from)
            .subject(&mail.subject)
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .envelope(envelope)
            .body(mail.text.clone())
            .map_err(|_| Failed::Sender)?;
        match tokio::time::timeout(PATIENCE, self.transport.send(letter)).await {
            Ok(sent) => sent.map(|answer| in_words(&answer)).map_err(Failed::Smtp),
            Err(_) => Err(Failed::TooSlow),
        }
    }

    fn explained(&self, failed: &Failed) -> MailError {
        let server = format!("{}:{}", self.mailbox.server, self.mailbox.port);
        match failed {
            Failed::TooSlow => MailError::TooSlow(server),
            Failed::Sender => MailError::Unusable("its sender is no address".into()),
            Failed::Smtp(error) if error.is_timeout() => MailError::TooSlow(server),
            Failed::Smtp(error) => {
                let reason: String = crate::http::problem::in_words(error).chars().take(ANSWER_MAX).collect();
                MailError::Refused { server, reason }
            }
        }
    }
}

/// A server's answer as it gave it: `250 2.0.0 Ok: queued as 4F1A`.
fn in_words(answer: &Response) -> String {
    let said = answer.message().collect::<Vec<_>>().join(" ");
    let said = format!("{} {said}", answer.code());
    said.chars().filter(|c| !c.is_control()).take(ANSWER_MAX).collect()
}

enum Failed {
    TooSlow,
    Sender,
    Smtp(lettre::transport::smtp::Error),
}

impl Failed {
    fn is_permanent(&self) -> bool {
        matches!(self, Failed::Smtp(error) if error.is_permanent())
    }

    fn status(&self) -> Option<lettre::transport::smtp::response::Code> {
        match self {
            Failed::Smtp(error) => error.status(),
            _ => None,
        }
    }
}

/// RFC 5321 4.2.3: 550 to 553 are about a mailbox; 530 and 535 are about who signs in.
fn is_about_mailboxes(code: &str) -> bool {
    matches!(code, "550" | "551" | "552" | "553")
}

/// RFC 3834 5: no answer is wanted from machines that answer by themselves.
#[derive(Debug, Clone, Copy)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

fn tls(
    mailbox: &Mailbox,
    roots: Vec<rustls::pki_types::CertificateDer<'static>>,
) -> Result<Tls, lettre::transport::smtp::Error> {
    let mut builder =
        TlsParameters::builder(mailbox.server.clone()).certificate_store(CertificateStore::None);
    for root in roots {
        builder = builder.add_root_certificate(Certificate::from_der(root.to_vec())?);
    }
    let parameters = builder.build_rustls()?;
    Ok(match mailbox.tls {
        MailTls::Required => Tls::Required(parameters),
        MailTls::Implicit => Tls::Wrapper(parameters),
        MailTls::Opportunistic => Tls::Opportunistic(parameters),
    })
}
