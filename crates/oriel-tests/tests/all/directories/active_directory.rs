//! An Active Directory domain.

use std::collections::BTreeSet;

use oriel_identity::{
    Answer, Refused,
    ldap::{
        Bind, Expiry, Kind, LdapDirectory, PasswordRefused, Person, Rule, Schema, Security, Server, Settings,
    },
};
use oriel_testkit::{
    certificates::Authority,
    samba::{ADDRESSES, PASSWORD, SERVICE, Samba},
    wait,
};

use super::{login, secret, server, service, settings, sign_in};

struct House {
    authority: Authority,
    samba: Samba,
}

fn house(controllers: usize) -> House {
    let authority = Authority::new("domain authority");
    let samba = Samba::start(&authority, controllers).unwrap();
    House { authority, samba }
}

impl House {
    fn settings(&self, servers: Vec<Server>) -> Settings {
        let bind = service(SERVICE, PASSWORD);
        Settings { bind, ..settings(&self.authority, servers, Schema::ActiveDirectory) }
    }
}

fn ldaps(address: &str) -> Server {
    server(address, 636, Security::Ldaps)
}

async fn groups(directory: &LdapDirectory, person: &Person) -> BTreeSet<String> {
    let ids: Vec<String> = person.groups.iter().map(|group| group.0.clone()).collect();
    directory.named(Kind::Groups, &ids).await.unwrap().into_iter().map(|group| group.account).collect()
}

#[test]
fn people_of_a_domain() {
    let house = house(1);
    house.samba.network().inside(async || {
        let start_tls = server(ADDRESSES[0], 389, Security::StartTls);
        for server in [ldaps(ADDRESSES[0]), start_tls] {
            let directory = LdapDirectory::new(house.settings(vec![server])).unwrap();
            let checked = directory.check().await;
            let answering = checked.servers[0].outcome.as_ref().unwrap();
            assert_eq!(answering.name.as_deref(), Some("dc1.ad.oriel.test"));
            names_and_groups(&directory).await;
        }
        let directory = LdapDirectory::new(house.settings(vec![ldaps(ADDRESSES[0])])).unwrap();
        states(&directory).await;
        search(&directory).await;
        renamed(&house, &directory).await;
        let alone = Settings { bind: Bind::AsUser, ..house.settings(vec![ldaps(ADDRESSES[0])]) };
        as_themselves(&LdapDirectory::new(alone).unwrap()).await;
    });
}

async fn names_and_groups(directory: &LdapDirectory) {
    let alice = sign_in(directory, "alice", PASSWORD).await.unwrap();
    assert_eq!((alice.name.as_str(), alice.account.as_str()), ("alice@ad.oriel.test", "alice"));
    assert_eq!(alice.full_name.as_deref(), Some("Alice Arnold"));
    assert_eq!(alice.mail.as_deref(), Some("alice@oriel.test"));
    assert!(alice.id.0.starts_with("S-1-5-21-"), "{}", alice.id);
    assert!(matches!(alice.password_expires, Some(Expiry::At(_))), "{alice:?}");
    // Nested ones, a circle, and the primary one; not one that is for letters only.
    let expected = ["Domain Users", "Inner", "Middle", "Outer", "Ring", "Users"];
    assert_eq!(groups(directory, &alice).await, expected.map(str::to_owned).into());
    for name in ["ALICE", "alice@ad.oriel.test", "Alice@AD.ORIEL.TEST", "ORIELAD\\alice"] {
        assert_eq!(sign_in(directory, name, PASSWORD).await.unwrap().id, alice.id, "{name}");
    }
    // The primary group is another one, and in a group itself.
    let peter = sign_in(directory, "peter", PASSWORD).await.unwrap();
    assert!(groups(directory, &peter).await.is_superset(&["Above", "Primary"].map(str::to_owned).into()));
    // A principal name of another suffix than the domain's; with the domain's, the account is meant.
    let bob = sign_in(directory, "robert@people.example", PASSWORD).await.unwrap();
    assert_eq!((bob.name.as_str(), bob.account.as_str()), ("robert@people.example", "bob"));
    assert_eq!(sign_in(directory, "bob@ad.oriel.test", PASSWORD).await.unwrap().id, bob.id);
    assert_eq!(sign_in(directory, "bob@people.example", PASSWORD).await, Err(Refused::UnknownUser));
    // Whose entry has every sign that means something in a distinguished name.
    assert_eq!(sign_in(directory, "odd", PASSWORD).await.unwrap().account, "odd");
    assert_eq!(directory.refresh(&alice.id).await.unwrap().groups, alice.groups);
}

async fn states(directory: &LdapDirectory) {
    let oops = "Wrong.Horse1";
    for (name, expected) in [
        ("dora", Refused::Disabled),
        ("erik", Refused::AccountExpired),
        ("hanna", Refused::OutsideHours),
        ("wanda", Refused::Workstation),
        ("mona", Refused::MustChangePassword),
        ("paul", Refused::PasswordExpired),
        ("nobody", Refused::UnknownUser),
        ("*", Refused::UnknownUser),
        ("alice)(objectClass=*", Refused::UnknownUser),
        ("ali*", Refused::UnknownUser),
    ] {
        let refused = sign_in(directory, name, PASSWORD).await.unwrap_err();
        assert_eq!(refused, expected, "{name}");
        let knows = matches!(expected, Refused::MustChangePassword | Refused::PasswordExpired);
        assert_eq!(refused.answer(), if knows { Answer::ChangePassword } else { Answer::Wrong }, "{name}");
        // Whoever does not know the password learns nothing of it.
        let refused = sign_in(directory, name, oops).await.unwrap_err();
        assert_eq!(refused.answer(), Answer::Wrong, "{name}");
    }
    assert_eq!(sign_in(directory, "alice", oops).await, Err(Refused::WrongPassword));
    assert_eq!(sign_in(directory, "alice", "").await, Err(Refused::WrongPassword));
    for _ in 0..3 {
        assert_eq!(sign_in(directory, "lena", oops).await, Err(Refused::WrongPassword));
    }
    assert_eq!(sign_in(directory, "lena", PASSWORD).await, Err(Refused::LockedInDirectory));
    // What is asked for nobody locks nobody, and nothing else does.
    for _ in 0..4 {
        assert_eq!(directory.pretend().await, Ok(()));
        sign_in(directory, "alice", "").await.unwrap_err();
    }
    let alice = sign_in(directory, "alice", PASSWORD).await.unwrap();
    let lena = directory.search(Kind::Users, "lena", None, 1).await.unwrap().found.remove(0);
    let lena = directory.refresh(&oriel_identity::ldap::PersonId(lena.id)).await;
    assert!(lena.is_ok(), "guessing throws nobody out: {lena:?}");
    let dora = directory.search(Kind::Users, "dora", None, 1).await.unwrap().found.remove(0);
    let dora = directory.refresh(&oriel_identity::ldap::PersonId(dora.id)).await;
    assert_eq!(dora, Err(Refused::Disabled));
    let nobody = oriel_identity::ldap::PersonId(format!("{}0", alice.id));
    assert_eq!(directory.refresh(&nobody).await, Err(Refused::UnknownUser));
    let garbage = oriel_identity::ldap::PersonId("no SID".to_owned());
    assert_eq!(directory.refresh(&garbage).await, Err(Refused::UnknownUser));
}

async fn search(directory: &LdapDirectory) {
    let accounts = async |kind, text: &str| {
        let page = directory.search(kind, text, None, 200).await.unwrap();
        page.found.into_iter().map(|found| found.account).collect::<Vec<_>>()
    };
    assert_eq!(accounts(Kind::Users, "ali").await, ["alice"]);
    assert_eq!(accounts(Kind::Users, "arn").await, ["alice"]);
    assert_eq!(accounts(Kind::Users, "sam (odd)*").await, ["odd"]);
    assert_eq!(accounts(Kind::Users, "*").await, [""; 0]);
    assert_eq!(accounts(Kind::Groups, "inn").await, ["Inner"]);
    assert_eq!(accounts(Kind::Groups, "letters").await, [""; 0]);
    let all = directory.search(Kind::Users, "", None, 5).await.unwrap();
    let rest = directory.search(Kind::Users, "", all.next.as_ref(), 200).await.unwrap();
    assert_eq!(all.found.len(), 5);
    let everybody = accounts(Kind::Users, "").await;
    assert!(everybody.len() > 15 && everybody.is_sorted_by_key(|name| name.to_lowercase()), "{everybody:?}");
    let both: Vec<String> = all.found.into_iter().chain(rest.found).map(|found| found.account).collect();
    assert_eq!(both, everybody);
}

async fn renamed(house: &House, directory: &LdapDirectory) {
    let carla = sign_in(directory, "carla", PASSWORD).await.unwrap();
    let new = ["user", "rename", "carla", "--samaccountname=charlotte", "--upn=charlotte@ad.oriel.test"];
    house.samba.tool(&new).unwrap();
    let charlotte = sign_in(directory, "charlotte", PASSWORD).await.unwrap();
    assert_eq!((&charlotte.id, &charlotte.groups), (&carla.id, &carla.groups));
    assert_eq!(charlotte.account, "charlotte");
    assert_eq!(directory.refresh(&carla.id).await.unwrap().account, "charlotte");
    assert_eq!(sign_in(directory, "carla", PASSWORD).await, Err(Refused::UnknownUser));
    // Somebody else gets the old name, and nothing that came with it.
    house.samba.tool(&["user", "create", "carla", PASSWORD]).unwrap();
    assert_ne!(sign_in(directory, "carla", PASSWORD).await.unwrap().id, carla.id);
}

async fn as_themselves(directory: &LdapDirectory) {
    for name in ["carl", "carl@ad.oriel.test", "ORIELAD\\carl"] {
        let carl = sign_in(directory, name, PASSWORD).await.unwrap();
        assert_eq!((carl.account.as_str(), carl.groups.len()), ("carl", 2), "{name}");
    }
    for (name, password, expected) in [
        ("carl", "Wrong.Horse1", Refused::WrongPassword),
        ("carl", "", Refused::WrongPassword),
        ("nobody", PASSWORD, Refused::WrongPassword),
        ("dora", PASSWORD, Refused::Disabled),
        ("mona", PASSWORD, Refused::MustChangePassword),
        ("paul", PASSWORD, Refused::PasswordExpired),
    ] {
        assert_eq!(sign_in(directory, name, password).await, Err(expected), "{name}");
    }
    let change = async |name: &str, new: &str| {
        directory.change_password(&login(name), secret(PASSWORD), secret(new)).await
    };
    assert_eq!(change("paul", "Better.Horse2").await, Err(PasswordRefused::NeedsServiceAccount));
    assert_eq!(change("carl", "Better.Horse2").await, Ok(()));
    assert!(sign_in(directory, "carl", "Better.Horse2").await.is_ok());
}

#[test]
fn passwords_of_a_domain() {
    let house = house(1);
    house.samba.network().inside(async || {
        let directory = LdapDirectory::new(house.settings(vec![ldaps(ADDRESSES[0])])).unwrap();
        let change = async |name: &str, old: &str, new: &str| {
            directory.change_password(&login(name), secret(old), secret(new)).await
        };
        let rules = |rule| Err(PasswordRefused::Rules(vec![rule]));
        assert_eq!(change("carl", PASSWORD, "Sh0rt.").await, rules(Rule::TooShort { least: Some(8) }));
        assert_eq!(change("carl", PASSWORD, "simplehorse").await, rules(Rule::TooSimple));
        assert_eq!(change("carl", PASSWORD, PASSWORD).await, rules(Rule::UsedBefore { remembered: Some(3) }));
        let wrong = Err(PasswordRefused::NotThem(Refused::WrongPassword));
        assert_eq!(change("carl", "Wrong.Horse1", "Better.Horse2").await, wrong);
        for (name, why) in [("nobody", Refused::UnknownUser), ("dora", Refused::Disabled)] {
            let refused = change(name, PASSWORD, "Better.Horse2").await;
            assert_eq!(refused, Err(PasswordRefused::NotThem(why)), "{name}");
        }
        // At will, when an administrator wants it, and when it has expired.
        for name in ["carl", "mona", "renate"] {
            assert_eq!(change(name, PASSWORD, "Better.Hörse2").await, Ok(()), "{name}");
            assert!(sign_in(&directory, name, "Better.Hörse2").await.is_ok(), "{name}");
        }
    });
}

#[test]
fn the_second_controller_takes_over() {
    let house = house(2);
    house.samba.network().inside(async || {
        let both = ADDRESSES.map(ldaps).to_vec();
        let directory = LdapDirectory::new(house.settings(both.clone())).unwrap();
        let alice = sign_in(&directory, "alice", PASSWORD).await.unwrap();
        assert_eq!(directory.check().await.answering(), Some(&both[0]));

        // Connections to the first one are kept, and break now.
        house.samba.stop(0);
        let same = sign_in(&directory, "alice", PASSWORD).await.unwrap();
        assert_eq!((same.id, same.groups), (alice.id.clone(), alice.groups.clone()));
        let checked = directory.check().await;
        assert_eq!(checked.answering(), Some(&both[1]));
        let why = checked.servers[0].outcome.as_ref().unwrap_err();
        assert!(why.starts_with("it cannot be reached"), "{why}");

        house.samba.stop(1);
        let Err(Refused::Unavailable(why)) = sign_in(&directory, "alice", PASSWORD).await else {
            panic!("nobody can have answered")
        };
        assert!(why.contains(ADDRESSES[0]) || why.contains(ADDRESSES[1]), "{why}");

        house.samba.start_again(0).unwrap();
        wait::until("the first controller is asked again", async || {
            sign_in(&directory, "alice", PASSWORD).await
        })
        .await;
    });
}
