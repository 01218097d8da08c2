//! Rule 3: what is written stays. The service's role adds; it changes only what is named here, deletes only
//! what has no history, and owns nothing with which it could help itself.

use crate::support::World;

/// What the service may change, column by column. Whatever is not here is written once.
const MAY_CHANGE: [(&str, &str); 22] = [
    (
        "api_keys",
        "last_used_at, previous_ends_at, previous_hash, revoked_at, revoked_by, secret_hash",
    ),
    ("bank_accounts", "approved_at, approved_by, revision, usable_from"),
    ("beneficiaries", "identity_sealed, last_seen_at, passes_received"),
    ("booklets", "held_in"),
    ("executions", "confirmed_at, confirmed_by, revision"),
    ("invitations", "accepted_at, accepted_by, withdrawn_at"),
    ("logs", "horizon, refused_because"),
    ("memberships", "ended_at, organisation, role, site, version"),
    (
        "orders",
        "approved_at, approved_by, mint_entry, minted_by, print_entry, print_key_sealed, revision",
    ),
    ("outbox", "next_at, tries"),
    ("passes", "changed_at, cycle, funding, hand_over, state"),
    ("password_resets", "expires_at, issued_at, token_hash"),
    ("recovery_codes", "used_at"),
    ("refresh_tokens", "used_at"),
    ("requests", "outcome"),
    ("second_factors", "confirmed_at, enrolled_at, last_step, secret_sealed"),
    ("series", "last"),
    ("sessions", "ended_at, expires_at, factor_at, used_at"),
    ("settlements", "approved_at, approved_by, revision"),
    ("sign_in_tries", "next_at, tried_at, tries"),
    ("sites", "daily_capacity, qualified_from, qualified_until, revision"),
    ("users", "password_hash"),
];
/// In `wrong_tries` a window begins anew: counts that brake a guesser, no history.
const MAY_CHANGE_TOO: (&str, &str) = ("wrong_tries", "since, tries");

/// What the service may delete: sessions, what a person signs in with, letters that have left, and counts that brake
/// a guesser.
const MAY_DELETE: [&str; 8] = [
    "outbox",
    "password_resets",
    "recovery_codes",
    "refresh_tokens",
    "second_factors",
    "sessions",
    "sign_in_tries",
    "wrong_tries",
];

#[test]
fn the_service_changes_only_the_columns_that_are_listed() {
    let world = World::new();
    let granted = world.superuser().column(
        "SELECT table_name || ': ' || string_agg(column_name, ', ' ORDER BY column_name) FROM information_schema.column_privileges
         WHERE grantee = 'souche_service' AND privilege_type = 'UPDATE' GROUP BY table_name ORDER BY table_name",
    );
    let listed: Vec<String> = MAY_CHANGE
        .iter()
        .chain([&MAY_CHANGE_TOO])
        .map(|(table, columns)| format!("{table}: {columns}"))
        .collect();
    assert_eq!(granted, listed);
}

#[test]
fn the_service_reads_and_adds_and_deletes_next_to_nothing() {
    let world = World::new();
    let granted = world.superuser().column(
        "SELECT DISTINCT privilege_type || CASE privilege_type WHEN 'DELETE' THEN ' ' || table_name ELSE '' END AS shown
         FROM information_schema.table_privileges
         WHERE grantee IN ('souche_service', 'PUBLIC') AND table_schema = 'public' ORDER BY shown",
    );
    let mut expected: Vec<String> =
        MAY_DELETE.iter().map(|table| format!("DELETE {table}")).collect();
    expected.extend(["INSERT", "SELECT"].map(String::from));
    assert_eq!(granted, expected);
}

#[test]
fn history_is_neither_changed_nor_deleted() {
    let world = World::lived();
    let mut service = world.service();
    let written_once = [
        ("entries", "receipt = 'forged'"),
        ("entries", "recorded_at = now()"),
        ("transfers", "amount = amount + 1"),
        ("transfers", "debit = credit"),
        ("entries", "site = 1"),
        ("entries", "happened_at = now()"),
        ("voids", "reason = 'x'"),
        ("workshops", "people = people + 1"),
        ("entries", "workshop = NULL"),
        ("hand_overs", "booklet = 1"),
        ("deliveries", "last_booklet = 6"),
        ("delivery_receipts", "missing_booklets = '{1}'"),
        ("fundings", "amount_cents = 1"),
        ("payouts", "amount_cents = 1"),
        ("payouts", "iban = 'FR7630006000011234567890189'"),
        ("payout_items", "amount_cents = 1"),
        ("payout_items", "incident = NULL"),
        ("incidents", "cycle = 2"),
        ("flags", "explanation = 'x'"),
        ("flag_passes", "pass = 7"),
        ("flag_decisions", "outcome = 'released'"),
        ("payout_debits", "debited_on = '2026-01-01'"),
        ("executions", "document_sha256 = decode(repeat('00', 32), 'hex')"),
        ("executions", "declared_by = confirmed_by"),
        ("settlements", "prepared_by = approved_by"),
        ("orders", "amount_cents = 1"),
        ("orders", "placed_by = approved_by"),
        ("bank_accounts", "iban = 'FR7630006000011234567890189'"),
        ("passes", "code_hash = decode(repeat('00', 16), 'hex')"),
        ("passes", "number = number + 1000"),
        ("passes", "booklet = 1"),
        ("programmes", "face_value_cents = 1"),
        ("programmes", "passes_per_service = '{}'"),
        ("requests", "body_hash = decode(repeat('00', 32), 'hex')"),
        ("memberships", "programme_id = 1"),
        ("leaves", "leaf_hash = decode(repeat('00', 32), 'hex')"),
        ("checkpoints", "note = 'forged note'"),
        ("log_keys", "vkey = 'another key'"),
        ("audit_samples", "per_stratum = 1"),
        ("audit_draws", "seed = commitment"),
        ("audit_strata", "population = population + 1"),
        ("audit_items", "leaf = leaf + 1"),
        ("audit_findings", "conclusion = 'conform'"),
    ];
    for (table, change) in written_once {
        let denied = format!("permission denied for table {table}");
        assert_eq!(service.refused(&format!("UPDATE {table} SET {change}")), denied, "{change}");
        assert_eq!(service.refused(&format!("DELETE FROM {table}")), denied);
        assert_eq!(service.refused(&format!("TRUNCATE {table} CASCADE")), denied);
    }
    world.region.books_hold();
}

#[test]
fn redemptions_are_read_only_where_they_are_read() {
    let world = World::lived();
    let mut service = world.service();
    for through_a_view in [
        "UPDATE redemptions SET site = 1",
        "DELETE FROM redemptions",
        "INSERT INTO redemptions (pass) VALUES (7)",
    ] {
        assert_eq!(service.refused(through_a_view), "permission denied for view redemptions");
    }
    world.region.books_hold();
}

#[test]
fn the_service_owns_nothing_and_is_nobody_else() {
    let world = World::new();
    let mut superuser = world.superuser();
    let owned = superuser.column(
        "SELECT classid::regclass || ' ' || objid FROM pg_shdepend
         WHERE refobjid = 'souche_service'::regrole AND deptype = 'o'",
    );
    assert_eq!(owned, Vec::<String>::new());
    let attributes = superuser.value(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = 'souche_service'",
    );
    assert_eq!(attributes, "false");
    let memberships = superuser
        .value("SELECT count(*) FROM pg_auth_members WHERE member = 'souche_service'::regrole");
    assert_eq!(memberships, "0");
    let own = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND pg_has_role('souche_service', relowner, 'MEMBER')";
    assert_eq!(superuser.value(own), "0");
    souche::db::ensure_least_privilege(&world.database.service_url()).unwrap();
    for powerful in [world.database.owner_url(), world.database.superuser_url()] {
        souche::db::ensure_least_privilege(&powerful).unwrap_err();
    }
}

#[test]
fn the_service_does_not_change_the_rules() {
    let world = World::lived();
    let mut service = world.service();
    let attacks = [
        ("DROP TABLE entries", "must be owner of table entries"),
        (
            "ALTER TABLE transfers DROP CONSTRAINT debit_is_not_credit",
            "must be owner of table transfers",
        ),
        ("ALTER TABLE passes DISABLE ROW LEVEL SECURITY", "must be owner of table passes"),
        ("ALTER TABLE passes NO FORCE ROW LEVEL SECURITY", "must be owner of table passes"),
        ("DROP POLICY own_programme ON passes", "must be owner of relation passes"),
        ("CREATE POLICY mine ON passes USING (true)", "must be owner of table passes"),
        ("CREATE TABLE mine ()", "permission denied for schema public"),
        (
            "CREATE TEMPORARY TABLE mine ()",
            "permission denied to create temporary tables in database",
        ),
        ("CREATE SCHEMA mine", "permission denied for database"),
        (
            "CREATE OR REPLACE FUNCTION current_programme() RETURNS integer LANGUAGE sql RETURN 2",
            "permission denied for schema public",
        ),
        (
            "ALTER FUNCTION current_programme() RENAME TO mine",
            "must be owner of function current_programme",
        ),
        (
            "CREATE TRIGGER mine BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "permission denied for table entries",
        ),
        ("ALTER TABLE entries DISABLE TRIGGER ALL", "must be owner of table entries"),
        ("SET ROLE souche_owner", "permission denied to set role \"souche_owner\""),
        ("SET SESSION AUTHORIZATION postgres", "permission denied to set session authorization"),
        (
            "SET session_replication_role = replica",
            "permission denied to set parameter \"session_replication_role\"",
        ),
        ("ALTER ROLE souche_service BYPASSRLS", "must be superuser to change bypassrls attribute"),
        ("CREATE INDEX mine ON entries (kind)", "must be owner of table entries"),
    ];
    for (attack, why) in attacks {
        let told = service.refused(attack);
        assert!(told.starts_with(why), "{attack}: {told}");
    }
    // Only warned of, and without effect.
    service.run("GRANT UPDATE, DELETE ON entries TO souche_service");
    assert_eq!(
        service.refused("UPDATE entries SET receipt = 'x'"),
        "permission denied for table entries"
    );
    world.region.books_hold();
}

#[test]
fn hiding_from_row_level_security_is_an_error_and_not_a_way_out() {
    let world = World::lived();
    let why = world.service().refused("SET LOCAL row_security = off; SELECT count(*) FROM passes");
    assert_eq!(why, "query would be affected by row-level security policy for table \"passes\"");
}
