//! Payouts, their items, and their debits at the bank.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz};

use super::Tx;
use super::schema::{payout_debits, payouts};
use super::statement::statement;
use crate::domain::{
    Amount, BankAccountId, BusinessDate, EntryId, IncidentId, OrganisationId, PassNumber, PayoutId,
    RedemptionId, SettlementId, SiteId, Timestamp, UserId,
};
use crate::error::Result;

/// A payment to one organisation, as it was prepared.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = payouts, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Payout {
    pub number: PayoutId,
    pub settlement: SettlementId,
    pub organisation: OrganisationId,
    pub bank_account: BankAccountId,
    pub account_approved_by: UserId,
    pub holder_name: String,
    pub iban: String,
    pub end_to_end_id: String,
    pub items: i32,
    pub amount_cents: Amount,
    pub entry_id: Option<EntryId>,
}

/// A line to be: a redemption to pay, or the incident that undid one, to deduct.
#[derive(Clone, Copy, Debug)]
pub struct NewItem {
    /// The redemption.
    pub of: RedemptionId,
    /// The incident to deduct; none when the redemption is paid.
    pub incident: Option<IncidentId>,
}

statement! {
    InsertItems {
        payout: Integer = PayoutId, items: Integer = i32, amount: BigInt = Amount,
        passes: Array<Integer> = [PassNumber], cycles: Array<SmallInt> = [i16],
        incidents: Array<Nullable<Integer>> = [Option<IncidentId>],
    } -> (),
    "INSERT INTO payout_items (payout, items, amount_cents, total_cents, line, pass, cycle, incident) \
     SELECT w.payout, w.items, i.sign * w.amount, w.amount * sum(i.sign) OVER (ORDER BY i.line), i.line, i.pass, i.cycle, i.incident \
     FROM (SELECT ? AS payout, ? AS items, ? AS amount) AS w, \
          (SELECT n.*, CASE WHEN n.incident IS NULL THEN 1 ELSE -1 END AS sign \
           FROM unnest(?, ?, ?) WITH ORDINALITY AS n (pass, cycle, incident, line)) AS i"
}

/// Writes a payout and its lines, in that order, each worth `face_value`.
pub fn insert(tx: &mut Tx<'_>, new: &Payout, face_value: Amount, items: &[NewItem]) -> Result<()> {
    diesel::insert_into(payouts::table).values(new).execute(tx.conn)?;
    InsertItems {
        payout: &new.number,
        items: &new.items,
        amount: &face_value,
        passes: &items.iter().map(|item| item.of.pass).collect::<Vec<_>>(),
        cycles: &items.iter().map(|item| item.of.cycle).collect::<Vec<_>>(),
        incidents: &items.iter().map(|item| item.incident).collect::<Vec<_>>(),
    }
    .execute(tx.conn)?;
    Ok(())
}

/// The payouts of a settlement, by number.
pub fn of_settlement(tx: &mut Tx<'_>, settlement: SettlementId) -> Result<Vec<Payout>> {
    Ok(payouts::table
        .filter(payouts::settlement.eq(settlement))
        .order(payouts::number)
        .select(Payout::as_select())
        .load(tx.conn)?)
}

/// The same, of an organisation.
pub fn of_organisation(
    tx: &mut Tx<'_>,
    organisation: OrganisationId,
    after: PayoutId,
    limit: i64,
) -> Result<Vec<Payout>> {
    Ok(payouts::table
        .filter(payouts::organisation.eq(organisation).and(payouts::number.gt(after)))
        .order(payouts::number)
        .limit(limit)
        .select(Payout::as_select())
        .load(tx.conn)?)
}

/// The payout of that number.
pub fn find(tx: &mut Tx<'_>, number: PayoutId) -> Result<Option<Payout>> {
    Ok(payouts::table
        .filter(payouts::number.eq(number))
        .select(Payout::as_select())
        .first(tx.conn)
        .optional()?)
}

/// What a payout owes to one site: how many of its lines pay a redemption made there, less those that deduct one.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct SiteShare {
    /// The payout.
    #[diesel(sql_type = Integer)]
    pub payout: PayoutId,
    /// The site.
    #[diesel(sql_type = Integer)]
    pub site: SiteId,
    /// How many passes; fewer than none when the other sites of its organisation make up for it.
    #[diesel(sql_type = BigInt)]
    pub passes: i64,
}

/// The shares of every site in a settlement's payouts, by payout and site.
pub fn shares(tx: &mut Tx<'_>, settlement: SettlementId) -> Result<Vec<SiteShare>> {
    Ok(sql_query(
        "SELECT i.payout, r.site, sum(CASE WHEN i.deducts THEN -1 ELSE 1 END) AS passes FROM payouts p JOIN payout_items i ON i.payout = p.number
         JOIN redemptions r ON r.pass = i.pass AND r.cycle = i.cycle
         WHERE p.settlement = $1 GROUP BY i.payout, r.site ORDER BY i.payout, r.site",
    )
    .bind::<Integer, _>(settlement)
    .load(tx.conn)?)
}

/// One line of a payout's statement.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Item {
    #[diesel(sql_type = Integer)]
    pub line: i32,
    #[diesel(sql_type = Integer)]
    pub pass: PassNumber,
    #[diesel(sql_type = SmallInt)]
    pub cycle: i16,
    #[diesel(sql_type = Integer)]
    pub site: SiteId,
    #[diesel(sql_type = Text)]
    pub site_name: String,
    #[diesel(sql_type = Timestamptz)]
    pub redeemed_at: Timestamp,
    /// Less than nothing when an incident is deducted.
    #[diesel(sql_type = BigInt)]
    pub amount_cents: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    pub incident: Option<IncidentId>,
}

/// A page of a payout's lines.
pub fn items(tx: &mut Tx<'_>, payout: PayoutId, after_line: i32, limit: i64) -> Result<Vec<Item>> {
    Ok(sql_query(
        "SELECT i.line, i.pass, i.cycle, r.site, s.name AS site_name, r.redeemed_at, i.amount_cents, i.incident
         FROM payout_items i JOIN redemptions r ON r.pass = i.pass AND r.cycle = i.cycle JOIN sites s ON s.number = r.site
         WHERE i.payout = $1 AND i.line > $2 ORDER BY i.line LIMIT $3",
    )
    .bind::<Integer, _>(payout)
    .bind::<Integer, _>(after_line)
    .bind::<BigInt, _>(limit)
    .load(tx.conn)?)
}

/// The payout that pays a redemption, if any, and the day of its debit.
pub fn of_redemption(
    tx: &mut Tx<'_>,
    of: RedemptionId,
) -> Result<Option<(PayoutId, Option<BusinessDate>)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        payout: PayoutId,
        #[diesel(sql_type = Nullable<diesel::sql_types::Date>)]
        debited_on: Option<BusinessDate>,
    }
    let row: Option<Row> = sql_query(
        "SELECT i.payout, d.debited_on FROM payout_items i LEFT JOIN payout_debits d ON d.payout = i.payout WHERE i.pass = $1 AND i.cycle = $2 AND NOT i.deducts",
    )
    .bind::<Integer, _>(of.pass)
    .bind::<SmallInt, _>(of.cycle)
    .get_result(tx.conn)
    .optional()?;
    Ok(row.map(|row| (row.payout, row.debited_on)))
}

/// Writes that a payout was debited at the bank.
pub fn insert_debit(
    tx: &mut Tx<'_>,
    payout: &Payout,
    confirmed_by: UserId,
    entry: EntryId,
    debited_on: BusinessDate,
) -> Result<()> {
    diesel::insert_into(payout_debits::table)
        .values((
            payout_debits::payout.eq(payout.number),
            payout_debits::settlement.eq(payout.settlement),
            payout_debits::confirmed_by.eq(confirmed_by),
            payout_debits::entry_id.eq(entry),
            payout_debits::debited_on.eq(debited_on),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Items, payouts and debits in all, in cents: three legs of the three-way report.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Sums {
    /// Redeemed and not undone, at face value.
    #[diesel(sql_type = BigInt)]
    pub redeemed: i64,
    /// Lines of payouts: what they pay, less what they deduct.
    #[diesel(sql_type = BigInt)]
    pub items: i64,
    /// Amounts of the payouts.
    #[diesel(sql_type = BigInt)]
    pub payouts: i64,
    /// Of these, debited at the bank.
    #[diesel(sql_type = BigInt)]
    pub debited: i64,
}

/// The sums of the whole programme.
pub fn sums(tx: &mut Tx<'_>) -> Result<Sums> {
    tx.scan_all()?;
    Ok(sql_query(
        "SELECT (SELECT count(*) FROM redemptions r WHERE NOT EXISTS (SELECT FROM voids v WHERE v.pass = r.pass AND v.cycle = r.cycle))
                  * (SELECT face_value_cents FROM programmes WHERE id = current_programme()) AS redeemed,
                (SELECT coalesce(sum(amount_cents), 0)::bigint FROM payout_items) AS items,
                (SELECT coalesce(sum(amount_cents), 0)::bigint FROM payouts) AS payouts,
                (SELECT coalesce(sum(p.amount_cents), 0)::bigint FROM payouts p JOIN payout_debits d ON d.payout = p.number) AS debited",
    )
    .get_result(tx.conn)?)
}
