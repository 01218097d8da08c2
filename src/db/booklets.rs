//! Booklets, and where each lies now.

use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, SmallInt};

use super::Tx;
use super::schema::booklets;
use super::statement::statement;
use crate::domain::account::Account;
use crate::domain::order::PlannedBooklet;
use crate::domain::{BookletId, OrderId, PassNumber, Refusal};
use crate::error::Result;

/// A booklet, and where it lies.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Booklet {
    pub number: BookletId,
    pub order_number: OrderId,
    pub first_pass: PassNumber,
    pub size: i16,
    /// `None` for an account of no known kind.
    pub held_in: Option<Account>,
}

impl Booklet {
    /// Refuses a booklet that lies elsewhere; `place` says in French where it was expected.
    pub fn ensure_in(&self, account: Account, place: &'static str) -> Result<(), Refusal> {
        if self.held_in == Some(account) {
            Ok(())
        } else {
            Err(Refusal::BookletNotHeld { booklet: self.number.to_string(), place: place.into() })
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = booklets, check_for_backend(diesel::pg::Pg))]
struct Row {
    number: BookletId,
    order_number: OrderId,
    first_pass: PassNumber,
    size: i16,
    held_in: i32,
}

impl From<Row> for Booklet {
    fn from(row: Row) -> Self {
        Self {
            number: row.number,
            order_number: row.order_number,
            first_pass: row.first_pass,
            size: row.size,
            held_in: Account::from_id(row.held_in),
        }
    }
}

statement! {
    /// COPY is as fast, but row-level security does not allow it.
    InsertBooklets {
        order: Integer = OrderId, held_in: Integer = i32,
        numbers: Array<Integer> = [BookletId], first_passes: Array<Integer> = [PassNumber], sizes: Array<SmallInt> = [i16],
    } -> (),
    "INSERT INTO booklets (order_number, held_in, number, first_pass, size) \
     SELECT ?, ?, * FROM unnest(?, ?, ?)"
}

/// The line of evidence (see [`super::evidence`]) of what will never change of a booklet, made here: nothing is read back.
pub fn line(order: OrderId, of: PlannedBooklet) -> String {
    let (number, order) = (of.number.get(), order.get());
    let (first_pass, size) = (of.first_pass.get(), of.size);
    format!(
        r#"["booklets",{{"first_pass":{first_pass},"number":{number},"order_number":{order},"size":{size}}}]"#
    )
}

/// Writes an order's booklets.
pub fn insert(
    tx: &mut Tx<'_>,
    order: OrderId,
    held_in: Account,
    planned: &[PlannedBooklet],
) -> Result<()> {
    let numbers: Vec<BookletId> = planned.iter().map(|booklet| booklet.number).collect();
    let first_passes: Vec<PassNumber> = planned.iter().map(|booklet| booklet.first_pass).collect();
    let sizes: Vec<i16> = planned.iter().map(|booklet| booklet.size).collect();
    let held_in = held_in.id();
    InsertBooklets {
        order: &order,
        held_in: &held_in,
        numbers: &numbers,
        first_passes: &first_passes,
        sizes: &sizes,
    }
    .execute(tx.conn)?;
    Ok(())
}

/// The booklet of that number.
pub fn get(tx: &mut Tx<'_>, number: BookletId) -> Result<Booklet> {
    let found: Option<Row> = booklets::table
        .filter(booklets::number.eq(number))
        .select(Row::as_select())
        .first(tx.conn)
        .optional()?;
    Ok(found.ok_or(Refusal::not_found("booklet"))?.into())
}

/// The same, locked until the end of the transaction.
pub fn lock(tx: &mut Tx<'_>, number: BookletId) -> Result<Booklet> {
    let found: Option<Row> = booklets::table
        .filter(booklets::number.eq(number))
        .select(Row::as_select())
        .for_update()
        .first(tx.conn)
        .optional()?;
    Ok(found.ok_or(Refusal::not_found("booklet"))?.into())
}

/// Those of a range, bounds included, in order and locked.
pub fn lock_range(tx: &mut Tx<'_>, first: BookletId, last: BookletId) -> Result<Vec<Booklet>> {
    let rows: Vec<Row> = booklets::table
        .filter(booklets::number.between(first, last))
        .order(booklets::number)
        .select(Row::as_select())
        .for_update()
        .load(tx.conn)?;
    Ok(rows.into_iter().map(Booklet::from).collect())
}

/// Those of an order, in order and locked.
pub fn lock_order(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<Booklet>> {
    let rows: Vec<Row> = booklets::table
        .filter(booklets::order_number.eq(order))
        .order(booklets::number)
        .select(Row::as_select())
        .for_update()
        .load(tx.conn)?;
    Ok(rows.into_iter().map(Booklet::from).collect())
}

/// Lays these booklets in another account.
pub fn move_to(tx: &mut Tx<'_>, numbers: &[BookletId], account: Account) -> Result<()> {
    diesel::update(booklets::table.filter(booklets::number.eq_any(numbers)))
        .set(booklets::held_in.eq(account.id()))
        .execute(tx.conn)?;
    Ok(())
}

/// Those that lie in an account, by number, up to `limit`.
pub fn held_in(
    tx: &mut Tx<'_>,
    account: Account,
    after: BookletId,
    limit: i64,
) -> Result<Vec<Booklet>> {
    let rows: Vec<Row> = booklets::table
        .filter(booklets::held_in.eq(account.id()).and(booklets::number.gt(after)))
        .order(booklets::number)
        .limit(limit)
        .select(Row::as_select())
        .load(tx.conn)?;
    Ok(rows.into_iter().map(Booklet::from).collect())
}

/// How many lie in an account.
pub fn count_held_in(tx: &mut Tx<'_>, account: Account) -> Result<i64> {
    Ok(booklets::table.filter(booklets::held_in.eq(account.id())).count().get_result(tx.conn)?)
}

/// The first booklet of a minted order.
pub fn first_of_order(tx: &mut Tx<'_>, order: OrderId) -> Result<Booklet> {
    let found: Option<Row> = booklets::table
        .filter(booklets::order_number.eq(order))
        .order(booklets::number)
        .select(Row::as_select())
        .first(tx.conn)
        .optional()?;
    Ok(found.ok_or(Refusal::not_found("booklet"))?.into())
}
