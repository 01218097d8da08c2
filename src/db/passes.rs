//! Passes: one row each, locked, judged and updated. Nothing else is touched by every redemption.

use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Date, Integer, Nullable, SmallInt, Timestamptz};

use super::Tx;
use super::schema::passes;
use super::schema::sql_types::PassState as PassStateSql;
use super::statement::statement;
use crate::domain::pass::{PassState, PassStateName};
use crate::domain::{
    BookletId, BusinessDate, FundingId, HandOverId, OrderId, PassNumber, Timestamp,
};
use crate::error::Result;

/// A pass, as the database holds it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Pass {
    pub number: PassNumber,
    pub booklet: BookletId,
    pub order_number: OrderId,
    pub hand_over: Option<HandOverId>,
    pub state_name: PassStateName,
    pub cycle: i16,
    pub changed_at: Timestamp,
    pub code_hash: Vec<u8>,
    pub last_use_on: BusinessDate,
}

impl Pass {
    /// Where it stands.
    pub fn state(&self) -> Result<PassState> {
        let state = PassState::new(self.state_name, self.hand_over);
        Ok(state
            .ok_or_else(|| anyhow::anyhow!("pass {} stands in an impossible state", self.number))?)
    }
}

pub(super) type Row = (
    PassNumber,
    BookletId,
    OrderId,
    Option<HandOverId>,
    PassStateName,
    i16,
    Timestamp,
    Vec<u8>,
    BusinessDate,
);
pub(super) type RowSql = (
    Integer,
    Integer,
    Integer,
    Nullable<Integer>,
    PassStateSql,
    SmallInt,
    Timestamptz,
    Binary,
    Date,
);

pub(super) fn from_row(row: Row) -> Pass {
    let (
        number,
        booklet,
        order_number,
        hand_over,
        state_name,
        cycle,
        changed_at,
        code_hash,
        last_use_on,
    ) = row;
    Pass {
        number,
        booklet,
        order_number,
        hand_over,
        state_name,
        cycle,
        changed_at,
        code_hash,
        last_use_on,
    }
}

statement! {
    /// In the order of the key, so that two batches can't wait for each other.
    LockPasses { numbers: Array<Integer> = [PassNumber] } -> RowSql,
    "SELECT p.number, p.booklet, p.order_number, p.hand_over, p.state, p.cycle, p.changed_at, p.code_hash, o.last_use_on \
     FROM passes p JOIN orders o ON o.number = p.order_number WHERE p.number = ANY (?) ORDER BY p.number FOR UPDATE OF p"
}

statement! {
    FindPass { number: Integer = PassNumber } -> RowSql,
    "SELECT p.number, p.booklet, p.order_number, p.hand_over, p.state, p.cycle, p.changed_at, p.code_hash, o.last_use_on \
     FROM passes p JOIN orders o ON o.number = p.order_number WHERE p.number = ?"
}

/// Locks these passes until the end of the transaction, and reads them as they are once locked.
/// Numbers that no pass bears are left out.
pub fn lock(tx: &mut Tx<'_>, numbers: &[PassNumber]) -> Result<Vec<Pass>> {
    let rows: Vec<Row> = LockPasses { numbers }.load(tx.conn)?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// A pass, without locking it.
pub fn find(tx: &mut Tx<'_>, number: PassNumber) -> Result<Option<Pass>> {
    let row: Option<Row> = FindPass { number: &number }.get_result(tx.conn).optional()?;
    Ok(row.map(from_row))
}

/// A pass that comes into being.
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct NewPass {
    pub number: PassNumber,
    pub booklet: BookletId,
    pub code_hash: [u8; 16],
}

impl NewPass {
    /// The line of evidence (see [`super::evidence`]) of what will never change of it, made here: nothing is read back.
    pub fn line(&self, order: OrderId) -> String {
        let (number, booklet, order) = (self.number.get(), self.booklet.get(), order.get());
        let code_hash = u128::from_be_bytes(self.code_hash);
        format!(
            r#"["passes",{{"booklet":{booklet},"code_hash":"{code_hash:032x}","number":{number},"order_number":{order}}}]"#
        )
    }
}

statement! {
    /// COPY is as fast, but row-level security does not allow it. The programme once, not as the default of each row.
    InsertPasses {
        order: Integer = OrderId, changed_at: Timestamptz = Timestamp,
        numbers: Array<Integer> = [PassNumber], booklets: Array<Integer> = [BookletId], hashes: Array<Binary> = [&'a [u8]],
    } -> (),
    "INSERT INTO passes (programme_id, order_number, changed_at, number, booklet, code_hash) \
     SELECT (SELECT current_programme()), ?, ?, unnest(?), unnest(?), unnest(?)"
}

/// Writes new passes of an order.
pub fn insert(tx: &mut Tx<'_>, order: OrderId, new: &[NewPass]) -> Result<()> {
    let changed_at = tx.now;
    InsertPasses {
        order: &order,
        changed_at: &changed_at,
        numbers: &new.iter().map(|pass| pass.number).collect::<Vec<_>>(),
        booklets: &new.iter().map(|pass| pass.booklet).collect::<Vec<_>>(),
        hashes: &new.iter().map(|pass| pass.code_hash.as_slice()).collect::<Vec<_>>(),
    }
    .execute(tx.conn)?;
    Ok(())
}

/// Switches an order's inert passes on. Returns how many.
pub fn activate_order(
    tx: &mut Tx<'_>,
    order: OrderId,
    funding: FundingId,
    at: Timestamp,
) -> Result<usize> {
    Ok(diesel::update(
        passes::table
            .filter(passes::order_number.eq(order).and(passes::state.eq(PassStateName::Inert))),
    )
    .set((
        passes::state.eq(PassStateName::Active),
        passes::funding.eq(funding),
        passes::changed_at.eq(at),
    ))
    .execute(tx.conn)?)
}

/// Puts these active passes in somebody's hands. Returns how many were.
pub fn distribute(
    tx: &mut Tx<'_>,
    numbers: &[PassNumber],
    hand_over: HandOverId,
    at: Timestamp,
) -> Result<usize> {
    Ok(diesel::update(
        passes::table
            .filter(passes::number.eq_any(numbers).and(passes::state.eq(PassStateName::Active))),
    )
    .set((
        passes::state.eq(PassStateName::Distributed),
        passes::hand_over.eq(hand_over),
        passes::changed_at.eq(at),
    ))
    .execute(tx.conn)?)
}

/// Gives a redeemed pass back to its holder.
pub fn restore(tx: &mut Tx<'_>, number: PassNumber, at: Timestamp) -> Result<usize> {
    Ok(diesel::update(
        passes::table
            .filter(passes::number.eq(number).and(passes::state.eq(PassStateName::Redeemed))),
    )
    .set((passes::state.eq(PassStateName::Distributed), passes::changed_at.eq(at)))
    .execute(tx.conn)?)
}

/// How many passes stand in each state.
pub fn count_by_state(tx: &mut Tx<'_>) -> Result<Vec<(PassStateName, i64)>> {
    Ok(passes::table
        .group_by(passes::state)
        .select((passes::state, diesel::dsl::count_star()))
        .load(tx.conn)?)
}
