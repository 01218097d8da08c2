//! Fraud flags, the passes that they hold, and what was decided on them.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{
    Array, BigInt, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid,
};

use super::Tx;
use super::schema::sql_types::{FlagKind as FlagKindSql, FlagOutcome as FlagOutcomeSql};
use crate::domain::flag::{FlagKind, Outcome};
use crate::domain::{
    BusinessDate, EntryId, FlagId, OrganisationId, PassNumber, RedemptionId, SiteId, Timestamp,
    UserId,
};
use crate::error::Result;

/// True of a redemption `r` that a flag holds: one that nobody has decided on, or that was upheld.
pub(super) const HELD: &str = "EXISTS (SELECT FROM flag_passes f LEFT JOIN flag_decisions k ON k.flag = f.flag
            WHERE f.pass = r.pass AND f.cycle = r.cycle AND (k.flag IS NULL OR k.outcome = 'upheld'))";

/// A flag, as it is raised.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct NewFlag {
    pub number: FlagId,
    pub entry_id: EntryId,
    pub kind: FlagKind,
    pub site: SiteId,
    pub subject: Option<i32>,
    pub on_day: BusinessDate,
    pub explanation: String,
}

/// Writes flags, raised now, and which redemptions each holds.
pub fn insert(tx: &mut Tx<'_>, new: &[(NewFlag, Vec<RedemptionId>)]) -> Result<()> {
    let flags = || new.iter().map(|(flag, _)| flag);
    sql_query(
        "INSERT INTO flags (number, kind, site, subject, on_day, explanation, entry_id, raised_at)
         SELECT n.*, $8 FROM unnest($1, $2, $3, $4, $5, $6, $7) AS n",
    )
    .bind::<Array<Integer>, _>(flags().map(|flag| flag.number).collect::<Vec<_>>())
    .bind::<Array<FlagKindSql>, _>(flags().map(|flag| flag.kind).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(flags().map(|flag| flag.site).collect::<Vec<_>>())
    .bind::<Array<Nullable<Integer>>, _>(flags().map(|flag| flag.subject).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(flags().map(|flag| flag.on_day).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(flags().map(|flag| flag.explanation.as_str()).collect::<Vec<_>>())
    .bind::<Array<Uuid>, _>(flags().map(|flag| flag.entry_id).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(tx.now)
    .execute(tx.conn)?;
    let held = || {
        new.iter().flat_map(|(flag, held)| held.iter().map(move |of| (flag.number, flag.kind, of)))
    };
    sql_query(
        "INSERT INTO flag_passes (flag, kind, pass, cycle) SELECT * FROM unnest($1, $2, $3, $4)",
    )
    .bind::<Array<Integer>, _>(held().map(|(flag, ..)| flag).collect::<Vec<_>>())
    .bind::<Array<FlagKindSql>, _>(held().map(|(_, kind, _)| kind).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(held().map(|(.., of)| of.pass).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(held().map(|(.., of)| of.cycle).collect::<Vec<_>>())
    .execute(tx.conn)?;
    Ok(())
}

/// A flag, what it holds, and the decision on it when there is one.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Flag {
    #[diesel(sql_type = Integer)]
    pub number: FlagId,
    #[diesel(sql_type = FlagKindSql)]
    pub kind: FlagKind,
    #[diesel(sql_type = Integer)]
    pub site: SiteId,
    #[diesel(sql_type = Text)]
    pub site_name: String,
    #[diesel(sql_type = Text)]
    pub explanation: String,
    #[diesel(sql_type = Timestamptz)]
    pub raised_at: Timestamp,
    #[diesel(sql_type = Array<Integer>)]
    pub passes: Vec<PassNumber>,
    #[diesel(sql_type = Array<SmallInt>)]
    pub cycles: Vec<i16>,
    #[diesel(sql_type = Nullable<FlagOutcomeSql>)]
    pub outcome: Option<Outcome>,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub decided_at: Option<Timestamp>,
}

impl Flag {
    /// What it holds.
    pub fn redemptions(&self) -> impl Iterator<Item = RedemptionId> {
        let both = self.passes.iter().zip(&self.cycles);
        both.map(|(pass, cycle)| RedemptionId { pass: *pass, cycle: *cycle })
    }
}

/// A page of them by number: those of one organisation, or of one site, when one is named.
pub fn page(
    tx: &mut Tx<'_>,
    (organisation, site): (Option<OrganisationId>, Option<SiteId>),
    after: FlagId,
    limit: i64,
) -> Result<Vec<Flag>> {
    Ok(sql_query(
        "SELECT g.number, g.kind, g.site, s.name AS site_name, g.explanation, g.raised_at,
                array_agg(p.pass ORDER BY p.pass, p.cycle) AS passes, array_agg(p.cycle ORDER BY p.pass, p.cycle) AS cycles,
                k.outcome, k.reason, k.decided_at
         FROM flags g JOIN sites s ON s.number = g.site JOIN flag_passes p ON p.flag = g.number
         LEFT JOIN flag_decisions k ON k.flag = g.number
         WHERE g.number > $1 AND ($2 IS NULL OR s.organisation = $2) AND ($3 IS NULL OR g.site = $3)
         GROUP BY g.number, g.kind, g.site, s.name, g.explanation, g.raised_at, k.outcome, k.reason, k.decided_at
         ORDER BY g.number LIMIT $4",
    )
    .bind::<Integer, _>(after)
    .bind::<Nullable<Integer>, _>(organisation)
    .bind::<Nullable<Integer>, _>(site)
    .bind::<BigInt, _>(limit)
    .load(tx.conn)?)
}

/// The flag of that number.
pub fn find(tx: &mut Tx<'_>, number: FlagId) -> Result<Option<Flag>> {
    let from_it_on = page(tx, (None, None), number.plus(-1), 1)?;
    Ok(from_it_on.into_iter().find(|flag| flag.number == number))
}

/// Writes a decision.
pub fn decide(
    tx: &mut Tx<'_>,
    flag: FlagId,
    outcome: Outcome,
    reason: &str,
    by: UserId,
    entry: EntryId,
) -> Result<()> {
    sql_query(
        "INSERT INTO flag_decisions (flag, outcome, reason, decided_by, decided_at, entry_id) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Integer, _>(flag)
    .bind::<FlagOutcomeSql, _>(outcome)
    .bind::<Text, _>(reason)
    .bind::<Uuid, _>(by)
    .bind::<Timestamptz, _>(tx.now)
    .bind::<Uuid, _>(entry)
    .execute(tx.conn)?;
    Ok(())
}

/// When somebody last decided.
pub fn last_decided_at(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        at: Option<Timestamp>,
    }
    let last: Last =
        sql_query("SELECT max(decided_at) AS at FROM flag_decisions").get_result(tx.conn)?;
    Ok(last.at)
}

/// What stands out at one site, of one kind, and what of it is neither paid nor flagged for it.
#[derive(Clone, Debug, QueryableByName)]
#[expect(missing_docs, reason = "see the query")]
pub struct Seen {
    #[diesel(sql_type = FlagKindSql)]
    pub kind: FlagKind,
    #[diesel(sql_type = Integer)]
    pub site: SiteId,
    /// The booklet, hand-over or prescriber that it is about.
    #[diesel(sql_type = Nullable<Integer>)]
    pub subject: Option<i32>,
    /// That prescriber's name.
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Date)]
    pub on_day: BusinessDate,
    /// Passes used so.
    #[diesel(sql_type = BigInt)]
    pub counted: i64,
    /// What they are held against: the booklet's size, the site's capacity, all passes of the month.
    #[diesel(sql_type = BigInt)]
    pub against: i64,
    #[diesel(sql_type = Timestamptz)]
    pub first_at: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    pub last_at: Timestamp,
    #[diesel(sql_type = Array<Integer>)]
    pub passes: Vec<PassNumber>,
    #[diesel(sql_type = Array<SmallInt>)]
    pub cycles: Vec<i16>,
}

/// Which redemptions to look at, and which of them belong together (`domain::flag` says why).
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is a constant of domain::flag")]
pub struct Window {
    /// Those before.
    pub until: Timestamp,
    pub soon_minutes: i32,
    pub night_begins_hour: i32,
    pub night_ends_hour: i32,
    pub one_prescriber_floor: i64,
    /// A prescriber and a site that were found in order since then are left out.
    pub answered_since: Timestamp,
}

/// Looks at all that is not yet paid, beside what was used at the same sites in those weeks. One query; the
/// answer grows with what stands out.
pub fn seen(tx: &mut Tx<'_>, window: Window) -> Result<Vec<Seen>> {
    Ok(sql_query(SEEN)
        .bind::<Timestamptz, _>(window.until)
        .bind::<Integer, _>(window.soon_minutes)
        .bind::<Integer, _>(window.night_begins_hour)
        .bind::<Integer, _>(window.night_ends_hour)
        .bind::<BigInt, _>(window.one_prescriber_floor)
        .bind::<Timestamptz, _>(window.answered_since)
        .load(tx.conn)?)
}

/// A month is that of Paris, and 32 days before the oldest pending redemption its month has not begun; a night
/// bears the date of its evening.
const SEEN: &str = "
WITH pending AS MATERIALIZED (
    SELECT r.pass, r.cycle, r.site, r.redeemed_at FROM redemptions r
    WHERE r.redeemed_at < $1
      AND NOT EXISTS (SELECT FROM voids v WHERE v.pass = r.pass AND v.cycle = r.cycle)
      AND NOT EXISTS (SELECT FROM payout_items i WHERE i.pass = r.pass AND i.cycle = r.cycle)
), live AS MATERIALIZED (
    SELECT r.pass, r.cycle, r.site, r.hand_over, h.booklet, h.prescriber, h.handed_at, r.redeemed_at AS at,
           p.pass IS NOT NULL AS is_pending, (r.redeemed_at AT TIME ZONE 'Europe/Paris') AS local,
           date_trunc('month', r.redeemed_at AT TIME ZONE 'Europe/Paris')::date AS month,
           (r.redeemed_at AT TIME ZONE 'Europe/Paris' - make_interval(hours => $4))::date AS night
    FROM (SELECT site, min(redeemed_at) - interval '32 days' AS since FROM pending GROUP BY site) w
    JOIN redemptions r ON r.site = w.site AND r.redeemed_at >= w.since
    JOIN hand_overs h ON h.number = r.hand_over
    LEFT JOIN pending p ON p.pass = r.pass AND p.cycle = r.cycle
    WHERE NOT EXISTS (SELECT FROM voids v WHERE v.pass = r.pass AND v.cycle = r.cycle)
), seen (kind, site, subject, on_day, counted, against, first_at, last_at, pass, cycle, is_pending) AS (
    SELECT 'whole_booklet_at_once'::flag_kind, l.site, l.booklet, (min(l.local) OVER w)::date, count(*) OVER w, b.size::bigint,
           min(l.at) OVER w, max(l.at) OVER w, l.pass, l.cycle, l.is_pending
    FROM live l JOIN booklets b ON b.number = l.booklet WINDOW w AS (PARTITION BY l.site, l.booklet)
    UNION ALL
    SELECT 'used_soon_after_hand_over', site, hand_over, (min(local) OVER w)::date, count(*) OVER w, 0,
           handed_at, min(at) OVER w, pass, cycle, is_pending
    FROM live WHERE at < handed_at + make_interval(mins => $2) WINDOW w AS (PARTITION BY site, hand_over)
    UNION ALL
    SELECT 'beyond_capacity', site, NULL, day, counted, daily_capacity, day_begins_at, day_begins_at, pass, cycle, is_pending
    FROM (SELECT l.site, l.local::date AS day, s.daily_capacity, l.pass, l.cycle, l.is_pending, min(l.at) OVER w AS day_begins_at,
                 count(*) OVER w AS counted, row_number() OVER (PARTITION BY l.site, l.local::date ORDER BY l.at, l.pass) AS rank
          FROM live l JOIN sites s ON s.number = l.site WINDOW w AS (PARTITION BY l.site, l.local::date)) days
    WHERE rank > daily_capacity
    UNION ALL
    SELECT 'one_prescriber_feeds_one_site', site, prescriber, month, count(*) OVER w,
           count(*) OVER (PARTITION BY site, month), min(at) OVER w, max(at) OVER w, pass, cycle, is_pending
    FROM live WINDOW w AS (PARTITION BY site, month, prescriber)
    UNION ALL
    SELECT 'night_hours', site, NULL, night, count(*) OVER w, 0, min(at) OVER w, max(at) OVER w, pass, cycle, is_pending
    FROM live WHERE extract(hour FROM local) >= $3 OR extract(hour FROM local) < $4 WINDOW w AS (PARTITION BY site, night)
)
SELECT s.kind, s.site, s.subject, o.name, s.on_day, s.counted, s.against, s.first_at, s.last_at,
       array_agg(s.pass ORDER BY s.pass, s.cycle) AS passes, array_agg(s.cycle ORDER BY s.pass, s.cycle) AS cycles
FROM seen s LEFT JOIN organisations o ON s.kind = 'one_prescriber_feeds_one_site' AND o.number = s.subject
WHERE s.is_pending
  AND (s.kind <> 'whole_booklet_at_once' OR s.counted = s.against)
  AND (s.kind <> 'one_prescriber_feeds_one_site' OR s.counted >= $5 AND NOT EXISTS (
           SELECT FROM flags g JOIN flag_decisions k ON k.flag = g.number
           WHERE g.kind = s.kind AND g.site = s.site AND g.subject = s.subject AND k.outcome = 'released' AND k.decided_at > $6))
  AND NOT EXISTS (SELECT FROM flag_passes f WHERE f.pass = s.pass AND f.cycle = s.cycle AND f.kind = s.kind)
GROUP BY s.kind, s.site, s.subject, o.name, s.on_day, s.counted, s.against, s.first_at, s.last_at
ORDER BY s.on_day, s.site, s.kind, s.subject";
