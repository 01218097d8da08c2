//! `souche verify`: every rule of the ledger, held against the journal of the live database, or against a bundle without
//! any.

use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::db::{Clock, Db, Scope, programmes};
use crate::domain::ProgrammeId;
use crate::domain::money::Cents;
use crate::domain::note::{Checkpoint, Note};
use crate::domain::programme::ProgrammeCode;
use crate::envelope::Opened;
use crate::error::Result;
use crate::instance::Place;
use crate::ledger::bundle::{self, Trusted, Verdict};
use crate::ledger::verify::Check;
use crate::ledger::{verify, verify_log};

/// The command.
#[derive(Args, Debug)]
pub struct Verify {
    /// A bundle (`souche export bundle`), verified with nothing else; the live database when left out
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// With FILE: a public key of the log that was kept elsewhere (vkey); repeated, after a change of keys
    #[arg(id = "vkey", long = "key", value_name = "VKEY", requires = "file")]
    keys: Vec<String>,
    /// Code of the programme; every one of the instance when left out
    #[arg(long, value_name = "CODE")]
    programme: Option<String>,
    /// A checkpoint of a programme's public log that was kept elsewhere: is the log still the same?
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// With FILE, when it is encrypted: the file of the age private key that opens it
    #[arg(long, value_name = "KEYFILE", requires = "file")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

impl Verify {
    /// Prints a line per rule; fails when one does not hold.
    pub fn run(self) -> anyhow::Result<()> {
        let all_hold = match &self.file {
            Some(file) => self.run_on_file(file)?,
            None => self.run_on_database()?,
        };
        if !all_hold {
            bail!("une règle au moins n'est pas respectée");
        }
        super::say("Toutes les règles sont respectées (every rule holds).")
    }

    fn run_on_file(&self, file: &Path) -> anyhow::Result<bool> {
        let trusted = trusted(&self.keys, self.checkpoint.as_deref())?;
        let mut opened = Opened::open(file, self.identity.as_deref())?;
        let verdict = verify_file(&mut opened, &trusted)?;
        Ok(verdict.holds())
    }

    fn run_on_database(&self) -> anyhow::Result<bool> {
        let instance = self.place.open(Clock::System)?;
        let mut all_hold = true;
        let mut kept = self.checkpoint.as_deref().map(read_note).transpose()?;
        for (id, code) in find(&instance.db, self.programme.as_deref())? {
            let scope = Scope::Programme(id);
            let mut checks = instance.db.snapshot_blocking(scope, verify::verify)?;
            if let Some((_, note)) = kept.take_if(|(log, _)| log == code.as_str()) {
                checks.push(
                    instance
                        .db
                        .snapshot_blocking(scope, |tx| verify_log::verify_kept(tx, &note))?,
                );
            }
            super::say(&format!("{code}"))?;
            for check in checks {
                all_hold &= check.holds;
                say_check(&check)?;
            }
        }
        if let Some((log, _)) = kept {
            bail!("le point de contrôle est celui d'un autre journal ({log})");
        }
        Ok(all_hold)
    }
}

/// What whoever runs the command has kept.
pub(super) fn trusted(keys: &[String], checkpoint: Option<&Path>) -> anyhow::Result<Trusted> {
    let keys = keys.iter().map(|key| key.parse().map_err(anyhow::Error::msg));
    Ok(Trusted {
        keys: keys.collect::<anyhow::Result<_>>()?,
        checkpoint: checkpoint.map(read_note).transpose()?.map(|(_, note)| note),
    })
}

/// Holds every rule against a bundle, and prints a line per rule.
pub(super) fn verify_file(from: impl Read, trusted: &Trusted) -> anyhow::Result<Verdict> {
    let verdict = bundle::verify(BufReader::with_capacity(1 << 20, from), trusted);
    super::say(&match trusted.keys.len() {
        0 => format!(
            "{} — clés du dossier même, à comparer à celle que vous avez notée :",
            verdict.programme
        ),
        _ => format!("{} — clés du journal données :", verdict.programme),
    })?;
    verdict.vkeys.iter().try_for_each(|key| super::say(&format!("  {key}")))?;
    verdict.checks.iter().try_for_each(say_check)?;
    super::say(&summary(&verdict))?;
    Ok(verdict)
}

pub(super) fn say_check(check: &Check) -> anyhow::Result<()> {
    let mark = if check.holds { "✓" } else { "✗" };
    let first = check.first.as_ref().map(|first| format!(" — premier : {first}"));
    let by = if check.holds {
        String::new()
    } else {
        format!(" — écart : {}{}", check.difference, first.unwrap_or_default())
    };
    super::say(&format!("  {mark} {} ({}){by}", check.rule, check.code))
}

/// What was read, in a line.
fn summary(verdict: &Verdict) -> String {
    let (entries, leaves) = verdict.entries;
    let (passes, used) = verdict.passes;
    let owed = Cents(verdict.owed.iter().map(|(_, cents)| cents).sum());
    format!(
        "{entries} écritures, dont {leaves} dans le journal public et {} sous un point de contrôle ; {} récépissés sans signature. \
         {passes} pass, dont {used} utilisés ; {owed} dus aux lieux et pas encore ordonnés.",
        verdict.signed, verdict.unsigned
    )
}

/// A note kept elsewhere, and the programme whose log it is of: the end of its origin.
fn read_note(file: &Path) -> anyhow::Result<(String, Note)> {
    let text =
        fs::read_to_string(file).with_context(|| format!("{} est illisible", file.display()))?;
    let note: Note = text.parse().map_err(anyhow::Error::msg)?;
    let checkpoint: Checkpoint = note.text.parse().map_err(anyhow::Error::msg)?;
    let log = checkpoint.origin.rsplit('/').next().unwrap_or_default().to_owned();
    Ok((log, note))
}

/// The programmes asked for. Ids are given in order from 1, and one that is missing ends nothing: the
/// service's role sees a programme only by entering it.
pub(super) fn find(
    db: &Db,
    asked: Option<&str>,
) -> anyhow::Result<Vec<(ProgrammeId, ProgrammeCode)>> {
    let last = db.transact_blocking(Scope::Nobody, programmes::last_id)?;
    let mut found = Vec::new();
    for id in (1..=last).map(ProgrammeId::new) {
        let programme: Result<programmes::Programme> =
            db.transact_blocking(Scope::Programme(id), programmes::current);
        if let Ok(programme) = programme
            && asked.is_none_or(|code| code == programme.code.as_str())
        {
            found.push((id, programme.code));
        }
    }
    match asked {
        Some(code) if found.is_empty() => bail!("aucun dispositif ne porte le code {code}"),
        _ => Ok(found),
    }
}
