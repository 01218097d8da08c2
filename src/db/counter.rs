//! What a batch at the counter is judged by: passes, sites and wrong tries, in one statement, since a round trip costs as
//! much as the look-ups of eight requests, and all is as at one moment; and keys used before, for whoever has locked.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Binary, Date, Integer, Jsonb, Nullable, Record, Text, Timestamptz, Uuid,
};

use super::Tx;
use super::passes::{self, Pass};
use super::requests::Earlier;
use super::statement::statement;
use super::wrong_tries::Tries;
use crate::domain::{BusinessDate, OrganisationId, PassNumber, SiteId, Timestamp, UserId};
use crate::error::Result;

/// A site, as far as redemptions are judged by it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Site {
    pub number: SiteId,
    pub organisation: OrganisationId,
    pub insee_code: String,
    pub commune: String,
    pub services: Vec<String>,
    pub qualified_from: Option<BusinessDate>,
    pub qualified_until: Option<BusinessDate>,
}

/// Idempotency keys, one of each list per request: `short` says of redemptions what `users` and `keys` say of all else.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "said above")]
pub struct Keys {
    pub short: Vec<[u8; 16]>,
    pub users: Vec<UserId>,
    pub keys: Vec<String>,
}

/// What a key was used for.
pub enum Use {
    /// A redemption.
    Redemption {
        /// First half of the hash of what it asked.
        request_hash: Vec<u8>,
        /// Its receipt.
        receipt: String,
    },
    /// Anything else, refused redemptions included.
    Other(Earlier),
}

/// What is known of sites and passes.
pub struct Known {
    /// Those of the passes that exist.
    pub passes: Vec<Pass>,
    /// Those of the sites that exist.
    pub sites: Vec<Site>,
    /// Since the start of the window, at one of the sites or on one of the passes.
    pub tries: Vec<Tries>,
}

type PassSql = Record<passes::RowSql>;
type SiteSql = Record<(Integer, Integer, Text, Text, Array<Text>, Nullable<Date>, Nullable<Date>)>;
type TriesSql = Record<(Integer, Integer, Integer)>;

statement! {
    ReadCounter {
        numbers: Array<Integer> = [PassNumber], sites: Array<Integer> = [SiteId],
        window_start: Timestamptz = Timestamp, braked_sites: Array<Integer> = [SiteId], passes: Array<Integer> = [PassNumber],
    } -> (Array<PassSql>, Array<SiteSql>, Array<TriesSql>),
    "SELECT ARRAY(SELECT ROW(p.number, p.booklet, p.order_number, p.hand_over, p.state, p.cycle, p.changed_at, p.code_hash, o.last_use_on) \
                  FROM passes p JOIN orders o ON o.number = p.order_number WHERE p.number = ANY (?)), \
            ARRAY(SELECT ROW(number, organisation, insee_code, commune, services, qualified_from, qualified_until) \
                  FROM sites WHERE number = ANY (?)), \
            ARRAY(SELECT ROW(site, pass, tries) FROM wrong_tries WHERE since >= ? AND (site = ANY (?) OR pass = ANY (?)))"
}

statement! {
    /// A redemption bears its key in its entry, all else in `requests`. The limits have each key looked up by
    /// itself: joined, a plan made for an unknown tenant reads all that it has.
    ReadUses { short: Array<Binary> = [&'a [u8]], users: Array<Uuid> = [UserId], keys: Array<Text> = [String] }
        -> (BigInt, Binary, Nullable<Text>, Nullable<Jsonb>),
    "SELECT a.n, e.request_hash, e.receipt, NULL::jsonb FROM unnest(?) WITH ORDINALITY AS a (key, n), \
     LATERAL (SELECT request_hash, receipt FROM entries WHERE request_key = a.key LIMIT 1) e \
     UNION ALL \
     SELECT a.n, r.body_hash, NULL::text, r.outcome FROM unnest(?, ?) WITH ORDINALITY AS a (user_id, key, n), \
     LATERAL (SELECT body_hash, outcome FROM requests WHERE user_id = a.user_id AND key = a.key AND outcome IS NOT NULL LIMIT 1) r"
}

/// Reads what is known of them; wrong tries since `window_start`.
pub fn read(
    tx: &mut Tx<'_>,
    sites: &[SiteId],
    passes: &[PassNumber],
    window_start: Timestamp,
) -> Result<Known> {
    type SiteRow = (
        SiteId,
        OrganisationId,
        String,
        String,
        Vec<String>,
        Option<BusinessDate>,
        Option<BusinessDate>,
    );
    type Row = (Vec<passes::Row>, Vec<SiteRow>, Vec<(SiteId, PassNumber, i32)>);
    let (found, sites, tries): Row = ReadCounter {
        numbers: passes,
        sites,
        window_start: &window_start,
        braked_sites: sites,
        passes,
    }
    .get_result(tx.conn)?;
    let site = |(number, organisation, insee_code, commune, services, from, until): SiteRow| Site {
        number,
        organisation,
        insee_code,
        commune,
        services,
        qualified_from: from,
        qualified_until: until,
    };
    Ok(Known {
        passes: found.into_iter().map(passes::from_row).collect(),
        sites: sites.into_iter().map(site).collect(),
        tries: tries.into_iter().map(|(site, pass, tries)| Tries { site, pass, tries }).collect(),
    })
}

/// What keys were used for, by their place in the list; new ones are left out.
pub fn uses(tx: &mut Tx<'_>, keys: &Keys) -> Result<HashMap<usize, Use>> {
    type Row = (i64, Vec<u8>, Option<String>, Option<serde_json::Value>);
    let short: Vec<&[u8]> = keys.short.iter().map(<[u8; 16]>::as_slice).collect();
    let rows: Vec<Row> =
        ReadUses { short: &short, users: &keys.users, keys: &keys.keys }.load(tx.conn)?;
    let use_of = |(n, hash, receipt, outcome): Row| {
        let place = usize::try_from(n).ok()?.checked_sub(1)?;
        let what = match receipt {
            Some(receipt) => Use::Redemption { request_hash: hash, receipt },
            None => Use::Other(Earlier { body_hash: hash, outcome: outcome? }),
        };
        Some((place, what))
    };
    Ok(rows.into_iter().filter_map(use_of).collect())
}
