//! Letters leave: by SMTP, or into a directory that one can read.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{Message, SmtpTransport, Transport};

use super::SEALED;
use super::letter::{Letter, Words};
use crate::app::access::reset_link;
use crate::db::outbox::Due;
use crate::db::{Db, Scope, outbox};
use crate::domain::text::Email;
use crate::error::Result;
use crate::keys::Keys;

/// Between two looks at the outbox.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a mail server may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A letter that could not leave in that many tries, over about two days, is dropped: its link is long over.
const MAX_TRIES: i32 = 18;

/// How letters leave, from whom, and which site their links lead to.
#[derive(Clone)]
pub struct Sender {
    way: Way,
    from: Mailbox,
    site: String,
}

#[derive(Clone)]
enum Way {
    Smtp(SmtpTransport),
    Directory(PathBuf),
}

impl Sender {
    /// Through that server: `smtps://user:password@host`, or `smtp://host?tls=required`.
    pub fn smtp(url: &str, from: &str, site: &str) -> anyhow::Result<Self> {
        let smtp = SmtpTransport::from_url(url)
            .context("SOUCHE_SMTP_URL is not an address such as smtps://user:password@host")?;
        Self::new(Way::Smtp(smtp.timeout(Some(TIMEOUT)).build()), from, site)
    }

    /// Into that directory, one file each, which the owner alone may read.
    pub fn directory(path: PathBuf, from: &str, site: &str) -> anyhow::Result<Self> {
        Self::new(Way::Directory(path), from, site)
    }

    fn new(way: Way, from: &str, site: &str) -> anyhow::Result<Self> {
        let from = from.parse().with_context(|| format!("{from} is no mail address"))?;
        Ok(Self { way, from, site: site.trim_end_matches('/').to_owned() })
    }

    fn send(&self, due: &Due, words: &Words) -> anyhow::Result<()> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(words.to.parse()?)
            .subject(&words.subject)
            .message_id(Some(format!("<{}@souche>", due.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(words.body.clone())?;
        match &self.way {
            Way::Smtp(server) => drop(server.send(&message)?),
            Way::Directory(path) => {
                DirBuilder::new().recursive(true).mode(0o700).create(path)?;
                // Written again when it was not noted as sent: the same letter.
                OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(path.join(format!("{}.eml", due.id)))?
                    .write_all(&message.formatted())?;
            }
        }
        Ok(())
    }
}

/// Sends whatever is due; returns how many letters left. One that can't leave waits for its next turn, and keeps
/// no other waiting. No transaction is open while one is sent: a letter may leave twice, and is never lost.
pub fn deliver_due(db: &Db, keys: &Keys, sender: &Sender) -> Result<usize> {
    let mut sent = 0_usize;
    while let Some(due) = db.transact_blocking(Scope::Nobody, outbox::take)? {
        match deliver(db, keys, sender, &due) {
            Ok(true) => sent = sent.saturating_add(1),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(letter = %due.id, tries = due.tries, "a letter did not leave: {error:#}");
                if due.tries < MAX_TRIES {
                    continue;
                }
            }
        }
        db.transact_blocking(Scope::Nobody, |tx| outbox::delete(tx, due.id))?;
    }
    Ok(sent)
}

/// Sends one letter; says no when there is nobody to send it to.
fn deliver(db: &Db, keys: &Keys, sender: &Sender, due: &Due) -> anyhow::Result<bool> {
    let letter: Letter = serde_json::from_slice(&keys.unseal(SEALED, &due.letter_sealed)?)?;
    let mut token = None;
    if let Letter::Reset { to } = &letter {
        let to = Email::try_from(to.clone()).map_err(anyhow::Error::msg)?;
        token = db.transact_blocking(Scope::Nobody, |tx| reset_link(tx, &to, due.tries > 1))?;
        if token.is_none() {
            return Ok(false);
        }
    }
    sender.send(due, &letter.in_words(&sender.site, token.as_deref().unwrap_or_default()))?;
    Ok(true)
}

/// The thread that sends letters as long as the service runs; it ends when this is dropped.
pub struct Postman {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Postman {
    /// Starts it.
    pub fn start(db: Db, keys: Keys, sender: Sender) -> anyhow::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("postman".into()).spawn(move || {
            while matches!(stopped.recv_timeout(INTERVAL), Err(mpsc::RecvTimeoutError::Timeout)) {
                if let Err(error) = deliver_due(&db, &keys, &sender) {
                    tracing::warn!("letters wait: {error}");
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Postman {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_can_be_read_and_its_link_stands_on_a_line_of_its_own() {
        let letter = Letter::Reset { to: "ana@exemple.fr".into() };
        let words = letter.in_words("https://souche.exemple", "jeton");
        assert!(words.body.lines().any(|line| line == "https://souche.exemple/mot-de-passe#jeton"));
        assert_eq!(words.to, "ana@exemple.fr");
    }

    #[test]
    fn an_address_of_no_server_is_refused() {
        assert!(Sender::smtp("ftp://exemple.fr", "souche@exemple.fr", "https://x").is_err());
        assert!(Sender::smtp("smtps://exemple.fr", "souche", "https://x").is_err());
        assert!(Sender::smtp("smtps://exemple.fr", "souche@exemple.fr", "https://x").is_ok());
    }
}
