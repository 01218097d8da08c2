//! Workshops: declared once, named by redemptions.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Nullable};

use super::Tx;
use super::schema::workshops;
use crate::domain::{BusinessDate, EntryId, OrganisationId, SiteId, Timestamp, UserId, WorkshopId};
use crate::error::Result;

/// A workshop at a site, on a day.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, QueryableByName)]
#[diesel(table_name = workshops, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Workshop {
    pub number: WorkshopId,
    pub site: SiteId,
    pub held_on: BusinessDate,
    pub place: String,
    pub people: i32,
    pub declared_by: UserId,
    pub declared_at: Timestamp,
    pub entry_id: EntryId,
}

/// Writes a new one.
pub fn insert(tx: &mut Tx<'_>, new: &Workshop) -> Result<()> {
    diesel::insert_into(workshops::table).values(new).execute(tx.conn)?;
    Ok(())
}

/// Those of these numbers.
pub fn by_numbers(tx: &mut Tx<'_>, numbers: &[WorkshopId]) -> Result<Vec<Workshop>> {
    Ok(workshops::table
        .filter(workshops::number.eq_any(numbers))
        .select(Workshop::as_select())
        .load(tx.conn)?)
}

/// A page of those of an organisation's sites, or of one of them, by number.
pub fn page(
    tx: &mut Tx<'_>,
    organisation: OrganisationId,
    site: Option<SiteId>,
    after: WorkshopId,
    limit: i64,
) -> Result<Vec<Workshop>> {
    Ok(sql_query(
        "SELECT w.* FROM workshops w JOIN sites s ON s.number = w.site
         WHERE s.organisation = $1 AND ($2 IS NULL OR w.site = $2) AND w.number > $3 ORDER BY w.number LIMIT $4",
    )
    .bind::<Integer, _>(organisation)
    .bind::<Nullable<Integer>, _>(site)
    .bind::<Integer, _>(after)
    .bind::<BigInt, _>(limit)
    .load(tx.conn)?)
}
