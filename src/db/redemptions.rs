//! Redemptions: written once, never changed.

use chrono::SecondsFormat;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid,
};

use super::Tx;
use super::entries::EntryRow;
use super::flags::HELD;
use super::schema::redemptions;
use super::schema::sql_types::{Book as BookSql, Service as ServiceSql};
use super::statement::statement;
use super::transfers::TransferRow;
use crate::domain::account::Book;
use crate::domain::pass::LastUse;
use crate::domain::service::Service;
use crate::domain::{
    BusinessDate, EntryId, HandOverId, IncidentId, OrganisationId, PassNumber, RedemptionId,
    SiteId, Timestamp, UserId, WorkshopId,
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
    pub workshop: Option<WorkshopId>,
}

impl Redemption {
    /// Its line of evidence (see [`super::evidence`]), made here: at the counter nothing is read back.
    pub fn line(&self) -> String {
        let (pass, cycle, hand_over) = (self.pass.get(), self.cycle, self.hand_over.get());
        let (site, service) = (self.site.get(), <&str>::from(self.service));
        let at = self.redeemed_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let workshop = self.workshop.map_or("null".to_owned(), |of| of.get().to_string());
        format!(
            r#"["redemptions",{{"cycle":{cycle},"hand_over":{hand_over},"pass":{pass},"redeemed_at":"{at}","service":"{service}","site":{site},"workshop":{workshop}}}]"#
        )
    }
}

statement! {
    /// A function of the schema, so that entries, transfers, redemptions and passes cost one round trip.
    WriteRedemptions {
        entry_ids: Array<Uuid> = [EntryId], by_users: Array<Uuid> = [UserId], receipts: Array<Text> = [&'a str], keys: Array<Text> = [&'a str],
        request_keys: Array<Nullable<Binary>> = [Option<&'a [u8]>], request_hashes: Array<Nullable<Binary>> = [Option<&'a [u8]>],
        passes: Array<Integer> = [PassNumber], cycles: Array<SmallInt> = [i16], hand_overs: Array<Integer> = [HandOverId],
        sites: Array<Integer> = [SiteId], services: Array<ServiceSql> = [Service], instants: Array<Timestamptz> = [Timestamp],
        workshops: Array<Nullable<Integer>> = [Option<WorkshopId>],
        of_entries: Array<Uuid> = [EntryId], lines: Array<SmallInt> = [i16], books: Array<BookSql> = [Book],
        debits: Array<Integer> = [i32], credits: Array<Integer> = [i32], amounts: Array<BigInt> = [i64],
        first_passes: Array<Nullable<Integer>> = [Option<PassNumber>],
    } -> (),
    "SELECT write_redemptions(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

/// Marks passes as redeemed, and writes their redemptions, each with its entry and its idempotency key, at the same
/// places in their lists, and their transfers. The database refuses them all when one of the passes is not in the
/// same hands any more, in the cycle before, or one of the keys was answered with a refusal: judge anew then.
pub fn write(
    tx: &mut Tx<'_>,
    entries: &[EntryRow],
    transfers: &[TransferRow],
    new: &[Redemption],
    keys: &[&str],
) -> Result<()> {
    WriteRedemptions {
        entry_ids: &each(entries, |it| it.id),
        by_users: &each(entries, |it| it.recorded_by),
        receipts: &each(entries, |it| it.receipt.as_str()),
        keys,
        request_keys: &each(entries, |it| it.request_key.as_deref()),
        request_hashes: &each(entries, |it| it.request_hash.as_deref()),
        passes: &each(new, |it| it.pass),
        cycles: &each(new, |it| it.cycle),
        hand_overs: &each(new, |it| it.hand_over),
        sites: &each(new, |it| it.site),
        services: &each(new, |it| it.service),
        instants: &each(new, |it| it.redeemed_at),
        workshops: &each(new, |it| it.workshop),
        of_entries: &each(transfers, |it| it.entry_id),
        lines: &each(transfers, |it| it.line),
        books: &each(transfers, |it| it.book),
        debits: &each(transfers, |it| it.debit),
        credits: &each(transfers, |it| it.credit),
        amounts: &each(transfers, |it| it.amount),
        first_passes: &each(transfers, |it| it.first_pass),
    }
    .execute(tx.conn)?;
    Ok(())
}

/// One column of these rows.
fn each<'r, R, T>(rows: &'r [R], column: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
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
    #[diesel(sql_type = Nullable<Integer>)]
    pub workshop: Option<WorkshopId>,
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
        "SELECT r.pass, r.cycle, r.site, r.service, r.redeemed_at, v.voided_at, i.payout, d.debited_on, r.workshop
         FROM redemptions r JOIN sites s ON s.number = r.site
         LEFT JOIN voids v ON v.pass = r.pass AND v.cycle = r.cycle
         LEFT JOIN payout_items i ON i.pass = r.pass AND i.cycle = r.cycle AND NOT i.deducts
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

/// How many passes a person has spent on a service.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the table of the same words, counted")]
pub struct Spent {
    #[diesel(sql_type = Binary)]
    pub person_key: Vec<u8>,
    #[diesel(sql_type = ServiceSql)]
    pub service: Service,
    #[diesel(sql_type = BigInt)]
    pub passes: i64,
}

/// What these people have spent on these services, redemptions that were undone left out: from a person to its
/// booklets, their passes, and the redemption of each that is spent. Planned at each call: a plan
/// kept from when the tables were small would read all of them.
pub fn spent_by(
    tx: &mut Tx<'_>,
    person_keys: &[Vec<u8>],
    services: &[Service],
) -> Result<Vec<Spent>> {
    Ok(sql_query(
        "SELECT h.person_key, r.service, count(*) AS passes FROM hand_overs h JOIN booklets b ON b.number = h.booklet
         JOIN passes p ON p.number BETWEEN b.first_pass AND b.first_pass + b.size - 1 AND p.hand_over = h.number AND p.state = 'redeemed'
         JOIN redemptions r ON r.pass = p.number AND r.cycle = p.cycle
         WHERE h.person_key = ANY ($1) AND r.service = ANY ($2) GROUP BY h.person_key, r.service",
    )
    .bind::<Array<Binary>, _>(person_keys)
    .bind::<Array<ServiceSql>, _>(services)
    .load(tx.conn)?)
}

/// A person one of whose passes was spent at a workshop.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "the columns of the same names")]
pub struct Seat {
    #[diesel(sql_type = Integer)]
    pub workshop: WorkshopId,
    #[diesel(sql_type = Binary)]
    pub person_key: Vec<u8>,
}

/// Whose passes were spent at these workshops, redemptions that were undone left out.
pub fn seats(tx: &mut Tx<'_>, workshops: &[WorkshopId]) -> Result<Vec<Seat>> {
    Ok(sql_query(
        "SELECT DISTINCT r.workshop, h.person_key FROM redemptions r
         JOIN passes p ON p.number = r.pass AND p.cycle = r.cycle AND p.state = 'redeemed'
         JOIN hand_overs h ON h.number = r.hand_over WHERE r.workshop = ANY ($1)",
    )
    .bind::<Array<Integer>, _>(workshops)
    .load(tx.conn)?)
}

/// What a settlement has to take: a redemption that waits to be paid, or an incident to be deducted.
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
    /// The incident to be deducted; none for a redemption to be paid.
    #[diesel(sql_type = Nullable<Integer>)]
    pub incident: Option<IncidentId>,
    /// Does a flag hold it?
    #[diesel(sql_type = Bool)]
    pub is_held: bool,
}

/// What was redeemed before `until`, is not undone, and is in no payout yet; and every incident that no payout
/// has deducted, whenever it was recorded. By organisation, incidents last, site and pass.
pub fn due(tx: &mut Tx<'_>, until: Timestamp) -> Result<Vec<Due>> {
    Ok(sql_query(format!(
        "SELECT s.organisation, r.site, r.pass, r.cycle, NULL::integer AS incident, {HELD} AS is_held
         FROM redemptions r JOIN sites s ON s.number = r.site
         WHERE r.redeemed_at < $1
           AND NOT EXISTS (SELECT FROM voids v WHERE v.pass = r.pass AND v.cycle = r.cycle)
           AND NOT EXISTS (SELECT FROM payout_items i WHERE i.pass = r.pass AND i.cycle = r.cycle)
         UNION ALL
         SELECT s.organisation, r.site, r.pass, r.cycle, n.number, false
         FROM incidents n JOIN redemptions r ON r.pass = n.pass AND r.cycle = n.cycle JOIN sites s ON s.number = r.site
         WHERE NOT EXISTS (SELECT FROM payout_items i WHERE i.incident = n.number)
         ORDER BY organisation, incident NULLS FIRST, site, pass, cycle"
    ))
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
    /// Of these, held by a flag.
    #[diesel(sql_type = BigInt)]
    pub held: i64,
    /// In a payout, less what payouts deduct.
    #[diesel(sql_type = BigInt)]
    pub in_payout: i64,
    /// Of these, debited at the bank.
    #[diesel(sql_type = BigInt)]
    pub paid: i64,
    /// Undone by an incident that no payout has deducted.
    #[diesel(sql_type = BigInt)]
    pub to_deduct: i64,
}

/// Totals of an organisation's sites.
pub fn site_totals(tx: &mut Tx<'_>, organisation: OrganisationId) -> Result<Vec<SiteTotals>> {
    Ok(sql_query(format!(
        "SELECT s.number AS site, s.name, count(r.pass) FILTER (WHERE v.pass IS NULL) AS redeemed,
                count(r.pass) FILTER (WHERE v.pass IS NULL AND i.payout IS NULL AND {HELD}) AS held,
                count(i.payout) - count(x.payout) AS in_payout, count(d.payout) - count(y.payout) AS paid,
                count(n.pass) FILTER (WHERE x.payout IS NULL) AS to_deduct
         FROM sites s LEFT JOIN redemptions r ON r.site = s.number
         LEFT JOIN voids v ON v.pass = r.pass AND v.cycle = r.cycle
         LEFT JOIN payout_items i ON i.pass = r.pass AND i.cycle = r.cycle AND NOT i.deducts
         LEFT JOIN payout_debits d ON d.payout = i.payout
         LEFT JOIN incidents n ON n.pass = r.pass AND n.cycle = r.cycle
         LEFT JOIN payout_items x ON x.incident = n.number
         LEFT JOIN payout_debits y ON y.payout = x.payout
         WHERE s.organisation = $1 GROUP BY s.number, s.name ORDER BY s.number"
    ))
    .bind::<Integer, _>(organisation)
    .load(tx.conn)?)
}
