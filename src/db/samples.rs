//! Audit samples: commitments, draws, what was drawn, what was found. Only added to.

use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Date, Integer, Nullable, Text, Timestamptz, Uuid};

use super::Tx;
use super::leaves::{hash, signed, unsigned};
use super::schema::sql_types::{EntryKind as EntryKindSql, StrataKind as StrataSql};
use crate::domain::entry::EntryKind;
use crate::domain::merkle::Hash;
use crate::domain::sample::{Candidate, Commitment, Criteria, PerStratum, Sample, Seed, Strata};
use crate::domain::{BusinessDate, EntryId, SampleId, Timestamp, UserId};
use crate::error::Result;

/// A commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Committed {
    pub number: SampleId,
    pub title: String,
    pub commitment: Commitment,
    pub criteria: Criteria,
    pub committed_at: Timestamp,
    pub entry: EntryId,
}

/// A draw.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Drawn {
    pub sample: SampleId,
    pub commitment: Commitment,
    pub seed: Seed,
    pub leaf: u64,
    pub root: Hash,
    pub signed_size: u64,
    pub population: u64,
    pub items: i32,
    pub drawn_at: Timestamp,
    pub entry: EntryId,
}

/// Writes a commitment, made now; `false` when its seed was committed to before.
pub fn commit(tx: &mut Tx<'_>, new: &Committed, by: UserId) -> Result<bool> {
    let Criteria { kinds, from_on, until_on, strata, per_stratum } = &new.criteria;
    let kinds: Vec<&str> = kinds.iter().map(Into::into).collect();
    let n = sql_query(
        "INSERT INTO audit_samples (number, title, commitment, kinds, from_on, until_on, strata, per_stratum, committed_by, committed_at, entry_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT ON CONSTRAINT seed_serves_once DO NOTHING",
    )
    .bind::<Integer, _>(new.number)
    .bind::<Text, _>(&new.title)
    .bind::<Binary, _>(new.commitment.0.as_slice())
    .bind::<Array<Text>, _>(kinds)
    .bind::<Date, _>(from_on)
    .bind::<Date, _>(until_on)
    .bind::<StrataSql, _>(strata)
    .bind::<Integer, _>(per_stratum.get())
    .bind::<Uuid, _>(by)
    .bind::<Timestamptz, _>(new.committed_at)
    .bind::<Uuid, _>(new.entry)
    .execute(tx.conn)?;
    Ok(n == 1)
}

/// Writes a draw, made now; `false` when the sample was drawn before.
pub fn draw(tx: &mut Tx<'_>, new: &Drawn, by: UserId) -> Result<bool> {
    let n = sql_query(
        "INSERT INTO audit_draws (sample, commitment, seed, leaf, root, signed_size, population, items, drawn_by, drawn_at, entry_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT ON CONSTRAINT sample_drawn_once DO NOTHING",
    )
    .bind::<Integer, _>(new.sample)
    .bind::<Binary, _>(new.commitment.0.as_slice())
    .bind::<Binary, _>(new.seed.0.as_slice())
    .bind::<BigInt, _>(signed(new.leaf)?)
    .bind::<Binary, _>(new.root.0.as_slice())
    .bind::<BigInt, _>(signed(new.signed_size)?)
    .bind::<BigInt, _>(signed(new.population)?)
    .bind::<Integer, _>(new.items)
    .bind::<Uuid, _>(by)
    .bind::<Timestamptz, _>(new.drawn_at)
    .bind::<Uuid, _>(new.entry)
    .execute(tx.conn)?;
    Ok(n == 1)
}

/// Writes what was drawn: its strata, and its lines in order.
pub fn insert_lots(tx: &mut Tx<'_>, of: SampleId, sample: &Sample) -> Result<()> {
    let lots = || sample.lots.iter();
    let populations: Result<Vec<i64>> = lots().map(|lot| signed(lot.population)).collect();
    let drawn = |lot: usize| i32::try_from(lot).map_err(anyhow::Error::from);
    let drawn: std::result::Result<Vec<i32>, _> =
        lots().map(|lot| drawn(lot.leaves.len())).collect();
    sql_query(
        "INSERT INTO audit_strata (sample, number, name, population, items)
         SELECT $1, n, name, population, items FROM unnest($2, $3, $4) WITH ORDINALITY AS new (name, population, items, n)",
    )
    .bind::<Integer, _>(of)
    .bind::<Array<Text>, _>(lots().map(|lot| lot.stratum.to_string()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(populations?)
    .bind::<Array<Integer>, _>(drawn?)
    .execute(tx.conn)?;
    let leaves: Result<Vec<i64>> = sample.lines().map(|(_, leaf)| signed(leaf)).collect();
    sql_query(
        "INSERT INTO audit_items (sample, line, stratum, leaf, about)
         SELECT $1, n, stratum, leaf, l.entry_id
         FROM unnest($2, $3) WITH ORDINALITY AS new (stratum, leaf, n) JOIN leaves l ON l.position = leaf",
    )
    .bind::<Integer, _>(of)
    .bind::<Array<Integer>, _>(sample.lines().map(|(stratum, _)| stratum).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(leaves?)
    .execute(tx.conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct CommittedRow {
    #[diesel(sql_type = Integer)]
    number: SampleId,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Binary)]
    commitment: Vec<u8>,
    #[diesel(sql_type = Array<Text>)]
    kinds: Vec<String>,
    #[diesel(sql_type = Date)]
    from_on: BusinessDate,
    #[diesel(sql_type = Date)]
    until_on: BusinessDate,
    #[diesel(sql_type = StrataSql)]
    strata: Strata,
    #[diesel(sql_type = Integer)]
    per_stratum: i32,
    #[diesel(sql_type = Timestamptz)]
    committed_at: Timestamp,
    #[diesel(sql_type = Uuid)]
    entry_id: EntryId,
}

impl TryFrom<CommittedRow> for Committed {
    type Error = crate::error::Error;

    fn try_from(row: CommittedRow) -> Result<Self> {
        let kinds: std::result::Result<Vec<EntryKind>, _> =
            row.kinds.iter().map(|kind| kind.parse()).collect();
        Ok(Self {
            number: row.number,
            title: row.title,
            commitment: Commitment(hash(row.commitment)?.0),
            criteria: Criteria {
                kinds: kinds.map_err(anyhow::Error::from)?,
                from_on: row.from_on,
                until_on: row.until_on,
                strata: row.strata,
                per_stratum: PerStratum::try_from(row.per_stratum).map_err(anyhow::Error::msg)?,
            },
            committed_at: row.committed_at,
            entry: row.entry_id,
        })
    }
}

/// A page of commitments by number.
pub fn page(tx: &mut Tx<'_>, after: SampleId, limit: i64) -> Result<Vec<Committed>> {
    let rows: Vec<CommittedRow> = sql_query(
        "SELECT number, title, commitment, kinds, from_on, until_on, strata, per_stratum, committed_at, entry_id
         FROM audit_samples WHERE number > $1 ORDER BY number LIMIT $2",
    )
    .bind::<Integer, _>(after)
    .bind::<BigInt, _>(limit)
    .load(tx.conn)?;
    rows.into_iter().map(Committed::try_from).collect()
}

/// The commitment of that number.
pub fn find(tx: &mut Tx<'_>, number: SampleId) -> Result<Option<Committed>> {
    let from_it_on = page(tx, number.plus(-1), 1)?;
    Ok(from_it_on.into_iter().find(|sample| sample.number == number))
}

#[derive(QueryableByName)]
struct DrawnRow {
    #[diesel(sql_type = Integer)]
    sample: SampleId,
    #[diesel(sql_type = Binary)]
    commitment: Vec<u8>,
    #[diesel(sql_type = Binary)]
    seed: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    leaf: i64,
    #[diesel(sql_type = Binary)]
    root: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    signed_size: i64,
    #[diesel(sql_type = BigInt)]
    population: i64,
    #[diesel(sql_type = Integer)]
    items: i32,
    #[diesel(sql_type = Timestamptz)]
    drawn_at: Timestamp,
    #[diesel(sql_type = Uuid)]
    entry_id: EntryId,
}

impl TryFrom<DrawnRow> for Drawn {
    type Error = crate::error::Error;

    fn try_from(row: DrawnRow) -> Result<Self> {
        Ok(Self {
            sample: row.sample,
            commitment: Commitment(hash(row.commitment)?.0),
            seed: Seed(hash(row.seed)?.0),
            leaf: unsigned(row.leaf)?,
            root: hash(row.root)?,
            signed_size: unsigned(row.signed_size)?,
            population: unsigned(row.population)?,
            items: row.items,
            drawn_at: row.drawn_at,
            entry: row.entry_id,
        })
    }
}

/// The draws of the samples from one number to another, by number.
pub fn draws(tx: &mut Tx<'_>, from: SampleId, to: SampleId) -> Result<Vec<Drawn>> {
    let rows: Vec<DrawnRow> = sql_query(
        "SELECT sample, commitment, seed, leaf, root, signed_size, population, items, drawn_at, entry_id
         FROM audit_draws WHERE sample BETWEEN $1 AND $2 ORDER BY sample",
    )
    .bind::<Integer, _>(from)
    .bind::<Integer, _>(to)
    .load(tx.conn)?;
    rows.into_iter().map(Drawn::try_from).collect()
}

/// Name, population and number drawn of each stratum, then stratum and leaf of each line.
pub type Rows = (Vec<(String, u64, u64)>, Vec<(i32, u64)>);

/// What is recorded as drawn of a sample, in order.
pub fn recorded(tx: &mut Tx<'_>, of: SampleId) -> Result<Rows> {
    #[derive(QueryableByName)]
    struct StratumRow {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = BigInt)]
        population: i64,
        #[diesel(sql_type = BigInt)]
        items: i64,
    }
    #[derive(QueryableByName)]
    struct ItemRow {
        #[diesel(sql_type = Integer)]
        stratum: i32,
        #[diesel(sql_type = BigInt)]
        leaf: i64,
    }
    let strata: Vec<StratumRow> = sql_query(
        "SELECT name, population, items::bigint AS items FROM audit_strata WHERE sample = $1 ORDER BY number",
    )
    .bind::<Integer, _>(of)
    .load(tx.conn)?;
    let strata = strata.into_iter();
    let strata = strata.map(|row| Ok((row.name, unsigned(row.population)?, unsigned(row.items)?)));
    // A line that leads to another receipt than that of its leaf is of no leaf.
    let items: Vec<ItemRow> = sql_query(
        "SELECT i.stratum, coalesce(l.position, 9223372036854775807) AS leaf FROM audit_items i
         LEFT JOIN leaves l ON l.position = i.leaf AND l.entry_id = i.about WHERE i.sample = $1 ORDER BY i.line",
    )
    .bind::<Integer, _>(of)
    .load(tx.conn)?;
    let items = items.into_iter().map(|row| Ok((row.stratum, unsigned(row.leaf)?)));
    Ok((strata.collect::<Result<_>>()?, items.collect::<Result<_>>()?))
}

/// Leaves before that one whose receipts are of a population, in order; streamed.
pub fn each_candidate(
    tx: &mut Tx<'_>,
    of: &Criteria,
    before: u64,
    mut take: impl FnMut(&Candidate),
) -> Result<()> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        position: i64,
        #[diesel(sql_type = EntryKindSql)]
        kind: EntryKind,
        #[diesel(sql_type = Timestamptz)]
        happened_at: Timestamp,
        #[diesel(sql_type = Nullable<Text>)]
        site: Option<String>,
    }
    tx.scan_all()?;
    let rows = sql_query(
        "SELECT l.position, e.kind, e.happened_at, e.receipt::json #>> '{facts,site}' AS site
         FROM leaves l JOIN entries e ON e.id = l.entry_id
         WHERE l.position < $1 AND e.kind = ANY ($2) AND e.happened_at >= $3 AND e.happened_at < $4 ORDER BY l.position",
    )
    .bind::<BigInt, _>(signed(before)?)
    .bind::<Array<EntryKindSql>, _>(&of.kinds)
    .bind::<Timestamptz, _>(of.from_on.start())
    .bind::<Timestamptz, _>(of.until_on.end())
    .load_iter::<Row, PgRowByRowLoadingMode>(tx.conn)?;
    for row in rows {
        let row = row?;
        take(&Candidate {
            leaf: unsigned(row.position)?,
            kind: row.kind,
            day: BusinessDate::of(row.happened_at),
            site: row.site.and_then(|site| site.parse().ok()),
        });
    }
    Ok(())
}
