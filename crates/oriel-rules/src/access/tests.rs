use oriel_model::rule::{Effect, Rules};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::rules::tests::{facts, id, naive, rule_lists};

fn object(number: u128, spec: Resource) -> Arc<Object<Resource>> {
    Arc::new(Object {
        id: id(number),
        name: format!("r{number}"),
        site: None,
        spec,
        revision: 1,
        changed_at: jiff::Timestamp::UNIX_EPOCH,
        changed_by: "test".into(),
    })
}

fn folder(above: Option<u128>) -> Resource {
    Resource { folder: above.map(id), ..Resource::new(Target::Folder) }
}

fn desktop(above: Option<u128>) -> Resource {
    let target = Target::Desktop { source: Default::default(), size: Default::default() };
    Resource { folder: above.map(id), ..Resource::new(target) }
}

fn catalogue(specs: Vec<(u128, Resource)>) -> Catalogue {
    let objects = specs.into_iter().map(|(number, spec)| object(number, spec));
    Catalogue::new(objects)
}

fn see(specs: Vec<(u128, Resource)>, number: u128, facts: &Facts) -> Access {
    catalogue(specs).access(id(number), facts).expect("there is one").1
}

#[test]
fn a_folders_status_and_rules_hold_for_all_below_it() {
    let check = |outer: Resource, expected: Access| {
        let specs = vec![(1, outer), (2, folder(Some(1))), (3, desktop(Some(2)))];
        assert_eq!(see(specs, 3, &Facts::default()), expected);
    };
    let outer = || folder(None);
    let decision = Decision { effect: Effect::Allow, rule: None };
    check(outer(), Access::Open { decision });
    let message = "Back at noon".to_owned();
    let status = Status::Maintenance { message: message.clone() };
    let inherited_from = Some(id(1));
    check(Resource { status, ..outer() }, Access::Maintenance { message, inherited_from, decision });
    check(
        Resource { status: Status::Disabled, ..outer() },
        Access::Hidden { because: Hidden::Disabled { inherited_from } },
    );
    let nobody = Rules { rules: Vec::new(), otherwise: Effect::Deny };
    let decision = Decision { effect: Effect::Deny, rule: None };
    check(
        Resource { rules: nobody, ..outer() },
        Access::Hidden { because: Hidden::FolderRule { folder: id(1), decision } },
    );
    check(
        Resource { sites: vec![id(7)], ..outer() },
        Access::Hidden { because: Hidden::OtherSite { inherited_from } },
    );
}

#[test]
fn a_resource_of_sites_is_seen_in_these_only() {
    let check = |sites: &[u128], site: Option<u128>, expected: bool| {
        let here = Resource { sites: sites.iter().copied().map(id).collect(), ..desktop(None) };
        let facts = Facts { site: site.map(id), ..Facts::default() };
        assert_eq!(see(vec![(1, here)], 1, &facts).is_visible(), expected);
    };
    check(&[], None, true);
    check(&[], Some(1), true);
    check(&[1, 2], Some(2), true);
    check(&[1, 2], Some(3), false);
    check(&[1, 2], None, false);
}

#[test]
fn folders_that_contain_each_other_end_as_lost() {
    let specs = vec![(1, folder(Some(2))), (2, folder(Some(1))), (3, desktop(Some(2)))];
    let all = catalogue(specs);
    assert!(all.visible(&Facts::default()).is_empty());
    for number in 1..=3 {
        let lost = all.access(id(number), &Facts::default()).expect("there is one").1;
        assert_eq!(lost, Access::Hidden { because: Hidden::LostFolder });
        assert_eq!(all.status(id(number)), None);
    }
}

#[test]
fn folders_nest_as_deep_as_is_said_whatever_is_looked_at_first() {
    // Folder 1 at the top, each next one in the one before it, and a desktop in each.
    let specs = (1..=40u128).flat_map(|number| {
        let above = (number > 1).then(|| number - 1);
        [(number, folder(above)), (100 + number, desktop(Some(number)))]
    });
    let all = catalogue(specs.collect());
    let seen: Vec<_> = all.visible(&Facts::default()).iter().map(|(object, _)| object.id).collect();
    for number in 1..=40u128 {
        let fits = number <= FOLDER_DEPTH_MAX as u128;
        assert_eq!(seen.contains(&id(100 + number)), fits, "{number}");
        let alone = all.access(id(100 + number), &Facts::default()).expect("there is one").1;
        assert_eq!(alone.is_visible(), fits, "{number}");
    }
}

#[test]
fn folders_with_nothing_in_them_are_left_out_of_lists() {
    let all = catalogue(vec![(1, folder(None))]);
    assert!(all.visible(&Facts::default()).is_empty());
    assert_eq!(all.all(&Facts::default()).count(), 1);
}

#[test]
fn the_list_is_in_the_order_that_administrators_set_then_by_name() {
    let specs = vec![
        (1, Resource { order: 2, ..desktop(None) }),
        (2, desktop(Some(4))),
        (3, desktop(None)),
        (4, Resource { order: 1, ..folder(None) }),
    ];
    let all = catalogue(specs);
    let names: Vec<_> =
        all.visible(&Facts::default()).iter().map(|(object, _)| object.name.clone()).collect();
    assert_eq!(names, ["r2", "r3", "r4", "r1"]);
}

#[test]
fn rules_of_what_did_not_change_are_not_compiled_again() {
    let nobody = || Rules { rules: Vec::new(), otherwise: Effect::Deny };
    let hidden = || Resource { rules: nobody(), ..desktop(None) };
    let (one, two) = (object(1, hidden()), object(2, hidden()));
    let before = Catalogue::new([one, two]);
    let mut after = before.clone();
    after.take_in([(id(2), Some(object(2, Resource { order: -1, ..hidden() })))]);
    let rules = |catalogue: &Catalogue, number| {
        catalogue.entry(id(number)).expect("there").rules.clone().expect("it has rules")
    };
    assert!(Arc::ptr_eq(&rules(&before, 1), &rules(&after, 1)));
    assert!(!Arc::ptr_eq(&rules(&before, 2), &rules(&after, 2)));
}

#[test]
fn the_status_of_a_disabled_folder_outdoes_a_nearer_maintenance() {
    let upkeep = || Status::Maintenance { message: "M".into() };
    let status = |outer: Status, inner: Status| {
        let specs = vec![
            (1, Resource { status: outer, ..folder(None) }),
            (2, Resource { status: inner, ..desktop(Some(1)) }),
        ];
        catalogue(specs).status(id(2)).cloned()
    };
    assert_eq!(status(Status::Enabled, Status::Enabled), Some(Status::Enabled));
    assert_eq!(status(upkeep(), Status::Enabled), Some(upkeep()));
    assert_eq!(status(Status::Disabled, upkeep()), Some(Status::Disabled));
}

/// Who sees what once more, written from the words of the guide: hidden by itself or by anything above
/// it; the nearest maintenance shows.
fn naive_access(specs: &HashMap<Id<Resource>, Resource>, id: Id<Resource>, facts: &Facts) -> &'static str {
    let mut chain = vec![&specs[&id]];
    while let Some(above) = chain.last().and_then(|resource| resource.folder) {
        match specs.get(&above) {
            Some(folder) if folder.target == Target::Folder && chain.len() < 30 => chain.push(folder),
            _ => {
                // Lost, whatever else there is to say of it.
                return "hidden";
            }
        }
    }
    let hidden = chain.iter().any(|resource| {
        let elsewhere =
            !resource.sites.is_empty() && !resource.sites.iter().any(|site| facts.site == Some(*site));
        elsewhere
            || naive(&resource.rules, facts).effect == Effect::Deny
            || resource.status == Status::Disabled
    });
    let in_maintenance = chain.iter().any(|resource| matches!(resource.status, Status::Maintenance { .. }));
    match (hidden, in_maintenance) {
        (true, _) => "hidden",
        (false, true) => "maintenance",
        (false, false) => "open",
    }
}

fn statuses() -> impl Strategy<Value = Status> {
    prop_oneof![
        4 => Just(Status::Enabled),
        1 => Just(Status::Disabled),
        1 => Just(Status::Maintenance { message: "M".into() }),
    ]
}

fn resources() -> impl Strategy<Value = Vec<(u128, Resource)>> {
    let rules = prop_oneof![2 => Just(Rules::default()), 1 => rule_lists()];
    let sites = prop_oneof![3 => Just(Vec::new()), 1 => vec((0u128..3).prop_map(id), 1..3)];
    let one = (any::<bool>(), proptest::option::of(0u128..8), statuses(), rules, sites, -1i32..2);
    let one = one.prop_map(|(is_folder, above, status, rules, sites, order)| {
        let plain = if is_folder { folder(above) } else { desktop(above) };
        Resource { status, rules, sites, order, ..plain }
    });
    vec(one, 1..12).prop_map(|specs| (0u128..).zip(specs).collect())
}

#[test]
fn numbers_of_folders_do_not_grow_for_ever() {
    let mut all = catalogue(vec![(1, folder(None)), (2, desktop(Some(1)))]);
    for number in 0..3 * SPENT_MAX as u128 {
        let passing = id(100 + number);
        all.take_in([(passing, Some(object(100 + number, folder(None))))]);
        all.take_in([(passing, None)]);
        assert!(all.folders.known.len() <= SPENT_MAX + 3);
        assert!(all.access(id(2), &Facts::default()).expect("there").1.is_visible());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn taking_in_changes_leads_to_what_is_made_at_once(
        first in resources(), then in resources(), gone in vec(0u128..12, 0..4), facts in facts(),
    ) {
        let mut specs: HashMap<u128, Resource> = first.iter().cloned().collect();
        let mut all = catalogue(first);
        // In any order: a folder may come after what lies in it.
        for (number, spec) in then.into_iter().rev() {
            all.take_in([(id(number), Some(object(number, spec.clone())))]);
            specs.insert(number, spec);
        }
        all.take_in(gone.iter().map(|number| (id(*number), None)));
        specs.retain(|number, _| !gone.contains(number));
        let anew = catalogue(specs.into_iter().collect());
        prop_assert!(all.all(&facts).eq(anew.all(&facts)));
        prop_assert_eq!(all.visible(&facts), anew.visible(&facts));
        for resource in anew.resources() {
            prop_assert_eq!(all.status(resource.id), anew.status(resource.id));
        }
        prop_assert_eq!(all.resources().count(), anew.resources().count());
    }

    #[test]
    fn it_agrees_with_the_naive_list(specs in resources(), facts in facts()) {
        let plain: HashMap<_, _> = specs.iter().map(|(number, spec)| (id(*number), spec.clone())).collect();
        let all = catalogue(specs);
        let listed: HashMap<_, _> =
            all.visible(&facts).into_iter().map(|(object, access)| (object.id, access)).collect();
        let effective: HashMap<_, _> =
            all.all(&facts).map(|(object, access)| (object.id, access)).collect();
        for (id, spec) in &plain {
            let access = all.access(*id, &facts).expect("there is one").1;
            let answer = match access {
                Access::Open { .. } => "open",
                Access::Maintenance { .. } => "maintenance",
                Access::Hidden { .. } => "hidden",
            };
            prop_assert_eq!(answer, naive_access(&plain, *id, &facts));
            prop_assert_eq!(&effective[id], &access);
            let mut inside = plain.iter().filter(|(_, other)| other.target != Target::Folder);
            let leads_somewhere = inside.any(|(other, _)| {
                let mut above = plain[other].folder;
                let mut steps = 0;
                while let Some(next) = above && next != *id && steps < 30 {
                    above = plain.get(&next).and_then(|folder| folder.folder);
                    steps += 1;
                }
                above == Some(*id) && naive_access(&plain, *other, &facts) != "hidden"
            });
            let shown = access.is_visible() && (spec.target != Target::Folder || leads_somewhere);
            prop_assert_eq!(listed.get(id), shown.then_some(&access));
        }
    }
}
