//! What happened at an organisation's sites, day by day in Paris, and what they are owed at the end of each.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Text};

use super::Tx;
use crate::domain::{BusinessDate, OrganisationId, SiteId};
use crate::error::Result;

/// A site's day, in passes.
#[derive(Clone, Debug, QueryableByName)]
pub struct SiteDay {
    /// The site.
    #[diesel(sql_type = Integer)]
    pub site: SiteId,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The day.
    #[diesel(sql_type = Date)]
    pub day: BusinessDate,
    /// Redeemed on that day.
    #[diesel(sql_type = BigInt)]
    pub redeemed: i64,
    /// Undone on that day, whenever redeemed.
    #[diesel(sql_type = BigInt)]
    pub voided: i64,
    /// Debited at the bank on that day, less what was deducted.
    #[diesel(sql_type = BigInt)]
    pub paid: i64,
    /// Redeemed until the end of that day, and neither undone nor debited by then.
    #[diesel(sql_type = BigInt)]
    pub due: i64,
}

/// Every day from `from` to `until`, included, of an organisation's sites or of one of them; by site and day. What
/// happened before is one sum, put on the day before the first.
pub fn days(
    tx: &mut Tx<'_>,
    organisation: OrganisationId,
    site: Option<SiteId>,
    from: BusinessDate,
    until: BusinessDate,
) -> Result<Vec<SiteDay>> {
    Ok(sql_query(
        "WITH own AS (SELECT number, name FROM sites WHERE organisation = $1 AND ($2 IS NULL OR number = $2)),
         moved (site, day, redeemed, voided, paid) AS (
             SELECT r.site, (r.redeemed_at AT TIME ZONE 'Europe/Paris')::date, 1, 0, 0
             FROM redemptions r JOIN own ON own.number = r.site
             UNION ALL
             SELECT r.site, (v.voided_at AT TIME ZONE 'Europe/Paris')::date, 0, 1, 0
             FROM redemptions r JOIN own ON own.number = r.site JOIN voids v ON v.pass = r.pass AND v.cycle = r.cycle
             UNION ALL
             SELECT r.site, d.debited_on, 0, 0, CASE WHEN i.deducts THEN -1 ELSE 1 END
             FROM redemptions r JOIN own ON own.number = r.site
             JOIN payout_items i ON i.pass = r.pass AND i.cycle = r.cycle JOIN payout_debits d ON d.payout = i.payout),
         by_day AS (
             SELECT site, greatest(day, $3 - 1) AS day, sum(redeemed) AS redeemed, sum(voided) AS voided, sum(paid) AS paid
             FROM moved WHERE day <= $4 GROUP BY 1, 2),
         calendar AS (
             SELECT own.number AS site, own.name, $3 - 1 + n AS day FROM own CROSS JOIN generate_series(0, $4 - $3 + 1) AS n),
         running AS (
             SELECT site, name, day, coalesce(redeemed, 0) AS redeemed, coalesce(voided, 0) AS voided, coalesce(paid, 0) AS paid,
                    sum(coalesce(redeemed - voided - paid, 0)) OVER (PARTITION BY site ORDER BY day)::bigint AS due
             FROM calendar LEFT JOIN by_day USING (site, day))
         SELECT * FROM running WHERE day >= $3 ORDER BY site, day",
    )
    .bind::<Integer, _>(organisation)
    .bind::<Nullable<Integer>, _>(site)
    .bind::<Date, _>(from)
    .bind::<Date, _>(until)
    .load(tx.conn)?)
}
