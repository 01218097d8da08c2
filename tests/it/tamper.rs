//! Somebody with every privilege changes one thing at random, behind all constraints: any column of any row
//! of evidence, a row taken away or slipped in, two values swapped. `verify` finds it, and names the row.
//!
//! A tail that is cut whole (the last entries with all that they wrote, the passes set back, the series too)
//! leaves a journal that is true and shorter: only a checkpoint of the log that somebody else keeps tells.

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Bool, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use souche::db::{Tx, evidence};
use souche::domain::seeded::Seeded;
use souche::ledger::verify::{Check, verify};

use crate::support::World;

/// Changes in an ordinary run; `SOUCHE_TAMPERINGS` asks for another number, `SOUCHE_SEED` for other ones.
const TAMPERINGS: u64 = 200;

/// What no receipt binds, because nothing rests on it: the transaction that wrote the entry.
const NOT_BOUND: [(&str, &str); 1] = [("entries", "xid")];

/// What a random change may touch: the columns of the tables of evidence, by table.
struct Target {
    columns: BTreeMap<&'static str, Vec<Column>>,
}

#[derive(Clone, Debug, QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    of_type: String,
    #[diesel(sql_type = Bool)]
    is_key: bool,
}

/// One change: the statement, and the table that it touches.
#[derive(Debug)]
struct Change {
    table: &'static str,
    sql: String,
}

impl Target {
    fn read(conn: &mut PgConnection) -> Self {
        // A redemption is columns of its entry.
        let tables = evidence::tables().filter(|table| *table != "redemptions");
        let columns = tables.map(|table| {
            let columns: Vec<Column> = sql_query(
                "SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS of_type,
                        EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS is_key
                 FROM pg_attribute a
                 WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum",
            )
            .bind::<Text, _>(table)
            .load(conn)
            .unwrap();
            let bound = |column: &Column| !NOT_BOUND.contains(&(table, column.name.as_str()));
            (table, columns.into_iter().filter(bound).collect())
        });
        Self { columns: columns.collect() }
    }

    fn change(&self, seeded: &mut Seeded) -> Change {
        let tables: Vec<&'static str> = self.columns.keys().copied().collect();
        let table = *seeded.pick(&tables).unwrap();
        let own = if table == "programmes" { "id = 1" } else { "programme_id = 1" };
        let row = format!(
            "(SELECT ctid FROM {table} WHERE {own} ORDER BY md5(ctid::text || '{}') LIMIT 1)",
            seeded.below(1_000_000)
        );
        let columns: Vec<Column> = self.columns[table].clone();
        let not_tenant: Vec<Column> =
            columns.iter().filter(|column| !is_tenant(table, column)).cloned().collect();
        let column = seeded.pick(&not_tenant).unwrap();
        let sql = match seeded.below(8) {
            0..=3 => format!(
                "UPDATE {table} SET {} = {} WHERE ctid = {row}",
                column.name,
                other_value(column, seeded)
            ),
            4 => format!("DELETE FROM {table} WHERE ctid = {row}"),
            5 => copy_of(table, &columns, &row, seeded),
            _ => swap(table, own, column, seeded),
        };
        Change { table, sql }
    }
}

fn is_tenant(table: &str, column: &Column) -> bool {
    column.name == "programme_id" || (table == "programmes" && column.name == "id")
}

/// A value of the column's type that is not the one it has.
fn other_value(column: &Column, seeded: &mut Seeded) -> String {
    let (name, n) = (&column.name, seeded.below(5) + 1);
    match column.of_type.as_str() {
        "integer" | "bigint" | "smallint" => format!("coalesce({name}, 0) + {n}"),
        "text" => format!("coalesce({name}, '') || {n}"),
        "boolean" => format!("NOT {name}"),
        "uuid" => "gen_random_uuid()".to_owned(),
        "date" => format!("coalesce({name}, '2026-01-01') + {n}"),
        "bytea" => format!("coalesce({name}, '') || '\\x0{n}'"),
        "jsonb" => format!("jsonb_build_array({name}, {n})"),
        "text[]" => format!("{name} || '{n}'::text"),
        "integer[]" => format!("{name} || {n}"),
        "timestamp with time zone" => {
            format!("coalesce({name}, '2026-01-01') + '{n} microseconds'")
        }
        word => format!(
            "(SELECT w FROM unnest(enum_range(NULL::{word})) w WHERE w IS DISTINCT FROM {name} ORDER BY md5(w::text || {n}) LIMIT 1)"
        ),
    }
}

/// A row slipped in: like another, under a key of its own.
fn copy_of(table: &str, columns: &[Column], row: &str, seeded: &mut Seeded) -> String {
    let keys: Vec<&Column> = columns.iter().filter(|c| c.is_key && !is_tenant(table, c)).collect();
    let new_key = seeded.pick(&keys).map(|column| column.name.clone());
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let values = columns.iter().map(|column| {
        if Some(&column.name) != new_key.as_ref() {
            column.name.clone()
        } else if column.of_type == "uuid" {
            "gen_random_uuid()".to_owned()
        } else {
            format!("(SELECT max({}) + 1 FROM {table})", column.name)
        }
    });
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM {table} WHERE ctid = {row}",
        names.join(", "),
        values.collect::<Vec<_>>().join(", ")
    )
}

/// Two rows that differ in a column exchange its values.
fn swap(table: &str, own: &str, column: &Column, seeded: &mut Seeded) -> String {
    let name = &column.name;
    format!(
        "WITH pair AS (
             SELECT a.ctid AS a, b.ctid AS b, a.{name} AS of_a, b.{name} AS of_b FROM {table} a, {table} b
             WHERE a.{own} AND b.{own} AND a.{name} IS DISTINCT FROM b.{name} ORDER BY md5(a.ctid::text || b.ctid::text || '{}') LIMIT 1
         )
         UPDATE {table} t SET {name} = CASE t.ctid WHEN pair.a THEN pair.of_b ELSE pair.of_a END FROM pair WHERE t.ctid IN (pair.a, pair.b)",
        seeded.below(1_000_000)
    )
}

/// Makes the change and verifies, in a transaction that is rolled back: the keys of the rows that are not what
/// they were, and the checks. Nothing when it could not be made: no such row, or a unique key or a CHECK, which
/// hold even then.
fn found_after(
    conn: &mut PgConnection,
    world: &World,
    change: &Change,
) -> Option<(Vec<String>, Vec<Check>)> {
    conn.batch_execute("BEGIN; SET LOCAL session_replication_role = replica").unwrap();
    let before = rows(conn, change.table);
    let touched = sql_query(&change.sql).execute(conn);
    let found = touched.ok().filter(|rows| *rows > 0).map(|_| {
        let after = rows(conn, change.table);
        let mut changed: Vec<String> =
            before.symmetric_difference(&after).map(|(key, ..)| key.clone()).collect();
        // A row that is gone, or led elsewhere, can be named by its entry, whose receipt binds it; an entry that
        // is gone, by its number.
        let led = |rows: &Rows| -> BTreeSet<(String, String)> {
            rows.iter().map(|(key, _, entry)| (key.clone(), entry.clone())).collect()
        };
        let (was, is) = (led(&before), led(&after));
        changed.extend(was.symmetric_difference(&is).map(|(_, entry)| entry.clone()));
        // As the service connects: see `Limits` in src/db/mod.rs.
        conn.batch_execute(
            "SET LOCAL ROLE souche_service; SET LOCAL timezone = 'UTC'; SET LOCAL jit = off",
        )
        .unwrap();
        let now = world.region.now();
        let mut tx = Tx::within(conn, now, world.region.programme).unwrap();
        let checks = verify(&mut tx).unwrap_or_else(|error| panic!("{change:?}: {error:?}"));
        (changed, checks)
    });
    conn.batch_execute("ROLLBACK").unwrap();
    found
}

type Rows = BTreeSet<(String, String, String)>;

/// Every row of a table in the programme under test: its key, as `verify` names it, all that it says, and its entry.
fn rows(conn: &mut PgConnection, table: &str) -> Rows {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        key: String,
        #[diesel(sql_type = Text)]
        all: String,
        #[diesel(sql_type = Text)]
        entry: String,
    }
    let key = match table {
        "entries" => "id::text",
        "transfers" => "entry_id::text",
        "executions" => "settlement::text",
        "delivery_receipts" => "delivery::text",
        "payout_debits" => "payout::text",
        "payout_items" => "payout || '-' || line",
        "voids" | "flag_passes" => "pass || '-' || cycle",
        "flag_decisions" => "flag::text",
        "audit_draws" => "sample::text",
        "audit_items" => "sample || '-' || line",
        "audit_strata" => "sample || '-' || number",
        "programmes" => "'1'",
        _ => "number::text",
    };
    let entry = match table {
        "booklets" | "passes" => {
            "(SELECT mint_entry FROM orders o WHERE o.programme_id = t.programme_id AND o.number = t.order_number)"
        }
        "payout_items" => {
            "(SELECT entry_id FROM payouts p WHERE p.programme_id = t.programme_id AND p.number = t.payout)"
        }
        "flag_passes" => {
            "(SELECT entry_id FROM flags f WHERE f.programme_id = t.programme_id AND f.number = t.flag)"
        }
        "audit_items" | "audit_strata" => {
            "(SELECT entry_id FROM audit_draws d WHERE d.programme_id = t.programme_id AND d.sample = t.sample)"
        }
        "incidents" => {
            "(SELECT entry_id FROM voids v WHERE v.programme_id = t.programme_id AND v.pass = t.pass AND v.cycle = t.cycle)"
        }
        "entries" => "kind || ' ' || number",
        table if evidence::is_changing(table) => "NULL",
        _ => "entry_id",
    };
    let own = if table == "programmes" { "id = 1" } else { "programme_id = 1" };
    let query = format!(
        "SELECT {key} AS key, t::text AS all, coalesce(({entry})::text, '') AS entry FROM {table} t WHERE {own}"
    );
    let rows: Vec<Row> = sql_query(query).load(conn).unwrap();
    rows.into_iter().map(|row| (row.key, row.all, row.entry)).collect()
}

/// Does what `verify` found name one of these rows: by its key, its entry, or within a range?
fn names(first: &str, table: &str, keys: &[String]) -> bool {
    let numbers = |text: &str| -> Option<Vec<i32>> {
        text.split('-').map(|part| part.parse().ok()).collect()
    };
    let rest = first.split(&format!("{table}/")).nth(1);
    let named = rest.map(|rest| rest.split([',', ')', ' ']).next().unwrap_or_default());
    keys.iter().any(|key| {
        let is_within = named.is_some_and(|named| match named.split_once('…') {
            Some((from, to)) => {
                (numbers(from)..=numbers(to)).contains(&numbers(key)) && numbers(key).is_some()
            }
            None => named == key,
        });
        first == key || is_within || (key.len() == 36 && first.contains(key.as_str()))
    })
}

fn asked(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn every_single_change_is_found_and_its_row_named() {
    let (seed, wanted) = (asked("SOUCHE_SEED", 4), asked("SOUCHE_TAMPERINGS", TAMPERINGS));
    let world = World::lived();
    world.region.books_hold();
    let mut conn = PgConnection::establish(&world.database.superuser_url()).unwrap();
    let target = Target::read(&mut conn);
    let (mut seeded, mut made, mut tried) = (Seeded::new(seed), 0, 0);
    let mut by_table: BTreeMap<&str, u64> = BTreeMap::new();
    while made < wanted {
        let change = target.change(&mut seeded);
        tried += 1;
        assert!(tried < 20 * wanted, "too few changes can be made: {made} of {tried}");
        let Some((rows, checks)) = found_after(&mut conn, &world, &change) else { continue };
        if rows.is_empty() {
            continue;
        }
        let broken: Vec<&Check> = checks.iter().filter(|check| !check.holds).collect();
        assert!(!broken.is_empty(), "seed {seed}: nobody saw {change:?}");
        let mut first = broken.iter().filter_map(|check| check.first.as_deref());
        assert!(
            first.any(|first| names(first, change.table, &rows)),
            "seed {seed}: {change:?} touched {rows:?}, unnamed in {broken:#?}"
        );
        made += 1;
        *by_table.entry(change.table).or_default() += 1;
    }
    assert!(wanted < 1_000 || by_table.len() == target.columns.len(), "{by_table:?}");
    world.region.books_hold();
}

#[test]
fn every_table_is_evidence_or_says_why_not() {
    let world = World::new();
    let mut there = world.superuser().column(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace",
    );
    let not_evidence = evidence::NOT_EVIDENCE.iter().map(|(table, _)| *table);
    let mut said: Vec<&str> = evidence::tables().chain(not_evidence).collect();
    there.sort_unstable();
    said.sort_unstable();
    assert_eq!(there, said);
}
