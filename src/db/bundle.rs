//! What a bundle is written from: the rows of [`super::evidence`] in the order of the log, and what goes with them; and
//! rows that were read from one.

use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde_json::{Map, Value};

use super::Tx;
use super::evidence::{CHANGING, ChangingRow, Columns, WRITTEN, WrittenRow};
use crate::domain::EntryId;
use crate::error::Result;

/// A row as a bundle carries it, with the place of its entry in the log.
#[derive(Debug, QueryableByName)]
pub struct LoggedRow {
    /// The place; `None` when the entry is not sealed yet.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub position: Option<i64>,
    /// The row, or a checkpoint: see [`LoggedRow::is_checkpoint`].
    #[diesel(embed)]
    pub row: WrittenRow,
}

impl LoggedRow {
    /// Is it no row, but a checkpoint that was signed once its entry was the last of the log?
    pub fn is_checkpoint(&self) -> bool {
        self.row.rank == CHECKPOINT
    }
}

/// Past the rank of every table: checkpoints come after the rows of their last entry.
const CHECKPOINT: i32 = 1_000;

/// Every row that entries wrote, as [`super::evidence::each_written`], and every checkpoint where it was signed; in the order of the
/// log, then what is not sealed yet as it would be. Streamed: PostgreSQL sorts, on its own disk.
pub fn each_logged(tx: &mut Tx<'_>, mut take: impl FnMut(LoggedRow) -> Result<()>) -> Result<()> {
    tx.scan_all()?;
    tx.set("enable_nestloop", "off")?;
    tx.set("work_mem", "64MB")?;
    // One statement lasts as long as whoever reads it takes.
    tx.set("statement_timeout", "0")?;
    let columns = Columns::read(tx)?;
    let mut arms = columns.arms()?;
    let checkpoint =
        columns.json("checkpoints", |name| ["note", "signed_at", "vkey"].contains(&name))?;
    arms.push(format!(
        "SELECT l.entry_id, {CHECKPOINT}, 0, 0, {checkpoint}, NULL, NULL, NULL \
         FROM checkpoints t JOIN leaves l ON l.position = t.last_leaf"
    ));
    let query = format!(
        "SELECT s.position, w.* FROM ({}) AS w LEFT JOIN (\
         SELECT e.id, e.recorded_at, l.position FROM entries e LEFT JOIN leaves l ON l.entry_id = e.id\
         ) AS s ON s.id = w.entry_id \
         ORDER BY s.position NULLS LAST, s.recorded_at NULLS LAST, w.entry_id, w.rank, w.key, w.subkey",
        arms.join(" UNION ALL ")
    );
    let rows = sql_query(query).load_iter::<LoggedRow, PgRowByRowLoadingMode>(tx.conn)?;
    for row in rows {
        take(row?)?;
    }
    tx.set("enable_nestloop", "on")
}

/// Lines of what is no evidence and without which a programme can't go on elsewhere: who may do what, by opaque
/// ids; the last number given in each series; the ids of people whom rows name.
pub fn each_unbound(tx: &mut Tx<'_>, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        line: String,
    }
    tx.scan_all()?;
    let columns = Columns::read(tx)?;
    let of_table = |table: &str| -> Result<String> {
        let line = columns.line(table, |_| true)?;
        Ok(format!(
            "SELECT {line} AS line FROM {table} t WHERE t.programme_id = current_programme()"
        ))
    };
    let users = "SELECT DISTINCT '[\"users\",{\"id\":\"' || t.id || '\"}]' FROM (\
                 SELECT recorded_by AS id FROM entries UNION SELECT user_id FROM memberships m \
                 WHERE m.programme_id = current_programme()) AS t";
    let query = format!(
        "SELECT line FROM ({} UNION ALL {} UNION ALL {users}) AS t ORDER BY line COLLATE \"C\"",
        of_table("memberships")?,
        of_table("series")?
    );
    let rows = sql_query(query).load_iter::<Row, PgRowByRowLoadingMode>(tx.conn)?;
    for row in rows {
        take(&row?.line)?;
    }
    Ok(())
}

impl WrittenRow {
    /// The row of a line that was read elsewhere than in the database, whose JSON is `row`.
    pub fn read(entry: EntryId, table: &str, row: &Map<String, Value>, line: String) -> Self {
        let found = WRITTEN.iter().zip(0..).find(|(of, _)| of.name == table);
        let column = |expression: &str| {
            let value = expression.strip_prefix("t.").and_then(|name| row.get(name));
            value.and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok()).unwrap_or_default()
        };
        let (rank, [key, subkey]) =
            found.map_or((-1, [0, 0]), |(of, rank)| (rank, of.key.map(column)));
        Self {
            entry_id: Some(entry),
            rank,
            key,
            subkey,
            line,
            receipt: None,
            said: None,
            signature: None,
        }
    }
}

impl ChangingRow {
    /// The table and the row of a line that was read elsewhere than in the database, whose JSON is `row`; `None` when
    /// it is no row that may change.
    pub fn read(
        table: &str,
        row: &Map<String, Value>,
        line: String,
    ) -> Option<(&'static str, Self)> {
        let (table, key) = CHANGING.into_iter().find(|(of, _)| *of == table)?;
        let number = |name: &str| row.get(name)?.as_i64().and_then(|n| i32::try_from(n).ok());
        let key = key.strip_prefix("t.").map_or(key.parse().ok(), number)?;
        Some((table, Self { key, revision: number("revision")?, line }))
    }
}
