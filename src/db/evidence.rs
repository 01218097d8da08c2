//! The tables that are evidence, and their rows as canonical JSON: what receipts bind and what `verify`
//! reads, by one definition.
//!
//! A row's JSON has its columns in the order of their names, without blanks: integers as they are, text and
//! words as strings, instants in RFC 3339 (UTC, six decimals, `Z`), days in ISO 8601, bytes in lower-case
//! hexadecimal, a `jsonb` as a string of PostgreSQL's text, arrays, `null`. Left out: the programme, the entry,
//! what PostgreSQL computes, and what `evidence_tables` says. A *line* is `["table",{…}]`.

use std::collections::BTreeMap;

use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Binary, Bool, Integer, Nullable, Text, Uuid};

use super::Tx;
pub(super) use super::evidence_tables::{CHANGING, WRITTEN, Written};
pub use super::evidence_tables::{NOT_EVIDENCE, is_changing, tables};
use crate::domain::EntryId;
use crate::error::Result;

/// A row that an entry wrote; with the entry's own row come its receipt, and what the receipt must say.
#[derive(Debug, QueryableByName)]
pub struct WrittenRow {
    /// The entry, if the row leads to one.
    #[diesel(sql_type = Nullable<Uuid>)]
    pub entry_id: Option<EntryId>,
    /// Place of the table in `WRITTEN`.
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
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
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
