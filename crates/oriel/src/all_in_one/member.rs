//! Becoming members of the farm: wait for the broker, then let gateway and agent join, each with an
//! invitation asked for through the management API.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use jiff::Timestamp;
use oriel_model::role::Role;
use oriel_net::identity::{LoadError, NodeIdentity};
use oriel_wire::enrolment::Membership;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{FAILURES_MAX, child::Fate, layout::Layout};
use crate::{
    admin::{client::Client, connection::Connection, secret},
    node::{join, machine_name},
};

/// How often is looked whether the broker answers.
const LOOK: Duration = Duration::from_millis(100);

/// Waits until the broker answers; then keeps the farm authority's certificate for the command line.
pub async fn ready(layout: &Layout, broker: Fate, deadline: Duration) -> anyhow::Result<Arc<Client>> {
    let start = tokio::time::Instant::now();
    loop {
        let failure = match client(layout) {
            Ok(client) => {
                let client = Arc::new(client);
                let asked = client.clone();
                match tokio::task::spawn_blocking(move || asked.get("status", &[])).await? {
                    Ok(_) => return Ok(client),
                    Err(failure) => failure.to_string(),
                }
            }
            Err(error) => format!("{error:#}"),
        };
        if *broker.borrow() >= FAILURES_MAX {
            bail!("the broker does not start: its log above says why");
        }
        if start.elapsed() > deadline {
            bail!("the broker did not answer within {} seconds: {failure}", deadline.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A client of the management API, with what the broker has left in its folder.
fn client(layout: &Layout) -> anyhow::Result<Client> {
    let token = secret::from_file(&layout.token).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let authority = NodeIdentity::load(&layout.broker)?.authority_pem();
    // No secret: everybody who administers this farm may read it.
    fs::write(&layout.authority, &authority)
        .with_context(|| format!("cannot write {}", layout.authority.display()))?;
    let url = layout.management_url.clone();
    Client::new(&Connection { url, authority: Some(authority), token }, false)
        .map_err(|failure| anyhow::anyhow!("{failure}"))
}

/// Lets those join that have not yet, and tells the others where the broker is at this start.
pub async fn join(layout: &Layout, client: Arc<Client>) -> anyhow::Result<()> {
    let roles = [
        (Role::Gateway, &layout.gateway, &layout.for_gateways),
        (Role::Agent, &layout.agent, &layout.for_agents),
    ];
    for (role, folder, broker) in roles {
        if is_member(folder)? {
            let membership = Membership::load(folder).context("what was kept when joining cannot be read")?;
            let broker_addresses = vec![broker.clone()];
            Membership { broker_addresses, ..membership }
                .save(folder)
                .context("cannot keep the broker's address")?;
            continue;
        }
        let asked = client.clone();
        let text = tokio::task::spawn_blocking(move || invite(&asked, role)).await??;
        let joined = join::join(&text.parse()?, role, folder, &machine_name())
            .await
            .with_context(|| format!("the {role} cannot join"))?;
        tracing::info!(%role, name = joined.name, "joined the farm");
    }
    layout.hand_over()
}

/// Whether a folder holds an identity that is still valid.
fn is_member(folder: &Path) -> anyhow::Result<bool> {
    match NodeIdentity::load(folder) {
        Ok(identity) => Ok(identity.not_after() > Timestamp::now()),
        Err(LoadError::Absent(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Asks for an invitation, as `oriel invite` does.
fn invite(client: &Client, role: Role) -> anyhow::Result<Zeroizing<String>> {
    let failed = |failure: crate::failure::Failure| anyhow::anyhow!("{failure}");
    let pool = match role {
        Role::Agent => first_pool(&client.list("pools", &[]).map_err(failed)?)?,
        _ => Value::Null,
    };
    let wanted = json!({"role": role, "pool": pool, "hours": 1});
    let made = client.post("invitations", &wanted).map_err(failed)?;
    let string = made["string"].as_str().context("the broker's answer holds no invitation")?;
    Ok(Zeroizing::new(string.to_owned()))
}

/// The pool that a farm is made with; if it was renamed, the first there is.
fn first_pool(pools: &[Value]) -> anyhow::Result<Value> {
    let made_with_the_farm = pools.iter().find(|pool| pool["name"] == "Default");
    let pool = made_with_the_farm.or_else(|| pools.first()).context("the farm has no pool for this host")?;
    Ok(pool["id"].clone())
}
