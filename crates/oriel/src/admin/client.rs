//! The management API from the caller's side: HTTPS with a bearer token, JSON in and out.
//!
//! Deliberately absent: what the answers mean. Every command reads what it shows from the JSON, so
//! that an older command line still works with a newer broker.

use std::{
    io::{self, BufRead, BufReader},
    ops::ControlFlow,
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{Response, StatusCode},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};
use zeroize::Zeroizing;

use super::{connection::Connection, problem};
use crate::failure::{Failure, Outcome};

/// How long one call may take: the slowest asks a host for its programs with their icons.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long until a connection must stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer taken, in bytes: a host's programs with all icons fit several times over.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;
/// How many objects one call asks for: the most that the API gives.
const PAGE: &str = "1000";
/// Most pages of one list, against an answer that never ends.
const PAGES_MAX: usize = 1_000;

/// Where the certificate authorities of a Linux machine are, for management portals with a public
/// certificate.
const SYSTEM_AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Calls the management API.
pub struct Client {
    agent: Agent,
    base: String,
    token: Zeroizing<String>,
    dry_run: bool,
}

/// Part of a query string, as name and value.
pub type Query<'a> = [(&'a str, &'a str)];

impl Client {
    /// A client for one broker. Nothing is sent yet. With `dry_run` it sends nothing that changes anything,
    /// whatever a command forgets.
    pub fn new(connection: &Connection, dry_run: bool) -> Outcome<Self> {
        if !connection.url.starts_with("https://") {
            return Err(Failure::Usage(format!(
                "the address \"{}\" must begin with https:// (the token must not travel in the clear)",
                connection.url
            )));
        }
        let roots = match &connection.authority {
            Some(pem) => certificates(pem.as_bytes(), "the authority's file")?,
            None => system_authorities()?,
        };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            // The environment's proxy is for the web, not for one's own farm.
            .proxy(None)
            .user_agent(concat!("oriel/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .build()
            .new_agent();
        let base = format!("{}/api/v1", connection.url.trim_end_matches('/'));
        Ok(Self { agent, base, token: connection.token.clone(), dry_run })
    }

    /// Reads something.
    pub fn get(&self, path: &str, query: &Query<'_>) -> Outcome<Value> {
        let mut request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        for (name, value) in query {
            request = request.query(*name, *value);
        }
        self.answer(request.call())
    }

    /// Reads every page of a list.
    pub fn list(&self, path: &str, query: &Query<'_>) -> Outcome<Vec<Value>> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = [query, &[("limit", PAGE)]].concat();
            if let Some(after) = &after {
                query.push(("after", after));
            }
            let mut page = self.get(path, &query)?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                found.extend(items);
            }
            after = page.get("next").and_then(Value::as_str).map(ToOwned::to_owned);
            if after.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Asks something that needs a body. Nothing is changed by it.
    pub fn ask(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.send(path, "application/json", body.to_string().as_bytes())
    }

    /// Creates something, or asks for something to be done.
    pub fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.may_change()?;
        self.ask(path, body)
    }

    /// Sends a picture.
    pub fn post_png(&self, path: &str, png: &[u8]) -> Outcome<Value> {
        self.may_change()?;
        self.send(path, "image/png", png)
    }

    /// Sends something under a key of its own. When the connection breaks before the answer is there, nobody
    /// knows whether it was carried out: it is sent once more under the same key, by which the broker gives
    /// the answer of the first.
    fn send(&self, path: &str, content_type: &str, body: &[u8]) -> Outcome<Value> {
        let key = uuid::Uuid::now_v7().to_string();
        let once = || {
            let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
            read(request.header("content-type", content_type).header("idempotency-key", &key).send(body))
        };
        self.told(match once() {
            Err(error) if is_broken(&error) => once(),
            first => first,
        })
    }

    /// Replaces something.
    pub fn put(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.may_change()?;
        self.answer(self.agent.put(self.url(path)).header("authorization", self.bearer()).send_json(body))
    }

    /// Deletes something that has no revisions.
    pub fn delete_at(&self, path: &str) -> Outcome<Value> {
        self.may_change()?;
        self.answer(self.agent.delete(self.url(path)).header("authorization", self.bearer()).call())
    }

    /// Deletes something that has this revision.
    pub fn delete(&self, path: &str, revision: u64) -> Outcome<Value> {
        self.may_change()?;
        let url = self.url(path);
        let request = self.agent.delete(url).header("authorization", self.bearer());
        self.answer(request.header("if-match", format!("\"{revision}\"")).call())
    }

    /// Reads an answer of this kind line by line, until `each` says that it is enough or the broker ends it.
    pub fn lines(
        &self,
        path: &str,
        query: &Query<'_>,
        kind: &str,
        mut each: impl FnMut(&str) -> Outcome<ControlFlow<()>>,
    ) -> Outcome {
        let mut request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        for (name, value) in query {
            request = request.query(*name, *value);
        }
        // The answer goes on for as long as somebody watches, or as the log is long.
        let request = request.header("accept", kind).config().timeout_global(None).build();
        let mut response = request.call().map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            return self.answer(Ok(response)).map(|_| ());
        }
        let reader = BufReader::new(response.body_mut().with_config().limit(u64::MAX).reader());
        for line in reader.lines() {
            let line = line.map_err(|error| self.unreachable(&ureq::Error::Io(error)))?;
            if each(&line)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Whether this client only tries.
    pub fn dry_run(&self) -> bool {
        self.dry_run
    }

    fn may_change(&self) -> Outcome {
        if self.dry_run {
            return Err(Failure::Usage("this cannot be tried with --dry-run: nothing was done".into()));
        }
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token.as_str())
    }

    fn answer(&self, result: Result<Response<Body>, ureq::Error>) -> Outcome<Value> {
        self.told(read(result))
    }

    fn told(&self, answer: Result<(StatusCode, String), ureq::Error>) -> Outcome<Value> {
        let (status, text) = answer.map_err(|error| self.unreachable(&error))?;
        if !status.is_success() {
            return Err(problem::refusal(status, &text));
        }
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|_| {
            Failure::Unreachable(format!(
                "{} answers, but not as Oriel's management API does: is the address right?",
                self.base
            ))
        })
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let address = &self.base;
        Failure::Unreachable(match error {
            ureq::Error::Rustls(error) => format!(
                "{address} did not prove who it is: {error}. \
                 Name the certificate that it should have with --authority FILE."
            ),
            ureq::Error::Io(error) if is_tls(error) => format!(
                "{address} did not prove who it is: {error}. \
                 Name the certificate that it should have with --authority FILE."
            ),
            ureq::Error::HostNotFound => format!("the name in {address} is not known"),
            ureq::Error::Timeout(_) => format!("{address} did not answer in time"),
            ureq::Error::BadUri(_) => {
                format!("{address} is not an address such as https://broker.example:20443")
            }
            ureq::Error::Io(error) => format!("{address} cannot be reached: {error}"),
            error => format!("{address} cannot be reached: {error}"),
        })
    }
}

/// Takes a whole answer.
fn read(result: Result<Response<Body>, ureq::Error>) -> Result<(StatusCode, String), ureq::Error> {
    let mut response = result?;
    let text = response.body_mut().with_config().limit(ANSWER_MAX).read_to_string()?;
    Ok((response.status(), text))
}

/// Whether a connection that stood was lost.
fn is_broken(error: &ureq::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let lost = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
    matches!(error, ureq::Error::Io(error) if lost.contains(&error.kind()))
}

/// A certificate that is not accepted surfaces as an I/O error around rustls' own.
fn is_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.downcast_ref::<rustls::Error>().is_some())
}

fn system_authorities() -> Outcome<Vec<Certificate<'static>>> {
    let file = SYSTEM_AUTHORITIES.iter().find_map(|path| std::fs::read(path).ok()).ok_or_else(|| {
        Failure::Usage(
            "this machine has no list of certificate authorities: name the certificate of the management \
             address with --authority FILE"
                .into(),
        )
    })?;
    certificates(&file, "the list of certificate authorities")
}

/// The certificates of a PEM file; those that cannot be read are left out, but not all of them.
pub fn certificates(pem: &[u8], what: &str) -> Outcome<Vec<Certificate<'static>>> {
    let found: Vec<_> = parse_pem(pem)
        .filter_map(|part| match part {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(Failure::Usage(format!("{what} holds no certificate in PEM form")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_changes_anything_is_sent_in_a_dry_run() {
        // Nobody listens there: what was sent would fail as unreachable.
        let client = Client {
            agent: Agent::new_with_defaults(),
            base: "https://127.0.0.1:1/api/v1".into(),
            token: Zeroizing::new("secret".into()),
            dry_run: true,
        };
        let empty = Value::Null;
        for answer in [
            client.post("x", &empty),
            client.post_png("x", b""),
            client.put("x", &empty),
            client.delete("x", 1),
        ] {
            assert!(matches!(answer, Err(Failure::Usage(_))), "{answer:?}");
        }
        assert!(matches!(client.ask("x", &empty), Err(Failure::Unreachable(_))));
    }

    #[test]
    fn a_token_never_travels_in_the_clear() {
        let connection = Connection {
            url: "http://broker.example:20443".into(),
            authority: None,
            token: Zeroizing::new("secret".into()),
        };
        assert!(matches!(Client::new(&connection, false), Err(Failure::Usage(_))));
    }
}
