//! Whoever meets a rule is told its name: what holds over several columns has one that says it, and the
//! table in docs/ledger.md names what the schema has.

use std::collections::BTreeSet;

use crate::support::World;

const LEDGER: &str = include_str!("../../../docs/ledger.md");

#[test]
fn what_holds_over_several_columns_says_it_in_its_name() {
    let world = World::new();
    // PostgreSQL's own names begin with the table's. A key that only others refer to may keep one.
    let nameless = world.superuser().column(
        "SELECT k.conrelid::regclass || '.' || k.conname FROM pg_constraint k
         WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('c', 'f', 'u') AND cardinality(k.conkey) > 1
           AND starts_with(k.conname, k.conrelid::regclass::text)
           AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = k.conindid AND k.contype = 'u')",
    );
    assert_eq!(nameless, Vec::<String>::new());
}

#[test]
fn the_table_of_rules_names_constraints_that_are_there() {
    let world = World::new();
    let there: BTreeSet<String> = world
        .superuser()
        .column(
            "SELECT conrelid::regclass || '.' || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
             UNION SELECT indrelid::regclass || '.' || relname FROM pg_index JOIN pg_class c ON c.oid = indexrelid
             WHERE relnamespace = 'public'::regnamespace AND indisunique",
        )
        .into_iter()
        .collect();
    let (_, section) = LEDGER.split_once("## Rules and their constraints").unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with('|'));
    let named: Vec<String> = rows
        .take_while(|line| line.starts_with('|'))
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .filter(|name| name.contains('.'))
        .map(String::from)
        .collect();
    assert!(named.len() > 30, "{named:?}");
    for name in named {
        assert!(there.contains(&name), "docs/ledger.md names {name}");
    }
}
