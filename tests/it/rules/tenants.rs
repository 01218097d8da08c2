//! Rule 9: nothing crosses programmes. The tables are read from the catalogue, so that a new one without
//! its guard fails here.

use crate::support::World;
use crate::support::sql::Sql;

/// Tables of the instance, which no programme owns, and why they may be.
const OF_THE_INSTANCE: [(&str, &str); 10] = [
    ("__diesel_schema_migrations", "which migrations ran; read-only"),
    ("outbox", "letters, sealed; found by nobody but the postman"),
    ("password_resets", "an account's; found by the hash of a secret that only its holder has"),
    ("programmes", "the tenants themselves: row-level security on their id"),
    ("receipt_keys", "public keys, which receipts are verified by in public"),
    ("recovery_codes", "an account's, whatever programme it acts in"),
    ("refresh_tokens", "found by the hash of a secret that only its holder has"),
    ("second_factors", "an account's, whatever programme it acts in"),
    ("sign_in_tries", "counts under the hash of an address"),
    ("users", "a person may act in several programmes; no right comes from this table"),
];

/// Tables that bear a programme and are found before one is known, and how they are guarded.
const BEFORE_A_PROGRAMME: [(&str, &str); 2] = [
    ("memberships", "a person's own, before it chooses: row-level security on person or programme"),
    ("sessions", "found by a token of theirs, or by the person whose they are"),
];

fn tables(superuser: &mut Sql, with_programme: bool) -> Vec<String> {
    superuser.column(&format!(
        "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace = 'public'::regnamespace
         AND {} EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'programme_id')
         ORDER BY c.relname COLLATE \"C\"",
        if with_programme { "" } else { "NOT" }
    ))
}

/// Those whose rows are a programme's own.
fn tables_of_programmes(superuser: &mut Sql) -> Vec<String> {
    let mut tables = tables(superuser, true);
    tables.retain(|table| !BEFORE_A_PROGRAMME.iter().any(|(exempt, _)| exempt == table));
    tables
}

#[test]
fn every_table_is_guarded_or_says_why_not() {
    let world = World::new();
    let mut superuser = world.superuser();
    assert_eq!(tables(&mut superuser, false), OF_THE_INSTANCE.map(|(table, _)| table));
    let unguarded = superuser.column(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'programme_id'
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                    AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indkey[0] = a.attnum))
         ORDER BY c.relname",
    );
    assert_eq!(unguarded, BEFORE_A_PROGRAMME.map(|(table, _)| table));
    let seen_as_its_owner = superuser.column(
        "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace
         AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)",
    );
    assert_eq!(seen_as_its_owner, Vec::<String>::new());
    let forced = superuser.column("SELECT relname FROM pg_class WHERE relname IN ('memberships', 'programmes') AND relrowsecurity AND relforcerowsecurity ORDER BY 1");
    assert_eq!(forced, ["memberships", "programmes"]);
}

#[test]
fn every_policy_is_the_same_and_binds_reading_and_writing() {
    let world = World::new();
    let odd = world.superuser().column(
        "SELECT tablename FROM pg_policies WHERE schemaname = 'public' AND tablename NOT IN ('memberships', 'programmes')
         AND NOT (permissive = 'PERMISSIVE' AND roles = '{public}' AND cmd = 'ALL' AND with_check IS NULL
                  AND qual = '(programme_id = ( SELECT current_programme() AS current_programme))')",
    );
    assert_eq!(odd, Vec::<String>::new());
    let more_than_one = world
        .superuser()
        .column("SELECT tablename FROM pg_policies GROUP BY tablename HAVING count(*) > 1");
    assert_eq!(more_than_one, Vec::<String>::new());
}

#[test]
fn no_key_leads_from_one_programme_into_another() {
    let world = World::new();
    // Both sides of every foreign key between two tables of programmes begin with the programme.
    let astray = world.superuser().column(
        "SELECT k.conname FROM pg_constraint k
         JOIN pg_attribute here ON here.attrelid = k.conrelid AND here.attname = 'programme_id'
         JOIN pg_attribute there ON there.attrelid = k.confrelid AND there.attname = 'programme_id'
         WHERE k.contype = 'f' AND (k.conkey[1] <> here.attnum OR k.confkey[1] <> there.attnum)",
    );
    assert_eq!(astray, Vec::<String>::new());
    let unique_across = world.superuser().column(
        "SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'programme_id'
         WHERE i.indisunique AND i.indkey[0] <> a.attnum AND i.indrelid NOT IN ('memberships'::regclass, 'sessions'::regclass)",
    );
    assert_eq!(
        unique_across,
        Vec::<String>::new(),
        "a uniqueness that one programme could probe in another"
    );
}

#[test]
fn a_programme_sees_its_own_rows_only_and_nobody_sees_none() {
    let world = World::lived();
    let mut superuser = world.superuser();
    let mut nobody = Sql::open(&world.database.service_url());
    let mut nothing = Sql::open(&world.database.service_url());
    nothing.speak_for("");
    for table in tables_of_programmes(&mut superuser) {
        for region in [&world.region, &world.neighbour] {
            let own = superuser.value(&format!(
                "SELECT count(*) FROM {table} WHERE programme_id = {}",
                region.programme
            ));
            assert_ne!(own, "0", "{table} has no row to be seen: play more of life in the scene");
            let mut service = world.service_for(region.programme);
            assert_eq!(service.value(&format!("SELECT count(*) FROM {table}")), own, "{table}");
            let strangers =
                format!("SELECT count(*) FROM {table} WHERE programme_id <> {}", region.programme);
            assert_eq!(service.value(&strangers), "0", "{table}");
        }
        for speaker in [&mut nobody, &mut nothing] {
            assert_eq!(speaker.value(&format!("SELECT count(*) FROM {table}")), "0", "{table}");
        }
    }
    for table in ["programmes", "memberships"] {
        assert_eq!(nobody.value(&format!("SELECT count(*) FROM {table}")), "0", "{table}");
    }
    let own = world.service().column("SELECT id FROM programmes");
    assert_eq!(own, [world.region.programme.to_string()]);
}

#[test]
fn a_programme_writes_no_row_into_another() {
    let world = World::lived();
    let mut superuser = world.superuser();
    let neighbour = world.neighbour.programme;
    let mut service = world.service();
    let mut nobody = Sql::open(&world.database.service_url());
    let mut tables = tables_of_programmes(&mut superuser);
    tables.push("memberships".into());
    // Read only (append_only).
    tables.retain(|table| table != "redemptions");
    for table in tables {
        let columns = superuser.value(&format!(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = '{table}'::regclass AND attnum > 0 AND attgenerated = '' AND NOT attisdropped"
        ));
        let row = superuser.value(&format!(
            "SELECT to_jsonb(r) FROM {table} r WHERE programme_id = {neighbour} LIMIT 1"
        ));
        let insert = format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, $row${row}$row$)"
        );
        let why = format!("new row violates row-level security policy for table \"{table}\"");
        assert_eq!(service.refused(&insert), why);
        assert_eq!(nobody.refused(&insert), why);
    }
    world.neighbour.books_hold();
}

#[test]
fn a_programme_changes_and_deletes_no_row_of_another() {
    let world = World::lived();
    let mut superuser = world.superuser();
    let own = world.region.programme;
    let changes = superuser.column(
        "SELECT 'UPDATE ' || table_name || ' SET ' || string_agg(column_name || ' = ' || column_name, ', ')
         FROM information_schema.column_privileges p WHERE grantee = 'souche_service' AND privilege_type = 'UPDATE'
           AND EXISTS (SELECT FROM information_schema.columns c WHERE c.table_name = p.table_name AND c.column_name = 'programme_id')
         GROUP BY table_name",
    );
    assert!(changes.len() > 8, "{changes:?}");
    let (mut service, mut nobody) = (world.service(), Sql::open(&world.database.service_url()));
    for change in &changes {
        assert_eq!(
            service.touched(&format!("{change} WHERE programme_id <> {own}")),
            0,
            "{change}"
        );
        assert_eq!(nobody.touched(change), 0, "{change}");
        let table = change.split(' ').nth(1).unwrap();
        let moved = format!("UPDATE {table} SET programme_id = {}", world.neighbour.programme);
        assert_eq!(service.refused(&moved), format!("permission denied for table {table}"));
    }
    assert_eq!(service.touched(&format!("DELETE FROM wrong_tries WHERE programme_id <> {own}")), 0);
    assert_eq!(nobody.touched("DELETE FROM wrong_tries"), 0);
    world.neighbour.books_hold();
}

#[test]
fn the_tenant_ends_with_its_transaction() {
    let world = World::lived();
    world.region.does(souche::db::programmes::current).unwrap();
    // The same connection, back from the pool, belongs to nobody.
    let seen = world
        .region
        .db
        .transact_blocking(souche::db::Scope::Nobody, souche::db::passes::count_by_state)
        .unwrap();
    assert!(seen.is_empty(), "{seen:?}");
}
