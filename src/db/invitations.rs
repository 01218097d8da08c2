//! Invitations: a role promised to an address, until somebody accepts.

use diesel::prelude::*;

use super::Tx;
use super::account_schema::invitations;
use crate::domain::text::Email;
use crate::domain::{
    Assignment, InvitationId, OrganisationId, Refusal, Role, SiteId, Timestamp, UserId,
};
use crate::error::Result;

/// An invitation.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = invitations, check_for_backend(diesel::pg::Pg))]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// What the person will be.
    pub role: Role,
    /// For whom it will act.
    pub organisation: Option<OrganisationId>,
    /// Where.
    pub site: Option<SiteId>,
    /// Who invites.
    pub invited_by: UserId,
    /// Since when.
    pub invited_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Writes an invitation under the hash of its token (SHA-256, 32 bytes).
pub fn insert(
    tx: &mut Tx<'_>,
    token_hash: &[u8],
    email: &Email,
    asked: &Assignment,
    by: UserId,
    expires_at: Timestamp,
) -> Result<Invitation> {
    Ok(diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(InvitationId::generate()),
            invitations::token_hash.eq(token_hash),
            invitations::email.eq(email.as_str()),
            invitations::role.eq(asked.role),
            invitations::organisation.eq(asked.organisation),
            invitations::site.eq(asked.site),
            invitations::invited_by.eq(by),
            invitations::invited_at.eq(tx.now),
            invitations::expires_at.eq(expires_at),
        ))
        .returning(Invitation::as_returning())
        .get_result(tx.conn)?)
}

/// Those that wait for an answer, of one organisation when one is given; past `after`, in the order in which
/// they were made.
pub fn waiting(
    tx: &mut Tx<'_>,
    organisation: Option<OrganisationId>,
    after: InvitationId,
    limit: i64,
) -> Result<Vec<Invitation>> {
    let mut waiting = invitations::table
        .filter(invitations::accepted_at.is_null().and(invitations::withdrawn_at.is_null()))
        .filter(invitations::expires_at.gt(tx.now).and(invitations::id.gt(after)))
        .order(invitations::id)
        .limit(limit)
        .select(Invitation::as_select())
        .into_boxed();
    if let Some(organisation) = organisation {
        waiting = waiting.filter(invitations::organisation.eq(organisation));
    }
    Ok(waiting.load(tx.conn)?)
}

/// The one that a token opens, while it waits; locked.
pub fn by_token(tx: &mut Tx<'_>, token_hash: &[u8]) -> Result<Invitation> {
    let found = invitations::table
        .filter(invitations::token_hash.eq(token_hash))
        .filter(invitations::accepted_at.is_null().and(invitations::withdrawn_at.is_null()))
        .filter(invitations::expires_at.gt(tx.now))
        .select(Invitation::as_select())
        .for_update()
        .first(tx.conn)
        .optional()?;
    Ok(found.ok_or(Refusal::BadLink)?)
}

/// The one of that id, while it waits; locked.
pub fn lock(tx: &mut Tx<'_>, id: InvitationId) -> Result<Invitation> {
    let found = invitations::table
        .filter(invitations::id.eq(id))
        .filter(invitations::accepted_at.is_null().and(invitations::withdrawn_at.is_null()))
        .select(Invitation::as_select())
        .for_update()
        .first(tx.conn)
        .optional()?;
    Ok(found.ok_or(Refusal::not_found("invitation"))?)
}

/// Somebody has accepted.
pub fn accept(tx: &mut Tx<'_>, id: InvitationId, by: UserId) -> Result<()> {
    diesel::update(invitations::table.filter(invitations::id.eq(id)))
        .set((invitations::accepted_by.eq(Some(by)), invitations::accepted_at.eq(Some(tx.now))))
        .execute(tx.conn)?;
    Ok(())
}

/// Takes it back.
pub fn withdraw(tx: &mut Tx<'_>, id: InvitationId) -> Result<()> {
    diesel::update(invitations::table.filter(invitations::id.eq(id)))
        .set(invitations::withdrawn_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}

/// Takes back whatever waits for that address: a new invitation replaces it.
pub fn withdraw_all(tx: &mut Tx<'_>, email: &Email) -> Result<()> {
    let waiting = invitations::table
        .filter(invitations::email.eq(email.as_str()))
        .filter(invitations::accepted_at.is_null().and(invitations::withdrawn_at.is_null()));
    diesel::update(waiting).set(invitations::withdrawn_at.eq(Some(tx.now))).execute(tx.conn)?;
    Ok(())
}
