//! Organisations: prescribers, and the bearers of sites.

use diesel::prelude::*;

use super::Tx;
use super::schema::organisations;
use crate::domain::{OrganisationId, Refusal, Timestamp};
use crate::error::Result;

/// An organisation of the programme.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = organisations, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Organisation {
    pub number: OrganisationId,
    pub name: String,
    pub siret: Option<String>,
    pub is_prescriber: bool,
    pub department: Option<String>,
    pub created_at: Timestamp,
}

/// Writes new ones; one whose SIRET the programme knows already is left out.
pub fn insert(tx: &mut Tx<'_>, new: &[Organisation]) -> Result<usize> {
    let mut written = 0_usize;
    // PostgreSQL takes 65,535 binds a statement.
    for rows in new.chunks(1_000) {
        let n = diesel::insert_into(organisations::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(tx.conn)?;
        written = written.saturating_add(n);
    }
    Ok(written)
}

/// The organisation of that number.
pub fn get(tx: &mut Tx<'_>, number: OrganisationId) -> Result<Organisation> {
    let found = organisations::table
        .filter(organisations::number.eq(number))
        .select(Organisation::as_select());
    Ok(found.first(tx.conn).optional()?.ok_or(Refusal::not_found("organisation"))?)
}

/// Those whose SIRET is among these.
pub fn by_sirets(tx: &mut Tx<'_>, sirets: &[String]) -> Result<Vec<(String, OrganisationId)>> {
    let found = organisations::table
        .filter(organisations::siret.eq_any(sirets))
        .select((organisations::siret.assume_not_null(), organisations::number));
    Ok(found.load(tx.conn)?)
}

/// A page of them by number.
pub fn page(tx: &mut Tx<'_>, after: OrganisationId, limit: i64) -> Result<Vec<Organisation>> {
    Ok(organisations::table
        .filter(organisations::number.gt(after))
        .order(organisations::number)
        .limit(limit)
        .select(Organisation::as_select())
        .load(tx.conn)?)
}
