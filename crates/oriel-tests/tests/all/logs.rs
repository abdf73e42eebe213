//! No secret is in any log, answer or address, whatever happens to it on its way.

use http::Method;
use oriel_model::role::Role;
use oriel_testkit::{
    observe,
    rdp::{ClientOptions, RdpClient},
};
use serde_json::{Value, json};

use crate::connection::{Launch, Scene};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_log_or_in_an_answer() {
    let scene = Scene::new().await;
    let farm = &scene.farm;
    // Everything that people type, and everything that parts hand each other.
    let (right, wrong, new) = ("right-horse-5501", "wrong-horse-5502", "fresh-horse-5503");
    let body = json!({ "name": "carol", "password": right, "spec": {} });
    let carol = farm.admin.post("/users", body).await.unwrap();
    let portal = farm.portal();
    portal.try_sign_in("carol", wrong).await.unwrap().assert(401, "");
    portal.try_sign_in("nobody", wrong).await.unwrap().assert(401, "");
    // A password in the place of the name, as it happens to people.
    portal.try_sign_in("carol", &format!("{right}{right}")).await.unwrap().assert(401, "");
    portal.sign_in("carol", right).await.unwrap();
    let malformed = json!({ "user_name": "carol", "password": [right] });
    portal.post("/sign-in", malformed).await.unwrap();

    let launch = Launch::from(portal.launch(&scene.editor).await.unwrap());
    let client = RdpClient::connect(farm.gateway(), &launch.ticket, ClientOptions::default()).await.unwrap();
    let replayed = RdpClient::connect(farm.gateway(), &launch.ticket, ClientOptions::default()).await;
    assert!(replayed.is_err());
    let credentials = scene.rdp.latest().unwrap().info().unwrap().credentials;
    drop(client);

    let id = carol["id"].as_str().unwrap();
    let path = format!("/users/{id}/password");
    farm.admin.try_put(&path, json!({ "password": new })).await.unwrap().assert(204, "");
    farm.admin.try_put(&path, json!({ "password": new, "typo": 1 })).await.unwrap().assert(422, "invalid");
    let token =
        farm.admin.post("/tokens", json!({ "name": "t", "spec": { "role": "viewer" } })).await.unwrap();
    let invitation = farm.invite(Role::Agent).await.unwrap();
    let parsed: oriel_wire::invitation::InvitationString = invitation.parse().unwrap();
    let cookie = portal.cookie().unwrap();

    let secrets = [
        ("a right password", right.to_owned()),
        ("a wrong password", wrong.to_owned()),
        ("a new password", new.to_owned()),
        ("a ticket", launch.ticket.clone()),
        ("a one-time logon", credentials.password.clone()),
        ("a sign-in", cookie.split_once('=').unwrap().1.to_owned()),
        ("a token", token["secret"].as_str().unwrap().to_owned()),
        ("the first token", farm.admin.token().to_owned()),
        ("an invitation", invitation),
        ("an invitation's secret", parsed.secret.to_string()),
    ];
    let log = observe::log();
    assert!(log.contains("a connection opens"), "the log is captured");
    for (what, secret) in &secrets {
        assert!(secret.len() > 8);
        let line = log.lines().find(|line| line.contains(&**secret));
        assert_eq!(line, None, "{what} is in the log");
    }
    // What a secret is shown in once, and nowhere else.
    for path in ["/users", "/tokens", "/invitations", "/changes?limit=1000", "/sessions", "/hosts", "/status"]
    {
        let answer = farm.admin.call(Method::GET, path, &Value::Null).await.unwrap().to_string();
        for (what, secret) in &secrets {
            assert!(!answer.contains(&**secret), "{what} is in {path}");
        }
        assert!(!answer.contains("secret_sha256") && !answer.contains("$argon2"), "{path}: {answer}");
    }
    // Nor in the files of the farm, except where it belongs.
    let database = std::fs::read(farm.directory().join("broker/settings.db")).unwrap();
    let database = String::from_utf8_lossy(&database).into_owned();
    for (what, secret) in &secrets {
        assert!(!database.contains(&**secret), "{what} is in the database in the clear");
    }
    assert!(!database.contains("$argon2"), "hashes are sealed");
}
