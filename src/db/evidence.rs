//! The tables that are evidence, and their rows as canonical JSON: what receipts bind and what `verify`
//! reads, by one definition.
//!
//! A row's JSON has its columns in the order of their names, without blanks: integers as they are, text and
//! words as strings, instants in RFC 3339 (UTC, six decimals, `Z`), days in ISO 8601, bytes in lower-case
//! hexadecimal, a `jsonb` as a string of PostgreSQL's text, arrays, `null`. Left out: the programme, the entry,
//! what PostgreSQL computes, and what the table says below. A *line* is `["table",{…}]`.

use std::collections::BTreeMap;

use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Binary, Bool, Integer, Nullable, Text, Uuid};

use super::Tx;
use crate::domain::EntryId;
use crate::error::Result;

/// A table of rows that an entry wrote, once.
pub(super) struct Written {
    pub(super) name: &'static str,
    /// Where its rows, as `t`, meet their entry.
    from: &'static str,
    /// The entry, in these terms.
    entry: &'static str,
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

    fn from(&self) -> String {
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

/// A row that an entry wrote; with the entry's own row come its receipt, and what the receipt must say.
#[derive(Debug, QueryableByName)]
pub struct WrittenRow {
    /// The entry, if the row leads to one.
    #[diesel(sql_type = Nullable<Uuid>)]
    pub entry_id: Option<EntryId>,
    /// Place of the table in the order above.
    #[diesel(sql_type = Integer)]
    pub(super) rank: i32,
    /// Its key.
    #[diesel(sql_type = Integer)]
    pub key: i32,
    /// The rest of its key; 0 when it has none.
    #[diesel(sql_type = Integer)]
    pub subkey: i32,
    /// `["table",{…}]`.
    #[diesel(sql_type = Text)]
    pub line: String,
    /// The receipt, with an entry's own row.
    #[diesel(sql_type = Nullable<Text>)]
    pub receipt: Option<String>,
    /// What the entry's columns say that its receipt says too, as canonical JSON.
    #[diesel(sql_type = Nullable<Text>)]
    pub said: Option<String>,
    /// The signature that the receipt brought along from another instance.
    #[diesel(sql_type = Nullable<Binary>)]
    pub signature: Option<Vec<u8>>,
}

impl WrittenRow {
    /// The table it stands in.
    pub fn table(&self) -> &'static str {
        usize::try_from(self.rank).ok().and_then(|rank| WRITTEN.get(rank)).map_or("?", |t| t.name)
    }
}

/// A row that may change, as it stands.
#[derive(Debug, QueryableByName)]
pub struct ChangingRow {
    /// Its key.
    #[diesel(sql_type = Integer)]
    pub key: i32,
    /// How many times it was written.
    #[diesel(sql_type = Integer)]
    pub revision: i32,
    /// `["table",{…}]`.
    #[diesel(sql_type = Text)]
    pub line: String,
}

/// Every row that entries wrote, those of one entry after one another, in the order in which its receipt binds
/// them; streamed. Rows that lead to no entry come last, those of an entry that is not there without its own row.
pub fn each_written(tx: &mut Tx<'_>, mut take: impl FnMut(WrittenRow) -> Result<()>) -> Result<()> {
    tx.scan_all()?;
    tx.set("enable_nestloop", "off")?;
    // All rows are sorted by entry: in memory as far as that goes, in runs of this size on disk beyond.
    tx.set("work_mem", "64MB")?;
    let columns = Columns::read(tx)?;
    let arms = columns.arms()?;
    let query = format!("{} ORDER BY entry_id, rank, key, subkey", arms.join(" UNION ALL "));
    let rows = sql_query(query).load_iter::<WrittenRow, PgRowByRowLoadingMode>(tx.conn)?;
    for row in rows {
        take(row?)?;
    }
    tx.set("enable_nestloop", "on")
}

/// The rows that these entries wrote in one of the tables, in the order of its key; streamed.
pub fn each_written_in(
    tx: &mut Tx<'_>,
    table: &str,
    entries: &[EntryId],
    mut take: impl FnMut(EntryId, &str) -> Result<()>,
) -> Result<()> {
    let columns = Columns::read(tx)?;
    let (table, rank) = WRITTEN
        .iter()
        .zip(0..)
        .find(|(of, _)| of.name == table)
        .ok_or_else(|| anyhow::anyhow!("{table} is no table of what entries write"))?;
    let arm = columns.arm(table, rank)?;
    let query = format!("{arm} WHERE {} = ANY ($1) ORDER BY key, subkey", table.entry);
    let rows = sql_query(query)
        .bind::<Array<Uuid>, _>(entries)
        .load_iter::<WrittenRow, PgRowByRowLoadingMode>(tx.conn)?;
    for row in rows {
        let row = row?;
        if let Some(entry) = row.entry_id {
            take(entry, &row.line)?;
        }
    }
    Ok(())
}

/// Every row of every table whose rows may change, table by table; streamed.
pub fn each_changing(
    tx: &mut Tx<'_>,
    mut take: impl FnMut(&'static str, ChangingRow) -> Result<()>,
) -> Result<()> {
    tx.scan_all()?;
    let columns = Columns::read(tx)?;
    for (table, key) in CHANGING {
        let query = format!("{} ORDER BY key", columns.changing(table, key)?);
        let rows = sql_query(query).load_iter::<ChangingRow, PgRowByRowLoadingMode>(tx.conn)?;
        for row in rows {
            take(table, row?)?;
        }
    }
    Ok(())
}

/// These rows of a table whose rows may change.
pub fn changing(tx: &mut Tx<'_>, table: &str, keys: &[i32]) -> Result<Vec<ChangingRow>> {
    let columns = Columns::read(tx)?;
    let (table, key) = CHANGING
        .into_iter()
        .find(|(name, _)| *name == table)
        .ok_or_else(|| anyhow::anyhow!("{table} is no table of rows that change"))?;
    let query = format!("{} AND {key} = ANY ($1)", columns.changing(table, key)?);
    Ok(sql_query(query).bind::<Array<Integer>, _>(keys).load(tx.conn)?)
}

/// The columns of the tables of evidence, from the catalogue: a column that is added is bound from then on.
pub(super) struct Columns(BTreeMap<String, Vec<Column>>);

#[derive(QueryableByName)]
pub(super) struct Column {
    #[diesel(sql_type = Text)]
    relation: String,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Text)]
    pub(super) of_type: String,
    #[diesel(sql_type = Bool)]
    pub(super) is_word: bool,
}

impl Columns {
    pub(super) fn read(tx: &mut Tx<'_>) -> Result<Self> {
        let all: Vec<Column> = sql_query(
            "SELECT c.relname::text AS relation, a.attname::text AS name, t.typname::text AS of_type, t.typtype = 'e' AS is_word
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attgenerated = '' AND a.attname NOT IN ('programme_id', 'entry_id')
             ORDER BY relation, a.attname COLLATE \"C\"",
        )
        .load(tx.conn)?;
        let mut columns: BTreeMap<String, Vec<Column>> = BTreeMap::new();
        for column in all {
            columns.entry(column.relation.clone()).or_default().push(column);
        }
        Ok(Self(columns))
    }

    /// A query of the rows of each table that entries write, in the order in which receipts bind them.
    pub(super) fn arms(&self) -> Result<Vec<String>> {
        WRITTEN.iter().zip(0..).map(|(table, rank)| self.arm(table, rank)).collect()
    }

    /// A query of the rows of a table that entries write.
    fn arm(&self, table: &Written, rank: i32) -> Result<String> {
        let line = self.line(table.name, |name| !table.skip.contains(&name))?;
        let (receipt, signature, said) = if table.name == "entries" {
            let said = ["corrects", "happened_at", "id", "kind", "number", "recorded_at"];
            ("t.receipt", "t.signature", self.json(table.name, |name| said.contains(&name))?)
        } else {
            ("NULL::text", "NULL::bytea", "NULL::text".to_owned())
        };
        let (entry, [key, subkey], from) = (table.entry, table.key, table.from());
        Ok(format!(
            "SELECT {entry} AS entry_id, {rank} AS rank, {key}::integer AS key, {subkey}::integer AS subkey, \
             {line} AS line, {receipt} AS receipt, {said} AS said, {signature} AS signature FROM {from}"
        ))
    }

    /// A query of the rows of a table whose rows may change.
    fn changing(&self, table: &str, key: &str) -> Result<String> {
        // A programme's own number is this instance's affair.
        let line = self.line(table, |name| table != "programmes" || name != "id")?;
        let own = if table == "programmes" { "t.id = current_programme()" } else { "true" };
        Ok(format!("SELECT {key} AS key, t.revision, {line} AS line FROM {table} t WHERE {own}"))
    }

    pub(super) fn line(&self, table: &str, wanted: impl Fn(&str) -> bool) -> Result<String> {
        Ok(format!("'[\"{table}\",' || {} || ']'", self.json(table, wanted)?))
    }

    /// The columns of a table, in the order of their names.
    pub(super) fn of(&self, table: &str) -> &[Column] {
        self.0.get(table).map(Vec::as_slice).unwrap_or_default()
    }

    /// The expression of a row's canonical JSON.
    pub(super) fn json(&self, table: &str, wanted: impl Fn(&str) -> bool) -> Result<String> {
        let wanted = self.of(table).iter().filter(|column| wanted(&column.name));
        let fields: Result<Vec<String>> = wanted.map(Column::field).collect();
        Ok(format!("'{{' || {} || '}}'", fields?.join(" || ',' || ")))
    }
}

impl Column {
    fn field(&self) -> Result<String> {
        let column = format!("t.\"{}\"", self.name);
        let value = match self.of_type.as_str() {
            "int2" | "int4" | "int8" | "bool" => format!("{column}::text"),
            "text" | "uuid" | "jsonb" => format!("to_json({column}::text)::text"),
            "_text" | "_int4" => format!("to_json({column})::text"),
            "bytea" => format!("to_json(encode({column}, 'hex'))::text"),
            "date" => format!("to_json(to_char({column}, 'YYYY-MM-DD'))::text"),
            "timestamptz" => format!(
                "to_json(to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))::text"
            ),
            _ if self.is_word => format!("to_json({column}::text)::text"),
            other => {
                let (relation, name) = (&self.relation, &self.name);
                return Err(
                    anyhow::anyhow!("{relation}.{name}: {other} has no canonical form").into()
                );
            }
        };
        Ok(format!("'\"{}\":' || coalesce({value}, 'null')", self.name))
    }
}
