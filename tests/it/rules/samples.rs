//! Audit samples: what is drawn was committed to, by its seed, under a head that is signed; what is found is on what was drawn.
//!
//! In the scene, sample 1 is drawn and sample 2 waits, sealed and under a signed head.

use crate::support::World;

/// The draw of sample 2, but for one thing.
fn draw(change: &str) -> String {
    let row = "sample, commitment, seed, leaf, root, signed_size, population, items, drawn_by, drawn_at, entry_id";
    let mut columns = vec![
        ("sample", "2"),
        ("commitment", "sha256(decode(repeat('a5', 32), 'hex'))"),
        ("seed", "decode(repeat('a5', 32), 'hex')"),
        (
            "leaf",
            "(SELECT l.position FROM leaves l JOIN audit_samples s ON s.entry_id = l.entry_id WHERE s.number = 2)",
        ),
        ("root", "root"),
        ("signed_size", "(SELECT max(size) FROM checkpoints)"),
        ("population", "0"),
        ("items", "0"),
        ("drawn_by", "drawn_by"),
        ("drawn_at", "drawn_at"),
        ("entry_id", "entry_id"),
    ];
    if let Some((name, value)) = change.split_once(" = ") {
        columns
            .iter_mut()
            .filter(|(column, _)| *column == name)
            .for_each(|column| column.1 = value);
    }
    let values: Vec<&str> = columns.into_iter().map(|(_, value)| value).collect();
    format!(
        "INSERT INTO audit_draws ({row}) SELECT {} FROM audit_draws WHERE sample = 1",
        values.join(", ")
    )
}

#[test]
fn a_draw_is_of_the_seed_that_was_committed_to_and_of_a_head_that_is_there() {
    let world = World::lived();
    let mut service = world.service();
    service.would_take(&draw(""));
    for (change, why) in [
        // Another seed: it doesn't hash to the commitment, and what it hashes to was not committed to.
        ("seed = decode(repeat('a6', 32), 'hex')", "check seed_is_the_one_committed_to"),
        ("seed = decode(repeat('a5', 31), 'hex')", "check audit_draws_seed_check"),
        // A seed of one's own, with a commitment that fits it.
        (
            "commitment = (SELECT commitment FROM audit_samples WHERE number = 1)",
            "check seed_is_the_one_committed_to",
        ),
        ("sample = 9", "foreign key sample_was_committed_to"),
        ("sample = 1", "unique sample_drawn_once"),
        // Before the head existed.
        (
            "leaf = (SELECT max(position) + 1 FROM leaves)",
            "check signed_head_covers_the_commitment",
        ),
        ("signed_size = 1", "check signed_head_covers_the_commitment"),
        ("signed_size = (SELECT max(size) + 1 FROM checkpoints)", "foreign key head_is_signed"),
        ("entry_id = gen_random_uuid()", "foreign key entry_exists"),
        ("drawn_by = NULL", "not null drawn_by"),
    ] {
        assert_eq!(service.refused(&draw(change)), why, "{change}");
    }
    let by_another_seed = draw("seed = decode(repeat('a6', 32), 'hex')").replace(
        "sha256(decode(repeat('a5', 32), 'hex'))",
        "sha256(decode(repeat('a6', 32), 'hex'))",
    );
    assert_eq!(service.refused(&by_another_seed), "foreign key sample_was_committed_to");
    world.region.books_hold();
}

#[test]
fn a_sample_is_drawn_once() {
    let world = World::lived();
    let again = "INSERT INTO audit_draws SELECT * FROM audit_draws";
    assert_eq!(world.service().refused(again), "unique sample_drawn_once");
}

#[test]
fn a_seed_serves_once_and_criteria_hold() {
    let world = World::lived();
    let mut service = world.service();
    let commit = |commitment: &str, kinds: &str, until: &str, per_stratum: i32| {
        format!(
            "INSERT INTO audit_samples (number, title, commitment, kinds, from_on, until_on, strata, per_stratum, committed_by, committed_at, entry_id)
             SELECT 3, title, {commitment}, {kinds}, from_on, {until}, strata, {per_stratum}, committed_by, committed_at, entry_id
             FROM audit_samples WHERE number = 1"
        )
    };
    let new = "sha256('\\x01')";
    service.would_take(&commit(new, "kinds", "until_on", 2));
    for (statement, why) in [
        (commit("commitment", "kinds", "until_on", 2), "unique seed_serves_once"),
        (commit("'\\x01'", "kinds", "until_on", 2), "check audit_samples_commitment_check"),
        (commit(new, "'{}'", "until_on", 2), "check audit_samples_kinds_check"),
        (commit(new, "'{void,NULL}'", "until_on", 2), "check audit_samples_kinds_check"),
        (commit(new, "kinds", "from_on - 1", 2), "check period_has_days"),
        (commit(new, "kinds", "until_on", 0), "check audit_samples_per_stratum_check"),
        (commit(new, "kinds", "until_on", 101), "check audit_samples_per_stratum_check"),
    ] {
        assert_eq!(service.refused(&statement), why);
    }
}

#[test]
fn a_line_is_of_its_draw_and_drawn_once() {
    let world = World::lived();
    let mut service = world.service();
    let item = |sample: &str, line: &str, stratum: &str, leaf: &str, about: &str| {
        format!(
            "INSERT INTO audit_items (sample, line, stratum, leaf, about)
             SELECT {sample}, {line}, {stratum}, {leaf}, {about} FROM audit_items WHERE line = 1"
        )
    };
    service.would_take(&item("1", "100", "stratum", "0", "about"));
    for (sample, line, stratum, leaf, about, why) in [
        ("2", "100", "stratum", "0", "about", "foreign key stratum_exists"),
        ("1", "1", "stratum", "0", "about", "unique audit_items_pkey"),
        ("1", "100", "99", "0", "about", "foreign key stratum_exists"),
        ("1", "100", "stratum", "leaf", "about", "unique leaf_drawn_once"),
        ("1", "100", "stratum", "999999", "about", "foreign key leaf_exists"),
        ("1", "100", "stratum", "0", "gen_random_uuid()", "foreign key receipt_exists"),
    ] {
        assert_eq!(service.refused(&item(sample, line, stratum, leaf, about)), why);
    }
    let stratum = |sample: i32, items: i32| {
        format!(
            "INSERT INTO audit_strata (sample, number, name, population, items) VALUES ({sample}, 9, 'x', 2, {items})"
        )
    };
    service.would_take(&stratum(1, 2));
    assert_eq!(service.refused(&stratum(1, 3)), "check no_more_drawn_than_there_are");
    assert_eq!(service.refused(&stratum(2, 1)), "foreign key draw_exists");
}

#[test]
fn a_finding_is_on_a_drawn_line_and_corrects_the_one_that_stands() {
    let world = World::lived();
    let mut service = world.service();
    let finding = |line: i32, conclusion: &str, remark: &str, corrects: &str| {
        format!(
            "INSERT INTO audit_findings (number, sample, line, conclusion, remark, corrects, found_by, found_at, entry_id)
             SELECT 3, 1, {line}, '{conclusion}', {remark}, {corrects}, found_by, found_at, entry_id FROM audit_findings WHERE number = 1"
        )
    };
    service.would_take(&finding(2, "conform", "NULL", "NULL"));
    service.would_take(&finding(1, "anomaly", "'x'", "2"));
    for (line, conclusion, remark, corrects, why) in [
        (99, "conform", "NULL", "NULL", "foreign key finding_is_on_a_drawn_item"),
        (1, "conform", "NULL", "NULL", "unique line_has_one_first_finding"),
        (1, "conform", "NULL", "1", "unique finding_corrected_once"),
        (2, "conform", "NULL", "2", "foreign key corrected_finding_is_of_the_line"),
        (1, "conform", "NULL", "3", "check finding_corrects_an_earlier_one"),
        (2, "anomaly", "NULL", "NULL", "check what_is_not_conform_is_explained"),
        (2, "anomaly", "''", "NULL", "check audit_findings_remark_check"),
    ] {
        assert_eq!(service.refused(&finding(line, conclusion, remark, corrects)), why);
    }
    world.region.books_hold();
}

#[test]
fn another_programme_s_samples_are_not_there() {
    let world = World::lived();
    let mut neighbour = world.service_for(world.neighbour.programme);
    for table in ["audit_samples", "audit_draws", "audit_strata", "audit_items", "audit_findings"] {
        let seen = neighbour.value(&format!("SELECT count(*) FROM {table} WHERE programme_id = 1"));
        assert_eq!(seen, "0", "{table}");
    }
}
