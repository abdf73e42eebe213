//! Signing in with name and password: a directory behind the guard against guessing.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{
    directory::{Authenticated, Directory, Refused},
    lockout::{Admission, Limits, Lockout},
};

/// What came of asking for the second factor of somebody whose password is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// It was shown, or none is wanted.
    Shown,
    /// One is wanted, and none was sent.
    Needed,
    /// What was sent is wrong: a guess.
    Wrong,
    /// It could not be looked at.
    Unknown,
}

/// Lets people in. One for each broker.
pub struct SignIn {
    directory: Arc<dyn Directory>,
    lockout: Mutex<Lockout>,
}

impl SignIn {
    /// Signing in against this directory.
    pub fn new(directory: Arc<dyn Directory>) -> Self {
        Self { directory, lockout: Mutex::default() }
    }

    /// Lets somebody in or says, for the log, why not. Give the peer [`Refused::answer`] and nothing
    /// else. `limits` are today's settings of the farm; `address` is the client's, as its gateway
    /// saw it.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Zeroizing<String>,
        address: Option<IpAddr>,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Authenticated, Refused> {
        let none = |_| std::future::ready(SecondFactor::Shown);
        self.sign_in_with(name, password, none, address, now, limits).await
    }

    /// As [`SignIn::sign_in`], but whoever has the right password is asked for a `second` factor before they
    /// count as signed in: wrong codes add up however often the password is right between them.
    pub async fn sign_in_with<S: Future<Output = SecondFactor>>(
        &self,
        name: &str,
        password: Zeroizing<String>,
        second: impl FnOnce(Authenticated) -> S,
        address: Option<IpAddr>,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Authenticated, Refused> {
        let account = self.directory.account(name);
        let admission = self.lockout().attempt(&account, address, now, limits);
        if let Admission::Wait { until } = admission {
            self.directory.pretend(name, password).await?;
            return Err(Refused::Locked { until });
        }
        let outcome = self.directory.authenticate(name, password).await;
        let outcome = match outcome {
            Ok(authenticated) => match second(authenticated.clone()).await {
                SecondFactor::Shown => Ok(authenticated),
                SecondFactor::Needed => Err(Refused::CodeNeeded),
                SecondFactor::Wrong => Err(Refused::WrongCode),
                SecondFactor::Unknown => Err(Refused::Unavailable("the code cannot be checked".to_owned())),
            },
            refused => refused,
        };
        match &outcome {
            Ok(_) => self.lockout().succeeded(&account, address, limits),
            Err(refused) if refused.is_failure() => {}
            Err(_) => self.lockout().withdrawn(&account, address, limits),
        }
        outcome
    }

    /// Looks at a code of somebody who is signed in, behind the same guard: a wrong one counts as a wrong
    /// password does.
    ///
    /// # Errors
    ///
    /// [`Refused::Locked`], [`Refused::WrongCode`], or that it could not be looked at.
    pub async fn prove(
        &self,
        name: &str,
        address: Option<IpAddr>,
        now: Timestamp,
        limits: &Limits,
        check: impl Future<Output = SecondFactor>,
    ) -> Result<(), Refused> {
        let account = self.directory.account(name);
        if let Admission::Wait { until } = self.lockout().attempt(&account, address, now, limits) {
            return Err(Refused::Locked { until });
        }
        let found = check.await;
        if found == SecondFactor::Wrong {
            return Err(Refused::WrongCode);
        }
        // It says nothing about the password, so wrong ones of before still count.
        self.lockout().withdrawn(&account, address, limits);
        match found {
            SecondFactor::Shown => Ok(()),
            SecondFactor::Needed | SecondFactor::Wrong => Err(Refused::CodeNeeded),
            SecondFactor::Unknown => Err(Refused::Unavailable("the code cannot be checked".to_owned())),
        }
    }

    /// An administrator unlocks an account.
    pub fn unlock(&self, name: &str) {
        self.lockout().unlock(&self.directory.account(name));
    }

    /// Until when an account is locked, for an administrator.
    pub fn locked_until(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        self.lockout().locked_until(&self.directory.account(name), now)
    }

    fn lockout(&self) -> MutexGuard<'_, Lockout> {
        // It is whole between any two of its steps.
        self.lockout.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, num::NonZeroUsize};

    use async_trait::async_trait;
    use jiff::SignedDuration;
    use oriel_model::{Id, user::User};

    use super::*;
    use crate::{Account, Accounts, AccountsError, Answer, Cost, LocalDirectory, Passwords};

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
    const LIMITS: Limits =
        Limits { account_failures: 3, address_failures: 100, wait: SignedDuration::from_mins(15) };

    #[derive(Default)]
    struct People(Mutex<HashMap<String, Account>>);

    #[async_trait]
    impl Accounts for People {
        async fn find(&self, name: &str) -> Result<Option<Account>, AccountsError> {
            Ok(self.0.lock().expect("whole").get(name).cloned())
        }
        async fn rehashed(&self, user: Id<User>, old: &str, new: String) -> Result<(), AccountsError> {
            for account in self.0.lock().expect("whole").values_mut() {
                if account.user == user && account.password_hash.as_deref() == Some(old) {
                    account.password_hash = Some(new.clone());
                }
            }
            Ok(())
        }
    }

    struct House {
        people: Arc<People>,
        passwords: Arc<Passwords>,
        sign_in: SignIn,
    }

    /// Alice is well, Dave is disabled, Nora has no password, Damien's hash is damaged, Olga's is old.
    async fn house() -> House {
        let passwords = Arc::new(Passwords::with(CHEAP, NonZeroUsize::MIN, 8));
        let people = Arc::new(People::default());
        let hash = passwords.hash(Zeroizing::new("correct horse".to_owned())).await.expect("hashed");
        let dear = Passwords::with(Cost { passes: 2, ..CHEAP }, NonZeroUsize::MIN, 8);
        let old = dear.hash(Zeroizing::new("correct horse".to_owned())).await.expect("hashed");
        for (name, enabled, password_hash) in [
            ("Alice", true, Some(hash.clone())),
            ("Dave", false, Some(hash)),
            ("Nora", true, None),
            ("Damien", true, Some("$argon2id$".to_owned())),
            ("Olga", true, Some(old)),
        ] {
            let account = Account {
                user: Id::generate(Timestamp::UNIX_EPOCH),
                name: name.to_owned(),
                enabled,
                password_hash,
            };
            people.0.lock().expect("whole").insert(name.to_lowercase(), account);
        }
        let directory = Arc::new(LocalDirectory::new(people.clone(), passwords.clone()));
        House { people, passwords, sign_in: SignIn::new(directory) }
    }

    impl House {
        async fn knock(&self, name: &str, password: &str) -> Result<Authenticated, Refused> {
            let password = Zeroizing::new(password.to_owned());
            self.sign_in.sign_in(name, password, None, Timestamp::UNIX_EPOCH, &LIMITS).await
        }
    }

    #[tokio::test]
    async fn names_are_taken_in_any_case_and_answered_as_written() {
        let house = house().await;
        assert_eq!(house.knock(" ALICE ", "correct horse").await.expect("let in").name, "Alice");
    }

    #[tokio::test]
    async fn every_refusal_gives_the_same_answer_for_the_same_work() {
        let house = house().await;
        let long_name = "x".repeat(5_000);
        let long_password = "x".repeat(5_000);
        for _ in 0..3 {
            house.knock("locked", "guess").await.expect_err("refused");
        }
        for (name, password, expected) in [
            ("nobody", "correct horse", "there is no such user"),
            (long_name.as_str(), "correct horse", "there is no such user"),
            ("alice", "wrong", "the password is wrong"),
            ("alice", long_password.as_str(), "the password is wrong"),
            ("dave", "correct horse", "the user is disabled"),
            ("dave", "wrong", "the password is wrong"),
            ("nora", "", "the user has no password"),
            ("damien", "correct horse", "the user has no password"),
            ("locked", "guess", "locked until 1970-01-01T00:15:00Z after too many wrong passwords"),
        ] {
            let before = house.passwords.hashes();
            let refused = house.knock(name, password).await.expect_err("refused");
            assert_eq!(refused.to_string(), expected);
            assert_eq!(refused.answer(), Answer::Wrong, "{name}");
            assert_eq!(house.passwords.hashes() - before, 1, "{name}");
        }
    }

    #[tokio::test]
    async fn a_locked_account_stays_shut_for_the_right_password_until_its_time_or_an_administrator() {
        let house = house().await;
        for _ in 0..3 {
            assert_eq!(house.knock("alice", "wrong").await, Err(Refused::WrongPassword));
        }
        let until = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(15);
        assert_eq!(house.knock("Alice", "correct horse").await, Err(Refused::Locked { until }));
        assert_eq!(house.sign_in.locked_until("ALICE", Timestamp::UNIX_EPOCH), Some(until));
        house.sign_in.unlock("Alice ");
        assert!(house.knock("alice", "correct horse").await.is_ok());
    }

    #[tokio::test]
    async fn wrong_codes_lock_the_account_although_the_password_is_right() {
        let house = house().await;
        let knock = async |found: SecondFactor| {
            let (password, second) =
                (Zeroizing::new("correct horse".to_owned()), |_| std::future::ready(found));
            let at = Timestamp::UNIX_EPOCH;
            house.sign_in.sign_in_with("alice", password, second, None, at, &LIMITS).await.err()
        };
        for _ in 0..2 {
            // That a code is wanted is no guess, and does not forgive one.
            assert_eq!(knock(SecondFactor::Needed).await, Some(Refused::CodeNeeded));
            assert_eq!(knock(SecondFactor::Wrong).await, Some(Refused::WrongCode));
        }
        let at = Timestamp::UNIX_EPOCH;
        let proved = house.sign_in.prove("Alice", None, at, &LIMITS, async { SecondFactor::Wrong }).await;
        assert_eq!(proved, Err(Refused::WrongCode));
        let until = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(15);
        assert_eq!(knock(SecondFactor::Shown).await, Some(Refused::Locked { until }));
        let proved = house.sign_in.prove("alice", None, at, &LIMITS, async { SecondFactor::Shown }).await;
        assert_eq!(proved, Err(Refused::Locked { until }));
        house.sign_in.unlock("alice");
        assert_eq!(knock(SecondFactor::Shown).await, None);
    }

    #[tokio::test]
    async fn an_old_hash_is_renewed_at_the_next_sign_in() {
        let house = house().await;
        let hash = || house.people.0.lock().expect("whole")["olga"].password_hash.clone();
        let old = hash();
        house.knock("olga", "correct horse").await.expect("let in");
        let new = hash();
        assert_ne!(old, new);
        house.knock("olga", "correct horse").await.expect("let in");
        assert_eq!(hash(), new);
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_asked_locks_nobody_out() {
        struct Away;
        #[async_trait]
        impl Accounts for Away {
            async fn find(&self, _: &str) -> Result<Option<Account>, AccountsError> {
                Err(AccountsError("the store is away".to_owned()))
            }
            async fn rehashed(&self, _: Id<User>, _: &str, _: String) -> Result<(), AccountsError> {
                Ok(())
            }
        }
        let passwords = Arc::new(Passwords::with(CHEAP, NonZeroUsize::MIN, 8));
        let sign_in = SignIn::new(Arc::new(LocalDirectory::new(Arc::new(Away), passwords)));
        for _ in 0..10 {
            let password = Zeroizing::new("x".to_owned());
            let outcome = sign_in.sign_in("alice", password, None, Timestamp::UNIX_EPOCH, &LIMITS).await;
            assert_eq!(outcome.expect_err("refused").answer(), Answer::TryAgain);
        }
    }
}
