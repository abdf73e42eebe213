//! Every code that the log's document names is raised by something that really happens: here, as far as one farm
//! in a process goes, and the rest by tests that need more than that.

use std::{collections::BTreeSet, path::Path};

use http::Method;
use oriel_model::role::Role;
use oriel_net::clock::Clock as _;
use oriel_testkit::{
    farm::{Farm, Host, PASSWORD},
    wait,
};
use oriel_wire::enrolment;
use serde_json::{Value, json};

use super::{backups::back_up, notifications::notify, policies::hours};

/// Codes that other tests raise: why they are not raised here, and where.
const ELSEWHERE: [(&str, &str, &str, &str); 8] = [
    (
        "settings.secret_removed",
        "a second factor is set up first, by the clock of an authenticator",
        "oriel-broker/src/http/admin/tests/second_factor.rs",
        "whoever_has_a_second_factor_signs_in_with_it_and_no_code_counts_twice",
    ),
    (
        "administrator.recovered",
        "the program itself is run on the broker's machine",
        "oriel-tests/tests/all/roots.rs",
        "who_can_read_the_brokers_data_makes_somebody_root_again",
    ),
    (
        "notification.sent",
        "a mail server takes it",
        "oriel-tests/tests/all/mail.rs",
        "what_happens_while_the_mail_server_is_away_is_told_once_it_is_back",
    ),
    (
        "directory.out_of_reach",
        "a server of a directory goes away",
        "oriel-tests/tests/all/directory_people.rs",
        "people_of_a_directory_work_and_go_on_working_without_it",
    ),
    (
        "directory.answers",
        "it comes back",
        "oriel-tests/tests/all/directory_people.rs",
        "people_of_a_directory_work_and_go_on_working_without_it",
    ),
    (
        "backup.failed",
        "a disk is full",
        "oriel-tests/tests/all/backups.rs",
        "a_full_disk_costs_no_backup_that_is_there_and_administrators_are_told",
    ),
    (
        "log.dropped",
        "the log is older than it may be",
        "oriel-broker/src/http/admin/tests/audit.rs",
        "the_log_is_followed_to_its_end_and_from_where_it_was_cut",
    ),
    (
        "log.lost",
        "more events wait than a broker holds while its store is away",
        "oriel-broker/src/app/audit/tests.rs",
        "what_was_too_much_is_counted_where_it_is_missing",
    ),
];

/// The codes of `docs/log.md`.
fn documented() -> BTreeSet<String> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/log.md");
    let document = std::fs::read_to_string(document).unwrap();
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(code, _)| code.to_owned()).filter(|code| code.contains('.')).collect()
}

/// The codes in the log of a farm.
async fn logged(farm: &Farm) -> Result<BTreeSet<String>, String> {
    let log = farm.admin.get("/audit?limit=1000").await.map_err(|error| format!("{error:#}"))?;
    assert!(log["next"].is_null(), "the log is longer than one page");
    let entries = log["items"].as_array().ok_or("no entries")?;
    Ok(entries.iter().filter_map(|entry| entry["code"].as_str()).map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_of_the_log_is_raised_by_something_that_really_happens() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    settings_are_changed(&farm).await;
    who_is_nobody_is_refused(&farm).await;
    administrators_come_and_go(&farm).await;
    sessions_are_acted_on(&farm).await;
    duties_are_done(&farm, &host).await;
    hours_are_extended(&farm).await;
    the_machine_is_restarted_and_stopped(&farm, &host).await;

    let elsewhere: BTreeSet<String> = ELSEWHERE.iter().map(|(code, ..)| (*code).to_owned()).collect();
    let here: BTreeSet<_> = documented().difference(&elsewhere).cloned().collect();
    assert!(here.len() > 20 && here.len() + elsewhere.len() == documented().len(), "{here:?}");
    wait::until("every code is in the log", async || {
        let logged = logged(&farm).await?;
        let missing: Vec<_> = here.difference(&logged).collect();
        wait::ensure(missing.is_empty(), format!("{missing:?} of {logged:?}"))
    })
    .await;
}

#[test]
fn the_tests_that_raise_the_other_codes_are_there() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (code, why, file, test) in ELSEWHERE {
        let text =
            std::fs::read_to_string(crates.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("fn {test}(")), "{code} ({why}): {file} has no test {test}");
    }
}

async fn settings_are_changed(farm: &Farm) {
    let group = farm.group("Sales").await;
    let path = format!("/groups/{group}");
    let changed = farm.admin.change(&path, |spec| spec["description"] = "They sell.".into()).await.unwrap();
    let revision = changed["revision"].as_u64().unwrap();
    farm.admin.try_delete(&path, revision).await.unwrap().assert(204, "");
    farm.admin.post("/export", json!({})).await.unwrap();
}

async fn who_is_nobody_is_refused(farm: &Farm) {
    farm.portal().try_sign_in("alice", "wrong").await.unwrap().assert(401, "sign_in_refused");
    let nobody = oriel_testkit::http::AdminClient::new(farm.ports().management, "nonsense");
    nobody.try_get("/me").await.unwrap().assert(401, "unauthorized");
    let used = farm.invite(Role::Gateway).await.unwrap().parse().unwrap();
    let join = async |name: &str| {
        let directory = farm.directory().join(name);
        enrolment::join(&used, Role::Gateway, name, &directory, farm.clock.now()).await
    };
    join("gate-2").await.unwrap();
    join("gate-3").await.unwrap_err();
}

async fn administrators_come_and_go(farm: &Farm) {
    let anna = farm.user("anna", &[]).await;
    let spec = json!({ "who": { "user": anna }, "role": "viewer" });
    farm.admin.create("administrators", "anna", spec).await.unwrap();
    let call = async |method: Method, cookie: &str, body: Value| {
        let headers = [("x-oriel-request", "portal"), ("cookie", cookie)];
        farm.admin.http().send_json(method, "/api/v1/sign-in", &headers, &body).await.unwrap()
    };
    let with = |password: &str| json!({ "name": "anna", "password": password });
    call(Method::POST, "", with("wrong")).await.assert(401, "sign_in_refused");
    let signed_in = call(Method::POST, "", with(PASSWORD)).await;
    signed_in.assert(200, "");
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    call(Method::DELETE, &cookie, Value::Null).await.assert(204, "");
}

async fn sessions_are_acted_on(farm: &Farm) {
    let desktop = farm.desktop("Desktop").await;
    let alice = farm.signed_in("alice").await;
    let act = async |session: &str, action: &str, body: Value| {
        let path = format!("/sessions/{session}/{action}");
        farm.admin.try_post(&path, body).await.unwrap().assert(204, "");
    };
    let launched = async || {
        let launch = alice.launch(&desktop).await.unwrap();
        farm.sessions_until("it is known", |sessions| sessions.len() == 1).await;
        launch["session_id"].as_str().unwrap().to_owned()
    };
    let session = launched().await;
    act(&session, "message", json!({ "title": "", "text": "Hello" })).await;
    act(&session, "end-process", json!({ "process_id": 42 })).await;
    act(&session, "disconnect", Value::Null).await;
    act(&session, "reset", Value::Null).await;
    farm.sessions_until("it is gone", |sessions| sessions.is_empty()).await;
    act(&launched().await, "log-off", Value::Null).await;
    farm.sessions_until("it is gone", |sessions| sessions.is_empty()).await;

    let hidden = json!({ "rules": [], "otherwise": "deny" });
    let spec = json!({ "target": { "kind": "desktop", "source": farm.source() }, "rules": hidden });
    let hidden = farm.resource("Hidden", spec).await;
    assert!(!alice.try_launch(&hidden).await.unwrap().status.is_success());
    alice.post("/sign-out", Value::Null).await.unwrap().assert(204, "");
}

async fn duties_are_done(farm: &Farm, host: &Host) {
    let now = jiff::tz::TimeZone::UTC.to_datetime(farm.clock.now());
    let disable = json!({
        "action": { "do": "disable", "duration_minutes": 5 },
        "target": { "of": "hosts", "hosts": [host.id] },
        "starts_at": now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
    });
    farm.admin.create("schedules", "Now", disable).await.unwrap();
    // Nobody has said where the mail server is.
    let line = json!({ "direction": "rises_above", "value": 0 });
    notify(farm, "refusals", json!({ "event": "refused_sign_ins", "threshold": line })).await;
    back_up(&farm.admin).await;
}

async fn hours_are_extended(farm: &Farm) {
    let outside = json!({ "disconnect": true, "warn_minutes": 10, "extend_minutes": 30, "show_list": false });
    let spec = json!({ "open": hours(farm, -60, 5), "clock": { "of": "user" }, "outside": outside });
    farm.admin.create("logon_hours", "Office", spec).await.unwrap();
    let alice = farm.portal();
    let sign_in = json!({ "user_name": "alice", "password": PASSWORD, "time_zone": "Europe/Berlin" });
    alice.post("/sign-in", sign_in).await.unwrap().expect_success().unwrap();
    wait::until("the hours are extended", async || {
        let answer = alice.post("/hours/extend", Value::Null).await.map_err(|error| format!("{error:#}"))?;
        wait::ensure(answer.status.is_success(), answer.to_string())
    })
    .await;
}

async fn the_machine_is_restarted_and_stopped(farm: &Farm, host: &Host) {
    let call = async |action: &str| {
        farm.admin.post(&format!("/hosts/{}/{action}", host.id), json!({})).await.unwrap();
    };
    call("restart").await;
    farm.host_reports(host, true).await;
    call("stop").await;
}
