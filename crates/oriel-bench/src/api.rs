//! Measurement: the management API of a large farm, while its agents report and pages listen to events. Lists
//! are asked for as the portal asks, with filters, orders, counts and pages far behind the first.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clap::Args;
use http_body_util::BodyExt as _;
use oriel_model::session::EndReason;
use oriel_testkit::{
    agent::SimulatedAgent,
    http::AdminClient,
    processes::{ProcessFarm, Service},
    wait,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    broker::{
        self,
        populate::{Populated, Size, populate, user_name},
    },
    load::closed_loop,
    process::{cpu_seconds, resident_kib},
    report::{progress, row},
};

const PART: &str = "API";

/// The size of the farm and of the loops.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    size: Size,
    /// Users who never sign in, beside those who do: what lists of users are long of.
    #[arg(long, default_value_t = 9_500)]
    others: usize,
    /// Sessions that each user who signs in starts.
    #[arg(long, default_value_t = 20)]
    sessions_each: usize,
    /// Administrators who wait for an answer at the same time.
    #[arg(long, default_value_t = 4)]
    workers: usize,
    /// Pages that listen to all events.
    #[arg(long, default_value_t = 3)]
    listeners: usize,
    /// Answers of each kind that are counted.
    #[arg(long, default_value_t = 400)]
    answers: usize,
    /// Only questions of whose description this is a part.
    #[arg(long, default_value = "")]
    only: String,
    /// Measure nothing: say where the farm is, and keep it until standard input ends.
    #[arg(long)]
    hold: bool,
}

/// Rows that the portal asks for at a time.
const PAGE: usize = 200;
/// How far behind the first page the far ones are.
const PAGES_BEHIND: usize = 10;
/// Documents that are applied at a time while the farm is set up.
const DOCUMENTS: usize = 1_000;
/// How long all sessions may take to be reported.
const REPORTED_DEADLINE: Duration = Duration::from_secs(60);
/// How long the broker is watched with nobody asking.
const REST_WATCH: Duration = Duration::from_secs(8);
/// Parts of a second in which a part of all hosts changes its load.
const LOAD_STEPS: usize = 10;

const LIST_AIM: &str = "p99 under 100 ms";
const OBJECT_AIM: &str = "p99 under 50 ms";

/// Runs it and hands over the rows. The agents' files go to `scratch`.
pub async fn measure(options: &Options, scratch: &Path) -> anyhow::Result<()> {
    let mut populated = populate(&options.size, scratch).await?;
    make_others(&populated.farm.admin, options.others, options.size.users).await?;
    let sessions = start_sessions(&populated, options).await?;
    let broker = populated.farm.process_id(Service::Broker).context("the broker has ended")?;
    let agents = Arc::new(std::mem::take(&mut populated.agents));

    // Ended with this function.
    let mut background = JoinSet::new();
    background.spawn(keep_loads_changing(agents.clone()));
    if options.hold {
        return hold(&populated.farm).await;
    }
    let heard = Arc::new(AtomicU64::new(0));
    for _ in 0..options.listeners {
        background.spawn(listen(populated.farm.admin.clone(), heard.clone()));
    }

    progress("agents and event streams, with nobody asking");
    let (started, before, heard_before) =
        (Instant::now(), cpu_seconds(broker)?, heard.load(Ordering::Relaxed));
    tokio::time::sleep(REST_WATCH).await;
    let seconds = started.elapsed().as_secs_f64();
    let rest = (cpu_seconds(broker)? - before) / seconds;
    let events = (heard.load(Ordering::Relaxed) - heard_before) as f64 / seconds;
    let size = &options.size;
    let what = format!(
        "nobody asks: {} hosts report {sessions} sessions every second, {} resources, {} users, {} event streams",
        size.hosts,
        size.resources,
        size.users + options.others,
        options.listeners
    );
    let result = format!(
        "{:.0} % of one core, {} MiB; {events:.0} kB/s of events",
        rest * 100.0,
        resident_kib(broker)? / 1024
    );
    row(PART, what, result, "");

    let callers = Callers::new(&populated.farm.admin, options.workers);
    let questions = questions(&populated, sessions).await?;
    for question in questions.into_iter().filter(|question| question.what.contains(&options.only)) {
        progress(&question.what);
        let path = far(&populated.farm.admin, &question).await?;
        let first = populated.farm.admin.get(&path).await?;
        ensure!(!first["items"].as_array().is_some_and(Vec::is_empty), "nothing is at {path}");
        let (before, callers, asked) = (cpu_seconds(broker)?, callers.clone(), path.clone());
        let outcome = closed_loop(options.workers, options.answers, move |number| {
            let (caller, path) = (callers.of(number), asked.clone());
            async move {
                let answer = caller.try_get(&path).await?;
                ensure!(answer.status.is_success(), "{path}: {answer}");
                Ok(())
            }
        })
        .await?;
        let own = cpu_seconds(broker)? - before - rest * outcome.wall.as_secs_f64();
        let each = own.max(0.0) * 1e3 / outcome.times.count() as f64;
        row(
            PART,
            question.what,
            format!("{}, {each:.1} ms of processor each", outcome.words()),
            question.aim,
        );
    }
    row(PART, "resident memory at the end", format!("{} MiB", resident_kib(broker)? / 1024), "");
    ensure!(background.try_join_next().is_none(), "an event stream has ended");
    Ok(())
}

/// Makes an administrator and says where the farm is, as one JSON object; back when standard input ends.
async fn hold(farm: &ProcessFarm) -> anyhow::Result<()> {
    let (user_name, password) = ("bench-administrator", broker::PASSWORD);
    let body = json!({ "name": user_name, "password": password, "spec": {} });
    let user = farm.admin.post("/users", body).await?;
    let body = json!({ "name": user_name, "spec": { "who": { "user": user["id"] }, "role": "root" } });
    farm.admin.post("/administrators", body).await?;
    let management = farm.ports.management;
    let place = json!({ "host": management.ip(), "port": management.port(), "user_name": user_name, "password": password });
    println!("{place}");
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}

/// Administrators at addresses of their own, so that the broker's bounds for each hold as they do for real
/// ones.
#[derive(Clone)]
struct Callers(Arc<Vec<AdminClient>>);

impl Callers {
    /// Several for each worker: one address may ask only so often.
    fn new(admin: &AdminClient, workers: usize) -> Self {
        let address = |number: usize| IpAddr::V4(Ipv4Addr::new(127, 77, 0, number as u8 + 1));
        Self(Arc::new((0..4 * workers.clamp(1, 50)).map(|number| admin.from(address(number))).collect()))
    }

    fn of(&self, number: usize) -> AdminClient {
        self.0[number % self.0.len()].clone()
    }
}

/// Something that administrators ask for.
struct Question {
    what: String,
    path: String,
    aim: &'static str,
    /// Whether a page far behind the first is asked for.
    is_far: bool,
}

async fn questions(populated: &Populated, sessions: usize) -> anyhow::Result<Vec<Question>> {
    let admin = &populated.farm.admin;
    let list = |what: &str, path: &str| Question {
        what: format!("list: {what}"),
        path: format!("{path}{}limit={PAGE}", if path.contains('?') { "&" } else { "?" }),
        aim: LIST_AIM,
        is_far: false,
    };
    let far = |what: &str, path: &str| Question {
        is_far: true,
        ..list(&format!("{what}, {PAGES_BEHIND} pages behind the first"), path)
    };
    let search = |fields: &[&str], part: &str| {
        let terms: Vec<_> = fields.iter().map(|field| format!("{field}~:{part}")).collect();
        format!("filter={}", terms.join("%7C"))
    };
    let of_session = search(&["user_name", "host_name", "resource_name"], "42");
    let of_user = search(&["name", "spec.full_name"], "42");
    let mut questions = vec![
        list(&format!("{sessions} sessions, counted"), "/sessions?count=true"),
        list(
            "sessions of which user, host or resource has \"42\", counted",
            &format!("/sessions?count=true&{of_session}"),
        ),
        list(
            "sessions by idle time, disconnected ones only",
            "/sessions?sort=-idle_secs&filter=state:disconnected",
        ),
        far("sessions by user and start", "/sessions?sort=user_name,-started_at"),
        list("hosts, counted", "/hosts?count=true"),
        list(
            "hosts by load, those that take logons, counted",
            "/hosts?count=true&sort=-state.cpu_load&filter=spec.logon_mode:enabled",
        ),
        list("resources, counted", "/resources?count=true"),
        list(
            "applications with \"42\" in the name, latest change first, counted",
            "/resources?count=true&name=42&sort=-changed_at&filter=spec.target.kind:application",
        ),
        far("resources by kind and place", "/resources?sort=spec.target.kind,-spec.order"),
        list("users, counted", "/users?count=true"),
        list("users with \"42\" in one of two names, counted", &format!("/users?count=true&{of_user}")),
        far("users, latest change first", "/users?sort=-changed_at"),
    ];
    for (noun, plural) in
        [("session", "sessions"), ("host", "hosts"), ("resource", "resources"), ("user", "users")]
    {
        let page = admin.get(&format!("/{plural}?limit=1")).await?;
        let id = page["items"][0]["id"].as_str().with_context(|| format!("there is no {noun}"))?;
        let path = format!("/{plural}/{id}");
        questions.push(Question { what: format!("one {noun}"), path, aim: OBJECT_AIM, is_far: false });
    }
    let group = populated.settings.groups.first().context("there is no group")?;
    let path = format!("/groups/{group}/references?count=true&limit={PAGE}");
    questions.push(Question { what: "what refers to a group".into(), path, aim: LIST_AIM, is_far: false });
    Ok(questions)
}

/// The path of the page that a question is about.
async fn far(admin: &AdminClient, question: &Question) -> anyhow::Result<String> {
    let mut path = question.path.clone();
    if question.is_far {
        for _ in 0..PAGES_BEHIND {
            let page = admin.get(&path).await?;
            let next = page["next"].as_str().with_context(|| format!("{path} has too few pages"))?;
            path = format!("{}&after={next}", question.path);
        }
    }
    Ok(path)
}

/// Users who are only there.
async fn make_others(admin: &AdminClient, count: usize, existing: usize) -> anyhow::Result<()> {
    progress(format!("making {count} users more"));
    let numbers: Vec<usize> = (existing..existing + count).collect();
    for some in numbers.chunks(DOCUMENTS) {
        let documents: Vec<Value> = some
            .iter()
            .map(|number| {
                let spec = json!({ "full_name": format!("Person {number} of the house"), "groups": [format!("Group {}", number % 7)] });
                json!({ "kind": "user", "name": user_name(*number), "spec": spec })
            })
            .collect();
        admin.post("/apply", json!({ "documents": documents })).await?;
    }
    Ok(())
}

/// Every user starts sessions, their clients come, and of every third one the client goes away again. Gives
/// how many there are.
async fn start_sessions(populated: &Populated, options: &Options) -> anyhow::Result<usize> {
    let users = populated.users.clone();
    let count = users.len() * options.sessions_each;
    progress(format!("starting {count} sessions"));
    closed_loop(options.workers, count, move |number| {
        let users = users.clone();
        async move {
            let user = &users[number % users.len()];
            let application = &user.applications[number / users.len() % user.applications.len()];
            user.visitor.launch(&user.cookie, application).await.map(drop)
        }
    })
    .await?;
    for (number, agent) in populated.agents.iter().enumerate() {
        agent.host().everybody_arrives();
        for session in agent.host().sessions().iter().skip(number % 3).step_by(3) {
            agent.host().disconnect_session(&session.session_id, EndReason::Disconnected);
        }
    }
    let admin = &populated.farm.admin;
    wait::within(REPORTED_DEADLINE, "every session is reported", async || {
        let path = "/sessions?limit=1&count=true&filter=state!:prepared";
        let page = admin.get(path).await.map_err(|error| format!("{error:#}"))?;
        wait::ensure(page["total"] == count, page.to_string())
    })
    .await;
    Ok(count)
}

/// Every host's load is another one every second, each at its own moment.
async fn keep_loads_changing(agents: Arc<Vec<SimulatedAgent>>) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / LOAD_STEPS as u32);
    for round in 0_usize.. {
        ticks.tick().await;
        for (number, agent) in agents.iter().enumerate().skip(round % LOAD_STEPS).step_by(LOAD_STEPS) {
            let load = ((number * 37 + round * 13) % 100) as f32 / 100.0;
            agent.host().set_load(load, 0.5);
        }
    }
    Ok(())
}

/// Reads all events, as a page does, and counts their kilobytes.
async fn listen(admin: AdminClient, heard: Arc<AtomicU64>) -> anyhow::Result<()> {
    let mut body = admin.stream("/events?topics=settings,sessions,hosts,load").await?;
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
        heard.fetch_add(bytes / 1_000, Ordering::Relaxed);
        bytes %= 1_000;
    }
    Ok(())
}
