//! The farm as files: applied, compared, exported and undone from the command line.

use oriel_testkit::farm::Farm;

use super::command_line::{Terminal, texts};

const FILE: &str = "kind: pool
name: Lab
spec:
  description: For experiments
---
kind: resource
name: Desk
spec:
  target: {kind: desktop, source: {from: pools, pools: [Lab]}}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_applied_whole_after_their_differences_are_shown() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    let file = farm.directory().join("farm.yaml");
    std::fs::write(&file, FILE).unwrap();

    let plan = oriel.works("apply -f farm.yaml --dry-run").await;
    assert!(plan.contains("+ pool \"Lab\"") && plan.contains("2 to create"), "{plan}");
    oriel.fails("get pool Lab", 5).await;
    oriel.fails("diff -f farm.yaml --exit-code", 9).await;
    oriel.works("apply -f farm.yaml").await;
    assert!(oriel.works("apply -f farm.yaml").await.contains("Nothing to change."));
    oriel.works("diff -f farm.yaml --exit-code").await;
    assert!(oriel.works("get resource Desk -o yaml").await.contains("- Lab"), "names stand for ids");

    // One mistake, and nothing of the file is done; file, line and field are named.
    std::fs::write(&file, FILE.replace("[Lab]", "[Lba]").replace("For experiments", "Changed")).unwrap();
    let complaint = oriel.fails("apply -f farm.yaml", 7).await;
    assert!(complaint.contains("farm.yaml:9: \"Desk\": spec.target"), "{complaint}");
    assert!(complaint.contains("Lba"), "{complaint}");
    assert_eq!(oriel.json("get pool Lab").await["spec"]["description"], "For experiments");

    // From standard input, and from a folder of files.
    let folder = farm.directory().join("farm.d");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.yaml"), "kind: site\nname: North\n").unwrap();
    std::fs::write(folder.join("b.yml"), "- {kind: group, name: Sales}\n").unwrap();
    std::fs::write(folder.join("notes.txt"), "not YAML: [").unwrap();
    let done = oriel.types(&["apply", "-f", "-", "-f", "farm.d"], "kind: group\nname: IT\n").await;
    assert!(done.status.success() && texts(&done).0.contains("3 to create"), "{:?}", texts(&done));

    // Undone by its number in the log.
    oriel.works("set pool Lab description=Oops").await;
    let log = oriel.json("log --kind pool --object Lab --limit 1").await;
    let log_text = oriel.works("log --kind pool --object Lab --limit 1").await;
    assert!(log_text.contains("spec.description: For experiments -> Oops"), "{log_text}");
    oriel.works(&format!("revert {}", log[0]["change"]["sequence"])).await;
    assert_eq!(oriel.json("get pool Lab").await["spec"]["description"], "For experiments");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_exported_and_applied_changes_nothing() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    for line in [
        "pool create Lab settings.max_sessions=5",
        "group create Sales",
        "user create alice --no-password --group Sales",
        "resource publish desktop Desk --pool Lab --group Sales",
        "resource publish web Wiki --address https://wiki.example",
        "resource publish application Writer --program lowriter --extension odt --share-session",
        "resource publish document Report --path ~/report.odt --application Writer",
        "resource publish network-folder Share --path smb://server/share",
        "resource publish local Notes --program notes --system linux",
        "resource publish folder Tools",
        "resource status Tools maintenance --message Soon",
        "policy create Kiosk --clipboard none --group Sales",
        "hours create Day --open mon-fri@08:00-18:00 --time-zone Europe/Berlin",
        "schedule create Sunday --do reboot --pool Lab --at 2026-12-06T02:00 --repeat FREQ=WEEKLY;BYDAY=SU",
        "site create Two",
    ] {
        oriel.works(line).await;
    }
    oriel.works("export --file all.yaml").await;
    let documents = oriel.works("export --documents").await;
    std::fs::write(farm.directory().join("documents.yaml"), documents).unwrap();
    for file in ["all.yaml", "documents.yaml"] {
        let answer = oriel.works(&format!("apply -f {file}")).await;
        assert!(answer.contains("Nothing to change."), "{file}: {answer}");
    }

    // Into an empty farm, which is then the same.
    let empty = Farm::broker_only().await;
    let other = Terminal::new(&empty);
    let file = farm.directory().join("all.yaml");
    other.works(&format!("import --file {} --replace", file.display())).await;
    for kind in ["pools", "groups", "users", "resources", "policies", "logon-hours", "schedules"] {
        let line = format!("get {kind} -o yaml");
        assert_eq!(other.works(&line).await, oriel.works(&line).await, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_changed_in_a_dry_run() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    oriel.works("pool create Lab").await;
    let before = oriel.json("log --code settings --limit 1").await[0]["change"]["sequence"].clone();
    for line in [
        "create pool Other",
        "pool set Lab description=x",
        "set pool Lab description=x",
        "delete pool Lab",
        "user create bob",
        "token create t --role viewer",
        "invite agent --pool Lab",
        "resource publish folder Tools",
        "backup now",
        "set farm sign_in.lockout_after=9",
    ] {
        assert!(!oriel.works(&format!("{line} --dry-run")).await.is_empty(), "{line}");
    }
    assert_eq!(oriel.json("log --code settings --limit 1").await[0]["change"]["sequence"], before);
}
