//! Testing a pass: says what a redemption would say, and spends nothing. It counts as a try.

use serde::Serialize;
use utoipa::ToSchema;

use super::brake::{self, Brake};
use super::counter::{Counter, is_code_of, site_of};
use super::room::{Room, Wanted};
use crate::db::{Tx, counter, programmes};
use crate::domain::code::PassCode;
use crate::domain::money::Money;
use crate::domain::service::Service;
use crate::domain::{Action, Actor, PassNumber, Refusal, SiteId};
use crate::error::{Error, Result};
use crate::keys::Keys;

/// A pass that could be redeemed now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Checked {
    /// Its number.
    pub pass: PassNumber,
    /// What the site would be owed.
    pub payable: Money,
}

/// Would this pass be accepted? The refusal is the value, so that the wrong try it may be is counted all the
/// same.
pub fn check(
    tx: &mut Tx<'_>,
    actor: &Actor,
    keys: &Keys,
    code: &PassCode,
    site: Option<SiteId>,
    service: Option<Service>,
) -> Result<Result<Checked, Refusal>> {
    actor.require(Action::CheckPass)?;
    let number = site_of(actor, site)?;
    let programme = programmes::current(tx)?;
    let since = brake::window_start(tx);
    let known = counter::read(tx, &[number], &[code.number], since)?;
    let found = known.passes.into_iter().next();
    let counter = Counter::read(tx, &programme, found.as_slice(), known.sites)?;
    let site = counter.site(actor, site)?;
    if let Err(refusal) = Brake(known.tries).ensure_free(site.number, code.number) {
        return Ok(Err(refusal));
    }
    let Some(pass) = found.filter(|pass| is_code_of(keys, &programme, code, pass)) else {
        brake::count(tx, &[(site.number, code.number)])?;
        return Ok(Err(Refusal::UnknownPass));
    };
    let wanted = Wanted { pass: pass.number, service, workshop: None };
    let limits = &counter.programme.passes_per_service;
    let room = Room::read(tx, limits, std::slice::from_ref(&pass), &[wanted], false)?;
    let judged = counter
        .judge(tx, &pass, site, service)
        .and_then(|hand_over| Ok(room.ensure(hand_over, service, None, tx.now)?));
    match judged {
        Ok(()) => {
            Ok(Ok(Checked { pass: pass.number, payable: counter.programme.face_value.into() }))
        }
        Err(Error::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(error),
    }
}
