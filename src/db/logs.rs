//! The log of a programme: the row that one sealer holds, and what is new since the last seal.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text, Uuid};

use super::Tx;
use crate::domain::EntryId;
use crate::error::Result;

#[derive(QueryableByName)]
struct Horizon {
    #[diesel(sql_type = Text)]
    horizon: String,
}

/// Locks the log until the end of the transaction, and says where its last seal began to look; `None`
/// when another transaction holds it.
pub fn lock(tx: &mut Tx<'_>) -> Result<Option<String>> {
    const LOCK: &str = "SELECT horizon::text AS horizon FROM logs FOR UPDATE SKIP LOCKED";
    let found: Option<Horizon> = sql_query(LOCK).get_result(tx.conn).optional()?;
    if found.is_some() {
        return Ok(found.map(|it| it.horizon));
    }
    // Held by another, or not there yet: then nothing of this programme was ever sealed.
    sql_query("INSERT INTO logs DEFAULT VALUES ON CONFLICT DO NOTHING").execute(tx.conn)?;
    let found: Option<Horizon> = sql_query(LOCK).get_result(tx.conn).optional()?;
    Ok(found.map(|it| it.horizon))
}

/// The oldest transaction still at work: whatever is not visible yet bears its number or a later one.
pub fn oldest_transaction(tx: &mut Tx<'_>) -> Result<String> {
    let found: Horizon =
        sql_query("SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon")
            .get_result(tx.conn)?;
    Ok(found.horizon)
}

/// Notes where the next seal begins to look.
pub fn advance(tx: &mut Tx<'_>, horizon: &str) -> Result<()> {
    sql_query("UPDATE logs SET horizon = $1::xid8 WHERE horizon <> $1::xid8")
        .bind::<Text, _>(horizon)
        .execute(tx.conn)?;
    Ok(())
}

/// Opens the log of a programme that is brought in by this transaction: the next seal begins to look at what it wrote.
pub fn open(tx: &mut Tx<'_>) -> Result<()> {
    sql_query("INSERT INTO logs (horizon) VALUES (pg_current_xact_id())").execute(tx.conn)?;
    Ok(())
}

/// Notes what the signer said of the head: why it refused it, or nothing any more.
pub fn note_refusal(tx: &mut Tx<'_>, because: Option<&str>) -> Result<()> {
    sql_query("UPDATE logs SET refused_because = $1 WHERE refused_because IS DISTINCT FROM $1")
        .bind::<Nullable<Text>, _>(because.map(|it| it.chars().take(1_000).collect::<String>()))
        .execute(tx.conn)?;
    Ok(())
}

/// What the signer refused the head for, when it did.
pub fn refusal(tx: &mut Tx<'_>) -> Result<Option<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Text>)]
        refused_because: Option<String>,
    }
    let row: Option<Row> =
        sql_query("SELECT refused_because FROM logs").get_result(tx.conn).optional()?;
    Ok(row.and_then(|row| row.refused_because))
}

/// An entry that is in no leaf yet.
#[derive(Clone, Debug, QueryableByName)]
pub struct Unsealed {
    /// The entry.
    #[diesel(sql_type = Uuid)]
    pub id: EntryId,
    /// Its receipt.
    #[diesel(sql_type = Text)]
    pub receipt: String,
}

/// Entries past the horizon in no leaf. A horizon that lies ahead of every transaction is of another
/// server: the database was restored from a dump, and all of it is looked through once.
/// (The whole horizon is one sub-select: under row-level security, no other expression is led to the index.)
pub const NEW: &str = "SELECT e.id, e.recorded_at, e.receipt FROM entries e \
     WHERE e.xid >= (SELECT coalesce((SELECT horizon FROM logs WHERE horizon <= pg_snapshot_xmax(pg_current_snapshot())), '0')) \
       AND NOT EXISTS (SELECT FROM leaves l WHERE l.entry_id = e.id)";

/// What is switched off while [`NEW`] is asked for, so that each new entry is looked up in the leaves by its key. A
/// plan for an unknown horizon expects a third of the journal, and would read all of it side by side with all leaves;
/// one made before anything is known of a young log takes its leaves for few, and would hold each entry against a copy
/// of them all.
pub const WAYS_ROUND: [&str; 3] = ["enable_hashjoin", "enable_mergejoin", "enable_material"];

fn one_by_one(tx: &mut Tx<'_>) -> Result<()> {
    WAYS_ROUND.iter().try_for_each(|way| tx.set(way, "off"))
}

/// Is there anything to seal? Locks nothing.
pub fn has_new(tx: &mut Tx<'_>) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        found: bool,
    }
    one_by_one(tx)?;
    let found: Found = sql_query(format!("SELECT EXISTS ({NEW}) AS found")).get_result(tx.conn)?;
    Ok(found.found)
}

/// Opens the list of what is new, in the order in which things were decided.
pub fn open_new(tx: &mut Tx<'_>) -> Result<()> {
    one_by_one(tx)?;
    // A first seal may have a whole journal to read: the list stays with the server.
    tx.conn.batch_execute(&format!(
        "DECLARE unsealed NO SCROLL CURSOR FOR SELECT id, receipt FROM ({NEW}) AS new ORDER BY recorded_at, id"
    ))?;
    Ok(())
}

/// The next of them, at most so many.
pub fn next_new(tx: &mut Tx<'_>, limit: usize) -> Result<Vec<Unsealed>> {
    Ok(sql_query(format!("FETCH FORWARD {limit} FROM unsealed")).load(tx.conn)?)
}

/// Closes the list.
pub fn close_new(tx: &mut Tx<'_>) -> Result<()> {
    tx.conn.batch_execute("CLOSE unsealed")?;
    Ok(())
}

/// Seconds since the oldest entry that no signed checkpoint covers was recorded; 0 when all are covered.
pub fn lag_seconds(tx: &mut Tx<'_>, signed: i64) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Oldest {
        #[diesel(sql_type = Nullable<diesel::sql_types::Timestamptz>)]
        oldest: Option<crate::domain::Timestamp>,
    }
    one_by_one(tx)?;
    let oldest: Oldest = sql_query(format!(
        "SELECT min(recorded_at) AS oldest FROM (SELECT recorded_at FROM ({NEW}) AS new \
         UNION ALL (SELECT e.recorded_at FROM leaves l JOIN entries e ON e.id = l.entry_id WHERE l.position >= $1 \
                    ORDER BY l.position LIMIT 1)) AS waiting"
    ))
    .bind::<BigInt, _>(signed)
    .get_result(tx.conn)?;
    let now = tx.now;
    Ok(oldest.oldest.map_or(0, |oldest| now.signed_duration_since(oldest).num_seconds().max(0)))
}
