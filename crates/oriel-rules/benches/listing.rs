//! How long a user's list takes in a large farm: 10,000 resources in 200 folders, 5,000 rules, a user of
//! 200 groups. Exits with an error when a list takes longer than the 10 ms that are promised.
//!
//! `cargo bench -p oriel-rules`

use std::{hint::black_box, process::ExitCode, sync::Arc, time::Instant};

use oriel_model::{
    Id, Object,
    resource::{Application, Resource, Status, Target},
    rule::{Criterion, Effect, Matcher, Rule, Rules},
};
use oriel_rules::{
    access::Catalogue,
    rules::{Facts, decide},
};

const RESOURCES: u128 = 10_000;
const FOLDERS: u128 = 200;
const RULES: u128 = 5_000;
/// What a list may cost.
const BOUND_MS: f64 = 10.0;
const ROUNDS: usize = 200;

fn id<T>(number: u128) -> Id<T> {
    uuid::Uuid::from_u128(number).into()
}

/// Rules as they are written: mostly groups, some with an address or a device's name beside them, every
/// twentieth with a long list.
fn rules(number: u128) -> Rules {
    let criterion = |negated, matcher| Criterion { negated, matcher };
    let groups = match number % 20 {
        0 => (0..500).map(|group| id(group * 7 + number)).collect(),
        _ => vec![id(number % 1_000), id(number % 777)],
    };
    let mut criteria = vec![criterion(false, Matcher::Group(groups))];
    match number % 4 {
        0 => {
            let ranges = (0..10).map(|part| format!("10.{part}.{}.0/24", number % 256)).collect();
            criteria.push(criterion(number.is_multiple_of(8), Matcher::Address(ranges)));
        }
        1 => criteria.push(criterion(true, Matcher::ClientName(vec!["kiosk-*".into(), "LOBBY-?".into()]))),
        _ => {}
    }
    let rule = Rule { name: format!("rule {number}"), effect: Effect::Allow, criteria };
    Rules {
        rules: vec![rule],
        otherwise: if number.is_multiple_of(3) { Effect::Allow } else { Effect::Deny },
    }
}

fn farm() -> Vec<Arc<Object<Resource>>> {
    let resource = |number: u128| {
        let is_folder = number < FOLDERS;
        let target = match is_folder {
            true => Target::Folder,
            false => Target::Application(Application::new("/usr/bin/writer")),
        };
        let mut spec = Resource::new(target);
        spec.folder = match is_folder {
            true => (number >= 20).then(|| id(number % 20)),
            false => Some(id(number % FOLDERS)),
        };
        if number.is_multiple_of(RESOURCES / RULES) {
            spec.rules = rules(number);
        }
        if number % 50 == 7 {
            spec.status = Status::Maintenance { message: "Back at noon.".into() };
        }
        Arc::new(Object {
            id: id(number),
            name: format!("Resource {number}"),
            site: None,
            spec,
            revision: 1,
            changed_at: oriel_model::Timestamp::UNIX_EPOCH,
            changed_by: "bench".into(),
        })
    };
    (0..RESOURCES).map(resource).collect()
}

fn main() -> ExitCode {
    let farm = farm();
    let facts = Facts {
        user: Some(id(1)),
        groups: (0..200).map(|group| id(group * 5)).collect(),
        client_name: Some("desk-17".into()),
        address: "10.3.4.5".parse().ok(),
        ..Facts::default()
    };
    let millis = |since: Instant| since.elapsed().as_secs_f64() * 1e3;
    let began = Instant::now();
    let all = Catalogue::new(farm.iter().cloned());
    println!("made ready, {RESOURCES} resources and {RULES} rules: {:.2} ms", millis(began));
    let began = Instant::now();
    let mut changed = all.clone();
    changed.take_in([(farm[42].id, farm.get(42).cloned())]);
    println!("made ready again after a change of one:     {:.3} ms", millis(began));

    let time = |name: &str, work: &dyn Fn() -> usize| {
        let mut times: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let began = Instant::now();
                black_box(work());
                millis(began)
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let (median, worst) = (times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
        println!("{name} ({}): {median:.3} ms, 99 of 100 within {worst:.3} ms", work());
        median
    };
    let list = time("a user's list", &|| all.visible(&facts).len());
    let effective =
        time("effective access", &|| all.all(&facts).filter(|(_, access)| access.is_visible()).count());
    time("the rules alone, not compiled before", &|| {
        farm.iter().filter(|object| decide(&object.spec.rules, &facts).is_allowed()).count()
    });
    if list.max(effective) < BOUND_MS {
        ExitCode::SUCCESS
    } else {
        println!("more than {BOUND_MS} ms");
        ExitCode::FAILURE
    }
}
