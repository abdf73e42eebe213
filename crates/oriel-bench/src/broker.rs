//! Measurement: sign-in, listing and launch through one broker, with many hosts whose agents report to
//! it all the time. The broker is a process of its own; agents, users and the gateway's part are here.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clap::Args;
use oriel_testkit::{
    agent::{RdpListener, SimulatedAgent},
    http::AdminClient,
    processes::{ProcessFarm, Service},
};
use serde_json::{Value, json};

use crate::{
    load::{Outcome, closed_loop},
    portal::{PortalConnection, Visitor},
    process::{cpu_seconds, resident_kib},
    report::{progress, row},
};

const PART: &str = "Broker";

/// The size of the farm and of the loops.
#[derive(Debug, Args)]
pub struct Options {
    /// Session hosts, each with a simulated agent that reports every second.
    #[arg(long, default_value_t = 1_000)]
    hosts: usize,
    /// Published applications.
    #[arg(long, default_value_t = 10_000)]
    resources: usize,
    /// Users.
    #[arg(long, default_value_t = 200)]
    users: usize,
    /// Groups; each application is for one of them, each user is in two.
    #[arg(long, default_value_t = 40)]
    groups: usize,
    /// Users who wait for an answer at the same time.
    #[arg(long, default_value_t = 8)]
    workers: usize,
    /// Sign-ins that are counted.
    #[arg(long, default_value_t = 600)]
    sign_ins: usize,
    /// Listings that are counted.
    #[arg(long, default_value_t = 3_000)]
    listings: usize,
    /// Launches that are counted. The broker lets each user make twenty in a row.
    #[arg(long, default_value_t = 3_000)]
    launches: usize,
}

/// Changes of settings that are counted.
const CHANGES: usize = 100;

/// Requests at the same time while the farm is set up.
const SETUP_WORKERS: usize = 8;

/// Questions for effective access: an administrator's, so few.
const EXPLANATIONS: usize = 50;

/// Every user's.
const PASSWORD: &str = "correct-horse-bench";

/// Applications in one folder.
const FOLDER_SIZE: usize = 100;

/// How long the broker is watched with nothing to do but listen to agents.
const IDLE_WATCH: Duration = Duration::from_secs(8);

/// The farm, and who is in it.
struct Populated {
    farm: ProcessFarm,
    publisher: Arc<Publisher>,
    users: Arc<Vec<User>>,
    /// The hosts live as long as these.
    _agents: Vec<SimulatedAgent>,
}

struct User {
    visitor: Visitor,
    cookie: String,
    /// The applications that the user sees.
    applications: Vec<String>,
}

/// Runs it and hands over the rows.
pub async fn measure(options: &Options) -> anyhow::Result<()> {
    let scratch = std::env::temp_dir().join(format!("oriel-bench-agents-{}", std::process::id()));
    let measured = measure_in(options, &scratch).await;
    let _ = std::fs::remove_dir_all(&scratch);
    measured
}

async fn measure_in(options: &Options, scratch: &Path) -> anyhow::Result<()> {
    let populated = populate(options, scratch).await?;
    let broker = populated.farm.process_id(Service::Broker).context("the broker has ended")?;
    let users = &populated.users;

    progress("the broker with nothing to do but reports of its hosts");
    let (started, before) = (Instant::now(), cpu_seconds(broker)?);
    tokio::time::sleep(IDLE_WATCH).await;
    let idle = (cpu_seconds(broker)? - before) / started.elapsed().as_secs_f64();
    let memory = resident_kib(broker)? as f64 / 1024.0;
    let what =
        format!("at rest: {} hosts report every second, {} resources", options.hosts, options.resources);
    row(PART, what, format!("{:.0} % of one core, {memory:.0} MiB", idle * 100.0), "");

    let watched = |outcome: Outcome, before: f64| -> anyhow::Result<(String, f64)> {
        let cpu = cpu_seconds(broker)? - before - idle * outcome.wall.as_secs_f64();
        Ok((outcome.words(), cpu.max(0.0) * 1e3 / outcome.times.count() as f64))
    };

    for workers in [1, options.workers] {
        progress(format!("sign-ins, {workers} at once"));
        let (before, everybody) = (cpu_seconds(broker)?, users.clone());
        let count = if workers == 1 { options.sign_ins / 4 } else { options.sign_ins };
        let outcome = closed_loop(workers, count, move |number| {
            let everybody = everybody.clone();
            async move { everybody[number % everybody.len()].visitor.sign_in(PASSWORD).await.map(drop) }
        });
        let (words, cpu) = watched(outcome.await?, before)?;
        let why = "argon2id (19 MiB, 2 passes, 1 lane) is nearly all of it";
        row(
            PART,
            format!("sign-in, {workers} at once"),
            format!("{words}, {cpu:.1} ms of processor each"),
            why,
        );
    }

    progress("listings");
    let (before, everybody) = (cpu_seconds(broker)?, users.clone());
    let outcome = closed_loop(options.workers, options.listings, move |number| {
        let everybody = everybody.clone();
        async move {
            let user = &everybody[number % everybody.len()];
            user.visitor.resources(&user.cookie).await.map(drop)
        }
    });
    let (words, cpu) = watched(outcome.await?, before)?;
    let sees = users.iter().map(|user| user.applications.len()).sum::<usize>() / users.len();
    let what = format!("listing, {} at once; a user sees {sees} of {}", options.workers, options.resources);
    row(PART, what, format!("{words}, {cpu:.2} ms of processor each"), "under 10 ms of processor");

    progress("effective access");
    let ask = json!({ "facts": { "address": "192.0.2.7", "client_os": "linux" } });
    let (before, api) = (cpu_seconds(broker)?, populated.farm.admin.clone());
    let outcome = closed_loop(1, EXPLANATIONS, move |number| {
        let (api, mut ask) = (api.clone(), ask.clone());
        async move {
            ask["user"] = json!(id_of_user(&api, number).await?);
            post(&api, "/why/access", ask).await.map(drop)
        }
    });
    let (words, cpu) = watched(outcome.await?, before)?;
    let what = format!("effective access: {} resources, each with the rule that decides", options.resources);
    row(PART, what, format!("{words}, {cpu:.2} ms of processor each"), "with finding the user by name");

    progress("launches");
    let (before, everybody) = (cpu_seconds(broker)?, users.clone());
    let outcome = closed_loop(options.workers, options.launches, move |number| {
        let everybody = everybody.clone();
        async move {
            let user = &everybody[number % everybody.len()];
            let application = &user.applications[number / everybody.len() % user.applications.len()];
            let launch = user.visitor.launch(&user.cookie, application).await?;
            ensure!(launch["ticket"].is_string(), "no ticket in {launch}");
            Ok(())
        }
    });
    let (words, cpu) = watched(outcome.await?, before)?;
    let what =
        format!("launch, {} at once, each a new session on one of {} hosts", options.workers, options.hosts);
    row(PART, what, format!("{words}, {cpu:.2} ms of processor each"), "");

    progress("changes of settings");
    let (before, api, publish) =
        (cpu_seconds(broker)?, populated.farm.admin.clone(), populated.publisher.clone());
    let existing = options.resources;
    let outcome = closed_loop(1, CHANGES, move |number| {
        let (api, publish) = (api.clone(), publish.clone());
        async move {
            let number = existing + number;
            create(&api, "resources", &format!("Program {number}"), publish.spec(number)).await.map(drop)
        }
    });
    let (words, cpu) = watched(outcome.await?, before)?;
    let what = format!("publishing one application more through the REST API, with {existing} there");
    row(
        PART,
        what,
        format!("{words}, {cpu:.1} ms of processor each"),
        "committed, and in force when answered",
    );
    let memory = resident_kib(broker)? as f64 / 1024.0;
    row(PART, "resident memory at the end", format!("{memory:.0} MiB"), "");
    Ok(())
}

async fn populate(options: &Options, scratch: &Path) -> anyhow::Result<Populated> {
    progress("starting a broker");
    let farm = ProcessFarm::start().await?;
    let admin = farm.admin.clone();

    let mut groups = Vec::new();
    for number in 0..options.groups {
        groups.push(create(&admin, "groups", &format!("Group {number}"), json!({})).await?);
    }
    let groups = Arc::new(groups);

    progress(format!("making {} users", options.users));
    let (api, memberships) = (admin.clone(), groups.clone());
    closed_loop(SETUP_WORKERS, options.users, move |number| {
        let (api, memberships) = (api.clone(), memberships.clone());
        async move {
            let mine = [number, number + 1].map(|group| &memberships[group % memberships.len()]);
            let spec = json!({ "groups": mine });
            api.post("/users", json!({ "name": user_name(number), "password": PASSWORD, "spec": spec }))
                .await?;
            Ok(())
        }
    })
    .await?;

    let mut folders = Vec::new();
    for number in 0..options.resources.div_ceil(FOLDER_SIZE) {
        let spec = json!({ "target": { "kind": "folder" } });
        folders.push(create(&admin, "resources", &format!("Folder {number}"), spec).await?);
    }
    let (api, publisher) = (admin.clone(), Publisher { pool: farm.pool.clone(), folders, groups });
    let publisher = Arc::new(publisher);
    let publish = publisher.clone();
    closed_loop(SETUP_WORKERS, options.resources, move |number| {
        let (api, publish) = (api.clone(), publish.clone());
        if number % 1_000 == 0 {
            progress(format!("publishing application {number}"));
        }
        async move {
            create(&api, "resources", &format!("Program {number}"), publish.spec(number)).await.map(drop)
        }
    })
    .await?;

    let agents = start_agents(&farm, options.hosts, scratch).await?;
    let users = Arc::new(sign_everybody_in(&farm, options.users, scratch).await?);
    Ok(Populated { farm, publisher, users, _agents: agents })
}

/// Makes applications' specs.
struct Publisher {
    pool: String,
    folders: Vec<String>,
    groups: Arc<Vec<String>>,
}

impl Publisher {
    fn spec(&self, number: usize) -> Value {
        let group = &self.groups[number % self.groups.len()];
        let criteria = json!([{ "type": "group", "objects": [group] }]);
        json!({
            "target": {
                "kind": "application",
                "program": "/usr/bin/program",
                "source": { "from": "pools", "pools": [self.pool] },
            },
            "folder": self.folders[number / FOLDER_SIZE % self.folders.len()],
            "rules": { "rules": [{ "effect": "allow", "criteria": criteria }], "otherwise": "deny" },
        })
    }
}

/// The id of one of the users.
async fn id_of_user(api: &AdminClient, number: usize) -> anyhow::Result<String> {
    let list = api.get(&format!("/users?name={}&exact=true", user_name(number % 4))).await?;
    Ok(list["items"][0]["id"].as_str().context("no such user")?.to_owned())
}

/// Makes an object; gives its id.
async fn create(api: &AdminClient, kind: &str, name: &str, spec: Value) -> anyhow::Result<String> {
    let made = post(api, &format!("/{kind}"), json!({ "name": name, "spec": spec })).await?;
    Ok(made["id"].as_str().with_context(|| format!("no id in {made}"))?.to_owned())
}

/// Asks for something while the farm is set up, again when the broker says that it was too often: it
/// bounds what one address may ask for.
async fn post(api: &AdminClient, path: &str, body: Value) -> anyhow::Result<Value> {
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

fn user_name(number: usize) -> String {
    format!("user-{number:03}")
}
