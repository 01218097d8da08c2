//! The audit log: added to, and read.

use diesel::prelude::*;
use uuid::Uuid;

use super::Tx;
use super::access_schema::audit_log;
use crate::domain::{OrganisationId, Role, Timestamp, UserId};
use crate::error::Result;

/// An act that left its trace.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_log, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Act {
    pub id: Uuid,
    pub at: Timestamp,
    pub actor: Option<UserId>,
    pub role: Option<Role>,
    pub organisation: Option<OrganisationId>,
    pub by_api_key: bool,
    pub operation: String,
    pub about: serde_json::Value,
    pub outcome: String,
    pub result: serde_json::Value,
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
    pub request_id: String,
    pub address: Option<String>,
}

/// Which acts are looked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of that account.
    pub actor: Option<UserId>,
    /// By that operation.
    pub operation: Option<String>,
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

/// Adds one.
pub fn insert(tx: &mut Tx<'_>, act: &Act) -> Result<()> {
    diesel::insert_into(audit_log::table).values(act).execute(tx.conn)?;
    Ok(())
}

/// A page, the last first.
pub fn page(tx: &mut Tx<'_>, filter: &Filter, before: Uuid, limit: i64) -> Result<Vec<Act>> {
    let mut acts = audit_log::table.select(Act::as_select()).into_boxed();
    if let Some(actor) = filter.actor {
        acts = acts.filter(audit_log::actor.eq(actor));
    }
    if let Some(operation) = &filter.operation {
        acts = acts.filter(audit_log::operation.eq(operation));
    }
    if let Some(from) = filter.from {
        acts = acts.filter(audit_log::at.ge(from));
    }
    if let Some(until) = filter.until {
        acts = acts.filter(audit_log::at.lt(until));
    }
    let acts = acts.filter(audit_log::id.lt(before)).order(audit_log::id.desc()).limit(limit);
    Ok(acts.load(tx.conn)?)
}
