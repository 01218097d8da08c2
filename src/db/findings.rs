//! What was found on the lines of audit samples. Only added to.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid};

use super::Tx;
use super::schema::sql_types::{AuditConclusion as ConclusionSql, EntryKind as EntryKindSql};
use crate::domain::entry::EntryKind;
use crate::domain::sample::Conclusion;
use crate::domain::{EntryId, FindingId, LineNumber, SampleId, SiteId, Timestamp, UserId};
use crate::error::Result;

/// A finding.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Finding {
    #[diesel(sql_type = Integer)]
    pub number: FindingId,
    #[diesel(sql_type = Integer)]
    pub sample: SampleId,
    #[diesel(sql_type = Integer)]
    pub line: LineNumber,
    #[diesel(sql_type = ConclusionSql)]
    pub conclusion: Conclusion,
    #[diesel(sql_type = Nullable<Text>)]
    pub remark: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub corrects: Option<FindingId>,
    #[diesel(sql_type = Timestamptz)]
    pub found_at: Timestamp,
    #[diesel(sql_type = Uuid)]
    pub entry_id: EntryId,
}

/// Writes a finding; `false` when another of that line came first.
pub fn insert(tx: &mut Tx<'_>, new: &Finding, by: UserId) -> Result<bool> {
    let n = sql_query(
        "INSERT INTO audit_findings (number, sample, line, conclusion, remark, corrects, found_by, found_at, entry_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind::<Integer, _>(new.number)
    .bind::<Integer, _>(new.sample)
    .bind::<Integer, _>(new.line)
    .bind::<ConclusionSql, _>(new.conclusion)
    .bind::<Nullable<Text>, _>(new.remark.as_deref())
    .bind::<Nullable<Integer>, _>(new.corrects)
    .bind::<Uuid, _>(by)
    .bind::<Timestamptz, _>(new.found_at)
    .bind::<Uuid, _>(new.entry_id)
    .execute(tx.conn)?;
    Ok(n == 1)
}

/// A page of a sample's findings by number, those that were corrected included.
pub fn page(
    tx: &mut Tx<'_>,
    sample: SampleId,
    after: FindingId,
    limit: i64,
) -> Result<Vec<Finding>> {
    Ok(sql_query(
        "SELECT number, sample, line, conclusion, remark, corrects, found_at, entry_id
         FROM audit_findings WHERE sample = $1 AND number > $2 ORDER BY number LIMIT $3",
    )
    .bind::<Integer, _>(sample)
    .bind::<Integer, _>(after)
    .bind::<BigInt, _>(limit)
    .load(tx.conn)?)
}

/// The finding of a line that stands: the last, which none corrects.
pub fn standing(tx: &mut Tx<'_>, sample: SampleId, line: LineNumber) -> Result<Option<FindingId>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Integer>)]
        number: Option<FindingId>,
    }
    let last: Row = sql_query(
        "SELECT max(number) AS number FROM audit_findings WHERE sample = $1 AND line = $2",
    )
    .bind::<Integer, _>(sample)
    .bind::<Integer, _>(line)
    .get_result(tx.conn)?;
    Ok(last.number)
}

/// A line of a sample: the receipt that was drawn, and the finding that stands on it.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "see the query")]
pub struct Item {
    #[diesel(sql_type = Integer)]
    pub line: LineNumber,
    /// Its stratum, as [`crate::domain::sample::Stratum`] writes it.
    #[diesel(sql_type = Text)]
    pub stratum: String,
    #[diesel(sql_type = BigInt)]
    pub leaf: i64,
    #[diesel(sql_type = Uuid)]
    pub entry: EntryId,
    #[diesel(sql_type = EntryKindSql)]
    pub kind: EntryKind,
    /// Its number in the series of its kind; a redemption or a void has the name of the redemption instead.
    #[diesel(sql_type = Text)]
    pub receipt: String,
    #[diesel(sql_type = Timestamptz)]
    pub happened_at: Timestamp,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub amount_cents: Option<i64>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub site: Option<SiteId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub site_name: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub finding: Option<FindingId>,
    #[diesel(sql_type = Nullable<ConclusionSql>)]
    pub conclusion: Option<Conclusion>,
    #[diesel(sql_type = Nullable<Text>)]
    pub remark: Option<String>,
}

/// A page of a sample's lines.
pub fn items(
    tx: &mut Tx<'_>,
    sample: SampleId,
    after: LineNumber,
    limit: i64,
) -> Result<Vec<Item>> {
    Ok(sql_query(
        "SELECT i.line, s.name AS stratum, i.leaf, e.id AS entry, e.kind, e.happened_at,
                coalesce(e.number::text, f.facts ->> 'redemption', '') AS receipt, (f.facts ->> 'amount_cents')::bigint AS amount_cents,
                p.number AS site, p.name AS site_name, k.number AS finding, k.conclusion, k.remark
         FROM audit_items i JOIN audit_strata s ON s.sample = i.sample AND s.number = i.stratum
         JOIN entries e ON e.id = i.about CROSS JOIN LATERAL (SELECT e.receipt::json -> 'facts' AS facts) f
         LEFT JOIN sites p ON p.number = (f.facts ->> 'site')::integer
         LEFT JOIN LATERAL (SELECT number, conclusion, remark FROM audit_findings k
                            WHERE k.sample = i.sample AND k.line = i.line ORDER BY number DESC LIMIT 1) k ON true
         WHERE i.sample = $1 AND i.line > $2 ORDER BY i.line LIMIT $3",
    )
    .bind::<Integer, _>(sample)
    .bind::<Integer, _>(after)
    .bind::<BigInt, _>(limit)
    .load(tx.conn)?)
}

/// What a sample comes to, stratum by stratum.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Tally {
    #[diesel(sql_type = Text)]
    pub stratum: String,
    /// The site that it is, by name, when it is one.
    #[diesel(sql_type = Nullable<Text>)]
    pub site_name: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub population: i64,
    #[diesel(sql_type = Integer)]
    pub items: i32,
    #[diesel(sql_type = BigInt)]
    pub conform: i64,
    #[diesel(sql_type = BigInt)]
    pub anomaly: i64,
    #[diesel(sql_type = BigInt)]
    pub not_verifiable: i64,
}

/// Findings that stand, counted by stratum.
pub fn tally(tx: &mut Tx<'_>, sample: SampleId) -> Result<Vec<Tally>> {
    Ok(sql_query(
        "WITH standing AS (
             SELECT DISTINCT ON (line) line, conclusion FROM audit_findings WHERE sample = $1 ORDER BY line, number DESC
         )
         SELECT s.name AS stratum, p.name AS site_name, s.population, s.items,
                count(*) FILTER (WHERE k.conclusion = 'conform') AS conform,
                count(*) FILTER (WHERE k.conclusion = 'anomaly') AS anomaly,
                count(*) FILTER (WHERE k.conclusion = 'not_verifiable') AS not_verifiable
         FROM audit_strata s JOIN audit_items i ON i.sample = s.sample AND i.stratum = s.number
         JOIN audit_samples a ON a.number = s.sample
         LEFT JOIN sites p ON a.strata = 'site' AND p.number::text = s.name
         LEFT JOIN standing k ON k.line = i.line
         WHERE s.sample = $1 GROUP BY s.number, s.name, p.name, s.population, s.items ORDER BY s.number",
    )
    .bind::<Integer, _>(sample)
    .load(tx.conn)?)
}

/// Is that line drawn?
pub fn has_item(tx: &mut Tx<'_>, sample: SampleId, line: LineNumber) -> Result<bool> {
    Ok(items(tx, sample, line.plus(-1), 1)?.iter().any(|item| item.line == line))
}
