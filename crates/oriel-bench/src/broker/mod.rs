//! Measurement: sign-in, listing, launch and changes of settings through one broker, with many hosts whose
//! agents report to it all the time. The broker is a process of its own; agents, users and the gateway's part
//! are here.

pub mod populate;
mod settings;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clap::Args;
use oriel_testkit::{http::AdminClient, processes::Service};
use serde_json::json;

use crate::{
    load::{Outcome, closed_loop},
    process::{cpu_seconds, resident_kib},
    report::{progress, row},
    stats::Times,
};
use populate::{Populated, Size, create, populate, post, user_name};

const PART: &str = "Broker";

/// The size of the farm and of the loops.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    size: Size,
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

/// Changes of settings that are waited for, each as long as people might.
const SEEN_CHANGES: usize = 30;
const SEEN_DEADLINE: Duration = Duration::from_secs(60);

/// Questions for effective access: an administrator's, so few.
const EXPLANATIONS: usize = 50;

/// Every user's.
pub const PASSWORD: &str = "correct-horse-bench";

/// How long the broker is watched with nothing to do but listen to agents.
const IDLE_WATCH: Duration = Duration::from_secs(8);

/// Runs it and hands over the rows. The agents' files go to `scratch`.
pub async fn measure(options: &Options, scratch: &Path) -> anyhow::Result<()> {
    let size = &options.size;
    let populated = populate(size, scratch).await?;
    let broker = populated.farm.process_id(Service::Broker).context("the broker has ended")?;
    let users = &populated.users;

    progress("the broker with nothing to do but reports of its hosts");
    let (started, before) = (Instant::now(), cpu_seconds(broker)?);
    tokio::time::sleep(IDLE_WATCH).await;
    let idle = (cpu_seconds(broker)? - before) / started.elapsed().as_secs_f64();
    let memory = resident_kib(broker)? as f64 / 1024.0;
    let what = format!(
        "at rest: {} hosts report every second, {} resources, {} rules",
        size.hosts, size.resources, populated.rules
    );
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
    let what = format!("listing, {} at once; a user sees {sees} of {}", options.workers, size.resources);
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
    let what = format!("effective access: {} resources, each with the rule that decides", size.resources);
    row(
        PART,
        what,
        format!("{words}, {cpu:.2} ms of processor each"),
        "with finding the user by name; under 10 ms of processor",
    );

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
        format!("launch, {} at once, each a new session on one of {} hosts", options.workers, size.hosts);
    row(PART, what, format!("{words}, {cpu:.2} ms of processor each"), "");

    progress("changes of settings");
    let (before, api, publish) =
        (cpu_seconds(broker)?, populated.farm.admin.clone(), populated.settings.clone());
    let existing = size.resources;
    let outcome = closed_loop(1, CHANGES, move |number| {
        let (api, publish) = (api.clone(), publish.clone());
        async move {
            let number = existing + number;
            create(&api, "resources", &format!("Program {number}"), publish.program(number)).await.map(drop)
        }
    });
    let (words, cpu) = watched(outcome.await?, before)?;
    let what = format!("publishing one application more through the REST API, with {existing} there");
    row(
        PART,
        what,
        format!("{words}, {cpu:.2} ms of processor each"),
        "committed, and in force when answered",
    );

    progress("changes of settings as users see them");
    let seen = seen_changes(&populated).await?;
    row(
        PART,
        "a change of a rule, from sending it to a sign-in and its list that follow it",
        format!("p50 {:.1} ms, worst {:.1} ms", seen.percentile_ms(50.0), seen.percentile_ms(100.0)),
        "under 1 s; of it the sign-in's password some 15 ms",
    );

    let memory = resident_kib(broker)? as f64 / 1024.0;
    row(PART, "resident memory at the end", format!("{memory:.0} MiB"), "");
    Ok(())
}

/// The id of one of the users.
async fn id_of_user(api: &AdminClient, number: usize) -> anyhow::Result<String> {
    let list = api.get(&format!("/users?name={}&exact=true", user_name(number % 4))).await?;
    Ok(list["items"][0]["id"].as_str().context("no such user")?.to_owned())
}

/// Shuts a folder to its users and opens it again, and looks after each change how long it is from sending
/// it until somebody who signs in sees so.
async fn seen_changes(populated: &Populated) -> anyhow::Result<Times> {
    let (api, settings) = (&populated.farm.admin, &populated.settings);
    let program = populated.users[0].applications.first().context("a user sees nothing")?;
    let shown = api.get(&format!("/resources/{program}")).await?;
    let folder = shown["spec"]["folder"].as_str().context("the program lies in no folder")?;
    let number = settings.folders.iter().position(|id| id == folder).context("an unknown folder")?;
    // Several, since one account may sign in only so often.
    let users: Vec<_> = populated.users.iter().filter(|user| user.applications.contains(program)).collect();
    let mut times = Vec::new();
    for (change, user) in (0..SEEN_CHANGES).zip(users.iter().cycle()) {
        let is_open = change % 2 == 1;
        let mut spec = settings.folder(number);
        if !is_open {
            spec["rules"] = json!({ "rules": [], "otherwise": "deny" });
        }
        let path = format!("/resources/{folder}");
        let sent = Instant::now();
        let change = api.change(&path, |said| said.clone_from(&spec));
        let seen = async {
            while sent.elapsed() < SEEN_DEADLINE {
                if user.sees(program, &user.cookie).await? == is_open {
                    let cookie = user.visitor.sign_in(PASSWORD).await?;
                    ensure!(user.sees(program, &cookie).await? == is_open, "a sign-in is behind a list");
                    return Ok(sent.elapsed());
                }
            }
            anyhow::bail!("a change was not seen within {} s", SEEN_DEADLINE.as_secs())
        };
        let (_, took) = tokio::try_join!(change, seen)?;
        times.push(took);
    }
    Ok(Times::new(times))
}
