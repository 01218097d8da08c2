//! API keys: what an integrator's programs come in with.

use chrono::TimeDelta;
use diesel::prelude::*;
use uuid::Uuid;

use super::Tx;
use super::access_schema::api_keys;
use crate::domain::{Actor, OrganisationId, Refusal, Role, SiteId, Timestamp, UserId};
use crate::error::Result;

/// Uses closer than this to the last one noted are not noted.
const USE_NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A key, without its secret.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct ApiKey {
    pub user_id: UserId,
    pub name: String,
    pub role: Role,
    pub organisation: Option<OrganisationId>,
    pub site: Option<SiteId>,
    pub created_by: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub previous_ends_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// Writes a new one, with the hash of its secret (SHA-256, 32 bytes).
pub fn insert(tx: &mut Tx<'_>, key: &ApiKey, secret_hash: &[u8]) -> Result<()> {
    diesel::insert_into(api_keys::table)
        .values((key, api_keys::secret_hash.eq(secret_hash)))
        .execute(tx.conn)?;
    Ok(())
}

/// The key of that account, locked.
pub fn lock(tx: &mut Tx<'_>, id: UserId) -> Result<ApiKey> {
    let found = api_keys::table.find(id).select(ApiKey::as_select()).for_update();
    found
        .first(tx.conn)
        .optional()?
        .ok_or_else(|| Refusal::NotFound { what: "api_key".into() }.into())
}

/// Gives it a new secret; the one it had stays good until `previous_ends_at`.
pub fn rotate(
    tx: &mut Tx<'_>,
    id: UserId,
    secret_hash: &[u8],
    previous_ends_at: Timestamp,
) -> Result<()> {
    diesel::update(api_keys::table.find(id))
        .set((
            api_keys::previous_hash.eq(api_keys::secret_hash.nullable()),
            api_keys::previous_ends_at.eq(previous_ends_at),
            api_keys::secret_hash.eq(secret_hash),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Does that secret open a key that is in force?
pub fn is_good(tx: &mut Tx<'_>, secret_hash: &[u8]) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(good(secret_hash, tx.now))).get_result(tx.conn)?)
}

/// The same, and held as it is until the transaction ends: whoever revokes it waits.
pub fn hold(tx: &mut Tx<'_>, secret_hash: &[u8]) -> Result<bool> {
    let held = good(secret_hash, tx.now).select(api_keys::user_id).for_share();
    Ok(held.first::<UserId>(tx.conn).optional()?.is_some())
}

/// The key whose secret it is, unless it has ended: the present one, or the one before while both are good.
#[expect(clippy::elidable_lifetime_names, reason = "diesel asks for the name")]
#[diesel::dsl::auto_type]
fn good<'a>(secret_hash: &'a [u8], now: Timestamp) -> _ {
    let is_previous = api_keys::previous_hash
        .eq(secret_hash)
        .and(api_keys::previous_ends_at.gt(now))
        .assume_not_null();
    let is_its_own = api_keys::secret_hash.eq(secret_hash).or(is_previous);
    let goes_on = api_keys::revoked_at.is_null().and(api_keys::expires_at.gt(now));
    api_keys::table.filter(is_its_own).filter(goes_on)
}

/// Ends it, for good.
pub fn revoke(tx: &mut Tx<'_>, id: UserId, by: UserId) -> Result<()> {
    diesel::update(api_keys::table.find(id))
        .set((api_keys::revoked_by.eq(by), api_keys::revoked_at.eq(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}

/// A page, by id; of one organisation when one is named.
pub fn page(
    tx: &mut Tx<'_>,
    of: Option<OrganisationId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<ApiKey>> {
    let mut keys = api_keys::table.select(ApiKey::as_select()).into_boxed();
    if let Some(organisation) = of {
        keys = keys.filter(api_keys::organisation.eq(organisation));
    }
    let keys = keys.filter(api_keys::user_id.gt(after)).order(api_keys::user_id).limit(limit);
    Ok(keys.load(tx.conn)?)
}

/// Whom a secret speaks for, now, and until when; nobody when it is unknown, old or revoked. The use is
/// noted, at most once a minute.
pub fn by_secret(tx: &mut Tx<'_>, secret_hash: &[u8]) -> Result<Option<(Actor, Timestamp)>> {
    let found: Option<(ApiKey, bool)> = good(secret_hash, tx.now)
        .select((ApiKey::as_select(), api_keys::secret_hash.eq(secret_hash)))
        .first(tx.conn)
        .optional()?;
    let Some((key, is_current)) = found else { return Ok(None) };
    let stale = tx.now.checked_sub_signed(USE_NOTED_EVERY).unwrap_or(tx.now);
    if key.last_used_at.is_none_or(|at| at < stale) {
        diesel::update(api_keys::table.find(key.user_id))
            .set(api_keys::last_used_at.eq(tx.now))
            .execute(tx.conn)?;
    }
    let ends_at = if is_current { key.expires_at } else { key.previous_ends_at.unwrap_or(tx.now) };
    let actor = Actor {
        user: key.user_id,
        role: key.role,
        programme: tx.programme,
        organisation: key.organisation,
        site: key.site,
    };
    Ok(Some((actor, ends_at.min(key.expires_at))))
}
