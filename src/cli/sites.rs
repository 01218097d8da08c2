//! `souche sites import`: mediation places, from a file of the national schema.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use super::verify::find;
use crate::app::site::{self, Imported};
use crate::db::{Clock, Scope, programmes};
use crate::domain::place::{self, Limits};
use crate::domain::{Actor, ProgrammeId, Role};
use crate::instance::Place;

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Sites {
    /// Import places from a CSV or JSON file, of either generation of the national schema
    Import {
        /// The file
        file: PathBuf,
        /// Code of the programme
        #[arg(long, value_name = "CODE")]
        programme: String,
        /// Who published it; the file's name when left out
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// Judge every row, and write nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        place: Place,
    },
}

impl Sites {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<()> {
        let Self::Import { file, programme, source, dry_run, place } = self;
        let bytes = fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
        let read = place::read(&bytes, Limits::default())
            .map_err(|refusal| anyhow::anyhow!("{}", refusal.told().detail))?;
        let name =
            || file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let source = source.unwrap_or_else(name);
        let instance = place.open(Clock::System)?;
        let (id, _) = find(&instance.db, Some(&programme))?.pop().context("aucun dispositif")?;
        let report = instance.db.transact_blocking(Scope::Programme(id), |tx| {
            let actor = operator(id, programmes::current(tx)?.created_by);
            site::import(tx, &actor, &read, &source, false, dry_run)
        })?;
        tell(&report)
    }
}

/// Whoever may run this command on the machine acts as the programme's administrator.
fn operator(programme: ProgrammeId, user: crate::domain::UserId) -> Actor {
    Actor { user, role: Role::OperatorAdmin, programme, organisation: None, site: None }
}

fn tell(report: &Imported) -> anyhow::Result<()> {
    for row in &report.verdicts {
        super::say(&format!(
            "{:>6}  {:<22} {} — {}",
            row.at,
            row.verdict,
            row.name,
            row.reasons.join(" ; ")
        ))?;
    }
    let done = if report.is_dry_run { "seraient importés" } else { "importés" };
    super::say(&format!(
        "{} lignes : {} lieux {done} tels quels, {} avec remarques, {} déjà connus, {} refusés, {} sans commune.",
        report.rows,
        report.imported,
        report.with_remarks,
        report.known,
        report.refused,
        report.without_commune
    ))
}
