//! Redemptions: written once, never changed.

use chrono::SecondsFormat;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid};

use super::Tx;
use super::schema::redemptions;
use super::schema::sql_types::Service as ServiceSql;
use super::statement::statement;
use crate::domain::pass::LastUse;
use crate::domain::service::Service;
use crate::domain::{
    BusinessDate, EntryId, HandOverId, OrganisationId, PassNumber, RedemptionId, SiteId, Timestamp,
};
use crate::error::Result;

/// A pass spent at a site.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = redemptions, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Redemption {
    pub pass: PassNumber,
    pub cycle: i16,
    pub entry_id: EntryId,
    pub hand_over: HandOverId,
    pub site: SiteId,
    pub service: Service,
    pub redeemed_at: Timestamp,
}

impl Redemption {
    /// Its line of evidence (see [`super::evidence`]), made here: at the counter nothing is read back.
    pub fn line(&self) -> String {
        let (pass, cycle, hand_over) = (self.pass.get(), self.cycle, self.hand_over.get());
        let (site, service) = (self.site.get(), <&str>::from(self.service));
        let at = self.redeemed_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        format!(
            r#"["redemptions",{{"cycle":{cycle},"hand_over":{hand_over},"pass":{pass},"redeemed_at":"{at}","service":"{service}","site":{site}}}]"#
        )
    }
}

statement! {
    InsertRedemptions {
        passes: Array<Integer> = [PassNumber], cycles: Array<SmallInt> = [i16], entries: Array<Uuid> = [EntryId],
        hand_overs: Array<Integer> = [HandOverId], sites: Array<Integer> = [SiteId], services: Array<ServiceSql> = [Service],
        redeemed_at: Array<Timestamptz> = [Timestamp],
    } -> (),
    "INSERT INTO redemptions (pass, cycle, entry_id, hand_over, site, service, redeemed_at) SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?)"
}

/// Writes redemptions.
pub fn insert(tx: &mut Tx<'_>, new: &[Redemption]) -> Result<()> {
    InsertRedemptions {
        passes: &new.iter().map(|redemption| redemption.pass).collect::<Vec<_>>(),
        cycles: &new.iter().map(|redemption| redemption.cycle).collect::<Vec<_>>(),
        entries: &new.iter().map(|redemption| redemption.entry_id).collect::<Vec<_>>(),
        hand_overs: &new.iter().map(|redemption| redemption.hand_over).collect::<Vec<_>>(),
        sites: &new.iter().map(|redemption| redemption.site).collect::<Vec<_>>(),
        services: &new.iter().map(|redemption| redemption.service).collect::<Vec<_>>(),
        redeemed_at: &new.iter().map(|redemption| redemption.redeemed_at).collect::<Vec<_>>(),
    }
    .execute(tx.conn)?;
    Ok(())
}

statement! {
    LastUses { numbers: Array<Integer> = [PassNumber] } -> (Integer, Integer, Timestamptz),
    "SELECT r.pass, r.site, r.redeemed_at FROM redemptions r JOIN passes p ON p.number = r.pass AND p.cycle = r.cycle \
     WHERE r.pass = ANY (?)"
}

/// The redemption of the present cycle of each of these passes.
pub fn last_uses(tx: &mut Tx<'_>, numbers: &[PassNumber]) -> Result<Vec<(PassNumber, LastUse)>> {
    let rows: Vec<(PassNumber, SiteId, Timestamp)> = LastUses { numbers }.load(tx.conn)?;
    Ok(rows.into_iter().map(|(pass, site, at)| (pass, LastUse { site, at })).collect())
}

/// The redemption of that name.
pub fn find(tx: &mut Tx<'_>, id: RedemptionId) -> Result<Option<Redemption>> {
    let found = redemptions::table
        .filter(redemptions::pass.eq(id.pass).and(redemptions::cycle.eq(id.cycle)));
    Ok(found.select(Redemption::as_select()).first(tx.conn).optional()?)
}

/// A redemption in a site's list: what became of it.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Listed {
    #[diesel(sql_type = Integer)]
    pub pass: PassNumber,
    #[diesel(sql_type = SmallInt)]
    pub cycle: i16,
    #[diesel(sql_type = Integer)]
    pub site: SiteId,
    #[diesel(sql_type = ServiceSql)]
    pub service: Service,
    #[diesel(sql_type = Timestamptz)]
    pub redeemed_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub voided_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub payout: Option<i32>,
    #[diesel(sql_type = Nullable<diesel::sql_types::Date>)]
    pub debited_on: Option<BusinessDate>,
}

/// A page of the redemptions of an organisation's sites, or of one of them, newest first: those before `before`.
pub fn page(
    tx: &mut Tx<'_>,
    organisation: OrganisationId,
    site: Option<SiteId>,
    before: (Timestamp, PassNumber),
    limit: i64,
) -> Result<Vec<Listed>> {
    Ok(sql_query(
        "SELECT r.pass, r.cycle, r.site, r.service, r.redeemed_at, v.voided_at, i.payout, d.debited_on
         FROM redemptions r JOIN sites s ON s.number = r.site
         LEFT JOIN voids v ON v.pass = r.pass AND v.cycle = r.cycle
         LEFT JOIN payout_items i ON i.pass = r.pass AND i.cycle = r.cycle
         LEFT JOIN payout_debits d ON d.payout = i.payout
         WHERE s.organisation = $1 AND ($2 IS NULL OR r.site = $2) AND (r.redeemed_at, r.pass) < ($3, $4)
         ORDER BY r.redeemed_at DESC, r.pass DESC LIMIT $5",
    )
    .bind::<Integer, _>(organisation)
    .bind::<Nullable<Integer>, _>(site)
    .bind::<Timestamptz, _>(before.0)
    .bind::<Integer, _>(before.1)
    .bind::<BigInt, _>(limit)
    .load(tx.conn)?)
}

/// A redemption that a settlement may take, and the state of what pays it.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Due {
    #[diesel(sql_type = Integer)]
    pub organisation: OrganisationId,
    #[diesel(sql_type = Integer)]
    pub site: SiteId,
    #[diesel(sql_type = Integer)]
    pub pass: PassNumber,
    #[diesel(sql_type = SmallInt)]
    pub cycle: i16,
}

/// What was redeemed before `until`, is not undone, and is in no payout yet; by organisation, site and pass.
pub fn due(tx: &mut Tx<'_>, until: Timestamp) -> Result<Vec<Due>> {
    Ok(sql_query(
        "SELECT s.organisation, r.site, r.pass, r.cycle FROM redemptions r JOIN sites s ON s.number = r.site
         WHERE r.redeemed_at < $1
           AND NOT EXISTS (SELECT FROM voids v WHERE v.pass = r.pass AND v.cycle = r.cycle)
           AND NOT EXISTS (SELECT FROM payout_items i WHERE i.pass = r.pass AND i.cycle = r.cycle)
         ORDER BY s.organisation, r.site, r.pass, r.cycle",
    )
    .bind::<Timestamptz, _>(until)
    .load(tx.conn)?)
}

/// What a site redeemed, and how far its payment is, in passes.
#[derive(Clone, Debug, QueryableByName)]
pub struct SiteTotals {
    /// The site.
    #[diesel(sql_type = Integer)]
    pub site: SiteId,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Redeemed and not undone.
    #[diesel(sql_type = BigInt)]
    pub redeemed: i64,
    /// Of these, in a payout.
    #[diesel(sql_type = BigInt)]
    pub in_payout: i64,
    /// Of these, debited at the bank.
    #[diesel(sql_type = BigInt)]
    pub paid: i64,
}

/// Totals of an organisation's sites.
pub fn site_totals(tx: &mut Tx<'_>, organisation: OrganisationId) -> Result<Vec<SiteTotals>> {
    Ok(sql_query(
        "SELECT s.number AS site, s.name, count(r.pass) FILTER (WHERE v.pass IS NULL) AS redeemed,
                count(i.payout) AS in_payout, count(d.payout) AS paid
         FROM sites s LEFT JOIN redemptions r ON r.site = s.number
         LEFT JOIN voids v ON v.pass = r.pass AND v.cycle = r.cycle
         LEFT JOIN payout_items i ON i.pass = r.pass AND i.cycle = r.cycle
         LEFT JOIN payout_debits d ON d.payout = i.payout
         WHERE s.organisation = $1 GROUP BY s.number, s.name ORDER BY s.number",
    )
    .bind::<Integer, _>(organisation)
    .load(tx.conn)?)
}
