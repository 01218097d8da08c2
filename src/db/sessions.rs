//! Sessions: one sign-in, and all that was renewed from it.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Uuid};

use super::Tx;
use super::account_schema::sessions;
use super::memberships::Member;
use super::statement::statement;
use crate::domain::{ProgrammeId, Refusal, SessionId, Timestamp, UserId};
use crate::error::Result;

/// A session.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(diesel::pg::Pg))]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Where it acts.
    pub programme_id: ProgrammeId,
    /// Whose it is.
    pub user_id: UserId,
    /// The version of the role that it holds for.
    pub role_version: i32,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it was last renewed.
    pub used_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
    /// When the person last showed its second factor in it.
    pub factor_at: Option<Timestamp>,
}

/// Opens a session of a member.
pub fn insert(
    tx: &mut Tx<'_>,
    member: &Member,
    expires_at: Timestamp,
    factor_at: Option<Timestamp>,
) -> Result<SessionId> {
    let id = SessionId::generate();
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(id),
            sessions::programme_id.eq(member.actor.programme),
            sessions::user_id.eq(member.actor.user),
            sessions::role_version.eq(member.version),
            sessions::opened_at.eq(tx.now),
            sessions::used_at.eq(tx.now),
            sessions::expires_at.eq(expires_at),
            sessions::factor_at.eq(factor_at),
        ))
        .execute(tx.conn)?;
    Ok(id)
}

/// A session that goes on, for this transaction alone.
pub fn lock(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Session>> {
    Ok(sessions::table
        .filter(sessions::id.eq(id))
        .filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(tx.now)))
        .select(Session::as_select())
        .for_update()
        .first(tx.conn)
        .optional()?)
}

statement! {
    /// Both rows die with a role; the version tells a role that was given again from the one there was.
    FindGood { id: Uuid = SessionId } -> Integer,
    "SELECT m.version FROM sessions s JOIN memberships m ON m.user_id = s.user_id AND m.programme_id = s.programme_id \
     WHERE s.id = ? AND s.ended_at IS NULL AND m.version = s.role_version AND m.ended_at IS NULL"
}

statement! {
    HoldGood { id: Uuid = SessionId } -> Integer,
    "SELECT m.version FROM sessions s JOIN memberships m ON m.user_id = s.user_id AND m.programme_id = s.programme_id \
     WHERE s.id = ? AND s.ended_at IS NULL AND m.version = s.role_version AND m.ended_at IS NULL FOR SHARE OF s, m"
}

/// Does a session go on, under the version of the role that it was opened for? The transaction must be of its
/// programme, or of its person.
pub fn is_good(tx: &mut Tx<'_>, id: SessionId) -> Result<bool> {
    Ok(FindGood { id: &id }.get_result::<i32>(tx.conn).optional()?.is_some())
}

/// The same, and held as it is until the transaction ends: whoever ends it, or changes the role, waits.
pub fn hold(tx: &mut Tx<'_>, id: SessionId) -> Result<bool> {
    Ok(HoldGood { id: &id }.get_result::<i32>(tx.conn).optional()?.is_some())
}

/// It was renewed, and goes on until then.
pub fn renew(tx: &mut Tx<'_>, id: SessionId, expires_at: Timestamp) -> Result<()> {
    diesel::update(sessions::table.find(id))
        .set((sessions::used_at.eq(tx.now), sessions::expires_at.eq(expires_at)))
        .execute(tx.conn)?;
    Ok(())
}

/// The person has just shown its second factor in it.
pub fn prove(tx: &mut Tx<'_>, id: SessionId) -> Result<()> {
    diesel::update(sessions::table.find(id))
        .set(sessions::factor_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}

/// A person's sessions that go on, the latest first.
pub fn of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Session>> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(tx.now)))
        .order(sessions::opened_at.desc())
        .select(Session::as_select())
        .load(tx.conn)?)
}

/// Ends a session of that person; one that goes on no more, or is another's, is not found.
pub fn end(tx: &mut Tx<'_>, user: UserId, id: SessionId) -> Result<()> {
    let ended = diesel::update(sessions::table.find(id))
        .filter(sessions::user_id.eq(user).and(sessions::ended_at.is_null()))
        .set(sessions::ended_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    if ended == 0 { Err(Refusal::not_found("session").into()) } else { Ok(()) }
}

/// Ends a person's sessions: all of them, or all but one.
pub fn end_all(tx: &mut Tx<'_>, user: UserId, but: Option<SessionId>) -> Result<()> {
    let all = sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::ended_at.is_null()))
        .filter(sessions::id.ne(but.unwrap_or(SessionId::new(uuid::Uuid::nil()))));
    diesel::update(all).set(sessions::ended_at.eq(Some(tx.now))).execute(tx.conn)?;
    Ok(())
}

/// Ends a person's sessions in one programme.
pub fn end_in(tx: &mut Tx<'_>, user: UserId, programme: ProgrammeId) -> Result<()> {
    let all = sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::programme_id.eq(programme)))
        .filter(sessions::ended_at.is_null());
    diesel::update(all).set(sessions::ended_at.eq(Some(tx.now))).execute(tx.conn)?;
    Ok(())
}

/// Sessions of all people that were ended since then.
pub fn ended_since(tx: &mut Tx<'_>, since: Timestamp) -> Result<Vec<SessionId>> {
    Ok(sessions::table.filter(sessions::ended_at.ge(since)).select(sessions::id).load(tx.conn)?)
}

/// Deletes a person's sessions that were over by then, with their tokens.
pub fn forget(tx: &mut Tx<'_>, user: UserId, over_by: Timestamp) -> Result<()> {
    let over = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.lt(over_by).or(sessions::expires_at.nullable().lt(over_by)));
    diesel::delete(over).execute(tx.conn)?;
    Ok(())
}
