//! Mail of notifications through a real mail server (Exim) over TLS.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use http::Method;
use oriel_testkit::{clock::ShiftedClock, farm::Farm, http::Answer, wait};
use serde_json::{Value, json};

/// A mail server in a folder, with a certificate for `localhost`. It takes mail only from who signs in as
/// `oriel`, over TLS, and has no mailbox `nobody`.
struct PostOffice {
    folder: tempfile::TempDir,
    port: u16,
    implicit_port: u16,
    daemon: Option<Child>,
}

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// An authority `NAME.pem`.
fn authority(folder: &Path, name: &str) -> String {
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    openssl(folder, &format!("req -x509 {new} -keyout {name}.key -out {name}.pem -subj /CN={name}"));
    fs::read_to_string(folder.join(format!("{name}.pem"))).unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl PostOffice {
    fn new(tls: bool) -> Self {
        let folder = tempfile::TempDir::with_prefix("oriel-mail-").unwrap();
        let path = folder.path();
        authority(path, "ca");
        let new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(path, &format!("req {new} -keyout key.pem -out request.pem -subj /CN=localhost"));
        fs::write(path.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
        openssl(
            path,
            "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem",
        );
        // Exim works as its own user.
        for name in ["spool", "log", "mail"] {
            fs::create_dir(path.join(name)).unwrap();
            fs::set_permissions(path.join(name), fs::Permissions::from_mode(0o777)).unwrap();
        }
        fs::set_permissions(path.join("key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        let (port, implicit_port) = (free_port(), free_port());
        let advertised = if tls { "*" } else { "" };
        let config = format!(
            "primary_hostname = mail.example.org\n\
             keep_environment =\n\
             spool_directory = {dir}/spool\n\
             log_file_path = {dir}/log/%slog\n\
             pid_file_path = {dir}/exim.pid\n\
             local_interfaces = 127.0.0.1\n\
             daemon_smtp_ports = {port} : {implicit_port}\n\
             tls_on_connect_ports = {implicit_port}\n\
             tls_advertise_hosts = {advertised}\n\
             tls_certificate = {dir}/cert.pem\n\
             tls_privatekey = {dir}/key.pem\n\
             acl_smtp_rcpt = recipient\n\
             acl_smtp_data = data\n\
             begin acl\n\
             recipient:\n  \
             deny !authenticated = *\n    message = sign in first\n  \
             deny local_parts = nobody\n    message = no such mailbox\n  \
             accept\n\
             data:\n  accept\n\
             begin routers\n\
             all:\n  driver = accept\n  transport = file\n\
             begin transports\n\
             file:\n  driver = appendfile\n  directory = {dir}/mail\n  maildir_format\n  user = Debian-exim\n  \
             envelope_to_add\n\
             begin authenticators\n\
             plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  \
             server_condition = ${{if and{{{{eq{{$auth2}}{{oriel}}}}{{eq{{$auth3}}{{secret}}}}}}}}\n  \
             server_set_id = $auth2\n  server_advertise_condition = ${{if def:tls_in_cipher}}\n",
            dir = path.display()
        );
        fs::write(path.join("exim.conf"), config).unwrap();
        Self { folder, port, implicit_port, daemon: None }
    }

    async fn open(&mut self) {
        let config = self.folder.path().join("exim.conf");
        let daemon = Command::new("/usr/sbin/exim4")
            .arg("-C")
            .arg(config)
            .arg("-bdf")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the package exim4-daemon-light is installed");
        self.daemon = Some(daemon);
        let address = ("127.0.0.1", self.port);
        wait::until("the mail server answers", async || tokio::net::TcpStream::connect(address).await).await;
    }

    fn close(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    }

    /// The mailbox as settings have it.
    fn settings(&self) -> Value {
        let authority = fs::read_to_string(self.folder.path().join("ca.pem")).unwrap();
        json!({
            "server": "localhost", "port": self.port, "user_name": "oriel", "sender": "oriel@example.org",
            "trusted_certificates": authority,
        })
    }

    fn delivered(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(self.folder.path().join("mail/new")) else { return Vec::new() };
        let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.into_iter().map(|file| fs::read_to_string(file).unwrap()).collect()
    }

    /// Waits until mail for an address has come whose text has `part`.
    async fn delivers(&self, to: &str, part: &str) -> String {
        wait::within(Duration::from_secs(60), &format!("mail for {to}"), async || {
            let mails = self.delivered();
            let found =
                mails.iter().find(|mail| mail.contains(&format!("Envelope-to: {to}")) && mail.contains(part));
            found.cloned().ok_or(mails)
        })
        .await
    }
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        self.close();
    }
}

async fn set_mailbox(farm: &Farm, mailbox: &Value) {
    let set = farm.admin.get("/farm").await.unwrap();
    let mut spec = set["spec"].clone();
    spec["mailbox"] = mailbox.clone();
    let changed = json!({ "name": set["name"], "spec": spec, "revision": set["revision"] });
    farm.admin.try_put("/farm", changed).await.unwrap().assert(200, "");
}

async fn set_password(farm: &Farm, password: &str) {
    let set = farm.admin.try_put("/farm/mailbox-password", json!({ "password": password })).await;
    set.unwrap().assert(204, "");
}

async fn tested(farm: &Farm, to: &str) -> Answer {
    farm.admin.call(Method::POST, "/farm/mailbox/test", &json!({ "to": to })).await.unwrap()
}

/// A test whose message the server takes, and says so.
async fn taken(farm: &Farm, to: &str) {
    let answer = tested(farm, to).await.expect_success().unwrap();
    assert!(answer["answer"].as_str().is_some_and(|answer| answer.starts_with("250 ")), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_goes_to_a_server_that_proves_who_it_is_and_to_no_other() {
    let farm = Farm::broker_only().await;
    let mut office = PostOffice::new(true);
    office.open().await;
    let right = office.settings();
    set_mailbox(&farm, &right).await;
    tested(&farm, "a@example.org").await.assert_says(503, "mail_not_sent", "no password");
    set_password(&farm, "wrong").await;
    tested(&farm, "a@example.org").await.assert_says(503, "mail_not_sent", "535");
    set_password(&farm, "secret").await;
    taken(&farm, "a@example.org").await;
    office.delivers("a@example.org", "This is a test.").await;
    tested(&farm, "nobody@example.org").await.assert_says(503, "mail_not_sent", "no such mailbox");

    let with = |field: &str, value: Value| {
        let mut mailbox = right.clone();
        mailbox[field] = value;
        mailbox
    };
    let stranger = authority(office.folder.path(), "stranger");
    set_mailbox(&farm, &with("trusted_certificates", json!(stranger))).await;
    tested(&farm, "b@example.org").await.assert_says(503, "mail_not_sent", "certificate");
    // The password is not for whoever is named next, and the certificate is for another name.
    set_mailbox(&farm, &with("server", json!("127.0.0.1"))).await;
    tested(&farm, "b@example.org").await.assert_says(503, "mail_not_sent", "for another server");
    set_password(&farm, "secret").await;
    tested(&farm, "b@example.org").await.assert_says(503, "mail_not_sent", "certificate");

    let mut implicit = with("port", json!(office.implicit_port));
    implicit["tls"] = json!("implicit");
    set_mailbox(&farm, &implicit).await;
    set_password(&farm, "secret").await;
    taken(&farm, "c@example.org").await;
    office.delivers("c@example.org", "This is a test.").await;

    let mut open = PostOffice::new(false);
    open.open().await;
    let mut plain = open.settings();
    plain.as_object_mut().unwrap().remove("user_name");
    set_mailbox(&farm, &plain).await;
    tested(&farm, "d@example.org").await.assert_says(503, "mail_not_sent", "STARTTLS");
    assert_eq!(office.delivered().len(), 2, "nothing else came through");
    assert_eq!(open.delivered().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_the_mail_server_is_away_is_told_once_it_is_back() {
    let clock = ShiftedClock::default();
    let farm = Farm::broker_with_clock(clock.clone()).await;
    let mut office = PostOffice::new(true);
    set_mailbox(&farm, &office.settings()).await;
    set_password(&farm, "secret").await;
    let spec = json!({
        "event": "certificate_days",
        "threshold": { "direction": "falls_below", "value": 40 },
        "mail": { "addresses": ["nobody@example.org", "duty@example.org"] },
    });
    let id = farm.admin.create("notifications", "certificates", spec).await.unwrap();
    let path = format!("/notifications/{id}");
    let state = async || farm.admin.get(&path).await.map(|shown| shown["state"].clone()).unwrap();
    wait::until("the mail waits", async || {
        let state = state().await;
        wait::ensure(state["waiting"] == 1 && state["failure"]["way"] == "mail", state)
    })
    .await;

    office.open().await;
    clock.set_ahead(Duration::from_secs(120));
    // One address that the server does not take keeps nobody else from the mail.
    let mail = office.delivers("duty@example.org", "certificate of this broker").await;
    assert!(mail.contains("Days that a certificate is still valid"), "{mail}");
    wait::until("nothing waits", async || {
        let state = state().await;
        wait::ensure(state["waiting"] == 0 && state["failure"].is_null(), state)
    })
    .await;
    clock.set_ahead(Duration::from_secs(3_600));
    let last_sent = state().await["last_sent"].clone();
    taken(&farm, "later@example.org").await;
    office.delivers("later@example.org", "This is a test.").await;
    assert_eq!(office.delivered().len(), 2, "it is told once, and nobody else gets any");
    assert_eq!(state().await["last_sent"], last_sent);
}
