//! OpenLDAP.

use std::{collections::BTreeSet, time::Duration};

use oriel_identity::{
    Answer, Refused,
    ldap::{
        Bind, Expiry, Kind, LdapDirectory, NotAsked, OpenLdap, PasswordRefused, Person, Rule, Schema,
        Security, Settings,
    },
};
use oriel_testkit::{
    certificates::Authority,
    slapd::{PASSWORD, SERVICE, Slapd},
};

use super::{secret, server, service, settings, sign_in};

struct House {
    authority: Authority,
    slapd: Slapd,
}

impl House {
    async fn new() -> Self {
        let authority = Authority::new("directory authority");
        let slapd = Slapd::start(&authority).await.unwrap();
        Self { authority, slapd }
    }

    fn settings(&self) -> Settings {
        let server = server("localhost", self.slapd.tls_port, Security::Ldaps);
        let schema = Schema::OpenLdap(OpenLdap::default());
        Settings { bind: service(SERVICE, PASSWORD), ..settings(&self.authority, vec![server], schema) }
    }

    fn directory(&self) -> LdapDirectory {
        LdapDirectory::new(self.settings()).unwrap()
    }
}

/// The names of somebody's groups.
async fn groups(directory: &LdapDirectory, person: &Person) -> BTreeSet<String> {
    let ids: Vec<String> = person.groups.iter().map(|group| group.0.clone()).collect();
    directory.named(Kind::Groups, &ids).await.unwrap().into_iter().map(|group| group.name).collect()
}

#[tokio::test]
async fn people_sign_in_and_are_known_with_all_their_groups() {
    let house = House::new().await;
    let directory = house.directory();
    let alice = sign_in(&directory, "alice", PASSWORD).await.unwrap();
    assert_eq!(alice.name, "alice@oriel.test");
    assert_eq!(alice.account, "alice");
    assert_eq!(alice.full_name.as_deref(), Some("Alice Arnold"));
    assert_eq!(alice.mail.as_deref(), Some("alice@oriel.test"));
    let expected = ["above", "inner", "middle", "outer", "primary", "unix"];
    assert_eq!(groups(&directory, &alice).await, expected.map(str::to_owned).into());
    for name in ["ALICE", "alice@oriel.test"] {
        assert_eq!(sign_in(&directory, name, PASSWORD).await.unwrap().id, alice.id, "{name}");
    }

    // Without their password, and under another name.
    let later = directory.refresh(&alice.id).await.unwrap();
    assert_eq!(later.groups, alice.groups);
    let rename =
        "dn: uid=alice,ou=people,dc=oriel,dc=test\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n";
    house.slapd.change(rename).unwrap();
    let renamed = directory.refresh(&alice.id).await.unwrap();
    assert_eq!((renamed.id.clone(), renamed.account.as_str()), (alice.id.clone(), "alicia"));
    assert_eq!(sign_in(&directory, "alicia", PASSWORD).await.unwrap().id, alice.id);
    assert_eq!(sign_in(&directory, "alice", PASSWORD).await, Err(Refused::UnknownUser));
    house.slapd.change("dn: uid=alicia,ou=people,dc=oriel,dc=test\nchangetype: delete\n").unwrap();
    assert_eq!(directory.refresh(&alice.id).await, Err(Refused::UnknownUser));
}

#[tokio::test]
async fn each_state_is_told_apart_for_the_log_and_not_to_a_guesser() {
    let house = House::new().await;
    let directory = house.directory();
    let oops = "Wrong.Horse1";
    for (name, password, expected) in [
        ("alice", oops, Refused::WrongPassword),
        ("nobody", PASSWORD, Refused::UnknownUser),
        ("nora", PASSWORD, Refused::WrongPassword),
        ("mona", PASSWORD, Refused::MustChangePassword),
        ("mona", oops, Refused::WrongPassword),
        ("xenia", PASSWORD, Refused::PasswordExpired),
        ("xenia", oops, Refused::WrongPassword),
        // Two entries have this name: neither is guessed.
        ("twin", PASSWORD, Refused::UnknownUser),
        // Names are values and no questions, and an empty password proves nothing.
        ("*", PASSWORD, Refused::UnknownUser),
        ("alice)(uid=*", PASSWORD, Refused::UnknownUser),
        ("ali*", PASSWORD, Refused::UnknownUser),
        ("alice", "", Refused::WrongPassword),
        ("alice", &"x".repeat(5_000), Refused::WrongPassword),
    ] {
        let refused = sign_in(&directory, name, password).await.unwrap_err();
        assert_eq!(refused, expected, "{name}");
        let knows = matches!(expected, Refused::MustChangePassword | Refused::PasswordExpired);
        assert_eq!(refused.answer(), if knows { Answer::ChangePassword } else { Answer::Wrong }, "{name}");
    }
    assert!(sign_in(&directory, "o(d)d*", PASSWORD).await.is_ok());
    for _ in 0..3 {
        assert_eq!(sign_in(&directory, "lena", oops).await, Err(Refused::WrongPassword));
    }
    assert_eq!(sign_in(&directory, "lena", PASSWORD).await, Err(Refused::LockedInDirectory));
    assert_eq!(directory.pretend().await, Ok(()));
    // Nobody was locked by what was asked for nobody.
    assert!(sign_in(&directory, "alice", PASSWORD).await.is_ok());
    let frozen = "dn: uid=alice,ou=people,dc=oriel,dc=test\nchangetype: modify\nadd: pwdAccountLockedTime\n\
                  pwdAccountLockedTime: 000001010000Z\n";
    let alice = sign_in(&directory, "alice", PASSWORD).await.unwrap();
    house.slapd.change(frozen).unwrap();
    assert_eq!(directory.refresh(&alice.id).await, Err(Refused::Disabled));
}

#[tokio::test]
async fn refusals_take_the_same_time_whoever_is_meant() {
    let house = House::new().await;
    let directory = house.directory();
    for (name, password) in [("alice", "wrong"), ("nobody", "wrong"), ("alice", ""), ("twin", "wrong")] {
        let started = std::time::Instant::now();
        sign_in(&directory, name, password).await.unwrap_err();
        let took = started.elapsed().as_millis();
        // On a machine that is busy it may be a later step, but it is one.
        assert!(took >= 250, "{name}: {took} ms");
    }
}

#[tokio::test]
async fn people_change_their_passwords_and_hear_what_forbids_it() {
    let house = House::new().await;
    let directory = house.directory();
    let change = async |name: &str, old: &str, new: &str| {
        directory.change_password(&super::login(name), secret(old), secret(new)).await
    };
    assert_eq!(
        change("carl", PASSWORD, "short").await,
        Err(PasswordRefused::Rules(vec![Rule::TooShort { least: None }]))
    );
    assert_eq!(
        change("carl", "Wrong.Horse1", "Better.Horse2").await,
        Err(PasswordRefused::NotThem(Refused::WrongPassword))
    );
    assert_eq!(
        change("nobody", PASSWORD, "Better.Horse2").await,
        Err(PasswordRefused::NotThem(Refused::UnknownUser))
    );
    assert_eq!(change("carl", PASSWORD, "Better.Horse2").await, Ok(()));
    let carl = sign_in(&directory, "carl", "Better.Horse2").await.unwrap();
    let Some(Expiry::In(left)) = carl.password_expires else { panic!("{carl:?}") };
    assert!((8_639_000..=8_640_000).contains(&left.as_secs()), "{left}");
    assert_eq!(sign_in(&directory, "carl", PASSWORD).await, Err(Refused::WrongPassword));
    let before = change("carl", "Better.Horse2", PASSWORD).await;
    assert_eq!(before, Err(PasswordRefused::Rules(vec![Rule::UsedBefore { remembered: None }])));
    assert!(before.unwrap_err().to_string().contains("used before"));
    assert_eq!(change("frida", PASSWORD, "Better.Horse2").await, Err(PasswordRefused::Forbidden));
    assert_eq!(change("mona", PASSWORD, "Better.Horse2").await, Ok(()));
    assert!(sign_in(&directory, "mona", "Better.Horse2").await.is_ok());

    // Whose password has expired cannot sign in to change it: that takes a service account that may.
    assert_eq!(change("xenia", PASSWORD, "Better.Horse2").await, Err(PasswordRefused::Forbidden));
    let xenia = super::login("xenia");
    let keeper = service("cn=keeper,ou=services,dc=oriel,dc=test", PASSWORD);
    let directory = LdapDirectory::new(Settings { bind: keeper, ..house.settings() }).unwrap();
    let change = directory.change_password(&xenia, secret(PASSWORD), secret("Better.Horse2"));
    assert_eq!(change.await, Ok(()));
    assert!(sign_in(&directory, "xenia", "Better.Horse2").await.is_ok());
}

#[tokio::test]
async fn without_a_service_account_people_look_themselves_up() {
    let house = House::new().await;
    let names = OpenLdap { users_dn: Some("ou=people,dc=oriel,dc=test".to_owned()), ..OpenLdap::default() };
    let settings = Settings { bind: Bind::AsUser, schema: Schema::OpenLdap(names), ..house.settings() };
    let directory = LdapDirectory::new(settings).unwrap();
    let alice = sign_in(&directory, "alice", PASSWORD).await.unwrap();
    assert_eq!((alice.account.as_str(), alice.groups.len()), ("alice", 6));
    for (name, password, expected) in [
        ("alice", "wrong", Refused::WrongPassword),
        ("alice", "", Refused::WrongPassword),
        ("nobody", PASSWORD, Refused::WrongPassword),
        ("alice,ou=people,dc=oriel,dc=test", PASSWORD, Refused::WrongPassword),
        ("mona", PASSWORD, Refused::MustChangePassword),
        ("xenia", PASSWORD, Refused::PasswordExpired),
    ] {
        assert_eq!(sign_in(&directory, name, password).await, Err(expected), "{name}");
    }
    let change = async |name: &str| {
        directory.change_password(&super::login(name), secret(PASSWORD), secret("Better.Horse2")).await
    };
    assert_eq!(change("mona").await, Ok(()));
    assert!(sign_in(&directory, "mona", "Better.Horse2").await.is_ok());
    assert_eq!(change("xenia").await, Err(PasswordRefused::NeedsServiceAccount));
    assert_eq!(directory.search(Kind::Users, "a", None, 10).await, Err(NotAsked::NoServiceAccount));
    assert!(matches!(directory.refresh(&alice.id).await, Err(Refused::Unavailable(_))));
}

#[tokio::test]
async fn people_and_groups_are_found_in_pages() {
    let house = House::new().await;
    let directory = house.directory();
    let mut ldif = String::new();
    for number in 0..1_200 {
        ldif.push_str(&format!(
            "dn: uid=many{number:04},ou=people,dc=oriel,dc=test\nchangetype: add\nobjectClass: inetOrgPerson\n\
             uid: many{number:04}\ncn: Many {number}\nsn: {number}\n\n"
        ));
    }
    house.slapd.change(&ldif).unwrap();
    let names = async |text: &str, limit: usize| {
        let (mut names, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = directory.search(Kind::Users, text, after.as_ref(), limit).await.unwrap();
            names.extend(page.found.into_iter().map(|found| found.account));
            pages += 1;
            if page.next.is_none() {
                return (names, pages, page.is_cut);
            }
            after = page.next;
        }
    };
    let expected: Vec<String> = (100..200).map(|number| format!("many{number:04}")).collect();
    assert_eq!(names("many01", 30).await, (expected, 4, false));
    let (all, _, is_cut) = names("many", 200).await;
    assert_eq!((all.len(), is_cut), (1_000, true));
    assert_eq!(names("ALICE", 10).await.0, ["alice"]);
    assert_eq!(names("arnold", 10).await.0, ["alice"]);
    assert_eq!(names("*", 10).await.0, [""; 0]);
    assert_eq!(names("o(d)d*", 10).await.0, ["o(d)d*"]);
    let page = directory.search(Kind::Groups, "in", None, 10).await.unwrap();
    assert_eq!(page.found.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["inner"]);
    let everything = directory.search(Kind::Groups, "", None, 200).await.unwrap();
    assert_eq!(everything.found.len(), 7);
}

#[tokio::test]
async fn membership_is_answered_from_memory_for_its_time_and_after_a_flush_anew() {
    let house = House::new().await;
    let settings = Settings { membership_cache: Duration::from_secs(3600), ..house.settings() };
    let directory = LdapDirectory::new(settings).unwrap();
    let bob = sign_in(&directory, "bob", PASSWORD).await.unwrap();
    let leave = "dn: cn=others,ou=groups,dc=oriel,dc=test\nchangetype: modify\nreplace: member\n\
                 member: uid=carl,ou=people,dc=oriel,dc=test\n";
    house.slapd.change(leave).unwrap();
    assert_eq!(directory.refresh(&bob.id).await.unwrap().groups, bob.groups);
    directory.flush();
    assert_eq!(directory.refresh(&bob.id).await.unwrap().groups.len(), bob.groups.len() - 1);
}
