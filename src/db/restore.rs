//! Rows of a bundle, put back as they were: what [`super::evidence`] writes, read again by the same catalogue. What a row
//! leaves out because it follows from others is worked out again once all are there ([`derive()`]).

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid};
use serde_json::{Map, Value};

use super::entries::{self, Restored};
use super::evidence::{Column, Columns, WRITTEN};
use super::{Tx, users};
use crate::domain::account::{Account, AccountKind};
use crate::domain::{EntryId, Refusal, UserId};
use crate::error::Result;

/// Tables of rows that may change and of what no receipt binds: what a row names stands in one before it.
pub const STANDING: [&str; 9] = [
    "programmes",
    "organisations",
    "sites",
    "bank_accounts",
    "orders",
    "settlements",
    "executions",
    "memberships",
    "series",
];

/// Tables of what entries wrote, so that what a row names stands in one before it; where two name one another, or the
/// named comes later in the log, the key is [deferred](defer).
/// A redemption is put back [with its entry](Restorer::entries), of which it is columns.
pub const WRITTEN_IN_ORDER: [&str; 21] = [
    "transfers",
    "booklets",
    "passes",
    "fundings",
    "deliveries",
    "delivery_receipts",
    "hand_overs",
    "workshops",
    "voids",
    "payouts",
    "payout_items",
    "incidents",
    "payout_debits",
    "flags",
    "flag_passes",
    "flag_decisions",
    "audit_samples",
    "audit_draws",
    "audit_strata",
    "audit_items",
    "audit_findings",
];

/// Has the keys between rows of one entry, or of entries of one batch, looked at once all rows are there; and lets a
/// statement take as long as it takes.
pub fn defer(tx: &mut Tx<'_>) -> Result<()> {
    for limit in ["statement_timeout", "idle_in_transaction_session_timeout"] {
        tx.set(limit, "0")?;
    }
    tx.conn.batch_execute(
        "SET CONSTRAINTS hand_over_is_of_its_pass, new_cycle_needs_a_void, workshop_is_of_its_site_and_day, items_are_as_many_as_told, \
         deducted_incident_exists, incident_is_a_void, flag_is_of_the_kind DEFERRED",
    )?;
    Ok(())
}

/// What reads rows back into their tables.
pub struct Restorer(Columns);

impl Restorer {
    /// By the catalogue of this database.
    pub fn new(tx: &mut Tx<'_>) -> Result<Self> {
        Columns::read(tx).map(Self)
    }

    /// Does a row have the columns that its table has here?
    ///
    /// # Errors
    /// In French, when it has others: it was written by another version.
    pub fn ensure_fits(&self, table: &str, row: &Map<String, Value>) -> Result<(), String> {
        let columns = self.columns(table);
        let is_known = STANDING.contains(&table)
            || WRITTEN_IN_ORDER.contains(&table)
            || ["entries", "redemptions", "users"].contains(&table);
        let fits = columns.iter().all(|column| row.contains_key(&column.name));
        if is_known && fits && row.len() == columns.len() {
            return Ok(());
        }
        Err(format!(
            "les lignes de {table} n'ont pas les mêmes colonnes ici : ce dossier a été écrit par une autre version de Souche ; \
             importez-le avec celle-là, puis mettez l'instance à jour"
        ))
    }

    /// The columns of a table that a bundle says, in the order of their names.
    fn columns(&self, table: &str) -> Vec<&Column> {
        let written = WRITTEN.iter().find(|of| of.name == table);
        let is_said = |name: &str| match table {
            // A programme's own number is this instance's affair.
            "programmes" => name != "id",
            "users" => name == "id",
            _ => written.is_none_or(|of| !of.skip.contains(&name)),
        };
        self.0.of(table).iter().filter(|column| is_said(&column.name)).collect()
    }

    /// The columns' names, and the expressions that read them back from `j`.
    fn read_back(&self, table: &str) -> Result<(String, String)> {
        let mut columns = self.columns(table);
        // When its entry happened (`entries::restore`).
        columns.retain(|column| table != "redemptions" || column.name != "redeemed_at");
        let names: Vec<String> =
            columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let values: Result<Vec<String>> =
            columns.iter().map(|column| column.read_back(table)).collect();
        Ok((names.join(", "), values?.join(", ")))
    }

    /// Puts entries back, those of redemptions with what these say.
    pub fn entries(&self, tx: &mut Tx<'_>, new: &[Restored]) -> Result<()> {
        let (columns, values) = self.read_back("entries")?;
        let (of_redemptions, said) = self.read_back("redemptions")?;
        entries::restore(
            tx,
            &format!("{columns}, {of_redemptions}"),
            &format!("{values}, {said}"),
            new,
        )
    }

    /// Puts back rows of a table that entries write, each with its entry.
    pub fn written(
        &self,
        tx: &mut Tx<'_>,
        table: &str,
        entries: &[EntryId],
        lines: &[String],
    ) -> Result<()> {
        let (mut columns, mut values) = self.read_back(table)?;
        let printer = Account::of(AccountKind::Printer).id().to_string();
        let leads_to_entry = WRITTEN.iter().any(|of| of.name == table && of.leads_to_entry());
        let more = match table {
            _ if leads_to_entry => Some(("entry_id", "entry")),
            // As they were made, until the rest is derived.
            "booklets" => Some(("held_in", printer.as_str())),
            "passes" => Some(("changed_at", "(SELECT recorded_at FROM entries WHERE id = entry)")),
            _ => None,
        };
        if let Some((column, value)) = more {
            columns.extend([", ", column]);
            values.extend([", ", value]);
        }
        if table == "hand_overs" {
            insert(tx, BENEFICIARIES, entries, lines)?;
        }
        let insert_rows = format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {LINES}");
        insert(tx, &insert_rows, entries, lines)
    }

    /// Puts back rows of one of [`STANDING`]. A membership comes back ended: nobody gets in by a file.
    pub fn standing(&self, tx: &mut Tx<'_>, table: &str, lines: &[String]) -> Result<()> {
        let (mut columns, mut values) = self.read_back(table)?;
        if table == "programmes" {
            columns.push_str(", id");
            values.push_str(", current_programme()");
        }
        if table == "memberships" {
            columns.push_str(", programme_id");
            values.push_str(", current_programme()");
            values = values.replace(
                "(j ->> 'ended_at')::timestamptz",
                "coalesce((j ->> 'ended_at')::timestamptz, $2)",
            );
        }
        // Both are named in every statement, so that the second may be bound.
        let written = sql_query(format!(
            "INSERT INTO {table} ({columns}) SELECT {values} FROM (SELECT line::jsonb -> 1 FROM unnest($1) AS new (line)) AS new (j) \
             WHERE $2 IS NOT NULL{}",
            if table == "programmes" { " ON CONFLICT (code) DO NOTHING" } else { "" }
        ))
        .bind::<Array<Text>, _>(lines)
        .bind::<Timestamptz, _>(tx.now)
        .execute(tx.conn)?;
        if table == "programmes" && written != 1 {
            return Err(Refusal::Duplicate { what: "Le dispositif du dossier".into() }.into());
        }
        Ok(())
    }

    /// Opens accounts for people of whom the bundle knows an id alone: names in the journal, by which nobody signs in. One
    /// that the instance has already stays as it is. `password_hash` is that of a password nobody knows.
    pub fn people(tx: &mut Tx<'_>, people: &[UserId], password_hash: &str) -> Result<()> {
        users::restore(tx, people, password_hash)
    }
}

/// Lines, each with its entry: what statements read `entry` and `j` from.
const LINES: &str =
    "(SELECT entry, line::jsonb -> 1 FROM unnest($1, $2) AS new (entry, line)) AS new (entry, j)";

/// The people of hand-overs, without who they are: how many passes each received is derived.
const BENEFICIARIES: &str = "INSERT INTO beneficiaries (person_key, identity_sealed, passes_received, first_seen_at, last_seen_at) \
     SELECT DISTINCT ON (person) person, '', 0, at, at \
     FROM (SELECT decode(line::jsonb -> 1 ->> 'person_key', 'hex'), (line::jsonb -> 1 ->> 'handed_at')::timestamptz \
           FROM unnest($1, $2) AS new (entry, line)) AS new (person, at) \
     ORDER BY person, at ON CONFLICT DO NOTHING";

fn insert(tx: &mut Tx<'_>, statement: &str, entries: &[EntryId], lines: &[String]) -> Result<()> {
    sql_query(statement)
        .bind::<Array<Uuid>, _>(entries)
        .bind::<Array<Text>, _>(lines)
        .execute(tx.conn)?;
    Ok(())
}

impl Column {
    /// The expression that reads the column back from `j`, a row's JSON.
    fn read_back(&self, table: &str) -> Result<String> {
        let (name, of_type) = (&self.name, &self.of_type);
        let text = format!("j ->> '{name}'");
        Ok(match of_type.as_str() {
            "text" => text,
            "int2" | "int4" | "int8" | "bool" | "uuid" | "jsonb" | "date" | "timestamptz" => {
                format!("({text})::{of_type}")
            }
            "bytea" => format!("decode({text}, 'hex')"),
            "_text" | "_int4" => format!(
                "CASE jsonb_typeof(j -> '{name}') WHEN 'array' THEN ARRAY(SELECT e::{} FROM \
                 jsonb_array_elements_text(j -> '{name}') WITH ORDINALITY AS a (e, n) ORDER BY n) END",
                of_type.trim_start_matches('_')
            ),
            _ if self.is_word => format!("({text})::{of_type}"),
            other => {
                return Err(anyhow::anyhow!("{table}.{name}: {other} can't be read back").into());
            }
        })
    }
}

/// Works out what follows from the rows that were put back: where booklets lie; funding, hand-over, state, cycle and last
/// change of passes; what each person received. Then every key is looked at. `verify` holds each of these against the
/// journal by queries of its own ([`super::audit`]).
pub fn derive(tx: &mut Tx<'_>) -> Result<()> {
    tx.scan_all()?;
    tx.set("enable_nestloop", "off")?;
    tx.set("work_mem", "64MB")?;
    for statement in DERIVED {
        tx.conn.batch_execute(statement)?;
    }
    tx.set("enable_nestloop", "on")?;
    tx.conn.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")?;
    Ok(())
}

const DERIVED: [&str; 3] = [
    "UPDATE booklets b SET held_in = last.debit FROM (
         SELECT DISTINCT ON (moved.first) moved.first, moved.debit FROM (
             SELECT b.first_pass AS first, t.debit, e.recorded_at, e.id FROM transfers t JOIN entries e ON e.id = t.entry_id
             CROSS JOIN LATERAL generate_series(t.first_pass, t.first_pass + t.amount::integer - 1) AS p (pass)
             JOIN booklets b ON b.first_pass = p.pass WHERE t.book = 'PASS' AND t.amount > 1
         ) moved ORDER BY moved.first, moved.recorded_at DESC, moved.id DESC
     ) last WHERE last.first = b.first_pass AND b.held_in <> last.debit",
    "WITH moved AS (
         SELECT p.pass, t.debit % 100 AS code, e.recorded_at, e.id FROM transfers t JOIN entries e ON e.id = t.entry_id
         CROSS JOIN LATERAL generate_series(t.first_pass, t.first_pass + t.amount::integer - 1) AS p (pass) WHERE t.book = 'PASS'
     ), last AS (SELECT DISTINCT ON (pass) pass, code FROM moved ORDER BY pass, recorded_at DESC, id DESC),
     used AS (
         SELECT pass, max(cycle) AS cycle, max(recorded_at) AS at FROM entries WHERE pass IS NOT NULL GROUP BY pass
     ), undone AS (
         SELECT v.pass, max(e.recorded_at) AS at FROM voids v JOIN entries e ON e.id = v.entry_id GROUP BY v.pass
     )
     UPDATE passes p SET funding = f.number, hand_over = h.number, cycle = coalesce(used.cycle, 0),
            changed_at = greatest(p.changed_at, funded.recorded_at, handed.recorded_at, used.at, undone.at),
            state = CASE last.code WHEN 7 THEN 'redeemed' WHEN 6 THEN 'distributed' WHEN 8 THEN 'expired' WHEN 9 THEN 'cancelled'
                         ELSE CASE WHEN f.number IS NULL THEN 'inert' ELSE 'active' END END::pass_state
     FROM passes own
     JOIN last ON last.pass = own.number
     LEFT JOIN fundings f ON f.order_number = own.order_number LEFT JOIN entries funded ON funded.id = f.entry_id
     LEFT JOIN hand_overs h ON h.booklet = own.booklet LEFT JOIN entries handed ON handed.id = h.entry_id
     LEFT JOIN used ON used.pass = own.number LEFT JOIN undone ON undone.pass = own.number
     WHERE own.number = p.number AND (f.number IS NOT NULL OR last.code > 5)",
    "UPDATE beneficiaries b SET passes_received = had.passes, last_seen_at = had.at FROM (
         SELECT h.person_key, sum(k.size)::integer AS passes, max(h.handed_at) AS at
         FROM hand_overs h JOIN booklets k ON k.number = h.booklet GROUP BY h.person_key
     ) had WHERE had.person_key = b.person_key",
];

#[cfg(test)]
mod tests {
    use super::super::evidence::tables;
    use super::*;

    #[test]
    fn every_table_of_evidence_is_put_back() {
        let known = |table: &&str| STANDING.contains(table) || WRITTEN_IN_ORDER.contains(table);
        let of_entries = ["entries", "redemptions"];
        let missing = tables().filter(|table| !of_entries.contains(table) && !known(table));
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<&str>::new());
    }
}
