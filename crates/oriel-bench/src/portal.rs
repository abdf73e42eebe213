//! The portal's API as a gateway passes it on: HTTP/2 to a broker, under mutual TLS with a gateway's
//! certificate. Users come from different addresses, so that the broker's bounds per address and per
//! account hold as they do for real ones.

use std::{net::Ipv4Addr, path::Path};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use oriel_model::{Timestamp, role::Role};
use oriel_net::{
    connect,
    identity::NodeIdentity,
    tls::{ReloadingIdentity, internal_client},
};
use oriel_testkit::http::client_facts;
use oriel_wire::{
    enrolment,
    portal::{CLIENT_ADDRESS_HEADER, PATH_PREFIX, REQUEST_HEADER},
};
use serde_json::{Value, json};
use tonic::{body::Body, transport::Channel};
use tower::{Service as _, ServiceExt as _};

/// A gateway's connection to its broker.
#[derive(Clone)]
pub struct PortalConnection {
    channel: Channel,
}

/// Somebody at the portal.
pub struct Visitor {
    connection: PortalConnection,
    name: String,
    address: Ipv4Addr,
}

impl PortalConnection {
    /// Joins as a gateway, with its identity in `directory`, and connects.
    pub async fn join(invitation: &str, directory: &Path) -> anyhow::Result<Self> {
        let invitation = invitation.parse().context("the invitation")?;
        std::fs::create_dir_all(directory)?;
        let membership =
            enrolment::join(&invitation, Role::Gateway, "bench", directory, Timestamp::now()).await?;
        let identity = ReloadingIdentity::new(NodeIdentity::load(directory)?)?;
        let config = internal_client(&identity, Role::Broker)?;
        Ok(Self { channel: connect::connected_channel(membership.broker_addresses, config).await? })
    }

    /// The user `name`, the `number`th of all.
    pub fn visitor(&self, name: &str, number: usize) -> Visitor {
        let [.., high, low] = (number as u32).to_be_bytes();
        Visitor { connection: self.clone(), name: name.to_owned(), address: Ipv4Addr::new(10, 1, high, low) }
    }
}

impl Visitor {
    /// Signs in; gives the cookie.
    pub async fn sign_in(&self, password: &str) -> anyhow::Result<String> {
        let body = json!({ "user_name": self.name, "password": password });
        let (cookie, _) = self.call(Method::POST, "/sign-in", None, &body).await?;
        cookie.context("no cookie came with the sign-in")
    }

    /// Lists the user's resources; gives the answer's bytes.
    pub async fn resources(&self, cookie: &str) -> anyhow::Result<Bytes> {
        Ok(self.call(Method::GET, "/resources", Some(cookie), &Value::Null).await?.1)
    }

    /// Launches a resource.
    pub async fn launch(&self, cookie: &str, resource: &str) -> anyhow::Result<Value> {
        let body = json!({ "resource_id": resource, "client": client_facts() });
        Ok(serde_json::from_slice(&self.call(Method::POST, "/launches", Some(cookie), &body).await?.1)?)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        cookie: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<(Option<String>, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{PATH_PREFIX}{path}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(CLIENT_ADDRESS_HEADER, self.address.to_string())
            .header(REQUEST_HEADER, "1");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let body = if body.is_null() { Bytes::new() } else { serde_json::to_vec(body)?.into() };
        let request = request.body(Body::new(Full::new(body)))?;
        let mut channel = self.connection.channel.clone();
        let (parts, body) = channel.ready().await?.call(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        ensure!(parts.status.is_success(), "{path}: {}: {}", parts.status, String::from_utf8_lossy(&body));
        let cookie = parts.headers.get(header::SET_COOKIE).and_then(|value| value.to_str().ok());
        Ok((cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned), body))
    }
}
