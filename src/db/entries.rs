//! Entries of the journal. Only `ledger` writes here.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text, Timestamptz, Uuid};

use super::Tx;
use super::schema::entries;
use super::schema::sql_types::EntryKind as EntryKindSql;
use super::statement::statement;
use crate::domain::entry::EntryKind;
use crate::domain::{EntryId, PassNumber, SiteId, Timestamp, UserId};
use crate::error::Result;

/// An entry, as the database holds it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = entries, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct EntryRow {
    pub id: EntryId,
    pub kind: EntryKind,
    pub number: Option<i32>,
    pub happened_at: Timestamp,
    pub recorded_at: Timestamp,
    pub recorded_by: UserId,
    pub corrects: Option<EntryId>,
    pub receipt: String,
    /// First 16 bytes of SHA-256 over user and key.
    pub request_key: Option<Vec<u8>>,
    /// First 16 bytes of SHA-256 over what was asked.
    pub request_hash: Option<Vec<u8>>,
    /// What the receipt brought along from another instance, whose key is not here.
    pub signature: Option<Vec<u8>>,
}

impl EntryRow {
    /// Its line of evidence (see [`super::evidence`]): what the receipt doesn't say in its own fields.
    pub fn line(&self) -> String {
        let hex = |bytes: &Option<Vec<u8>>| {
            let bytes = bytes.as_ref().and_then(|bytes| bytes.as_slice().try_into().ok());
            bytes.map_or("null".into(), |half| format!("\"{:032x}\"", u128::from_be_bytes(half)))
        };
        let (key, hash) = (hex(&self.request_key), hex(&self.request_hash));
        let by = self.recorded_by;
        format!(r#"["entries",{{"recorded_by":"{by}","request_hash":{hash},"request_key":{key}}}]"#)
    }
}

statement! {
    InsertEntries {
        ids: Array<Uuid> = [EntryId], kinds: Array<EntryKindSql> = [EntryKind], numbers: Array<Nullable<Integer>> = [Option<i32>],
        happened_at: Array<Timestamptz> = [Timestamp], recorded_at: Array<Timestamptz> = [Timestamp],
        recorded_by: Array<Uuid> = [UserId], corrects: Array<Nullable<Uuid>> = [Option<EntryId>], receipts: Array<Text> = [String],
        request_keys: Array<Nullable<Binary>> = [Option<Vec<u8>>], request_hashes: Array<Nullable<Binary>> = [Option<Vec<u8>>],
    } -> (),
    "INSERT INTO entries (id, kind, number, happened_at, recorded_at, recorded_by, corrects, receipt, request_key, request_hash) \
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

/// Writes entries.
pub fn insert(tx: &mut Tx<'_>, new: &[EntryRow]) -> Result<()> {
    InsertEntries {
        ids: &new.iter().map(|entry| entry.id).collect::<Vec<_>>(),
        kinds: &new.iter().map(|entry| entry.kind).collect::<Vec<_>>(),
        numbers: &new.iter().map(|entry| entry.number).collect::<Vec<_>>(),
        happened_at: &new.iter().map(|entry| entry.happened_at).collect::<Vec<_>>(),
        recorded_at: &new.iter().map(|entry| entry.recorded_at).collect::<Vec<_>>(),
        recorded_by: &new.iter().map(|entry| entry.recorded_by).collect::<Vec<_>>(),
        corrects: &new.iter().map(|entry| entry.corrects).collect::<Vec<_>>(),
        receipts: &new.iter().map(|entry| entry.receipt.clone()).collect::<Vec<_>>(),
        request_keys: &new.iter().map(|entry| entry.request_key.clone()).collect::<Vec<_>>(),
        request_hashes: &new.iter().map(|entry| entry.request_hash.clone()).collect::<Vec<_>>(),
    }
    .execute(tx.conn)?;
    Ok(())
}

/// An entry of a bundle, to be put back as it was.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Its own row's line.
    pub line: String,
    /// The line of the redemption that it is.
    pub redemption: Option<String>,
    /// Its receipt, which says the rest of the row.
    pub receipt: String,
    /// The receipt's signature, where the key that made it is not here.
    pub signature: Option<Vec<u8>>,
}

/// Writes the entries of a bundle, under the number of this transaction. `columns` and `values` are those of the lines,
/// `j` (see [`super::restore`]).
pub(super) fn restore(
    tx: &mut Tx<'_>,
    columns: &str,
    values: &str,
    new: &[Restored],
) -> Result<()> {
    sql_query(format!(
        "INSERT INTO entries (id, kind, number, happened_at, recorded_at, corrects, receipt, signature, {columns}) \
         SELECT (r ->> 'entry')::uuid, (r ->> 'kind')::entry_kind, (r ->> 'number')::integer, \
                coalesce(j ->> 'redeemed_at', r ->> 'happened_at')::timestamptz, \
                (r ->> 'recorded_at')::timestamptz, (r ->> 'corrects')::uuid, receipt, signature, {values} \
         FROM (SELECT (line::jsonb -> 1) || coalesce(redemption::jsonb -> 1, '{{}}'), receipt::jsonb, receipt, signature \
               FROM unnest($1, $2, $3, $4) AS new (line, redemption, receipt, signature)) AS new (j, r, receipt, signature)"
    ))
    .bind::<Array<Text>, _>(new.iter().map(|entry| entry.line.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        new.iter().map(|entry| entry.redemption.as_deref()).collect::<Vec<_>>(),
    )
    .bind::<Array<Text>, _>(new.iter().map(|entry| entry.receipt.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Binary>>, _>(
        new.iter().map(|entry| entry.signature.as_deref()).collect::<Vec<_>>(),
    )
    .execute(tx.conn)?;
    Ok(())
}

/// Does an entry bear this key?
pub fn has_request_key(tx: &mut Tx<'_>, key: &[u8]) -> Result<bool> {
    let found = entries::table.filter(entries::request_key.eq(key));
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(tx.conn)?)
}

/// The entry of that id.
pub fn find(tx: &mut Tx<'_>, id: EntryId) -> Result<Option<EntryRow>> {
    Ok(entries::table
        .filter(entries::id.eq(id))
        .select(EntryRow::as_select())
        .first(tx.conn)
        .optional()?)
}

/// The entry of that kind and number.
pub fn by_number(tx: &mut Tx<'_>, kind: EntryKind, number: i32) -> Result<Option<EntryRow>> {
    let found = entries::table.filter(entries::kind.eq(kind).and(entries::number.eq(number)));
    Ok(found.select(EntryRow::as_select()).first(tx.conn).optional()?)
}

/// One step in the life of a pass: an entry, and the movement in it that took the pass along.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in EntryRow and transfers")]
pub struct Step {
    pub kind: EntryKind,
    pub id: EntryId,
    pub number: Option<i32>,
    pub happened_at: Timestamp,
    pub recorded_at: Timestamp,
    pub receipt: String,
    pub debit: i32,
    pub credit: i32,
}

statement! {
    /// The events of its order and its booklet, and its own: each found by its key.
    StepsOfPass {
        number: Integer = PassNumber, redeemed: Integer = PassNumber, undone: Integer = PassNumber, moved: Integer = PassNumber,
    } -> (EntryKindSql, Uuid, Nullable<Integer>, Timestamptz, Timestamptz, Text, Integer, Integer),
    "WITH own AS (SELECT booklet, order_number FROM passes WHERE number = ?), events (id) AS ( \
         SELECT unnest(ARRAY[o.mint_entry, o.print_entry]) FROM own JOIN orders o ON o.number = own.order_number \
         UNION ALL \
         SELECT unnest(ARRAY[d.entry_id, r.entry_id]) FROM own \
         JOIN deliveries d ON own.booklet BETWEEN d.first_booklet AND d.last_booklet \
         LEFT JOIN delivery_receipts r ON r.delivery = d.number \
         UNION ALL \
         SELECT h.entry_id FROM own JOIN hand_overs h ON h.booklet = own.booklet \
         UNION ALL SELECT entry_id FROM redemptions WHERE pass = ? \
         UNION ALL SELECT entry_id FROM voids WHERE pass = ?) \
     SELECT e.kind, e.id, e.number, e.happened_at, e.recorded_at, e.receipt, t.debit, t.credit \
     FROM events JOIN entries e ON e.id = events.id \
     JOIN transfers t ON t.entry_id = e.id AND t.book = 'PASS' AND ? BETWEEN t.first_pass AND t.first_pass + t.amount - 1 \
     ORDER BY e.recorded_at, e.id"
}

/// Every movement of a pass, oldest first.
pub fn steps_of_pass(tx: &mut Tx<'_>, pass: PassNumber) -> Result<Vec<Step>> {
    type Row = (EntryKind, EntryId, Option<i32>, Timestamp, Timestamp, String, i32, i32);
    let rows: Vec<Row> =
        StepsOfPass { number: &pass, redeemed: &pass, undone: &pass, moved: &pass }
            .load(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(|(kind, id, number, happened_at, recorded_at, receipt, debit, credit)| Step {
            kind,
            id,
            number,
            happened_at,
            recorded_at,
            receipt,
            debit,
            credit,
        })
        .collect())
}

/// A receipt that bears on what a site is owed, and its place in the log.
#[derive(Clone, Debug, QueryableByName)]
pub struct OfSite {
    /// The exact text.
    #[diesel(sql_type = Text)]
    pub receipt: String,
    /// What it brought along from another instance.
    #[diesel(sql_type = Nullable<Binary>)]
    pub signature: Option<Vec<u8>>,
    /// Nothing until it is sealed.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub position: Option<i64>,
}

/// The receipts of a site's redemptions, of what undid them, and of the debits that paid it; in the order of the log.
pub fn of_site(tx: &mut Tx<'_>, site: SiteId) -> Result<Vec<OfSite>> {
    Ok(sql_query(
        "WITH used AS MATERIALIZED (SELECT pass, cycle, entry_id FROM redemptions WHERE site = $1), own AS (
             SELECT entry_id FROM used
             UNION SELECT v.entry_id FROM used u JOIN voids v ON v.pass = u.pass AND v.cycle = u.cycle
             UNION SELECT d.entry_id FROM used u JOIN payout_items i ON i.pass = u.pass AND i.cycle = u.cycle
                   JOIN payout_debits d ON d.payout = i.payout
         )
         SELECT e.receipt, e.signature, l.position FROM own JOIN entries e ON e.id = own.entry_id LEFT JOIN leaves l ON l.entry_id = e.id
         ORDER BY l.position NULLS LAST, e.recorded_at, e.id",
    )
    .bind::<Integer, _>(site)
    .load(tx.conn)?)
}
