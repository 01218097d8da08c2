//! Accounts of people, across programmes.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid};

use super::Tx;
use super::schema::users;
use crate::domain::text::{Email, Line};
use crate::domain::{Refusal, UserId};
use crate::error::Result;

/// What sign-in must know of an account.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub struct Credentials {
    /// Whose.
    pub id: UserId,
    /// Argon2id, in PHC form.
    pub password_hash: String,
}

/// The account of that address, if there is one.
pub fn by_email(tx: &mut Tx<'_>, email: &Email) -> Result<Option<Credentials>> {
    let found =
        users::table.filter(users::email.eq(email.as_str())).select(Credentials::as_select());
    Ok(found.first(tx.conn).optional()?)
}

/// Opens an account, or refuses an address that has one.
pub fn insert(tx: &mut Tx<'_>, email: &Email, name: &Line, password_hash: &str) -> Result<UserId> {
    let id = UserId::generate();
    let written = diesel::insert_into(users::table)
        .values((
            users::id.eq(id),
            users::email.eq(email.as_str()),
            users::display_name.eq(name.as_str()),
            users::password_hash.eq(password_hash),
            users::created_at.eq(tx.now),
        ))
        .on_conflict(users::email)
        .do_nothing()
        .execute(tx.conn)?;
    if written == 0 {
        Err(Refusal::Duplicate { what: "Un compte à cette adresse".into() }.into())
    } else {
        Ok(id)
    }
}

/// Opens accounts for people whom a programme that came from another instance knows by their ids alone: without an address
/// that leads anywhere, and under a hash of a password that nobody knows. One that is here already stays as it is.
pub(super) fn restore(tx: &mut Tx<'_>, people: &[UserId], password_hash: &str) -> Result<()> {
    sql_query(
        "INSERT INTO users (id, email, display_name, password_hash, created_at) \
         SELECT id, id || '@ailleurs.invalid', 'Compte d''une autre instance', $2, $3 FROM unnest($1) AS new (id) ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Uuid>, _>(people)
    .bind::<Text, _>(password_hash)
    .bind::<Timestamptz, _>(tx.now)
    .execute(tx.conn)?;
    Ok(())
}

/// Keeps a password's new hash.
pub fn set_password_hash(tx: &mut Tx<'_>, user: UserId, password_hash: &str) -> Result<()> {
    diesel::update(users::table.filter(users::id.eq(user)))
        .set(users::password_hash.eq(password_hash))
        .execute(tx.conn)?;
    Ok(())
}

/// The hash of an account's password.
pub fn password_hash(tx: &mut Tx<'_>, user: UserId) -> Result<String> {
    Ok(users::table.filter(users::id.eq(user)).select(users::password_hash).first(tx.conn)?)
}

/// Address and name of an account.
pub fn card(tx: &mut Tx<'_>, user: UserId) -> Result<(String, String)> {
    Ok(users::table
        .filter(users::id.eq(user))
        .select((users::email, users::display_name))
        .first(tx.conn)?)
}

/// Has the instance any account?
pub fn exist(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(tx.conn)?)
}
