//! Transfers: the rows of the two books. Only `ledger` writes here.

use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Timestamptz, Uuid};

use super::Tx;
use super::schema::sql_types::Book as BookSql;
use super::statement::statement;
use crate::domain::account::Book;
use crate::domain::{EntryId, PassNumber, Timestamp};
use crate::error::Result;

/// A transfer, as the database holds it.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct TransferRow {
    pub entry_id: EntryId,
    pub line: i16,
    pub book: Book,
    pub debit: i32,
    pub credit: i32,
    pub amount: i64,
    pub first_pass: Option<PassNumber>,
}

impl TransferRow {
    /// Its line of evidence (see [`super::evidence`]).
    pub fn line(&self) -> String {
        let Self { line, book, debit, credit, amount, first_pass, .. } = self;
        let book: &str = book.into();
        let first_pass = first_pass.map_or("null".to_owned(), |pass| pass.get().to_string());
        format!(
            r#"["transfers",{{"amount":{amount},"book":"{book}","credit":{credit},"debit":{debit},"first_pass":{first_pass},"line":{line}}}]"#
        )
    }
}

statement! {
    InsertTransfers {
        entries: Array<Uuid> = [EntryId], lines: Array<SmallInt> = [i16], books: Array<BookSql> = [Book],
        debits: Array<Integer> = [i32], credits: Array<Integer> = [i32], amounts: Array<BigInt> = [i64],
        first_passes: Array<Nullable<Integer>> = [Option<PassNumber>],
    } -> (),
    "INSERT INTO transfers (entry_id, line, book, debit, credit, amount, first_pass) SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?)"
}

/// Writes transfers.
pub fn insert(tx: &mut Tx<'_>, new: &[TransferRow]) -> Result<()> {
    InsertTransfers {
        entries: &new.iter().map(|transfer| transfer.entry_id).collect::<Vec<_>>(),
        lines: &new.iter().map(|transfer| transfer.line).collect::<Vec<_>>(),
        books: &new.iter().map(|transfer| transfer.book).collect::<Vec<_>>(),
        debits: &new.iter().map(|transfer| transfer.debit).collect::<Vec<_>>(),
        credits: &new.iter().map(|transfer| transfer.credit).collect::<Vec<_>>(),
        amounts: &new.iter().map(|transfer| transfer.amount).collect::<Vec<_>>(),
        first_passes: &new.iter().map(|transfer| transfer.first_pass).collect::<Vec<_>>(),
    }
    .execute(tx.conn)?;
    Ok(())
}

/// What an account was debited and credited in all.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Turnover {
    /// The account.
    #[diesel(sql_type = Integer)]
    pub account: i32,
    /// Sum of its debits.
    #[diesel(sql_type = BigInt)]
    pub debits: i64,
    /// Sum of its credits.
    #[diesel(sql_type = BigInt)]
    pub credits: i64,
}

/// The turnover of every account, of what happened until `at`, included; of everything without it.
pub fn turnovers(tx: &mut Tx<'_>, at: Option<Timestamp>) -> Result<Vec<Turnover>> {
    tx.scan_all()?;
    Ok(sql_query(
        "SELECT account, sum(debit)::bigint AS debits, sum(credit)::bigint AS credits FROM (
             SELECT t.debit AS account, t.amount AS debit, 0 AS credit FROM transfers t JOIN entries e ON e.id = t.entry_id WHERE $1 IS NULL OR e.happened_at <= $1
             UNION ALL
             SELECT t.credit, 0, t.amount FROM transfers t JOIN entries e ON e.id = t.entry_id WHERE $1 IS NULL OR e.happened_at <= $1
         ) both_sides GROUP BY account ORDER BY account",
    )
    .bind::<Nullable<Timestamptz>, _>(at)
    .load(tx.conn)?)
}

/// When any of `count` passes from `first` on last moved with its booklet, by what is recorded: looked for among
/// the events that move booklets, which are few. An event that is being written has no entry yet.
pub fn last_moved(tx: &mut Tx<'_>, first: PassNumber, count: i32) -> Result<Option<Timestamp>> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        recorded_at: Option<Timestamp>,
    }
    let last: Last = sql_query(
        "WITH moved AS (
             SELECT min(number) AS first, max(number) AS last, array_agg(DISTINCT order_number) AS orders
             FROM booklets WHERE first_pass BETWEEN $1 - 9 AND $1 + $2 - 1 AND first_pass + size > $1
         ), events (id) AS (
             SELECT unnest(ARRAY[o.mint_entry, o.print_entry]) FROM orders o, moved WHERE o.number = ANY (moved.orders)
             UNION ALL
             SELECT unnest(ARRAY[d.entry_id, r.entry_id]) FROM moved
             JOIN deliveries d ON d.first_booklet <= moved.last AND d.last_booklet >= moved.first
             LEFT JOIN delivery_receipts r ON r.delivery = d.number
             UNION ALL
             SELECT h.entry_id FROM moved JOIN hand_overs h ON h.booklet BETWEEN moved.first AND moved.last
         )
         SELECT max(e.recorded_at) AS recorded_at FROM events JOIN entries e ON e.id = events.id",
    )
    .bind::<Integer, _>(first)
    .bind::<Integer, _>(count)
    .get_result(tx.conn)?;
    Ok(last.recorded_at)
}

/// A range of passes that lay in one account.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Held {
    /// First pass of the range.
    #[diesel(sql_type = Integer)]
    pub first_pass: PassNumber,
    /// Last pass of the range.
    #[diesel(sql_type = Integer)]
    pub last_pass: PassNumber,
    /// The account.
    #[diesel(sql_type = Integer)]
    pub account: i32,
}

/// Where every pass lay at `at`, as it was known at `known_at`: the debit side of the last movement of each,
/// neighbours in the same account put together. One query, streamed; the answer grows with ranges, not passes.
pub fn each_held(
    tx: &mut Tx<'_>,
    (at, known_at): (Timestamp, Timestamp),
    mut take: impl FnMut(Held) -> Result<()>,
) -> Result<()> {
    tx.scan_all()?;
    // One statement lasts as long as whoever reads it takes.
    tx.set("statement_timeout", "10min")?;
    let rows = sql_query(
        "WITH moved AS (
             SELECT p.pass, t.debit AS account, e.happened_at, e.recorded_at, e.id
             FROM transfers t JOIN entries e ON e.id = t.entry_id,
                  generate_series(t.first_pass, t.first_pass + t.amount::integer - 1) AS p (pass)
             WHERE t.book = 'PASS' AND e.happened_at <= $1 AND e.recorded_at <= $2
         ), last AS (
             SELECT DISTINCT ON (pass) pass, account FROM moved ORDER BY pass, happened_at DESC, recorded_at DESC, id DESC
         ), islands AS (
             SELECT pass, account, pass - row_number() OVER (PARTITION BY account ORDER BY pass) AS island FROM last
         )
         SELECT min(pass)::integer AS first_pass, max(pass)::integer AS last_pass, account FROM islands
         GROUP BY account, island ORDER BY first_pass",
    )
    .bind::<Timestamptz, _>(at)
    .bind::<Timestamptz, _>(known_at)
    .load_iter::<Held, PgRowByRowLoadingMode>(tx.conn)?;
    for row in rows {
        take(row?)?;
    }
    Ok(())
}

/// Passes of orders funded until `at`, and how many of them were used until then and not given back; from fundings, uses and
/// voids, so that the books can be held against it.
pub fn funded_and_used(tx: &mut Tx<'_>, at: Timestamp) -> Result<(i64, i64)> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        funded: i64,
        #[diesel(sql_type = BigInt)]
        used: i64,
    }
    tx.scan_all()?;
    let row: Row = sql_query(
        "SELECT (SELECT count(*) FROM fundings f JOIN entries e ON e.id = f.entry_id JOIN passes p ON p.order_number = f.order_number
                 WHERE e.happened_at <= $1) AS funded,
                (SELECT count(*) FROM redemptions WHERE redeemed_at <= $1)
              - (SELECT count(*) FROM voids v JOIN entries e ON e.id = v.entry_id WHERE e.happened_at <= $1) AS used",
    )
    .bind::<Timestamptz, _>(at)
    .get_result(tx.conn)?;
    Ok((row.funded, row.used))
}

/// Entries that had happened at `at` and are not among the first `size` leaves of the log.
pub fn entries_past(tx: &mut Tx<'_>, at: Timestamp, size: i64) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let row: Row = sql_query(
        "SELECT count(*) AS n FROM entries e LEFT JOIN leaves l ON l.entry_id = e.id
         WHERE e.happened_at <= $1 AND coalesce(l.position >= $2, true)",
    )
    .bind::<Timestamptz, _>(at)
    .bind::<BigInt, _>(size)
    .get_result(tx.conn)?;
    Ok(row.n)
}
