//! Passwords are hashed by two threads that do nothing else, with a short queue before them: argon2id takes a
//! core and 46 MiB for each, and a flood of sign-ins must neither fill memory nor take what redemptions run on.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::password::{hash_password, is_current, matches};
use crate::domain::text::Password;
use crate::error::{Error, Result};

/// Hashes at work at once: two cores' worth, 92 MiB.
const THREADS: usize = 2;
/// People who sign in at once, those at work included: whoever waits longer than these take would have gone away.
const PLACES: usize = 24;

type Job = Box<dyn FnOnce() + Send>;

/// Verifies and makes password hashes, a few at a time. Cheap to clone.
#[derive(Clone)]
pub struct Hasher {
    places: Arc<Semaphore>,
    jobs: Sender<Job>,
}

impl Hasher {
    /// Starts the threads; they end with the last handle.
    pub fn start() -> anyhow::Result<Self> {
        let (jobs, queue) = channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..THREADS {
            let queue = queue.clone();
            thread::Builder::new().name("hasher".into()).spawn(move || work(&queue))?;
        }
        Ok(Self { places: Arc::new(Semaphore::new(PLACES)), jobs })
    }

    /// A place among those who sign in; busy at once when there is none. Taken before anything else is asked of
    /// the service, and given back when dropped.
    pub fn turn(&self) -> Result<Turn> {
        match self.places.clone().try_acquire_owned() {
            Ok(place) => Ok(Turn { jobs: self.jobs.clone(), _place: place }),
            Err(_) => Err(Error::Busy("too many sign-ins at once".into())),
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        job();
    }
}

/// A place among those who sign in.
pub struct Turn {
    jobs: Sender<Job>,
    _place: OwnedSemaphorePermit,
}

/// What came of a password.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not the account's, or there is no account.
    Wrong,
    /// It is.
    Right,
    /// It is, and its hash is of another strength than today's: this one replaces it.
    RightAndStronger(String),
}

impl Turn {
    /// Does the password match? An account that does not exist takes as long, and never does.
    pub async fn verify(&self, password: &Password, hash: Option<&str>) -> Result<Verdict> {
        let (password, hash) = (password.clone(), hash.map(str::to_owned));
        self.run(move || {
            if !matches(&password, hash.as_deref())? {
                return Ok(Verdict::Wrong);
            }
            match hash {
                Some(hash) if !is_current(&hash) => {
                    hash_password(&password).map(Verdict::RightAndStronger)
                }
                _ => Ok(Verdict::Right),
            }
        })
        .await
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: &Password) -> Result<String> {
        let password = password.clone();
        self.run(move || hash_password(&password)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move || drop(answer.send(job())));
        self.jobs.send(job).map_err(|_| Error::Busy("passwords are hashed no more".into()))?;
        answered.await.map_err(|_| Error::Busy("a password was not hashed".into()))?
    }
}
