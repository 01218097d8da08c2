//! The rules that may never break, attacked by direct SQL as the service's role: whatever the code does,
//! the database refuses (ARCHITECTURE.md, rules marked D). Every attack says which constraint must stop it, and
//! stands beside a lawful neighbour that is taken, so that it can't fail for another reason.

mod accounts;
mod append_only;
mod flags;
mod hand_overs;
mod incidents;
mod makers;
mod names;
mod once_per_cycle;
mod payouts;
mod samples;
mod tenants;
mod transfers;
mod workshops;

/// The redemption of a pass in its first cycle told once more, as an entry of its own, with other values in these columns.
fn redemption_told_again(of_pass: i32, changes: &[(&str, &str)]) -> String {
    let columns = [
        "kind",
        "happened_at",
        "recorded_at",
        "recorded_by",
        "corrects",
        "receipt",
        "pass",
        "cycle",
        "hand_over",
        "site",
        "service",
        "workshop",
    ];
    let values = columns.map(|column| {
        changes.iter().find(|(changed, _)| *changed == column).map_or(column, |(_, value)| value)
    });
    format!(
        "INSERT INTO entries (id, {}) SELECT gen_random_uuid(), {} FROM entries WHERE pass = {of_pass} AND cycle = 1",
        columns.join(", "),
        values.join(", ")
    )
}
