//! Which tables are evidence, and how their rows lead to the entry that wrote them. Every table of the schema is in one
//! of these lists.

/// A table of rows that an entry wrote, once.
pub(super) struct Written {
    pub(super) name: &'static str,
    /// Where its rows, as `t`, meet their entry.
    from: &'static str,
    /// The entry, in these terms.
    pub(super) entry: &'static str,
    /// Its key, as two integers.
    pub(super) key: [&'static str; 2],
    /// Columns that the receipt says in its own fields, or that follow from other rows: `verify` replays them.
    pub(super) skip: &'static [&'static str],
}

/// The entry itself first, then its transfers, then the others by name: the order in which a receipt binds them.
pub(super) const WRITTEN: [Written; 23] = [
    Written {
        name: "entries",
        from: "entries t",
        entry: "t.id",
        key: ["0", "0"],
        skip: &[
            "id",
            "kind",
            "number",
            "happened_at",
            "recorded_at",
            "corrects",
            "receipt",
            "signature",
            "xid",
            // A redemption is a line of its own.
            "pass",
            "cycle",
            "hand_over",
            "site",
            "service",
            "workshop",
        ],
    },
    Written::by_entry("transfers", ["t.line", "0"]),
    Written::by_entry("audit_draws", ["t.sample", "0"]),
    Written::by_entry("audit_findings", ["t.number", "0"]),
    Written {
        name: "audit_items",
        from: "audit_items t LEFT JOIN audit_draws d ON d.sample = t.sample",
        entry: "d.entry_id",
        key: ["t.sample", "t.line"],
        skip: &[],
    },
    Written::by_entry("audit_samples", ["t.number", "0"]),
    Written {
        name: "audit_strata",
        from: "audit_strata t LEFT JOIN audit_draws d ON d.sample = t.sample",
        entry: "d.entry_id",
        key: ["t.sample", "t.number"],
        skip: &[],
    },
    Written {
        name: "booklets",
        from: "booklets t LEFT JOIN orders o ON o.number = t.order_number",
        entry: "o.mint_entry",
        key: ["t.number", "0"],
        skip: &["held_in"],
    },
    Written::by_entry("deliveries", ["t.number", "0"]),
    Written::by_entry("delivery_receipts", ["t.delivery", "0"]),
    Written::by_entry("flag_decisions", ["t.flag", "0"]),
    Written {
        name: "flag_passes",
        from: "flag_passes t LEFT JOIN flags f ON f.number = t.flag",
        entry: "f.entry_id",
        key: ["t.pass", "t.cycle"],
        skip: &[],
    },
    Written::by_entry("flags", ["t.number", "0"]),
    Written::by_entry("fundings", ["t.number", "0"]),
    Written::by_entry("hand_overs", ["t.number", "0"]),
    Written {
        name: "incidents",
        from: "incidents t LEFT JOIN voids v ON v.pass = t.pass AND v.cycle = t.cycle",
        entry: "v.entry_id",
        key: ["t.number", "0"],
        skip: &[],
    },
    Written {
        name: "passes",
        from: "passes t LEFT JOIN orders o ON o.number = t.order_number",
        entry: "o.mint_entry",
        key: ["t.number", "0"],
        skip: &["funding", "hand_over", "state", "cycle", "changed_at"],
    },
    Written::by_entry("payout_debits", ["t.payout", "0"]),
    Written {
        name: "payout_items",
        from: "payout_items t LEFT JOIN payouts p ON p.number = t.payout",
        entry: "p.entry_id",
        key: ["t.payout", "t.line"],
        skip: &[],
    },
    Written::by_entry("payouts", ["t.number", "0"]),
    Written::by_entry("redemptions", ["t.pass", "t.cycle"]),
    Written::by_entry("voids", ["t.pass", "t.cycle"]),
    Written::by_entry("workshops", ["t.number", "0"]),
];

impl Written {
    const fn by_entry(name: &'static str, key: [&'static str; 2]) -> Self {
        // Only the name of the table is needed: `from` and `entry` follow from it.
        Self { name, from: "", entry: "t.entry_id", key, skip: &[] }
    }

    /// Does each of its rows name the entry that wrote it?
    pub(super) fn leads_to_entry(&self) -> bool {
        self.entry == "t.entry_id"
    }

    /// Where its rows, as `t`, meet their entry.
    pub(super) fn from(&self) -> String {
        if self.from.is_empty() { format!("{} t", self.name) } else { self.from.to_owned() }
    }
}

/// Tables whose rows may change, each with its key: every state that a row has had is bound, by its revision.
pub(super) const CHANGING: [(&str, &str); 7] = [
    ("bank_accounts", "t.number"),
    ("executions", "t.settlement"),
    ("orders", "t.number"),
    ("organisations", "t.number"),
    // One row, whatever its number on this instance.
    ("programmes", "1"),
    ("settlements", "t.number"),
    ("sites", "t.number"),
];

/// Tables that are no evidence, with the reason. Every table is here or above; a test sees to it.
pub const NOT_EVIDENCE: [(&str, &str); 22] = [
    ("api_keys", "who comes in by a program; the audit log says who made and ended them"),
    ("audit_log", "only added to; the acts that move anything are entries (decision 0028)"),
    ("beneficiaries", "identities, sealed and to be purged; a hand-over binds the person's key"),
    ("checkpoints", "heads of the log, signed; held against the receipts by checks of their own"),
    ("invitations", "roles promised; the audit log says who promised them"),
    ("leaves", "the log of the receipts; the same"),
    ("log_keys", "the keys of checkpoints; the same"),
    ("logs", "how far the log is sealed; the same"),
    ("memberships", "who may do what now; entries say who did what"),
    ("outbox", "letters on their way"),
    ("password_resets", "links that last an hour"),
    ("receipt_keys", "public keys of other instances; sealed receipts name them by their hash"),
    ("recovery_codes", "what a person has to sign in with"),
    ("refresh_tokens", "sessions"),
    ("requests", "answers kept for those who ask again"),
    ("second_factors", "what a person has to sign in with"),
    ("series", "follow from the numbers given; `verify` compares"),
    ("sessions", "who is signed in now"),
    ("sign_in_tries", "counts that brake a guesser"),
    ("users", "accounts of people"),
    ("wrong_tries", "counts that brake a guesser"),
    ("__diesel_schema_migrations", "which migrations ran"),
];

/// Names of the tables of evidence.
pub fn tables() -> impl Iterator<Item = &'static str> {
    WRITTEN.iter().map(|table| table.name).chain(CHANGING.iter().map(|(name, _)| *name))
}

/// Is it a table of rows that may change?
pub fn is_changing(table: &str) -> bool {
    CHANGING.iter().any(|(name, _)| *name == table)
}
