//! Beneficiaries: the only table of identity, sealed.

use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Binary, Text};
use diesel::upsert::{excluded, on_constraint};

use super::Tx;
use super::schema::beneficiaries;
use crate::error::Result;

/// Adds passes to what a person received, and returns the new total. The row stays locked until the
/// end of the transaction, so that two hand-overs to one person are counted one after the other.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn receive(
    tx: &mut Tx<'_>,
    person_key: &[u8],
    identity_sealed: &[u8],
    passes: i32,
) -> Result<i32> {
    Ok(diesel::insert_into(beneficiaries::table)
        .values((
            beneficiaries::person_key.eq(person_key),
            beneficiaries::identity_sealed.eq(identity_sealed),
            beneficiaries::passes_received.eq(passes),
            beneficiaries::first_seen_at.eq(tx.now),
            beneficiaries::last_seen_at.eq(tx.now),
        ))
        .on_conflict(on_constraint("beneficiaries_pkey"))
        .do_update()
        .set((
            beneficiaries::passes_received
                .eq(beneficiaries::passes_received + excluded(beneficiaries::passes_received)),
            beneficiaries::last_seen_at.eq(excluded(beneficiaries::last_seen_at)),
        ))
        .returning(beneficiaries::passes_received)
        .get_result(tx.conn)?)
}

/// The sealed identity of a person that a hand-over names.
pub fn identity_sealed(tx: &mut Tx<'_>, person_key: &[u8]) -> Result<Vec<u8>> {
    let found = beneficiaries::table.filter(beneficiaries::person_key.eq(person_key));
    Ok(found.select(beneficiaries::identity_sealed).first(tx.conn)?)
}

/// Makes whoever counts what one of these people spent wait until the end of this transaction. In the order of
/// the key.
pub fn lock(tx: &mut Tx<'_>, person_keys: &[Vec<u8>]) -> Result<()> {
    beneficiaries::table
        .filter(beneficiaries::person_key.eq_any(person_keys))
        .order(beneficiaries::person_key)
        .select(beneficiaries::person_key)
        .for_no_key_update()
        .load::<Vec<u8>>(tx.conn)?;
    Ok(())
}

/// Every identity that is here, with the name of its person in hexadecimal; streamed.
pub fn each_identity(
    tx: &mut Tx<'_>,
    mut take: impl FnMut(&str, &[u8]) -> Result<()>,
) -> Result<()> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        person: String,
        #[diesel(sql_type = Binary)]
        sealed: Vec<u8>,
    }
    tx.scan_all()?;
    let rows = sql_query(
        "SELECT encode(person_key, 'hex') AS person, identity_sealed AS sealed FROM beneficiaries \
         WHERE identity_sealed <> '' ORDER BY person_key",
    )
    .load_iter::<Row, PgRowByRowLoadingMode>(tx.conn)?;
    for row in rows {
        let row = row?;
        take(&row.person, &row.sealed)?;
    }
    Ok(())
}

/// Keeps who these people are: names in hexadecimal, and sealed identities.
///
/// # Errors
/// When one of them received nothing.
pub fn set_identities(tx: &mut Tx<'_>, known: &[(String, Vec<u8>)]) -> Result<()> {
    let written = sql_query(
        "UPDATE beneficiaries SET identity_sealed = known.sealed \
         FROM unnest($1, $2) AS known (person, sealed) WHERE person_key = decode(known.person, 'hex')",
    )
    .bind::<Array<Text>, _>(known.iter().map(|(person, _)| person.as_str()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(known.iter().map(|(_, sealed)| sealed.as_slice()).collect::<Vec<_>>())
    .execute(tx.conn)?;
    if written != known.len() {
        let strangers = known.len().saturating_sub(written);
        return Err(
            anyhow::anyhow!("{strangers} identités sont de personnes qui n'ont rien reçu").into()
        );
    }
    Ok(())
}
