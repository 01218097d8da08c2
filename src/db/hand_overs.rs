//! Hand-overs of booklets to people.

use diesel::prelude::*;

use super::Tx;
use super::schema::hand_overs;
use crate::domain::eligibility::{Eligibility, Proof};
use crate::domain::{
    BookletId, BusinessDate, EntryId, HandOverId, OrganisationId, Timestamp, UserId,
};
use crate::error::Result;

/// A booklet put into somebody's hands.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = hand_overs, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct HandOver {
    pub number: HandOverId,
    pub booklet: BookletId,
    pub prescriber: OrganisationId,
    pub person_key: Vec<u8>,
    pub eligibility: Eligibility,
    pub proof: Proof,
    pub proof_dated_on: BusinessDate,
    pub insee_code: String,
    pub handed_at: Timestamp,
    pub handed_by: UserId,
    pub entry_id: EntryId,
}

/// Writes a new one.
pub fn insert(tx: &mut Tx<'_>, new: &HandOver) -> Result<()> {
    diesel::insert_into(hand_overs::table).values(new).execute(tx.conn)?;
    Ok(())
}

/// A prescriber's hand-overs, by number.
pub fn page(
    tx: &mut Tx<'_>,
    prescriber: OrganisationId,
    after: HandOverId,
    limit: i64,
) -> Result<Vec<HandOver>> {
    Ok(hand_overs::table
        .filter(hand_overs::prescriber.eq(prescriber).and(hand_overs::number.gt(after)))
        .order(hand_overs::number)
        .limit(limit)
        .select(HandOver::as_select())
        .load(tx.conn)?)
}

/// Whose a hand-over is; of that prescriber when one is named.
pub fn person_of(
    tx: &mut Tx<'_>,
    number: HandOverId,
    prescriber: Option<OrganisationId>,
) -> Result<Option<Vec<u8>>> {
    let mut found = hand_overs::table
        .filter(hand_overs::number.eq(number))
        .select(hand_overs::person_key)
        .into_boxed();
    if let Some(prescriber) = prescriber {
        found = found.filter(hand_overs::prescriber.eq(prescriber));
    }
    Ok(found.first(tx.conn).optional()?)
}

/// How many booklets were handed over to each public.
pub fn count_by_eligibility(tx: &mut Tx<'_>) -> Result<Vec<(Eligibility, i64)>> {
    Ok(hand_overs::table
        .group_by(hand_overs::eligibility)
        .select((hand_overs::eligibility, diesel::dsl::count_star()))
        .load(tx.conn)?)
}

/// Whose each of these hand-overs is.
pub fn people(tx: &mut Tx<'_>, numbers: &[HandOverId]) -> Result<Vec<(HandOverId, Vec<u8>)>> {
    Ok(hand_overs::table
        .filter(hand_overs::number.eq_any(numbers))
        .select((hand_overs::number, hand_overs::person_key))
        .load(tx.conn)?)
}
