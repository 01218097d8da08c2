//! Where every pass was on a day, and the sums of both books then.

use std::collections::BTreeMap;
use std::io::Write;

use crate::db::{Tx, checkpoints, organisations, programmes, sites, transfers};
use crate::domain::account::Account;
use crate::domain::statement::{
    Conservation, Counted, CustodyFrame, Frame, HeldRange, Names, SignedHead,
};
use crate::domain::{Action, Actor, OrganisationId, SiteId, Timestamp};
use crate::error::Result;
use crate::export::custody::{Format, Report};
use crate::ledger::verify::Books;

/// Writes who held each pass at `at`, as it was known at `known_at`, range by range and then by holder; in a snapshot.
pub fn custody(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (as_of, known_at): (Timestamp, Timestamp),
    format: Format,
    out: &mut impl Write,
) -> Result<()> {
    actor.require(Action::ReadReports)?;
    let programme = programmes::current(tx)?.code.to_string();
    let (head, names) = (head(tx)?, names(tx)?);
    let frame = CustodyFrame { programme, as_of, known_at, head };
    let mut report = Report::begin(out, format, &frame).map_err(anyhow::Error::from)?;
    transfers::each_held(tx, (as_of, known_at), |held| {
        let account = Account::from_id(held.account)
            .ok_or_else(|| anyhow::anyhow!("account {} is of no kind", held.account))?;
        let range = HeldRange {
            first_pass: held.first_pass,
            last_pass: held.last_pass,
            account: account.kind(),
            holder: account.holder(),
            name: names.of(account),
        };
        Ok(report.range(&range).map_err(anyhow::Error::from)?)
    })?;
    Ok(report.finish().map_err(anyhow::Error::from)?)
}

/// The conservation statement of what had happened until `at`; in a snapshot.
pub fn conservation(tx: &mut Tx<'_>, actor: &Actor, at: Timestamp) -> Result<Conservation> {
    actor.require(Action::ReadReports)?;
    let programme = programmes::current(tx)?;
    let books = Books::at(tx, at)?;
    let balances: BTreeMap<Account, i64> = books.accounts().collect();
    let (funded, used) = transfers::funded_and_used(tx, at)?;
    let counted = Counted { funded, used, face_value_cents: programme.face_value.cents() };
    let head = head(tx)?;
    let size = i64::try_from(head.map_or(0, |head| head.size)).map_err(anyhow::Error::from)?;
    let frame = Frame {
        programme: programme.code.to_string(),
        as_of: at,
        head,
        entries_past_head: transfers::entries_past(tx, at, size)?,
    };
    Ok(Conservation::of(frame, &balances, counted, &names(tx)?))
}

fn head(tx: &mut Tx<'_>) -> Result<Option<SignedHead>> {
    let last = checkpoints::last(tx)?;
    Ok(last.map(|head| SignedHead { size: head.size, root: head.root }))
}

/// Everybody's name: a region has some hundreds of prescribers and sites.
fn names(tx: &mut Tx<'_>) -> Result<Names> {
    let organisations = organisations::page(tx, OrganisationId::new(0), i64::MAX)?.into_iter();
    let sites = sites::page(tx, SiteId::new(0), i64::MAX)?.into_iter();
    Ok(Names {
        organisations: organisations.map(|it| (it.number.get(), it.name)).collect(),
        sites: sites.map(|it| (it.number.get(), it.name)).collect(),
    })
}
