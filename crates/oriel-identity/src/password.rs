//! Passwords: argon2id hashes, a bounded number at a time.
//!
//! Every question costs one hash of the same size, whether or not there is anything to compare
//! with, so that the time of an answer does not tell which names exist.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{self, Output, ParamsString, PasswordHash, Salt, SaltString},
};
use oriel_model::user::PASSWORD_MAX;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Who may wait for each hash that runs. A hash takes some 30 to 50 ms, so the last in line waits
/// about four seconds, which is as long as somebody waits for a sign-in without trying again.
pub const WAITING_PER_WORKER: usize = 100;

/// Stored hashes may ask for this much memory at most, in KiB: a damaged one must not exhaust it.
const STORED_MEMORY_MAX_KIB: u32 = 256 * 1024;
/// Stored hashes may ask for this many passes at most.
const STORED_PASSES_MAX: u32 = 16;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// 19 MiB, two passes, one lane: the OWASP recommendation for argon2id (Password Storage Cheat
    /// Sheet), which bounds the memory of many sign-ins at once.
    pub const RECOMMENDED: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

    fn params(self) -> Params {
        Params::new(self.memory_kib, self.passes, self.lanes, None)
            .expect("the cost is within the limits of argon2")
    }
}

/// Whether a password is the one of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Right {
        /// The hash was made at another cost; hash the password anew and keep that.
        rehash: bool,
    },
    /// It is not, or there was no hash.
    Wrong,
}

/// A password could not be hashed or compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting already.
    #[error("too many people are signing in at once; try again in a moment")]
    Busy,
    /// Longer than [`PASSWORD_MAX`] bytes.
    #[error("the password is longer than {PASSWORD_MAX} bytes")]
    TooLong,
    /// The stored hash cannot be used.
    #[error("the stored password hash cannot be used: {0}")]
    Hash(String),
}

/// Hashes and compares passwords.
pub struct Passwords {
    engine: Arc<Engine>,
    /// Everybody who runs or waits.
    line: Semaphore,
    /// Those who run.
    workers: Arc<Semaphore>,
}

struct Engine {
    cost: Cost,
    /// The memory of hashes that are done, for the next ones: at most one piece for each worker. The
    /// allocator would keep more of it, in as many heaps as there are threads.
    memory: Mutex<Vec<Vec<Block>>>,
    /// A hash of no one's password at the same cost, to compare with when there is none.
    decoy: String,
    hashes: AtomicU64,
}

impl Passwords {
    /// Ready to work, with one hash at a time for each processor. Takes the time of one hash.
    pub fn new() -> Self {
        let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self::with(Cost::RECOMMENDED, workers, WAITING_PER_WORKER)
    }

    /// As [`Passwords::new`], at another cost, with so many hashes at a time and so many waiting for
    /// each. For tests, and for machines that are measured.
    ///
    /// # Panics
    /// When argon2 does not know such a cost.
    pub fn with(cost: Cost, workers: NonZeroUsize, waiting_per_worker: usize) -> Self {
        let nobody: Zeroizing<[u8; 16]> = random();
        let mut engine =
            Engine { cost, memory: Mutex::default(), decoy: String::new(), hashes: AtomicU64::new(0) };
        engine.decoy = engine.make(nobody.as_ref());
        let line = workers.get().saturating_mul(waiting_per_worker.saturating_add(1));
        Self {
            engine: Arc::new(engine),
            line: Semaphore::new(line.min(Semaphore::MAX_PERMITS)),
            workers: Arc::new(Semaphore::new(workers.get())),
        }
    }

    /// Hashes a new password, with a salt of its own. The answer is a PHC string.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, PasswordError> {
        if password.len() > PASSWORD_MAX {
            return Err(PasswordError::TooLong);
        }
        self.work(move |engine| {
            engine.hashes.fetch_add(1, Ordering::Relaxed);
            engine.make(password.as_bytes())
        })
        .await
    }

    /// Compares a password with the hash of an account; without one it does the same work and says
    /// [`Verdict::Wrong`]. So it does for a password that is too long to be anybody's.
    pub async fn verify(
        &self,
        password: Zeroizing<String>,
        hash: Option<String>,
    ) -> Result<Verdict, PasswordError> {
        self.work(move |engine| engine.verify(&password, hash.as_deref())).await?
    }

    /// How many hashes were computed so far.
    pub fn hashes(&self) -> u64 {
        self.engine.hashes.load(Ordering::Relaxed)
    }

    /// Runs `job` on a thread that may block, when it is its turn. Once begun it is finished even if
    /// nobody waits any more, and counts until then.
    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = self.line.try_acquire().map_err(|_| PasswordError::Busy)?;
        let worker = self.workers.clone().acquire_owned().await.expect("never closed");
        let engine = self.engine.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _worker = worker;
            job(&engine)
        });
        // Fails only while the runtime shuts down.
        done.await.map_err(|_| PasswordError::Busy)
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    fn verify(&self, password: &str, hash: Option<&str>) -> Result<Verdict, PasswordError> {
        if password.len() > PASSWORD_MAX {
            return self.compare("", &self.decoy).map(|_| Verdict::Wrong);
        }
        let Some(hash) = hash else {
            return self.compare(password, &self.decoy).map(|_| Verdict::Wrong);
        };
        match self.compare(password, hash) {
            Err(error) => {
                // Do the work all the same.
                self.compare(password, &self.decoy)?;
                Err(error)
            }
            verdict => verdict,
        }
    }

    /// One hash, unless `hash` cannot be used, which costs nothing.
    fn compare(&self, password: &str, hash: &str) -> Result<Verdict, PasswordError> {
        let unusable = |error: password_hash::Error| PasswordError::Hash(error.to_string());
        let parsed = PasswordHash::new(hash).map_err(unusable)?;
        let params = Params::try_from(&parsed).map_err(unusable)?;
        if parsed.algorithm != Algorithm::Argon2id.ident() {
            return Err(PasswordError::Hash(format!("it is not argon2id but {}", parsed.algorithm)));
        }
        if params.m_cost() > STORED_MEMORY_MAX_KIB || params.t_cost() > STORED_PASSES_MAX {
            return Err(PasswordError::Hash("it asks for too much memory or time".to_owned()));
        }
        let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else {
            return Err(PasswordError::Hash("its salt or hash is missing".to_owned()));
        };
        self.hashes.fetch_add(1, Ordering::Relaxed);
        let version = parsed.version.map(Version::try_from).transpose().map_err(|e| unusable(e.into()))?;
        let rehash = self.is_outdated(&parsed, &params);
        let output =
            self.digest(version.unwrap_or_default(), params, password.as_bytes(), salt).map_err(unusable)?;
        // Outputs are compared in constant time.
        Ok(if output == expected { Verdict::Right { rehash } } else { Verdict::Wrong })
    }

    /// Hashes a new password. The answer is a PHC string.
    fn make(&self, password: &[u8]) -> String {
        let salt: Zeroizing<[u8; Salt::RECOMMENDED_LENGTH]> = random();
        let salt = SaltString::encode_b64(salt.as_ref()).expect("the salt has the recommended length");
        let params = self.cost.params();
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).expect("a cost has a form in text"),
            salt: Some(salt.as_salt()),
            hash: Some(
                self.digest(Version::V0x13, params, password, salt.as_salt())
                    .expect("the length of the password was checked and the cost is valid"),
            ),
        };
        hash.to_string()
    }

    /// One argon2id, in memory that was used before if there is some.
    fn digest(
        &self,
        version: Version,
        params: Params,
        password: &[u8],
        salt: Salt<'_>,
    ) -> Result<Output, password_hash::Error> {
        let mut salt_bytes = [0; Salt::MAX_LENGTH];
        let salt = salt.decode_b64(&mut salt_bytes)?;
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let blocks = params.block_count();
        let is_usual = blocks == self.cost.params().block_count();
        let mut memory = if is_usual { self.memory().pop().unwrap_or_default() } else { Vec::new() };
        memory.resize(blocks, Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
        let output = Output::init_with(length, |out| {
            Ok(argon2.hash_password_into_with_memory(password, salt, out, &mut memory)?)
        });
        // What a password was ground into does not outlive the answer.
        memory.fill(Block::default());
        if is_usual {
            self.memory().push(memory);
        }
        output
    }

    fn memory(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_outdated(&self, parsed: &PasswordHash, params: &Params) -> bool {
        let made_at = Cost { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
        made_at != self.cost || parsed.version != Some(u32::from(Version::V0x13))
    }
}

fn random<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    SystemRandom::new().fill(bytes.as_mut()).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    fn cheap() -> Passwords {
        Passwords::with(CHEAP, NonZeroUsize::MIN, 8)
    }

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = cheap();
        let hash = passwords.hash(secret("correct horse")).await.expect("hashed");
        let again = passwords.hash(secret("correct horse")).await.expect("hashed");
        assert_ne!(hash, again, "each has its own salt");
        let verify = async |password: &str| passwords.verify(secret(password), Some(hash.clone())).await;
        assert_eq!(verify("correct horse").await, Ok(Verdict::Right { rehash: false }));
        assert_eq!(verify("Correct horse").await, Ok(Verdict::Wrong));
        assert_eq!(verify("").await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn the_recommended_cost_is_in_the_hash() {
        let passwords = Passwords::with(Cost::RECOMMENDED, NonZeroUsize::MIN, 1);
        let hash = passwords.hash(secret("correct horse")).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }

    #[tokio::test]
    async fn a_hash_at_another_cost_is_taken_and_asks_to_be_made_anew() {
        let old = cheap().hash(secret("correct horse")).await.expect("hashed");
        let dearer = Passwords::with(Cost { passes: 2, ..CHEAP }, NonZeroUsize::MIN, 1);
        let verdict = dearer.verify(secret("correct horse"), Some(old.clone())).await;
        assert_eq!(verdict, Ok(Verdict::Right { rehash: true }));
        assert_eq!(dearer.verify(secret("wrong"), Some(old)).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn every_question_costs_one_hash() {
        let passwords = cheap();
        let hash = passwords.hash(secret("correct horse")).await.expect("hashed");
        let long = "x".repeat(PASSWORD_MAX + 1);
        let questions = [
            ("right", "correct horse", Some(hash.clone())),
            ("wrong", "battery staple", Some(hash.clone())),
            ("no account", "correct horse", None),
            ("too long", &long, Some(hash)),
            ("damaged", "correct horse", Some("$argon2id$nonsense".to_owned())),
            (
                "other",
                "correct horse",
                Some("$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
            ),
            (
                "huge",
                "correct horse",
                Some("$argon2id$v=19$m=4000000,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
            ),
        ];
        for (question, password, hash) in questions {
            let before = passwords.hashes();
            let _ = passwords.verify(secret(password), hash).await;
            assert_eq!(passwords.hashes() - before, 1, "{question}");
        }
    }

    #[tokio::test]
    async fn a_damaged_hash_is_an_error_and_never_a_match() {
        let error = cheap().verify(secret(""), Some("$argon2id$v=19$m=64,t=1,p=1".to_owned())).await;
        assert!(matches!(error, Err(PasswordError::Hash(_))), "{error:?}");
    }

    #[tokio::test]
    async fn a_full_line_is_refused_at_once() {
        let passwords = Passwords::with(CHEAP, NonZeroUsize::MIN, 2);
        let all = passwords.workers.clone().acquire_owned().await.expect("open");
        let ask = || passwords.verify(secret("x"), None);
        let mut asked = (Box::pin(ask()), Box::pin(ask()), Box::pin(ask()));
        // One may run and two may wait; each takes its place when it is first polled.
        let pending = tokio::select! {
            biased;
            _ = &mut asked.0 => false,
            _ = &mut asked.1 => false,
            _ = &mut asked.2 => false,
            else_busy = ask() => else_busy == Err(PasswordError::Busy),
        };
        assert!(pending);
        drop(all);
        assert_eq!(asked.0.await, Ok(Verdict::Wrong));
        assert_eq!(asked.1.await, Ok(Verdict::Wrong));
        drop(asked.2);
        assert_eq!(ask().await, Ok(Verdict::Wrong), "who gives up leaves the line");
    }
}
