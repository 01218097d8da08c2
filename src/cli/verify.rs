//! `souche verify`: every rule of the ledger, held against the journal of the live database.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::db::{Clock, Db, Scope, programmes};
use crate::domain::ProgrammeId;
use crate::domain::note::{Checkpoint, Note};
use crate::domain::programme::ProgrammeCode;
use crate::error::Result;
use crate::instance::Place;
use crate::ledger::{verify, verify_log};

/// The command.
#[derive(Args, Debug)]
pub struct Verify {
    /// Code of the programme; every one of the instance when left out
    #[arg(long, value_name = "CODE")]
    programme: Option<String>,
    /// A checkpoint of a programme's public log that was kept elsewhere: is the log still the same?
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

impl Verify {
    /// Prints a line per rule; fails when one does not hold.
    pub fn run(self) -> anyhow::Result<()> {
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
                let mark = if check.holds { "✓" } else { "✗" };
                let broken =
                    check.first.map(|first| format!(" — premier : {first}")).unwrap_or_default();
                let by = if check.holds {
                    String::new()
                } else {
                    format!(" — écart : {}{broken}", check.difference)
                };
                super::say(&format!("  {mark} {} ({}){by}", check.rule, check.code))?;
            }
        }
        if let Some((log, _)) = kept {
            bail!("le point de contrôle est celui d'un autre journal ({log})");
        }
        if !all_hold {
            bail!("une règle au moins n'est pas respectée");
        }
        super::say("Toutes les règles sont respectées (every rule holds).")
    }
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
