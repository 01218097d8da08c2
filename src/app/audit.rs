//! The audit log: who used which right, for whom, on what, and what came of it: what was before, and after. A row
//! is added in the transaction of the act, by the door of the service and not by each use case:
//! [`Operation::is_audited`] says which. What an address names, its braces say; so what was before is read for each
//! operation alike, a new one included (`db/audit_states.rs`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::db::Tx;
use crate::db::audit_log::{self, Act, Filter};
use crate::db::audit_states::Subject;
use crate::domain::access::{Need, Operation};
use crate::domain::text::Email;
use crate::domain::{Action, Actor, EntryId};
use crate::error::Result;
use crate::keys::Keys;

use super::Outcome;

/// A request, as the log tells it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What was called.
    pub operation: &'static Operation,
    /// What its address named, such as `{"order": "3"}`.
    pub about: Value,
    /// The id that its answer bears.
    pub id: String,
    /// The client's network.
    pub network: Option<String>,
    /// By a program, with a key.
    pub by_api_key: bool,
}

impl Asked {
    /// About the account of that address, under a name that tells it from others and no more.
    #[must_use]
    pub fn about_account(self, keys: &Keys, email: &Email) -> Self {
        Self { about: json!({ "account": keys.pepper.pseudonym(email.as_str()) }), ..self }
    }
}

/// Fields of answers that the log keeps: numbers, states and dates. What could name a person, say where it
/// lives, or open anything is not among them.
const KEPT: [&str; 27] = [
    "amount_cents",
    "approved_by",
    "cut_off_on",
    "daily_capacity",
    "entry",
    "executed_on",
    "execution_on",
    "expires_at",
    "id",
    "imported",
    "kind",
    "number",
    "order",
    "organisation",
    "outcome",
    "payable",
    "placed_by",
    "previous_ends_at",
    "previous_role",
    "qualified_from",
    "qualified_until",
    "quantity",
    "revoked_at",
    "role",
    "settlement",
    "site",
    "state",
];

/// An act under way: what it found is noted as it begins, what it left as it ends.
pub struct Trace {
    asked: Asked,
    who: Option<Actor>,
    subject: Option<Subject>,
    before: Option<Value>,
}

impl Trace {
    /// Begins the trace of what `who` does to what the address named, or to its own account. What that was before
    /// is read once it is held, so nobody else changes it until the transaction ends.
    pub fn begin(tx: &mut Tx<'_>, asked: Asked, who: &Actor) -> Result<Self> {
        let mut named = asked.about.as_object().into_iter().flatten();
        let subject = match asked.operation.need {
            Need::Person => Subject::account(who.user),
            _ => named.find_map(|(name, id)| Subject::of(name, id.as_str()?)),
        };
        Self::of(tx, asked, Some(*who), subject)
    }

    /// The same, of what is done to `subject`.
    pub fn of(
        tx: &mut Tx<'_>,
        asked: Asked,
        who: Option<Actor>,
        subject: Option<Subject>,
    ) -> Result<Self> {
        let mut before = None;
        if let Some(subject) = subject {
            subject.hold(tx)?;
            before = subject.state(tx)?;
        }
        Ok(Self { asked, who, subject, before })
    }

    /// Adds what it came to, in the transaction of the act. Of a refusal: nothing was changed.
    pub fn end(self, tx: &mut Tx<'_>, outcome: &Outcome) -> Result<()> {
        let is_done = matches!(outcome, Outcome::Done(_));
        let after = match self.subject.filter(|_| is_done) {
            Some(subject) => subject.state(tx)?,
            None => None,
        };
        let change = Change { before: self.before.filter(|_| is_done), after };
        insert(tx, &self.asked, self.who.as_ref(), outcome, change)
    }
}

/// What an act found, and what it left.
#[derive(Default)]
struct Change {
    before: Option<Value>,
    after: Option<Value>,
}

/// Adds what a request came to, with what may be kept of its answer, when it changed nothing that was there.
pub fn record(
    tx: &mut Tx<'_>,
    asked: &Asked,
    who: Option<&Actor>,
    outcome: &Outcome,
) -> Result<()> {
    insert(tx, asked, who, outcome, Change::default())
}

fn insert(
    tx: &mut Tx<'_>,
    asked: &Asked,
    who: Option<&Actor>,
    outcome: &Outcome,
    change: Change,
) -> Result<()> {
    let (outcome, result) = match outcome {
        Outcome::Done(answer) => ("done", kept(answer)),
        Outcome::Refused(refusal) => (refusal.code(), json!({})),
    };
    let act = Act {
        id: EntryId::generate().get(),
        at: tx.now,
        actor: who.map(|who| who.user),
        role: who.map(|who| who.role),
        organisation: who.and_then(|who| who.organisation),
        by_api_key: asked.by_api_key,
        operation: asked.operation.id.to_owned(),
        about: asked.about.clone(),
        outcome: outcome.to_owned(),
        result,
        before: change.before,
        after: change.after,
        request_id: asked.id.clone(),
        address: asked.network.clone(),
    };
    audit_log::insert(tx, &act)
}

/// Adds an act on the machine itself, by whoever has its key file: nobody whom the service knows.
pub fn record_by_hand(tx: &mut Tx<'_>, operation: &str, about: Value) -> Result<()> {
    let act = Act {
        id: EntryId::generate().get(),
        at: tx.now,
        actor: None,
        role: None,
        organisation: None,
        by_api_key: false,
        operation: operation.to_owned(),
        about,
        outcome: "done".to_owned(),
        result: json!({}),
        before: None,
        after: None,
        request_id: "command".to_owned(),
        address: None,
    };
    audit_log::insert(tx, &act)
}

/// A page of the programme's acts, the last first: `before` is the id that the page before ended with.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Act>> {
    actor.require(Action::ReadAuditLog)?;
    audit_log::page(tx, filter, before.unwrap_or(Uuid::max()), limit)
}

fn kept(answer: &Value) -> Value {
    let fields = answer.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| KEPT.contains(&name.as_str()));
    let fields = fields.map(|(name, value)| {
        let value = if value.is_object() { kept(value) } else { value.clone() };
        (name.clone(), value)
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_only_what_names_nobody_is_kept() {
        let answer = json!({
            "id": "3", "email": "x@y.example", "secret": "souche_…", "role": "auditor",
            "settlement": { "id": "4", "holder_name": "Nom", "payable": { "amount_cents": 5 } },
        });
        assert_eq!(
            kept(&answer),
            json!({ "id": "3", "role": "auditor", "settlement": { "id": "4", "payable": { "amount_cents": 5 } } })
        );
        assert_eq!(kept(&Value::Null), json!({}));
    }
}
