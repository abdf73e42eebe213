//! Every route with every role; and what a role does not see is not sent.

use oriel_model::permission::{Action, AdministratorRole, Area, Permissions, Reach};

use super::*;

/// Routes that name no permission: who may call them, and why that is right.
const WITHOUT: &[(&str, &str)] = &[
    ("get /kinds", "what kinds there are is in the public document"),
    ("get /problems", "so are the codes of errors"),
    ("get /problems/{code}", "so are the codes of errors"),
    ("get /events", "each topic asks by itself"),
    ("get /sign-in", "shows the caller, or nobody"),
    ("post /sign-in", "who signs in is nobody yet"),
    ("delete /sign-in", "ends the caller's own"),
    ("get /me", "shows the caller"),
    ("post /me/stay", "keeps the caller's own"),
    ("post /me/totp", "sets up the caller's own"),
    ("get /first-start", "says only whether one is needed, to who cannot sign in yet"),
    ("post /first-start", "asks for the farm's first token"),
    ("post /recovery", "asks for a proof made from the farm key"),
    ("put /me/password", "changes the caller's own"),
    ("get /me/sessions", "shows the caller's own"),
    ("delete /me/sessions/{id}", "ends the caller's own"),
    ("get /me/messages", "shows the caller's own"),
    ("delete /me/messages/{id}", "puts away the caller's own"),
    ("post /me/messages/{id}/answer", "answers what was said to the caller"),
    ("put /me/totp", "sets up the caller's own"),
    ("delete /me/totp", "takes away the caller's own"),
    ("post /me/totp/recovery-codes", "renews the caller's own"),
];

struct Route {
    method: Method,
    path: String,
    permission: Option<(Option<Area>, Action, bool)>,
}

fn routes() -> Vec<Route> {
    let document = serde_json::to_value(document()).expect("JSON");
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            if !operation["operationId"].is_string() {
                continue;
            }
            let said = &operation["x-permission"];
            let permission = said.is_object().then(|| {
                let read = |name: &str| said[name].clone();
                (
                    serde_json::from_value(read("area")).expect("an area"),
                    serde_json::from_value(read("action")).expect("an action"),
                    read("root").as_bool().expect("whether only root may"),
                )
            });
            found.push(Route { method, path: path.clone(), permission });
        }
    }
    assert!(found.len() > 80, "only {} routes were found", found.len());
    found
}

#[test]
fn every_route_names_its_permission() {
    let mut without: Vec<_> = routes()
        .into_iter()
        .filter(|route| route.permission.is_none())
        .map(|route| format!("{} {}", route.method.as_str().to_lowercase(), route.path))
        .collect();
    without.sort();
    let mut known: Vec<_> = WITHOUT.iter().map(|(route, _)| (*route).to_owned()).collect();
    known.sort();
    assert_eq!(without, known);
}

/// Roles as administrators have them, and what they are called.
fn roles() -> Vec<(&'static str, AdministratorRole, Value)> {
    use AdministratorRole::{Custom, HelpDesk, Power, Root, Viewer};
    let grant = |actions: Value, area: &str| json!({"actions": actions, "area": area});
    vec![
        ("root", Root, json!({})),
        ("power", Power, json!({})),
        ("power without publishing", Power, json!({"hidden": ["publishing"], "view_only": ["hosts"]})),
        ("viewer", Viewer, json!({})),
        ("nothing", Custom, json!({})),
        ("publisher", Custom, json!({"grants": [grant(json!(["add", "modify"]), "publishing")]})),
        ("reader of the log", Custom, json!({"grants": [grant(json!(["view"]), "audit")]})),
        ("help desk", HelpDesk, json!({})),
    ]
}

#[tokio::test]
async fn every_route_refuses_every_role_that_it_is_not_for() {
    let office = Office::open().await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (number, (name, role, reach)) in (2..).zip(roles()) {
        let spec = json!({"role": role, "reach": reach});
        let made =
            office.post("tokens", json!({"name": name, "spec": spec})).await.expect(StatusCode::CREATED);
        let secret = made["secret"].as_str().expect("a secret").to_owned();
        let reach: Reach = serde_json::from_value(reach).expect("a reach");
        let permissions = Permissions { role, reach: &reach };
        for route in routes() {
            let Some((area, action, root)) = route.permission else { continue };
            let is_permitted = Area::ALL
                .iter()
                .filter(|one| area.is_none_or(|wanted| wanted == **one))
                .any(|area| permissions.anywhere(*area, action));
            let path = route.path.replace("{id}", nobody).replace("{sequence}", "999999");
            let path = path.trim_start_matches('/');
            // A body that no route takes: who gets as far as reading it was let through.
            let body = b"[]".to_vec();
            let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
            let mut request = office.request(&secret, route.method.clone(), path, &headers, body);
            // At an address of its own: each may ask only so often.
            request.extensions_mut().insert(PeerAddress((Ipv4Addr::new(127, 0, 0, number), 1).into()));
            let answer = office.ask(request).await;
            let what = format!("{name}: {} {} -> {}", route.method, route.path, answer.status);
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
            assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{what}");
            assert!(
                !answer.status.is_server_error() || answer.status == StatusCode::SERVICE_UNAVAILABLE,
                "{what}"
            );
            if is_permitted && !(root && role != AdministratorRole::Root) {
                assert_ne!(answer.status, StatusCode::FORBIDDEN, "{what}: {:#}", answer.body);
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}: {:#}", answer.body);
            }
        }
        let me = office.send(&secret, Method::GET, "me", "", Vec::new(), None).await.expect(StatusCode::OK);
        for area in Area::ALL {
            let word = serde_json::to_value(area).expect("a word");
            let told = &me["areas"][word.as_str().expect("a word")];
            for action in Action::ALL {
                let is_told = told.as_array().is_some_and(|told| told.contains(&json!(action)));
                assert_eq!(is_told, permissions.anywhere(*area, *action), "{name}: {area:?} {action:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_belongs_to_another_site_is_not_sent_and_not_changed() {
    let office = Office::open().await;
    let [berlin, oslo] = ["Berlin", "Oslo"].map(|name| json!({"name": name, "spec": {}}));
    let (berlin, oslo) = (office.made("sites", berlin).await, office.made("sites", oslo).await);
    let pool = |name: &str, site: &str| json!({"name": name, "site": site, "spec": {}});
    let here = office.made("pools", pool("here", &berlin)).await;
    let there = office.made("pools", pool("there", &oslo)).await;
    let spec = json!({"role": "power", "reach": {"sites": [berlin]}});
    let made =
        office.post("tokens", json!({"name": "Berlin's", "spec": spec})).await.expect(StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    let ask = |method, path: String, body: Value| {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let (office, secret) = (&office, &secret);
        async move { office.send(secret, method, &path, "application/json", body, Some(1)).await }
    };

    let pools = ask(Method::GET, "pools".into(), Value::Null).await.expect(StatusCode::OK);
    assert_eq!(names(&pools).iter().filter(|name| ["here", "there"].contains(name)).count(), 1);
    ask(Method::GET, format!("pools/{there}"), Value::Null).await.refused(StatusCode::NOT_FOUND, "not_found");
    ask(Method::DELETE, format!("pools/{there}"), Value::Null)
        .await
        .refused(StatusCode::NOT_FOUND, "not_found");
    let log = ask(Method::GET, "changes".into(), Value::Null).await.expect(StatusCode::OK).to_string();
    assert!(log.contains(&here) && !log.contains(&there), "{log}");
    let documents = ask(Method::GET, "documents?kind=pool".into(), Value::Null).await.expect(StatusCode::OK);
    assert!(!documents.to_string().contains("there"), "{documents:#}");

    ask(Method::POST, "pools".into(), pool("new", &oslo)).await.refused(StatusCode::FORBIDDEN, "forbidden");
    let moved = json!({"name": "here", "site": oslo, "spec": {}, "revision": 1});
    ask(Method::PUT, format!("pools/{here}"), moved).await.refused(StatusCode::FORBIDDEN, "forbidden");
    let documents = json!({"documents": [{"kind": "pool", "name": "there", "site": "Oslo", "spec": {"description": "x"}}]});
    for dry_run in [true, false] {
        let mut apply = documents.clone();
        apply["dry_run"] = json!(dry_run);
        let said = ask(Method::POST, "apply".into(), apply).await.refused(StatusCode::FORBIDDEN, "forbidden");
        assert!(said.contains("change pool \"there\""), "{said}");
    }
    ask(
        Method::PUT,
        format!("pools/{here}"),
        json!({"name": "ours", "site": berlin, "spec": {}, "revision": 1}),
    )
    .await
    .expect(StatusCode::OK);
}

#[tokio::test]
async fn nobody_but_root_makes_an_administrator() {
    let office = Office::open().await;
    let group = office.made("groups", json!({"name": "Root", "spec": {}})).await;
    let anna = office.made("users", json!({"name": "anna", "spec": {"groups": [group]}})).await;
    let ben = office.made("users", json!({"name": "ben", "spec": {}})).await;
    let spec = json!({"who": {"group": group}, "role": "root"});
    office.made("administrators", json!({"name": "Root", "spec": spec})).await;
    let made = office.post("tokens", json!({"name": "p", "spec": {"role": "power"}})).await;
    let made = made.expect(StatusCode::CREATED);
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    let ask = |method, path: String, body: Value| {
        let (office, secret) = (&office, &secret);
        let body = body.to_string().into_bytes();
        async move { office.send(secret, method, &path, "application/json", body, None).await }
    };
    let refused = |answer: Answer| answer.refused(StatusCode::FORBIDDEN, "forbidden");
    let password = json!({"password": "correct horse battery"});
    refused(ask(Method::PUT, format!("users/{anna}/password"), password.clone()).await);
    let promoted = json!({"name": "ben", "spec": {"groups": [group]}, "revision": 1});
    refused(ask(Method::PUT, format!("users/{ben}"), promoted).await);
    let new = json!({"name": "eve", "spec": {"groups": [group]}, "password": "correct horse battery"});
    refused(ask(Method::POST, "users".into(), new).await);
    refused(
        ask(Method::PUT, format!("groups/{group}"), json!({"name": "x", "spec": {}, "revision": 1})).await,
    );
    let own = json!({"name": "Own", "spec": {"who": {"user": ben}, "role": "root"}});
    refused(ask(Method::POST, "administrators".into(), own.clone()).await);
    refused(ask(Method::POST, "tokens".into(), json!({"name": "q", "spec": {"role": "viewer"}})).await);
    let document =
        json!({"kind": "administrator", "name": "Own", "spec": {"who": {"user": "ben"}, "role": "root"}});
    refused(ask(Method::POST, "apply".into(), json!({"documents": [document]})).await);
    ask(Method::PUT, format!("users/{ben}/password"), password).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_last_root_who_can_sign_in_stays() {
    let office = Office::open().await;
    let group = office.made("groups", json!({"name": "Nobody", "spec": {}})).await;
    let anna = office.made("users", json!({"name": "anna", "spec": {}})).await;
    let spec = json!({"who": {"user": anna}, "role": "root"});
    let root = office.made("administrators", json!({"name": "Anna", "spec": spec})).await;
    // Nobody gets in as somebody without a password: the token from the first start must stay for now.
    let tokens = office.get("tokens?name=admin&exact=true").await.expect(StatusCode::OK);
    let token = format!("tokens/{}", tokens["items"][0]["id"].as_str().expect("an id"));
    office.delete(&token, 1).await.refused(StatusCode::CONFLICT, "in_use");
    let password = json!({"password": super::sign_in::PASSWORD});
    office.put(&format!("users/{anna}/password"), password).await.expect(StatusCode::NO_CONTENT);

    // Another root who cannot sign in does not help.
    let ben = office.made("users", json!({"name": "ben", "spec": {}})).await;
    let spec = json!({"who": {"user": ben}, "role": "root"});
    office.made("administrators", json!({"name": "Ben", "spec": spec})).await;
    let answer = office.delete(&format!("administrators/{root}"), 1).await;
    assert!(answer.refused(StatusCode::CONFLICT, "in_use").contains("nobody else can sign in as root"));
    let path = format!("administrators/{root}");
    for (field, spec) in [
        ("spec.role", json!({"who": {"user": anna}, "role": "viewer"})),
        ("spec.enabled", json!({"who": {"user": anna}, "role": "root", "enabled": false})),
        ("spec.who", json!({"who": {"group": group}, "role": "root"})),
    ] {
        let answer = office.put(&path, json!({"name": "Anna", "spec": spec, "revision": 1})).await;
        assert_eq!(answer.expect(StatusCode::UNPROCESSABLE_ENTITY)["errors"][0]["field"], field);
    }
    let disabled = json!({"name": "anna", "spec": {"enabled": false}, "revision": 1});
    let off = office.put(&format!("users/{anna}"), disabled).await;
    assert_eq!(off.expect(StatusCode::UNPROCESSABLE_ENTITY)["errors"][0]["field"], "spec.enabled");
    let answer = office.delete(&format!("users/{anna}"), 1).await;
    assert!(answer.refused(StatusCode::CONFLICT, "in_use").contains("administrator \"Anna\""));
    let both = json!([
        {"kind": "administrator", "name": "Anna", "delete": true},
        {"kind": "user", "name": "anna", "delete": true},
    ]);
    let answer = office.post("apply", json!({"documents": both})).await;
    let errors = answer.expect(StatusCode::UNPROCESSABLE_ENTITY)["errors"].to_string();
    assert!(errors.contains("nobody else can sign in as root"), "{errors}");

    // With somebody who can sign in as root, the token from the first start may go.
    office.delete(&token, 1).await.expect(StatusCode::NO_CONTENT);
    let me = office.sign_in("anna", super::sign_in::PASSWORD).await.expect(StatusCode::OK);
    assert_eq!(me["root"], true);
}
