use uuid::Uuid;

use super::*;

fn id<T: ?Sized>(number: u128) -> Id<T> {
    Uuid::from_u128(number).into()
}

fn target(kind: Kind, number: u128, site: Option<u128>) -> Target {
    Target { kind, id: Some(id(number)), site: site.map(id) }
}

fn all(permissions: &Permissions<'_>, target: &Target) -> Vec<Action> {
    Action::ALL.iter().copied().filter(|action| permissions.on(*action, target)).collect()
}

#[test]
fn only_root_decides_about_administrators() {
    let reach = Reach::default();
    let token = target(Kind::Token, 1, None);
    let of = |role| all(&Permissions { role, reach: &reach }, &token);
    assert_eq!(of(AdministratorRole::Root), Action::ALL);
    assert_eq!(of(AdministratorRole::Power), [Action::View]);
    for role in [AdministratorRole::Custom, AdministratorRole::Viewer, AdministratorRole::HelpDesk] {
        assert_eq!(of(role), [], "{role:?}");
    }
}

#[test]
fn power_is_reduced_by_site_and_area() {
    let reach = Reach {
        sites: Some(vec![id(1)]),
        hidden: vec![Area::Directory],
        view_only: vec![Area::Publishing],
        ..Reach::default()
    };
    let power = Permissions { role: AdministratorRole::Power, reach: &reach };
    assert_eq!(all(&power, &target(Kind::Host, 7, Some(1))), Action::ALL);
    assert_eq!(all(&power, &target(Kind::Host, 7, Some(2))), []);
    assert_eq!(all(&power, &target(Kind::Host, 7, None)), [Action::View], "of no site: seen, not changed");
    assert_eq!(all(&power, &target(Kind::Resource, 7, Some(1))), [Action::View]);
    assert_eq!(all(&power, &target(Kind::User, 7, None)), []);
    assert!(!power.everywhere(Area::Hosts, Action::View) && power.anywhere(Area::Hosts, Action::Modify));
    assert!(!power.anywhere(Area::Directory, Action::View));
}

#[test]
fn custom_has_what_is_granted_and_sees_it() {
    let grant = |actions: &[Action], kind, object: Option<u128>, site: Option<u128>| Grant {
        actions: actions.to_vec(),
        area: Area::Hosts,
        kind,
        object: object.map(id),
        site: site.map(id),
    };
    let reach = Reach {
        grants: vec![
            grant(&[Action::Control], Some(Kind::Host), None, Some(1)),
            grant(&[Action::Modify, Action::Delete], Some(Kind::Pool), Some(5), None),
        ],
        ..Reach::default()
    };
    let custom = Permissions { role: AdministratorRole::Custom, reach: &reach };
    assert_eq!(all(&custom, &target(Kind::Host, 7, Some(1))), [Action::View, Action::Control]);
    assert_eq!(all(&custom, &target(Kind::Host, 7, Some(2))), []);
    assert_eq!(all(&custom, &target(Kind::Pool, 5, None)), [Action::View, Action::Modify, Action::Delete]);
    assert_eq!(all(&custom, &target(Kind::Pool, 6, None)), []);
    assert!(!custom.on(Action::Add, &Target { kind: Kind::Pool, id: None, site: None }));
    assert!(custom.anywhere(Area::Hosts, Action::Delete) && !custom.everywhere(Area::Hosts, Action::View));
    assert!(!custom.anywhere(Area::Publishing, Action::View));
}

#[test]
fn the_help_desk_sees_sessions_of_its_users_only() {
    let reach = Reach { users: vec![id(1)], groups: vec![id(9)], ..Reach::default() };
    let desk = Permissions { role: AdministratorRole::HelpDesk, reach: &reach };
    let session = |user: Option<u128>, groups: &[Id<Group>]| {
        desk.on_session(Action::Control, &SessionTarget { site: None, user: user.map(id), groups })
    };
    assert!(session(Some(1), &[]) && session(Some(2), &[id(8), id(9)]));
    assert!(!session(Some(2), &[id(8)]) && !session(None, &[]));
    assert!(!desk.everywhere(Area::Sessions, Action::View) && desk.anywhere(Area::Sessions, Action::Control));
    assert_eq!(all(&desk, &target(Kind::Host, 7, None)), []);
    let everybody = Reach::default();
    let desk = Permissions { reach: &everybody, ..desk };
    assert!(desk.everywhere(Area::Sessions, Action::Control));
    assert!(!desk.on_session(Action::Delete, &SessionTarget { site: None, user: None, groups: &[] }));
}

#[test]
fn what_means_nothing_for_a_role_is_a_mistake() {
    let reach = Reach {
        sites: Some(Vec::new()),
        hidden: vec![Area::Audit],
        users: vec![id(1)],
        grants: vec![Grant {
            actions: vec![Action::Modify],
            area: Area::Administrators,
            kind: Some(Kind::Host),
            object: None,
            site: None,
        }],
        ..Reach::default()
    };
    let mistakes = |role| {
        let mut mistakes = Mistakes::default();
        reach.validate(role, &mut mistakes);
        mistakes.into_vec().into_iter().map(|mistake| mistake.field).collect::<Vec<_>>()
    };
    assert_eq!(
        mistakes(AdministratorRole::Root),
        ["sites", "sites", "hidden", "grants", "users", "grants[0].actions", "grants[0].kind"]
    );
    assert_eq!(
        mistakes(AdministratorRole::Custom),
        ["sites", "hidden", "users", "grants[0].actions", "grants[0].kind"]
    );
    assert_eq!(mistakes(AdministratorRole::HelpDesk)[..3], ["sites", "hidden", "grants"]);
}
