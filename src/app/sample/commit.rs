//! The first step of a sample: of what it will be, and the hash of a seed that nobody else knows.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Overview, overview};
use crate::db::samples::{self, Committed};
use crate::db::{Tx, programmes, series};
use crate::domain::entry::EntryKind;
use crate::domain::sample::{Commitment, Criteria, PerStratum, Strata};
use crate::domain::text::Line;
use crate::domain::{Action, Actor, BusinessDate, Refusal, SampleId};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// Of what a sample will be. Nothing of it changes afterwards.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSample {
    /// What the auditor calls it; without anybody's name.
    pub title: Line,
    /// SHA-256 of the seed's 32 bytes.
    pub commitment: Commitment,
    /// Which kinds of receipts.
    #[schema(min_items = 1)]
    pub kinds: Vec<EntryKind>,
    /// The first day on which they happened, in Paris.
    pub from: BusinessDate,
    /// The last day, included.
    pub until: BusinessDate,
    /// What parts them.
    pub strata: Strata,
    /// How many of each part, at most.
    pub per_stratum: PerStratum,
}

/// Commits to a seed.
pub fn commit(tx: &mut Tx<'_>, actor: &Actor, new: &NewSample) -> Result<Overview> {
    actor.require(Action::CommitSample)?;
    let criteria = criteria(new)?;
    let number = SampleId::new(series::next(tx, "audit_sample")?);
    let facts = json!({
        "audit_sample": number, "commitment": new.commitment, "kinds": criteria.kinds, "period_from": criteria.from_on,
        "period_until": criteria.until_on, "strata": criteria.strata, "per_stratum": criteria.per_stratum,
    });
    let entry = Entry::new(tx, EntryKind::AuditCommitment, actor.user, facts);
    let committed = Committed {
        number,
        title: new.title.as_str().to_owned(),
        commitment: new.commitment,
        criteria,
        committed_at: tx.now,
        entry: entry.id,
    };
    if !samples::commit(tx, &committed, actor.user)? {
        return Err(Refusal::Duplicate { what: "Un échantillon de cette graine".into() }.into());
    }
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry.wrote("audit_samples"))?;
    overview(tx, number)
}

fn criteria(new: &NewSample) -> Result<Criteria, Refusal> {
    let mut words: Vec<&str> = new.kinds.iter().map(Into::into).collect();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() || words.len() < new.kinds.len() {
        return Err(Refusal::invalid(
            "kinds",
            "une nature d'écriture au moins est attendue, chacune une fois",
        ));
    }
    if new.until < new.from {
        return Err(Refusal::invalid("until", "le dernier jour ne peut précéder le premier"));
    }
    Ok(Criteria {
        kinds: new.kinds.clone(),
        from_on: new.from,
        until_on: new.until,
        strata: new.strata,
        per_stratum: new.per_stratum,
    })
}
