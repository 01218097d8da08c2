//! Mediation places.

use diesel::prelude::*;

use super::Tx;
use super::schema::sites;
use crate::domain::flag::DailyCapacity;
use crate::domain::{BusinessDate, OrganisationId, Refusal, SiteId, Timestamp};
use crate::error::Result;

/// A site of the programme.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sites, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Site {
    pub number: SiteId,
    pub organisation: OrganisationId,
    pub name: String,
    pub address: String,
    pub postal_code: Option<String>,
    pub insee_code: String,
    pub commune: String,
    pub latitude_microdegrees: Option<i32>,
    pub longitude_microdegrees: Option<i32>,
    pub services: Vec<String>,
    pub source: Option<String>,
    pub source_id: Option<String>,
    pub is_fictitious: bool,
    pub qualified_from: Option<BusinessDate>,
    pub qualified_until: Option<BusinessDate>,
    pub created_at: Timestamp,
    pub daily_capacity: Option<DailyCapacity>,
}

/// Writes new ones; one whose source and id there the programme knows already is left out.
pub fn insert(tx: &mut Tx<'_>, new: &[Site]) -> Result<usize> {
    let mut written = 0_usize;
    // PostgreSQL takes 65,535 binds a statement.
    for rows in new.chunks(1_000) {
        let n = diesel::insert_into(sites::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(tx.conn)?;
        written = written.saturating_add(n);
    }
    Ok(written)
}

/// The site of that number.
pub fn get(tx: &mut Tx<'_>, number: SiteId) -> Result<Site> {
    let found = sites::table.filter(sites::number.eq(number)).select(Site::as_select());
    Ok(found.first(tx.conn).optional()?.ok_or(Refusal::not_found("site"))?)
}

/// Makes whoever asks the same of one of these sites wait until the end of this transaction; redemptions that
/// don't ask go on. In the order of the key.
pub fn lock(tx: &mut Tx<'_>, numbers: &[SiteId]) -> Result<()> {
    sites::table
        .filter(sites::number.eq_any(numbers))
        .order(sites::number)
        .select(sites::number)
        .for_no_key_update()
        .load::<SiteId>(tx.conn)?;
    Ok(())
}

/// A page of them by number.
pub fn page(tx: &mut Tx<'_>, after: SiteId, limit: i64) -> Result<Vec<Site>> {
    Ok(sites::table
        .filter(sites::number.gt(after))
        .order(sites::number)
        .limit(limit)
        .select(Site::as_select())
        .load(tx.conn)?)
}

/// Ids that a source has given to sites the programme knows.
pub fn source_ids(tx: &mut Tx<'_>, source: &str) -> Result<Vec<String>> {
    let known =
        sites::table.filter(sites::source.eq(source)).select(sites::source_id.assume_not_null());
    Ok(known.load(tx.conn)?)
}

/// Sets from when until when a site may redeem; false when there is no such site.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn qualify(
    tx: &mut Tx<'_>,
    number: SiteId,
    from: BusinessDate,
    until: Option<BusinessDate>,
) -> Result<bool> {
    let n = diesel::update(sites::table.filter(sites::number.eq(number)))
        .set((
            sites::qualified_from.eq(from),
            sites::qualified_until.eq(until),
            sites::revision.eq(sites::revision + 1),
        ))
        .execute(tx.conn)?;
    Ok(n == 1)
}

/// Keeps what a site declares that it can take in a day; false when there is no such site.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn set_daily_capacity(
    tx: &mut Tx<'_>,
    number: SiteId,
    capacity: Option<DailyCapacity>,
) -> Result<bool> {
    let n = diesel::update(sites::table.filter(sites::number.eq(number)))
        .set((sites::daily_capacity.eq(capacity), sites::revision.eq(sites::revision + 1)))
        .execute(tx.conn)?;
    Ok(n == 1)
}

/// The numbers of all sites, in order.
pub fn numbers(tx: &mut Tx<'_>) -> Result<Vec<SiteId>> {
    Ok(sites::table.select(sites::number).order(sites::number).load(tx.conn)?)
}
