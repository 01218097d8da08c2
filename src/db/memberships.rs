//! Memberships: what a person may do in a programme.

use diesel::prelude::*;

use super::Tx;
use super::schema::memberships;
use crate::domain::{Actor, OrganisationId, ProgrammeId, Refusal, Role, SiteId, UserId};
use crate::error::Result;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = memberships, check_for_backend(diesel::pg::Pg))]
struct Row {
    user_id: UserId,
    programme_id: ProgrammeId,
    role: Role,
    organisation: Option<OrganisationId>,
    site: Option<SiteId>,
}

impl From<Row> for Actor {
    fn from(row: Row) -> Self {
        Self {
            user: row.user_id,
            role: row.role,
            programme: row.programme_id,
            organisation: row.organisation,
            site: row.site,
        }
    }
}

/// Gives a person a role in a programme, or refuses a second one there.
pub fn insert(tx: &mut Tx<'_>, member: &Actor) -> Result<()> {
    let row = Row {
        user_id: member.user,
        programme_id: member.programme,
        role: member.role,
        organisation: member.organisation,
        site: member.site,
    };
    let written = diesel::insert_into(memberships::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(tx.conn)?;
    if written == 0 {
        Err(Refusal::Duplicate { what: "Un rôle de cette personne".into() }.into())
    } else {
        Ok(())
    }
}

/// Every role of a person; the transaction must be of that person's scope.
pub fn of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Actor>> {
    let rows: Vec<Row> = memberships::table
        .filter(memberships::user_id.eq(user))
        .order(memberships::programme_id)
        .select(Row::as_select())
        .load(tx.conn)?;
    Ok(rows.into_iter().map(Actor::from).collect())
}

/// The role of a person in that programme.
pub fn in_programme(
    tx: &mut Tx<'_>,
    user: UserId,
    programme: ProgrammeId,
) -> Result<Option<Actor>> {
    let row: Option<Row> = memberships::table
        .filter(memberships::user_id.eq(user).and(memberships::programme_id.eq(programme)))
        .select(Row::as_select())
        .first(tx.conn)
        .optional()?;
    Ok(row.map(Actor::from))
}
