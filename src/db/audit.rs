//! Questions that only an audit asks: set-based, over the whole programme.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::Tx;
use crate::domain::SiteId;
use crate::error::Result;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The programme's code, read apart: a row that is no programme any more must not keep an
/// audit from saying so.
pub fn programme_code(tx: &mut Tx<'_>) -> Result<String> {
    let found: Vec<Name> =
        sql_query("SELECT code AS name FROM programmes WHERE id = current_programme()")
            .load(tx.conn)?;
    Ok(found.into_iter().next().map(|row| row.name).unwrap_or_default())
}

/// What a pass of the programme is worth, in cents; 0 when there is no such programme.
pub fn face_value_cents(tx: &mut Tx<'_>) -> Result<i64> {
    let found: Count = sql_query(
        "SELECT coalesce(max(face_value_cents), 0) AS n FROM programmes WHERE id = current_programme()",
    )
    .get_result(tx.conn)?;
    Ok(found.n)
}

/// How many passes the table of passes holds.
pub fn minted(tx: &mut Tx<'_>) -> Result<i64> {
    let count: Count = sql_query("SELECT count(*) AS n FROM passes").get_result(tx.conn)?;
    Ok(count.n)
}

/// How many passes are funded and not used up: what the float stands for.
pub fn funded_and_unspent(tx: &mut Tx<'_>) -> Result<i64> {
    let count: Count = sql_query(
        "SELECT count(*) AS n FROM passes WHERE funding IS NOT NULL AND state NOT IN ('redeemed', 'expired', 'cancelled')",
    )
    .get_result(tx.conn)?;
    Ok(count.n)
}

/// What each site is owed and has not been debited for it yet, in cents, by the books: its payable account, and what is
/// ordered from the bank. Sites that are owed nothing may be left out.
pub fn owed_by_site(tx: &mut Tx<'_>) -> Result<BTreeMap<SiteId, i64>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        site: SiteId,
        #[diesel(sql_type = BigInt)]
        cents: i64,
    }
    tx.scan_all()?;
    let rows: Vec<Row> = sql_query(
        "SELECT site, sum(cents)::bigint AS cents FROM (
             SELECT credit / 100 AS site, amount AS cents FROM transfers WHERE book = 'EUR' AND credit % 100 = 54
             UNION ALL SELECT debit / 100, -amount FROM transfers WHERE book = 'EUR' AND debit % 100 = 54
             UNION ALL
             SELECT r.site, i.amount_cents FROM payout_items i JOIN redemptions r ON r.pass = i.pass AND r.cycle = i.cycle
             JOIN payouts p ON p.number = i.payout JOIN settlements s ON s.number = p.settlement
             LEFT JOIN payout_debits d ON d.payout = p.number WHERE s.approved_by IS NOT NULL AND d.payout IS NULL
         ) parts GROUP BY site",
    )
    .load(tx.conn)?;
    Ok(rows.into_iter().map(|row| (row.site, row.cents)).collect())
}

/// How many rows break a rule, and the first of them by name.
#[derive(Debug, QueryableByName)]
pub struct Found {
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub n: i64,
    /// Which.
    #[diesel(sql_type = Nullable<Text>)]
    pub first: Option<String>,
}

/// Counts what a query of [`CHECKS`] finds.
///
/// A check reads all rows of its tables, so its joins go by hashing or sorting. On tables that grew faster than
/// the server's statistics, the planner would take them for small, and go through one for each row of another.
pub fn run(tx: &mut Tx<'_>, query: &str) -> Result<Found> {
    tx.scan_all()?;
    tx.set("enable_nestloop", "off")?;
    let query =
        format!("SELECT count(*) AS n, min(broken) AS first FROM ({query}) AS found (broken)");
    let found = sql_query(query).get_result(tx.conn)?;
    tx.set("enable_nestloop", "on")?;
    Ok(found)
}

/// Name, rule in French, and a query whose rows each name something that breaks it.
pub const CHECKS: [(&str, &str, &str); 15] = [
    (
        "pass_state_replays",
        "Le journal, rejoué depuis zéro, met chaque pass dans l'état où il est",
        // Where the last movement left the pass, against the state that its row says.
        "WITH moved AS (
             SELECT p.pass, t.debit % 100 AS code, e.recorded_at, e.id FROM transfers t JOIN entries e ON e.id = t.entry_id,
                    generate_series(t.first_pass, t.first_pass + t.amount::integer - 1) AS p (pass) WHERE t.book = 'PASS'
         ), last AS (SELECT DISTINCT ON (pass) pass, code FROM moved ORDER BY pass, recorded_at DESC, id DESC)
         SELECT coalesce(p.number, l.pass)::text FROM passes p FULL JOIN last l ON l.pass = p.number
         WHERE p.number IS NULL OR
               (CASE p.state WHEN 'redeemed' THEN l.code = 7 WHEN 'distributed' THEN l.code = 6
                             WHEN 'expired' THEN l.code = 8 WHEN 'cancelled' THEN l.code = 9
                             WHEN 'stopped' THEN l.code BETWEEN 2 AND 6 ELSE l.code BETWEEN 2 AND 5 END) IS NOT TRUE",
    ),
    (
        "pass_replays",
        "Le journal, rejoué depuis zéro, redonne de chaque pass le financement, la remise, le cycle et le dernier changement",
        "SELECT p.number::text FROM passes p
         LEFT JOIN orders o ON o.number = p.order_number LEFT JOIN entries minted ON minted.id = o.mint_entry
         LEFT JOIN fundings f ON f.order_number = p.order_number LEFT JOIN entries funded ON funded.id = f.entry_id
         LEFT JOIN hand_overs h ON h.booklet = p.booklet LEFT JOIN entries handed ON handed.id = h.entry_id
         LEFT JOIN (
             SELECT pass, max(cycle) AS cycle, max(recorded_at) AS at FROM entries WHERE pass IS NOT NULL GROUP BY pass
         ) r ON r.pass = p.number
         LEFT JOIN (
             SELECT v.pass, max(e.recorded_at) AS at FROM voids v JOIN entries e ON e.id = v.entry_id GROUP BY v.pass
         ) v ON v.pass = p.number
         WHERE p.funding IS DISTINCT FROM f.number OR p.hand_over IS DISTINCT FROM h.number OR p.cycle <> coalesce(r.cycle, 0)
               OR p.changed_at IS DISTINCT FROM greatest(minted.recorded_at, funded.recorded_at, handed.recorded_at, r.at, v.at)
               OR (p.state IN ('inert', 'active') AND (p.state = 'inert') <> (f.number IS NULL))",
    ),
    (
        "custody_is_continuous",
        "Un pass ne quitte que le compte où son mouvement précédent l'a mis",
        "WITH moved AS (
             SELECT p.pass, t.debit, t.credit, e.recorded_at, e.id FROM transfers t JOIN entries e ON e.id = t.entry_id,
                    generate_series(t.first_pass, t.first_pass + t.amount::integer - 1) AS p (pass) WHERE t.book = 'PASS'
         ), chained AS (
             SELECT pass, credit, lag(debit, 1, 1) OVER (PARTITION BY pass ORDER BY recorded_at, id) AS came_from FROM moved
         )
         SELECT pass::text FROM chained WHERE credit <> came_from",
    ),
    (
        "booklet_lies_where_its_passes_do",
        "Un carnet est là où le dernier mouvement de ses pass, avant usage, l'a mis",
        // Ranges are laid out pass by pass and then joined: a join on "lies within" compares every booklet
        // with every hand-over.
        "WITH moved AS (
             SELECT p.pass, t.debit, e.recorded_at, e.id FROM transfers t JOIN entries e ON e.id = t.entry_id,
                    generate_series(t.first_pass, t.first_pass + t.amount::integer - 1) AS p (pass)
             WHERE t.book = 'PASS' AND t.amount > 1
         ), last AS (
             SELECT DISTINCT ON (b.number) b.number, b.held_in, m.debit FROM booklets b JOIN moved m ON m.pass = b.first_pass
             ORDER BY b.number, m.recorded_at DESC, m.id DESC
         ) SELECT number::text FROM last WHERE held_in <> debit",
    ),
    (
        "redemption_has_its_entry",
        "L'écriture de chaque utilisation a un mouvement dans chaque livre, pour son pass, son lieu et la valeur faciale",
        "SELECT r.pass || '-' || r.cycle FROM redemptions r
         LEFT JOIN transfers p ON p.entry_id = r.entry_id AND p.book = 'PASS' AND p.first_pass = r.pass AND p.amount = 1
              AND p.debit = 100 * r.site + 7 AND p.credit = 6
         LEFT JOIN transfers m ON m.entry_id = r.entry_id AND m.book = 'EUR' AND m.debit = 53 AND m.credit = 100 * r.site + 54
              AND m.amount = (SELECT face_value_cents FROM programmes WHERE id = current_programme())
         LEFT JOIN (SELECT entry_id, count(*) AS n FROM transfers GROUP BY entry_id) c ON c.entry_id = r.entry_id
         WHERE p.entry_id IS NULL OR m.entry_id IS NULL OR c.n <> 2",
    ),
    (
        "entry_has_its_redemption",
        "Chaque écriture d'utilisation, d'annulation ou d'incident a sa ligne",
        "SELECT e.id::text FROM entries e
         LEFT JOIN transfers t ON t.entry_id = e.id AND t.book = 'PASS'
         LEFT JOIN redemptions r ON r.entry_id = e.id AND r.pass = t.first_pass
         WHERE e.kind = 'redemption' AND r.pass IS NULL
         UNION ALL
         SELECT e.id::text FROM entries e
         LEFT JOIN transfers t ON t.entry_id = e.id AND t.book = 'PASS'
         LEFT JOIN redemptions r ON r.entry_id = e.corrects AND r.pass = t.first_pass
         LEFT JOIN voids v ON v.entry_id = e.id AND v.pass = r.pass AND v.cycle = r.cycle
         LEFT JOIN incidents n ON n.number = e.number AND n.pass = r.pass AND n.cycle = r.cycle
         WHERE e.kind IN ('void', 'incident') AND (v.pass IS NULL OR (e.kind = 'incident') <> (n.pass IS NOT NULL))",
    ),
    (
        "live_redemption_matches_state",
        "Un pass utilisé a une utilisation non annulée de son cycle, et lui seul",
        "SELECT p.number::text FROM passes p
         LEFT JOIN redemptions r ON r.pass = p.number AND r.cycle = p.cycle
         LEFT JOIN voids v ON v.pass = p.number AND v.cycle = p.cycle
         WHERE (p.state = 'redeemed') <> (r.pass IS NOT NULL AND v.pass IS NULL)",
    ),
    (
        "void_is_never_paid",
        "Aucune utilisation annulée n'est dans un contre-paiement, à moins d'un incident",
        "SELECT v.pass || '-' || v.cycle FROM voids v JOIN payout_items i ON i.pass = v.pass AND i.cycle = v.cycle
         LEFT JOIN incidents n ON n.pass = v.pass AND n.cycle = v.cycle WHERE n.number IS NULL",
    ),
    (
        "payable_is_what_is_owed",
        "Chaque lieu est dû de ce qu'il a utilisé, moins annulations et incidents, moins ce que les lots approuvés en règlent",
        "WITH booked AS (
             SELECT account / 100 AS site, sum(cents) AS cents FROM (
                 SELECT credit AS account, amount AS cents FROM transfers WHERE book = 'EUR' AND credit % 100 = 54
                 UNION ALL SELECT debit, -amount FROM transfers WHERE book = 'EUR' AND debit % 100 = 54
             ) sides GROUP BY 1
         ), owed AS (
             SELECT site, sum(cents) AS cents FROM (
                 SELECT r.site, CASE WHEN v.pass IS NULL THEN p.face_value_cents ELSE 0 END AS cents
                 FROM redemptions r LEFT JOIN voids v ON v.pass = r.pass AND v.cycle = r.cycle
                 CROSS JOIN (SELECT face_value_cents FROM programmes WHERE id = current_programme()) p
                 UNION ALL
                 SELECT r.site, -i.amount_cents FROM payout_items i JOIN redemptions r ON r.pass = i.pass AND r.cycle = i.cycle
                 JOIN payouts p ON p.number = i.payout JOIN settlements s ON s.number = p.settlement WHERE s.approved_by IS NOT NULL
             ) parts GROUP BY site
         )
         SELECT site::text FROM booked FULL JOIN owed USING (site) WHERE coalesce(booked.cents, 0) <> coalesce(owed.cents, 0)",
    ),
    (
        "held_is_not_paid",
        "Rien n'est payé de ce qu'un signalement retenait quand le lot a été préparé",
        "SELECT i.pass || '-' || i.cycle FROM payout_items i
         JOIN flag_passes f ON f.pass = i.pass AND f.cycle = i.cycle
         JOIN payouts p ON p.number = i.payout JOIN settlements s ON s.number = p.settlement
         LEFT JOIN flag_decisions k ON k.flag = f.flag
         WHERE NOT i.deducts AND (k.flag IS NULL OR k.outcome <> 'released' OR k.decided_at > s.prepared_at)",
    ),
    (
        "payout_entries_match",
        "Chaque contre-paiement approuvé ou débité a son écriture, pour son montant exact",
        "WITH approved AS (
             SELECT (e.receipt::jsonb -> 'facts' ->> 'payout')::integer AS payout,
                    sum(CASE WHEN t.credit = 55 THEN t.amount ELSE -t.amount END) AS cents
             FROM entries e JOIN transfers t ON t.entry_id = e.id WHERE e.kind = 'payout_approval' GROUP BY 1
         )
         SELECT p.number::text FROM payouts p JOIN settlements s ON s.number = p.settlement LEFT JOIN approved a ON a.payout = p.number
         WHERE (s.approved_by IS NOT NULL) <> (coalesce(a.cents, 0) = p.amount_cents)
         UNION ALL
         SELECT d.payout::text FROM payout_debits d JOIN payouts p ON p.number = d.payout
         LEFT JOIN (
             SELECT entry_id, sum(amount) AS cents FROM transfers WHERE debit = 55 AND credit = 51 GROUP BY entry_id
         ) t ON t.entry_id = d.entry_id
         WHERE p.amount_cents <> coalesce(t.cents, 0)",
    ),
    (
        "numbers_have_no_gap",
        "Les récépissés numérotés se suivent sans trou",
        "WITH gapped AS (
             SELECT kind, max(number) AS last FROM entries WHERE number IS NOT NULL GROUP BY kind HAVING max(number) <> count(*)
         )
         SELECT g.kind || ' ' || n.number FROM gapped g, generate_series(1, g.last) AS n (number)
         WHERE (g.kind, n.number) NOT IN (SELECT kind, number FROM entries WHERE number IS NOT NULL)",
    ),
    (
        "series_end_at_their_last",
        "Le dernier numéro donné dans chaque série est celui de la dernière ligne qui en porte un",
        "WITH given AS (
             SELECT kind::text AS name, max(number) AS last FROM entries WHERE number IS NOT NULL GROUP BY kind
             UNION ALL SELECT 'organisation', max(number) FROM organisations UNION ALL SELECT 'site', max(number) FROM sites
             UNION ALL SELECT 'order', max(number) FROM orders UNION ALL SELECT 'funding_of_order', max(number) FROM fundings
             UNION ALL SELECT 'booklet', max(number) FROM booklets UNION ALL SELECT 'pass', max(number) FROM passes
             UNION ALL SELECT 'delivery_number', max(number) FROM deliveries UNION ALL SELECT 'hand_over_number', max(number) FROM hand_overs
             UNION ALL SELECT 'bank_account', max(number) FROM bank_accounts UNION ALL SELECT 'settlement', max(number) FROM settlements
             UNION ALL SELECT 'payout', max(number) FROM payouts UNION ALL SELECT 'incident_number', max(number) FROM incidents
             UNION ALL SELECT 'flag', max(number) FROM flags UNION ALL SELECT 'workshop', max(number) FROM workshops
             UNION ALL SELECT 'audit_sample', max(number) FROM audit_samples UNION ALL SELECT 'finding', max(number) FROM audit_findings
         )
         SELECT coalesce(g.name, s.name) || ' ' || greatest(g.last, s.last) FROM given g FULL JOIN series s ON s.name = g.name
         WHERE coalesce(g.last, 0) <> coalesce(s.last, 0) AND (g.name IS NOT NULL OR s.name = ANY (enum_range(NULL::entry_kind)::text[]))",
    ),
    (
        "person_is_within_the_limit",
        "Personne n'a utilisé pour un service plus de pass que le dispositif n'en permet",
        // Named by a pass: a person is never named.
        "WITH programme AS MATERIALIZED (SELECT passes_per_service AS limits FROM programmes WHERE id = current_programme())
         SELECT min(r.pass)::text FROM redemptions r
         JOIN passes p ON p.number = r.pass AND p.cycle = r.cycle AND p.state = 'redeemed'
         JOIN hand_overs h ON h.number = r.hand_over
         WHERE (SELECT limits FROM programme) ->> r.service::text IS NOT NULL
         GROUP BY h.person_key, r.service HAVING count(*) > ((SELECT limits FROM programme) ->> r.service::text)::integer",
    ),
    (
        "workshop_has_room",
        "Un atelier ne compte pas plus de personnes que déclaré",
        "SELECT w.number::text FROM workshops w JOIN redemptions r ON r.workshop = w.number
         JOIN passes p ON p.number = r.pass AND p.cycle = r.cycle AND p.state = 'redeemed'
         JOIN hand_overs h ON h.number = r.hand_over
         GROUP BY w.number, w.people HAVING count(DISTINCT h.person_key) > w.people",
    ),
];

/// How many redemptions there are, undone ones included.
pub fn redeemed(tx: &mut Tx<'_>) -> Result<i64> {
    let count: Count = sql_query("SELECT count(*) AS n FROM redemptions").get_result(tx.conn)?;
    Ok(count.n)
}
