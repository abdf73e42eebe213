//! A whole farm from the command line: kept, restored, turned back, copied between sites, and filled.

use std::time::{Duration, Instant};

use oriel_testkit::farm::{Farm, PASSWORD};
use serde_json::{Value, json};

use super::command_line::{Terminal, texts};

const PASSPHRASE: &str = "what-nobody-guesses-81\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_restored_into_an_empty_farm_with_its_passwords() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    farm.user("alice", &[]).await;
    oriel.works("group create Sales").await;
    oriel.works("user set alice groups=[Sales]").await;
    oriel.works("resource publish desktop Desk --pool Office --group Sales --icon desktop").await;
    let refused = oriel.fails("backup now", 6).await;
    assert!(refused.contains("oriel backup passphrase"), "{refused}");
    let set = oriel.types(&["backup", "passphrase", "--password-stdin"], PASSPHRASE).await;
    assert!(set.status.success(), "{:?}", texts(&set));
    let made = oriel.json("backup now").await;
    let name = made["name"].as_str().unwrap();
    assert!(oriel.works("backup list").await.contains(name));
    let file = farm.directory().join("broker/backups").join(name);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("Desk") && !text.contains(PASSWORD) && !text.contains("$argon2"),
        "secrets are sealed"
    );

    let mut new = Farm::broker_only().await;
    let other = Terminal::new(&new);
    let import = format!("import --file {}", file.display());
    std::fs::write(new.directory().join("right"), PASSPHRASE).unwrap();
    std::fs::write(new.directory().join("wrong"), "something-else-22\n").unwrap();
    let full = other.fails(&format!("{import} --passphrase-file right"), 6).await;
    assert!(full.contains("pool") && full.contains("--replace"), "{full}");
    other.works("pool delete Office").await;
    other.fails(&import, 7).await;
    other.fails(&format!("{import} --passphrase-file wrong"), 7).await;
    let plan = other.works(&format!("{import} --passphrase-file right --dry-run")).await;
    assert!(plan.contains("+ user \"alice\"") && plan.contains("+ resource \"Desk\""), "{plan}");
    assert!(!plan.lines().any(|line| line.ends_with(": ") || line.ends_with(": -")), "empty fields: {plan}");
    other.fails("get user alice", 5).await;
    other.works(&format!("{import} --passphrase-file right")).await;

    for kind in ["pools", "groups", "users", "resources"] {
        let line = format!("get {kind} -o yaml");
        assert_eq!(other.works(&line).await, oriel.works(&line).await, "{kind}");
    }
    let log = other.works("log --brief --code settings").await;
    assert!(log.contains("token admin set the secret of user \"alice\""), "{log}");
    // The password is the old one, and the gateway is the new farm's.
    new.add_gateway("gate-1").await;
    let alice = new.signed_in("alice").await;
    assert_eq!(alice.resource_names().await.unwrap(), ["Desk"]);
    let icon = alice.resources().await.unwrap()[0]["icon_url"].as_str().unwrap().to_owned();
    assert!(icon.ends_with("/icons/desktop.png"), "{icon}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_turned_back_one_by_one_and_to_a_point() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    let newest =
        async || oriel.json("log --code settings --limit 1").await[0]["change"]["sequence"].as_u64().unwrap();
    oriel.works("pool create Lab").await;
    let calm = newest().await;
    oriel.works("set pool Lab description=first").await;
    let moment = oriel.json("log --code settings --limit 1").await[0]["at"].as_str().unwrap().to_owned();
    oriel.works("set pool Lab description=second").await;
    oriel.works("group create Sales").await;

    let refused = oriel.fails(&format!("revert {}", calm + 1), 6).await;
    assert!(refused.contains("Lab") && refused.contains(&format!("oriel revert --to {calm}")), "{refused}");
    let without = oriel.fails("revert", 2).await;
    assert!(without.contains("--to NUMBER"), "{without}");
    let done = oriel.works(&format!("revert {}", calm + 2)).await;
    assert!(done.contains("spec.description: second -> first"), "{done}");
    assert_eq!(oriel.json("get pool Lab").await["spec"]["description"], "first");

    oriel.fails(&format!("revert --to {calm} --since {moment}"), 2).await;
    for point in [format!("--to {calm}"), format!("--since {moment}")] {
        let plan = oriel.works(&format!("revert {point} --dry-run")).await;
        assert!(plan.contains("0 to create, 1 to change, 1 to delete"), "{plan}");
    }
    assert_eq!(oriel.json("get pool Lab").await["spec"]["description"], "first");
    oriel.works(&format!("revert --since {moment}")).await;
    assert_eq!(oriel.json("get pool Lab").await["spec"]["description"], "");
    oriel.fails("get group Sales", 5).await;
    // What turned it back can itself be turned back.
    oriel.works(&format!("revert {}", newest().await)).await;
    assert_eq!(oriel.json("get pool Lab").await["spec"]["description"], "first");

    // All that one file has brought goes together, and is told as such.
    let file = "- {kind: group, name: Staff}\n- {kind: user, name: eve, spec: {groups: [Staff]}}\n";
    std::fs::write(farm.directory().join("two.yaml"), file).unwrap();
    oriel.works("apply -f two.yaml --yes").await;
    let last = newest().await;
    let log = oriel.works(&format!("log --transaction {}", last - 1)).await;
    assert!(log.contains("\"Staff\"") && log.contains(&format!("together with {})", last - 1)), "{log}");
    oriel.fails(&format!("revert {}", last - 1), 7).await;
    let done = oriel.works(&format!("revert {} --transaction", last - 1)).await;
    assert!(done.contains("2 deleted") || done.contains("- user \"eve\""), "{done}");
    oriel.fails("get group Staff", 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sections_of_a_site_are_copied_once_or_kept_in_step() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    for line in [
        "site create North publishing.maintenance_message=Soon host_defaults.max_sessions=7",
        "site create East",
        "site create West",
    ] {
        oriel.works(line).await;
    }
    let message = async |site: &str| {
        let site = oriel.json(&format!("get site {site}")).await;
        [&site["effective"], &site["spec"]]
            .into_iter()
            .find_map(|part| part["publishing"]["maintenance_message"].as_str().map(str::to_owned))
    };
    let plan = oriel.works("site copy North --to East --section publishing --dry-run").await;
    assert!(plan.contains("~ site \"East\"") && plan.contains("Soon"), "{plan}");
    assert_ne!(message("East").await.as_deref(), Some("Soon"));
    oriel.works("site copy North --to East --section publishing").await;
    oriel
        .works("site copy North --to West --section publishing --section host_defaults --keep-in-step")
        .await;
    assert_eq!(message("East").await.as_deref(), Some("Soon"));

    oriel.works("set site North publishing.maintenance_message=Later").await;
    assert_eq!(message("East").await.as_deref(), Some("Soon"), "it was copied once");
    let west = oriel.works("get site West -o yaml").await;
    assert!(west.contains("publishing: North") && west.contains("host_defaults: North"), "{west}");
    assert_eq!(message("West").await.as_deref(), Some("Later"), "it is kept in step");
    oriel.fails("site copy North --to North --section publishing", 7).await;
    oriel.fails("site copy North --to East --section nothing", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_icon_is_named_or_sent() {
    let farm = Farm::start().await;
    let oriel = Terminal::new(&farm);
    let set = oriel.works("resource icons").await;
    assert!(set.lines().count() > 20 && set.contains("terminal"), "{set}");
    oriel.works("resource publish application Shell --program xterm --icon terminal").await;
    oriel.works("resource publish folder Tools --icon builtin:settings").await;
    assert_eq!(oriel.json("get resource Shell").await["spec"]["icon"], "builtin:terminal");
    assert_eq!(oriel.json("get resource Tools").await["spec"]["icon"], "builtin:settings");
    assert!(oriel.works("get resource Shell -o yaml").await.contains("icon: builtin:terminal"));
    let wrong = oriel.fails("resource set Shell --icon termnal", 2).await;
    assert!(wrong.contains("did you mean terminal?"), "{wrong}");
    let wrong = oriel.fails("set resource Shell icon=builtin:termnal", 7).await;
    assert!(wrong.contains("spec.icon") && wrong.contains("builtin:terminal"), "{wrong}");
    std::fs::write(farm.directory().join("bomb.png"), "not a picture").unwrap();
    let wrong = oriel.fails("resource set Shell --icon bomb.png", 7).await;
    assert!(wrong.contains("is not a PNG"), "{wrong}");

    // The portal's picture of a built-in icon is one that can be sent as well, and is then another icon.
    farm.user("alice", &[]).await;
    let alice = farm.signed_in("alice").await;
    let resources = alice.resources().await.unwrap();
    let shell = resources.iter().find(|resource| resource["name"] == "Shell").unwrap();
    let url = shell["icon_url"].as_str().unwrap().strip_prefix("/api/portal/v1").unwrap();
    let picture = alice.get(url).await.unwrap();
    assert_eq!(picture.status, 200);
    std::fs::write(farm.directory().join("terminal.png"), &picture.body).unwrap();
    oriel.works("resource set Shell --icon terminal.png").await;
    let sent = oriel.json("get resource Shell").await["spec"]["icon"].as_str().unwrap().to_owned();
    assert!(sent.len() == 64, "{sent}");
    let set = oriel.types(&["resource", "set", "Shell", "--icon", ""], "").await;
    assert!(set.status.success(), "{:?}", texts(&set));
    assert_eq!(oriel.json("get resource Shell").await["spec"]["icon"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_sees_is_told_with_what_decided_it() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    farm.user("alice", &[]).await;
    for line in [
        "group create Sales",
        "user set alice groups=[Sales]",
        "group create IT",
        "resource publish desktop Desk --group Sales",
        "resource publish desktop Root --group IT",
        "resource publish folder Tools",
        "policy create Admins --clipboard none --group IT",
        "policy create Kiosk --clipboard none --group Sales",
        "hours create Day --open mon-fri@08:00-18:00 --time-zone UTC --group Sales",
    ] {
        oriel.works(line).await;
    }
    let told = oriel.works("why access --user alice --site Main --at 2026-12-01T12:00:00Z").await;
    for line in [
        "alice sees 2 of 3 published resources.",
        "  Open until 2026-12-01 18:00:00Z, by \"Day\" (UTC).",
        "  It may sign in and open what is published.",
        "  \"Kiosk\" holds; it enforces clipboard.",
        "  \"Admins\": does not, by the default, as no rule matches",
        "  Desk   Yes, by rule 1 \"for group Sales\".",
        "  Tools  Yes, by the default, as no rule matches.",
        "  Root  No, by the default, as no rule matches.",
    ] {
        assert!(told.lines().any(|found| found == line), "{line} is missing in:\n{told}");
    }
    let closed = oriel.works("why access --user alice --at 2026-12-01T20:00:00Z").await;
    assert!(closed.contains("Closed until 2026-12-02 08:00:00Z, by \"Day\" (UTC)."), "{closed}");
    assert_eq!(oriel.json("why access --user alice").await["visible"], 2);
}

/// Resources of a large farm.
const MANY: usize = 10_000;
/// For one file of them, planned and then done, by an unoptimised build on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_resources_are_applied_from_one_file() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    let folders = MANY / 100;
    let mut file = String::new();
    for number in 0..MANY {
        file += &match number < folders {
            true => {
                format!("---\nkind: resource\nname: Folder {number}\nspec: {{target: {{kind: folder}}}}\n")
            }
            false => format!(
                "---\nkind: resource\nname: App {number}\nspec:\n  folder: Folder {}\n  target: {{kind: \
                 application, program: /usr/bin/app{number}}}\n",
                number % folders
            ),
        };
    }
    std::fs::write(farm.directory().join("many.yaml"), &file).unwrap();
    let began = Instant::now();
    let done = oriel.works("apply -f many.yaml").await;
    let took = began.elapsed();
    let end: Vec<_> = done.lines().rev().take(2).collect();
    assert!(end[0].starts_with("Done, as change "), "{end:?}");
    assert_eq!(end[1], format!("{MANY} to create, 0 to change, 0 to delete, 0 unchanged."));
    assert!(took < DEADLINE, "{took:?}");
    println!("{MANY} resources applied in {took:?}");

    // One change among them is found, and told alone.
    std::fs::write(farm.directory().join("many.yaml"), file.replace("/usr/bin/app500}", "/opt/app500}"))
        .unwrap();
    let diff = oriel.works("diff -f many.yaml").await;
    let expected = format!(
        "~ resource \"App 500\"\n    spec.target.program: /usr/bin/app500 -> /opt/app500\n\n\
         0 to create, 1 to change, 0 to delete, {} unchanged.\n",
        MANY - 1
    );
    assert_eq!(diff, expected);
    let list = oriel.works("get resources -o name").await;
    assert_eq!(list.lines().count(), MANY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_counted_what_uses_an_object_is_told_and_a_calendar_shows_what_comes() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    let staff = farm.admin.create("groups", "Staff", json!({})).await.unwrap();
    for user in ["anna", "ben", "carla"] {
        farm.admin.create("users", user, json!({ "groups": [staff] })).await.unwrap();
    }
    assert_eq!(oriel.works("get users --count").await, "3\n");
    assert_eq!(oriel.works("get users --count --filter name:anna|name~:ARL").await, "2\n");
    assert_eq!(oriel.json("session list --count").await, json!({"total": 0}));
    oriel.fails("get users anna --count", 2).await;

    let table = oriel.works("used-by group Staff").await;
    let words: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["KIND", "NAME", "WHERE"]);
    assert_eq!(words[1], ["user", "anna", "spec.groups[0]"]);
    assert_eq!(words.len(), 4, "{table}");

    oriel.works("pool create Night").await;
    let create = "schedule create Nightly --do start --pool Night --at 2026-01-01T02:00 --repeat FREQ=DAILY";
    oriel.works(create).await;
    let table = oriel.works("schedule calendar --days 7").await;
    let nights = table.lines().filter(|line| line.contains("Nightly") && line.contains("coming")).count();
    // Of today's, it depends on the time of the day.
    assert!((6..=7).contains(&nights), "{table}");
    oriel.fails("schedule calendar --days 71", 2).await;
}
