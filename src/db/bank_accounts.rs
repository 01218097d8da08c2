//! Bank accounts of organisations.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Timestamptz;

use super::Tx;
use super::schema::bank_accounts;
use crate::domain::{BankAccountId, OrganisationId, Refusal, Timestamp, UserId};
use crate::error::Result;

/// A bank account, and whether money may go there.
#[derive(Clone, Debug, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = bank_accounts, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct BankAccount {
    pub number: BankAccountId,
    pub organisation: OrganisationId,
    pub holder_name: String,
    pub iban: String,
    pub declared_by: UserId,
    pub declared_at: Timestamp,
    pub approved_by: Option<UserId>,
    pub approved_at: Option<Timestamp>,
    pub usable_from: Option<Timestamp>,
}

/// Writes a declaration.
pub fn insert(
    tx: &mut Tx<'_>,
    number: BankAccountId,
    organisation: OrganisationId,
    holder_name: &str,
    iban: &str,
    declared_by: UserId,
) -> Result<()> {
    diesel::insert_into(bank_accounts::table)
        .values((
            bank_accounts::number.eq(number),
            bank_accounts::organisation.eq(organisation),
            bank_accounts::holder_name.eq(holder_name),
            bank_accounts::iban.eq(iban),
            bank_accounts::declared_by.eq(declared_by),
            bank_accounts::declared_at.eq(tx.now),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// The account of that number, locked.
pub fn lock(tx: &mut Tx<'_>, number: BankAccountId) -> Result<BankAccount> {
    let found = bank_accounts::table
        .filter(bank_accounts::number.eq(number))
        .select(BankAccount::as_select())
        .for_update();
    Ok(found.first(tx.conn).optional()?.ok_or(Refusal::not_found("bank_account"))?)
}

/// Keeps an approval, and from when money may go there.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn set_approved(
    tx: &mut Tx<'_>,
    number: BankAccountId,
    by: UserId,
    usable_from: Timestamp,
) -> Result<()> {
    diesel::update(bank_accounts::table.filter(bank_accounts::number.eq(number)))
        .set((
            bank_accounts::approved_by.eq(by),
            bank_accounts::approved_at.eq(tx.now),
            bank_accounts::usable_from.eq(usable_from),
            bank_accounts::revision.eq(bank_accounts::revision + 1),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Those of one organisation, or of all, by number.
pub fn page(
    tx: &mut Tx<'_>,
    organisation: Option<OrganisationId>,
    after: BankAccountId,
    limit: i64,
) -> Result<Vec<BankAccount>> {
    let mut found = bank_accounts::table
        .filter(bank_accounts::number.gt(after))
        .order(bank_accounts::number)
        .limit(limit)
        .select(BankAccount::as_select())
        .into_boxed();
    if let Some(organisation) = organisation {
        found = found.filter(bank_accounts::organisation.eq(organisation));
    }
    Ok(found.load(tx.conn)?)
}

/// Has the organisation an approved account already?
pub fn has_approved(tx: &mut Tx<'_>, organisation: OrganisationId) -> Result<bool> {
    let found = bank_accounts::table.filter(
        bank_accounts::organisation.eq(organisation).and(bank_accounts::approved_by.is_not_null()),
    );
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(tx.conn)?)
}

/// The account to which each organisation is paid at `at`: the last that became usable.
pub fn usable_at(tx: &mut Tx<'_>, at: Timestamp) -> Result<Vec<BankAccount>> {
    Ok(sql_query(
        "SELECT DISTINCT ON (organisation) number, organisation, holder_name, iban, declared_by, declared_at, approved_by, approved_at, usable_from
         FROM bank_accounts WHERE usable_from <= $1 ORDER BY organisation, usable_from DESC, number DESC",
    )
    .bind::<Timestamptz, _>(at)
    .load(tx.conn)?)
}
