//! Memberships: what a person may do in a programme. One that has ended keeps its row, so that its next
//! version is another.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Uuid};

use super::Tx;
use super::schema::{memberships, sql_types};
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

impl From<&Actor> for Row {
    fn from(member: &Actor) -> Self {
        Self {
            user_id: member.user,
            programme_id: member.programme,
            role: member.role,
            organisation: member.organisation,
            site: member.site,
        }
    }
}

/// A role in force, and how many times it was given or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person and its role.
    pub actor: Actor,
    /// A session holds for one version.
    pub version: i32,
}

/// A member, as colleagues see it.
#[derive(Debug, QueryableByName)]
pub struct Card {
    /// The account.
    #[diesel(sql_type = Uuid)]
    pub user: UserId,
    /// Its address.
    #[diesel(sql_type = Text)]
    pub email: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Its role here.
    #[diesel(sql_type = sql_types::Role)]
    pub role: Role,
    /// For whom it acts.
    #[diesel(sql_type = Nullable<Integer>)]
    pub organisation: Option<OrganisationId>,
    /// Where.
    #[diesel(sql_type = Nullable<Integer>)]
    pub site: Option<SiteId>,
}

/// Gives a person a role in a programme, or refuses a second one there.
pub fn insert(tx: &mut Tx<'_>, member: &Actor) -> Result<()> {
    let row = Row::from(member);
    let none: Option<crate::domain::Timestamp> = None;
    let taken_up = diesel::update(memberships::table.find((row.user_id, row.programme_id)))
        .filter(memberships::ended_at.is_not_null())
        .set((
            memberships::role.eq(row.role),
            memberships::organisation.eq(row.organisation),
            memberships::site.eq(row.site),
            memberships::version.eq(next_version()),
            memberships::ended_at.eq(none),
        ))
        .execute(tx.conn)?;
    if taken_up == 1 {
        return Ok(());
    }
    let written = diesel::insert_into(memberships::table)
        .values(&row)
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
        .filter(memberships::user_id.eq(user).and(memberships::ended_at.is_null()))
        .order(memberships::programme_id)
        .select(Row::as_select())
        .load(tx.conn)?;
    Ok(rows.into_iter().map(Actor::from).collect())
}

/// The role of a person in that programme, held as it is until the transaction ends: whoever changes it waits,
/// then sees the session that was opened under it.
pub fn hold(tx: &mut Tx<'_>, user: UserId, programme: ProgrammeId) -> Result<Option<Member>> {
    let row: Option<(Row, i32)> = memberships::table
        .filter(memberships::user_id.eq(user).and(memberships::programme_id.eq(programme)))
        .filter(memberships::ended_at.is_null())
        .select((Row::as_select(), memberships::version))
        .for_share()
        .first(tx.conn)
        .optional()?;
    Ok(row.map(|(row, version)| Member { actor: row.into(), version }))
}

/// The role of a person in the programme of the transaction, to be changed.
pub fn lock(tx: &mut Tx<'_>, user: UserId) -> Result<Actor> {
    let row: Option<Row> = memberships::table
        .filter(memberships::user_id.eq(user).and(memberships::programme_id.eq(tx.programme)))
        .filter(memberships::ended_at.is_null())
        .select(Row::as_select())
        .for_update()
        .first(tx.conn)
        .optional()?;
    Ok(row.map(Actor::from).ok_or(Refusal::not_found("user"))?)
}

/// Changes a role that was locked.
pub fn change(tx: &mut Tx<'_>, member: &Actor) -> Result<()> {
    diesel::update(memberships::table.find((member.user, member.programme)))
        .set((
            memberships::role.eq(member.role),
            memberships::organisation.eq(member.organisation),
            memberships::site.eq(member.site),
            memberships::version.eq(next_version()),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Takes a role that was locked away.
pub fn end(tx: &mut Tx<'_>, member: &Actor) -> Result<()> {
    diesel::update(memberships::table.find((member.user, member.programme)))
        .set((memberships::version.eq(next_version()), memberships::ended_at.eq(Some(tx.now))))
        .execute(tx.conn)?;
    Ok(())
}

/// One more than the version there is, as the database reckons it.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
fn next_version() -> diesel::dsl::Add<memberships::version, i32> {
    memberships::version + 1
}

const CARDS: &str =
    "SELECT u.id AS user, u.email, u.display_name AS name, m.role, m.organisation, m.site
     FROM memberships m JOIN users u ON u.id = m.user_id
     WHERE m.programme_id = $1 AND m.ended_at IS NULL";

/// Members of the transaction's programme in the order of their addresses, past `after`; of one organisation
/// when one is given.
pub fn page(
    tx: &mut Tx<'_>,
    organisation: Option<OrganisationId>,
    after: &str,
    limit: i64,
) -> Result<Vec<Card>> {
    let of_one =
        "AND ($2 IS NULL OR m.organisation = $2) AND u.email > $3 ORDER BY u.email LIMIT $4";
    Ok(sql_query(format!("{CARDS} {of_one}"))
        .bind::<Integer, _>(tx.programme)
        .bind::<Nullable<Integer>, _>(organisation)
        .bind::<Text, _>(after)
        .bind::<BigInt, _>(limit)
        .load(tx.conn)?)
}

/// Members of the transaction's programme whose address leads to that letter box.
pub fn of_letter_box(tx: &mut Tx<'_>, letter_box: &str) -> Result<Vec<Card>> {
    let same = "AND regexp_replace(u.email, '\\+[^@]*@', '@') = $2";
    Ok(sql_query(format!("{CARDS} {same}"))
        .bind::<Integer, _>(tx.programme)
        .bind::<Text, _>(letter_box)
        .load(tx.conn)?)
}
