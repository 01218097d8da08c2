//! What is found on a receipt that was drawn. It stays: whoever was wrong says so in a new finding, which names the old.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::drawn;
use crate::db::findings::{self, Finding};
use crate::db::{Tx, programmes, series};
use crate::domain::entry::EntryKind;
use crate::domain::sample::Conclusion;
use crate::domain::text::Remark;
use crate::domain::{Action, Actor, FindingId, LineNumber, Refusal, SampleId};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// What was found on a line.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFinding {
    /// Is it in order?
    pub conclusion: Conclusion,
    /// What was seen, and on which document; asked for unless it is in order. Without anybody's name.
    pub remark: Option<Remark>,
    /// The finding of this line that this one takes the place of.
    pub corrects: Option<FindingId>,
}

/// Keeps a finding: the first of its line, or one that corrects the one that stands.
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (sample, line): (SampleId, LineNumber),
    new: NewFinding,
) -> Result<Finding> {
    actor.require(Action::RecordFinding)?;
    drawn(tx, sample)?;
    if !findings::has_item(tx, sample, line)? {
        return Err(Refusal::not_found("audit_item").into());
    }
    if new.conclusion != Conclusion::Conform && new.remark.is_none() {
        let rule = "dites ce que vous avez constaté, ou ce qui manque pour vérifier";
        return Err(Refusal::invalid("remark", rule).into());
    }
    let standing = findings::standing(tx, sample, line)?;
    if standing != new.corrects {
        return Err(out_of_turn(standing).into());
    }
    let number = FindingId::new(series::next(tx, "finding")?);
    let facts = json!({
        "audit_sample": sample, "line": line, "finding": number, "conclusion": new.conclusion, "corrects_finding": new.corrects,
    });
    let entry = Entry::new(tx, EntryKind::AuditFinding, actor.user, facts);
    let finding = Finding {
        number,
        sample,
        line,
        conclusion: new.conclusion,
        remark: new.remark.map(String::from),
        corrects: new.corrects,
        found_at: tx.now,
        entry_id: entry.id,
    };
    if !findings::insert(tx, &finding, actor.user)? {
        return Err(out_of_turn(findings::standing(tx, sample, line)?).into());
    }
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry.wrote("audit_findings"))?;
    Ok(finding)
}

/// Another finding of the line stands: it has to be named.
fn out_of_turn(standing: Option<FindingId>) -> Refusal {
    let needs = match standing {
        Some(number) => format!(
            "le constat {number} porte déjà sur cette ligne ; nommez-le dans « corrects » pour le corriger"
        ),
        None => "aucun constat ne porte encore sur cette ligne ; laissez « corrects » vide".into(),
    };
    Refusal::wrong_state("audit_item", needs)
}
