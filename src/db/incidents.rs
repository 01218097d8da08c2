//! Incidents: settled redemptions that were undone, each with its void.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid};

use super::Tx;
use crate::domain::{
    EntryId, IncidentId, OrganisationId, PassNumber, PayoutId, RedemptionId, SiteId, Timestamp,
};
use crate::error::Result;

/// Writes an incident; its void is there.
pub fn insert(tx: &mut Tx<'_>, number: IncidentId, of: RedemptionId) -> Result<()> {
    sql_query("INSERT INTO incidents (number, pass, cycle) VALUES ($1, $2, $3)")
        .bind::<Integer, _>(number)
        .bind::<Integer, _>(of.pass)
        .bind::<SmallInt, _>(of.cycle)
        .execute(tx.conn)?;
    Ok(())
}

/// An incident, and the payouts that paid and deducted its redemption.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Incident {
    #[diesel(sql_type = Integer)]
    pub number: IncidentId,
    #[diesel(sql_type = Integer)]
    pub pass: PassNumber,
    #[diesel(sql_type = SmallInt)]
    pub cycle: i16,
    #[diesel(sql_type = Integer)]
    pub site: SiteId,
    #[diesel(sql_type = Integer)]
    pub organisation: OrganisationId,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Timestamptz)]
    pub recorded_at: Timestamp,
    #[diesel(sql_type = Uuid)]
    pub entry_id: EntryId,
    /// What its redemption was worth.
    #[diesel(sql_type = BigInt)]
    pub amount_cents: i64,
    #[diesel(sql_type = Integer)]
    pub paid_by: PayoutId,
    /// None while it waits for a settlement.
    #[diesel(sql_type = Nullable<Integer>)]
    pub deducted_from: Option<PayoutId>,
}

/// A page of them by number: those of one organisation, or of one site, when one is named.
pub fn page(
    tx: &mut Tx<'_>,
    (organisation, site): (Option<OrganisationId>, Option<SiteId>),
    after: IncidentId,
    limit: i64,
) -> Result<Vec<Incident>> {
    Ok(sql_query(
        "SELECT n.number, n.pass, n.cycle, r.site, s.organisation, v.reason, v.voided_at AS recorded_at, v.entry_id,
                i.amount_cents, i.payout AS paid_by, x.payout AS deducted_from
         FROM incidents n JOIN voids v ON v.pass = n.pass AND v.cycle = n.cycle
         JOIN redemptions r ON r.pass = n.pass AND r.cycle = n.cycle JOIN sites s ON s.number = r.site
         JOIN payout_items i ON i.pass = n.pass AND i.cycle = n.cycle AND NOT i.deducts
         LEFT JOIN payout_items x ON x.incident = n.number
         WHERE n.number > $1 AND ($2 IS NULL OR s.organisation = $2) AND ($3 IS NULL OR r.site = $3)
         ORDER BY n.number LIMIT $4",
    )
    .bind::<Integer, _>(after)
    .bind::<Nullable<Integer>, _>(organisation)
    .bind::<Nullable<Integer>, _>(site)
    .bind::<BigInt, _>(limit)
    .load(tx.conn)?)
}
