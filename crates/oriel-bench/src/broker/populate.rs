//! The farm that is measured: published through the REST API, its hosts joined, its users signed in.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use clap::Args;
use oriel_testkit::{
    agent::{RdpListener, SimulatedAgent},
    http::AdminClient,
    processes::ProcessFarm,
};
use serde_json::{Value, json};

use super::{
    PASSWORD,
    settings::{self, FOLDER_SIZE, Settings},
};
use crate::{
    load::closed_loop,
    portal::{PortalConnection, Visitor},
    report::progress,
};

/// The size of a farm.
#[derive(Debug, Clone, Args)]
pub struct Size {
    /// Session hosts, each with a simulated agent that reports every second.
    #[arg(long, default_value_t = 1_000)]
    pub hosts: usize,
    /// Published applications.
    #[arg(long, default_value_t = 10_000)]
    pub resources: usize,
    /// Users.
    #[arg(long, default_value_t = 200)]
    pub users: usize,
    /// Groups; each folder is for one of them, each user is in two.
    #[arg(long, default_value_t = 40)]
    pub groups: usize,
    /// Client policies.
    #[arg(long, default_value_t = 20)]
    pub policies: usize,
    /// Logon hours.
    #[arg(long, default_value_t = 5)]
    pub hours: usize,
    /// The management portal's pages, for whoever is to look at the farm.
    #[arg(long)]
    pub pages: Option<PathBuf>,
}

/// Requests at the same time while the farm is set up.
const SETUP_WORKERS: usize = 8;

/// The farm, and who is in it.
pub struct Populated {
    pub farm: ProcessFarm,
    pub settings: Arc<Settings>,
    /// How many rules all settings have.
    pub rules: usize,
    pub users: Arc<Vec<User>>,
    /// The hosts live as long as these.
    pub agents: Vec<SimulatedAgent>,
}

/// Somebody who is signed in.
pub struct User {
    pub visitor: Visitor,
    pub cookie: String,
    /// The applications that the user sees.
    pub applications: Vec<String>,
}

impl User {
    /// Whether an application is on the user's list now.
    pub async fn sees(&self, application: &str, cookie: &str) -> anyhow::Result<bool> {
        let listing = self.visitor.resources(cookie).await?;
        Ok(listing.windows(application.len()).any(|part| part == application.as_bytes()))
    }
}

/// Makes the farm.
pub async fn populate(size: &Size, scratch: &Path) -> anyhow::Result<Populated> {
    progress("starting a broker");
    let farm = ProcessFarm::start_with_pages(size.pages.as_deref()).await?;
    let admin = farm.admin.clone();

    let mut groups = Vec::new();
    for number in 0..size.groups {
        groups.push(create(&admin, "groups", &format!("Group {number}"), json!({})).await?);
    }
    progress(format!("making {} users", size.users));
    let (api, memberships) = (admin.clone(), groups.clone());
    closed_loop(SETUP_WORKERS, size.users, move |number| {
        let api = api.clone();
        let mine = [number, number + 1].map(|group| memberships[group % memberships.len()].clone());
        async move {
            let spec = json!({ "groups": mine });
            api.post("/users", json!({ "name": user_name(number), "password": PASSWORD, "spec": spec }))
                .await?;
            Ok(())
        }
    })
    .await?;

    let mut rules = 0;
    let mut settings = Settings { pool: farm.pool.clone(), groups, folders: Vec::new() };
    for number in 0..size.policies {
        let spec = settings.policy(number, size.policies);
        rules += settings::rules_of(&spec);
        create(&admin, "policies", &format!("Policy {number}"), spec).await?;
    }
    for number in 0..size.hours {
        let spec = settings.hours(number, size.hours);
        rules += settings::rules_of(&spec);
        create(&admin, "logon_hours", &format!("Hours {number}"), spec).await?;
    }
    for number in 0..size.resources.div_ceil(FOLDER_SIZE) {
        let spec = settings.folder(number);
        rules += settings::rules_of(&spec);
        settings.folders.push(create(&admin, "resources", &format!("Folder {number}"), spec).await?);
    }
    let programs = 0..size.resources;
    rules += programs.map(|number| settings::rules_of(&settings.program(number))).sum::<usize>();
    let settings = Arc::new(settings);
    let (api, published) = (admin.clone(), settings.clone());
    closed_loop(SETUP_WORKERS, size.resources, move |number| {
        let (api, published) = (api.clone(), published.clone());
        if number % 1_000 == 0 {
            progress(format!("publishing application {number}"));
        }
        async move {
            create(&api, "resources", &format!("Program {number}"), published.program(number)).await.map(drop)
        }
    })
    .await?;

    let agents = start_agents(&farm, size.hosts, scratch).await?;
    let users = Arc::new(sign_everybody_in(&farm, size.users, scratch).await?);
    Ok(Populated { farm, settings, rules, users, agents })
}

/// Makes an object; gives its id.
pub async fn create(api: &AdminClient, kind: &str, name: &str, spec: Value) -> anyhow::Result<String> {
    let made = post(api, &format!("/{kind}"), json!({ "name": name, "spec": spec })).await?;
    Ok(made["id"].as_str().with_context(|| format!("no id in {made}"))?.to_owned())
}

/// Asks for something while the farm is set up, again when the broker says that it was too often: it
/// bounds what one address may ask for.
pub async fn post(api: &AdminClient, path: &str, body: Value) -> anyhow::Result<Value> {
    loop {
        let answer = api.try_post(path, body.clone()).await?;
        if answer.status != http::StatusCode::TOO_MANY_REQUESTS {
            return answer.expect_success();
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn start_agents(
    farm: &ProcessFarm,
    count: usize,
    scratch: &Path,
) -> anyhow::Result<Vec<SimulatedAgent>> {
    let agents = Arc::new(Mutex::new(Vec::new()));
    let (kept, api, pool, scratch) =
        (agents.clone(), farm.admin.clone(), farm.pool.clone(), scratch.to_owned());
    closed_loop(SETUP_WORKERS, count, move |number| {
        let (kept, api, pool) = (kept.clone(), api.clone(), pool.clone());
        let name = format!("host-{number:04}");
        let directory = scratch.join(&name);
        if number % 100 == 0 {
            progress(format!("joining host {number}"));
        }
        async move {
            std::fs::create_dir_all(&directory)?;
            let invitation = post(&api, "/invitations", json!({ "role": "agent", "pool": pool })).await?;
            let string = invitation["string"].as_str().context("no invitation")?;
            let agent = SimulatedAgent::start(string, &name, &directory, RdpListener::nowhere()).await?;
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(agent);
            Ok(())
        }
    })
    .await?;
    let agents = std::mem::take(&mut *agents.lock().unwrap_or_else(PoisonError::into_inner));
    oriel_testkit::wait::within(Duration::from_secs(60), "every host is reachable", async || {
        let status = farm.admin.get("/status").await.map_err(|error| format!("{error:#}"))?;
        oriel_testkit::wait::ensure(status["hosts"]["reachable"] == count, status.to_string())
    })
    .await;
    Ok(agents)
}

async fn sign_everybody_in(farm: &ProcessFarm, count: usize, scratch: &Path) -> anyhow::Result<Vec<User>> {
    progress(format!("signing {count} users in"));
    let invitation = farm.admin.post("/invitations", json!({ "role": "gateway" })).await?;
    let string = invitation["string"].as_str().context("no invitation")?;
    let connection = PortalConnection::join(string, &scratch.join("gateway")).await?;
    let users = Arc::new(Mutex::new(Vec::new()));
    let kept = users.clone();
    closed_loop(SETUP_WORKERS, count, move |number| {
        let (kept, visitor) = (kept.clone(), connection.visitor(&user_name(number), number));
        async move {
            let cookie = visitor.sign_in(PASSWORD).await?;
            let applications = applications(&visitor.resources(&cookie).await?)?;
            ensure!(!applications.is_empty(), "{} sees no application", user_name(number));
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(User { visitor, cookie, applications });
            Ok(())
        }
    })
    .await?;
    Ok(std::mem::take(&mut *users.lock().unwrap_or_else(PoisonError::into_inner)))
}

fn applications(listing: &[u8]) -> anyhow::Result<Vec<String>> {
    let listing: Value = serde_json::from_slice(listing)?;
    let resources = listing["resources"].as_array().context("no list of resources")?;
    let applications = resources.iter().filter(|resource| resource["kind"] == "application");
    Ok(applications.filter_map(|resource| resource["id"].as_str().map(str::to_owned)).collect())
}

/// What the users are called.
pub fn user_name(number: usize) -> String {
    format!("user-{number:03}")
}
