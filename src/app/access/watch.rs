//! The thread that looks each second which sessions have ended, whoever ended them.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::Tokens;
use crate::db::Db;

/// Between two looks: how long a token outlives its session in another process.
const INTERVAL: Duration = Duration::from_secs(1);

/// It looks as long as this is there.
pub struct Watch {
    _stop: Sender<()>,
}

impl Watch {
    /// Looks once, then starts the thread.
    pub fn start(db: &Db, tokens: &Tokens) -> anyhow::Result<Self> {
        let (db, tokens) = (db.clone(), tokens.clone());
        if let Err(error) = tokens.look(&db) {
            tracing::warn!("ended sessions were not looked up: {error}");
        }
        let (stop, stopped) = channel::<()>();
        thread::Builder::new().name("watch".into()).spawn(move || {
            while matches!(stopped.recv_timeout(INTERVAL), Err(RecvTimeoutError::Timeout)) {
                if let Err(error) = tokens.look(&db) {
                    tracing::warn!("ended sessions were not looked up: {error}");
                }
            }
        })?;
        Ok(Self { _stop: stop })
    }
}
