//! What an act is about, as the audit log tells it before and after: numbers, states and dates. Nothing that
//! names a person or opens anything.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Integer, Jsonb, Uuid};

use super::Tx;
use crate::domain::UserId;
use crate::error::Result;

/// What an act may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Something of the programme that has a number.
    Numbered(&'static Kind, i32),
    /// Something that has an id.
    Named(&'static Kind, uuid::Uuid),
}

/// How one kind of thing is held, and told.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// As the braces of an address name it.
    pub name: &'static str,
    /// Is it known by a number? Otherwise by an id.
    has_number: bool,
    /// Where it lies; no other transaction changes that until this one ends. None for what never changes.
    held: Option<&'static str>,
    /// Its state, by name and value, read once it is held: a lock wait does not refresh a statement's snapshot.
    state: &'static str,
    /// Where that is read.
    from: &'static str,
}

/// Every kind of thing that an audited act changes. `$1` is its number or id.
pub static KINDS: [Kind; 9] = [
    Kind {
        name: "order",
        has_number: true,
        held: Some("orders WHERE number = $1"),
        state: "'approved_by', o.approved_by, 'minted_by', o.minted_by, 'print_is_confirmed', o.print_entry IS NOT NULL,
                'codes_can_be_made', o.print_key_sealed IS NOT NULL,
                'funding', (SELECT max(f.number) FROM fundings f WHERE f.order_number = o.number)",
        from: "FROM orders o WHERE o.number = $1",
    },
    Kind {
        name: "site",
        has_number: true,
        held: Some("sites WHERE number = $1"),
        state: "'qualified_from', qualified_from, 'qualified_until', qualified_until, 'daily_capacity', daily_capacity",
        from: "FROM sites WHERE number = $1",
    },
    Kind {
        name: "account",
        has_number: true,
        held: Some("bank_accounts WHERE number = $1"),
        // What the organisation is paid to is the account approved last whose time has come.
        state: "'organisation', a.organisation, 'declared_by', a.declared_by, 'approved_by', a.approved_by,
                'usable_from', a.usable_from,
                'approved_accounts', (SELECT coalesce(jsonb_agg(b.number ORDER BY b.approved_at, b.number), '[]')
                    FROM bank_accounts b WHERE b.organisation = a.organisation AND b.approved_by IS NOT NULL)",
        from: "FROM bank_accounts a WHERE a.number = $1",
    },
    Kind {
        name: "settlement",
        has_number: true,
        held: Some("settlements WHERE number = $1"),
        state: "'approved_by', s.approved_by, 'executed_on', e.executed_on, 'execution_declared_by', e.declared_by,
                'execution_confirmed_by', e.confirmed_by",
        from: "FROM settlements s LEFT JOIN executions e ON e.settlement = s.number WHERE s.number = $1",
    },
    Kind {
        name: "flag",
        has_number: true,
        held: None,
        state: "'outcome', d.outcome, 'decided_by', d.decided_by",
        from: "FROM flags f LEFT JOIN flag_decisions d ON d.flag = f.number WHERE f.number = $1",
    },
    Kind {
        name: "invitation",
        has_number: false,
        held: Some("invitations WHERE id = $1"),
        state: "'role', role, 'organisation', organisation, 'site', site, 'expires_at', expires_at,
                'accepted_at', accepted_at, 'withdrawn_at', withdrawn_at",
        from: "FROM invitations WHERE id = $1",
    },
    Kind {
        name: "key",
        has_number: false,
        held: Some("api_keys WHERE user_id = $1"),
        state: "'role', role, 'organisation', organisation, 'site', site, 'expires_at', expires_at,
                'previous_ends_at', previous_ends_at, 'revoked_at', revoked_at",
        from: "FROM api_keys WHERE user_id = $1",
    },
    Kind {
        name: "user",
        has_number: false,
        held: Some("memberships WHERE user_id = $1 AND programme_id = current_programme()"),
        state: "'role', role, 'organisation', organisation, 'site', site, 'version', version, 'ended_at', ended_at",
        from: "FROM memberships WHERE user_id = $1 AND programme_id = current_programme()",
    },
    ACCOUNT,
];

/// A person's own account: how many ways in are open.
const ACCOUNT: Kind = Kind {
    name: "own account",
    has_number: false,
    held: Some("users WHERE id = $1"),
    state: "'sessions_not_ended', (SELECT count(*) FROM sessions WHERE user_id = $1 AND ended_at IS NULL),
            'second_factor', EXISTS (SELECT FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL),
            'recovery_codes', (SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL)",
    from: "",
};

#[derive(QueryableByName)]
struct State {
    #[diesel(sql_type = Jsonb)]
    state: serde_json::Value,
}

impl Subject {
    /// What an address calls `name` and `id`; nothing when it is none of these kinds.
    pub fn of(name: &str, id: &str) -> Option<Self> {
        let kind = KINDS.iter().find(|kind| kind.name == name)?;
        if kind.has_number {
            id.parse().ok().map(|number| Self::Numbered(kind, number))
        } else {
            id.parse().ok().map(|id| Self::Named(kind, id))
        }
    }

    /// The role of a person in the programme of the transaction.
    pub fn member(user: UserId) -> Option<Self> {
        Self::of("user", &user.to_string())
    }

    /// A person's own account.
    pub fn account(user: UserId) -> Option<Self> {
        Self::of(ACCOUNT.name, &user.to_string())
    }

    /// Holds it until the transaction ends.
    pub fn hold(self, tx: &mut Tx<'_>) -> Result<()> {
        let (Self::Numbered(kind, _) | Self::Named(kind, _)) = self;
        if let Some(held) = kind.held {
            // As whoever changes it would, and no more: what refers to it goes on.
            self.run(&format!("SELECT 'true'::jsonb AS state FROM {held} FOR NO KEY UPDATE"), tx)?;
        }
        Ok(())
    }

    /// Its state now; none when it is not there.
    pub fn state(self, tx: &mut Tx<'_>) -> Result<Option<serde_json::Value>> {
        let (Self::Numbered(kind, _) | Self::Named(kind, _)) = self;
        let Kind { state, from, .. } = kind;
        self.run(&format!("SELECT jsonb_build_object({state}) AS state {from}"), tx)
    }

    fn run(self, text: &str, tx: &mut Tx<'_>) -> Result<Option<serde_json::Value>> {
        let query = sql_query(text);
        let found: Option<State> = match self {
            Self::Numbered(_, number) => {
                query.bind::<Integer, _>(number).get_result(tx.conn).optional()?
            }
            Self::Named(_, id) => query.bind::<Uuid, _>(id).get_result(tx.conn).optional()?,
        };
        Ok(found.map(|found| found.state))
    }
}
