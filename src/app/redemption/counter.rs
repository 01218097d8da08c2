//! What a judgement rests on, read once for a whole batch.

use std::collections::HashMap;

use crate::db::counter::Site;
use crate::db::passes::Pass;
use crate::db::programmes::Programme;
use crate::db::{Tx, redemptions};
use crate::domain::code::PassCode;
use crate::domain::pass::{Ask, LastUse, PassStateName};
use crate::domain::service::Service;
use crate::domain::{Actor, BusinessDate, HandOverId, PassNumber, Refusal, SiteId};
use crate::error::Result;
use crate::keys::Keys;

/// Programme, sites, dates and last uses: what the rules look at besides the pass itself.
pub(super) struct Counter<'p> {
    pub programme: &'p Programme,
    sites: HashMap<SiteId, Site>,
    last_uses: HashMap<PassNumber, LastUse>,
    today: BusinessDate,
}

impl<'p> Counter<'p> {
    /// Reads what these passes, presented at these sites, are judged by besides.
    pub fn read(
        tx: &mut Tx<'_>,
        programme: &'p Programme,
        passes: &[Pass],
        sites: Vec<Site>,
    ) -> Result<Self> {
        let used: Vec<PassNumber> = passes
            .iter()
            .filter(|pass| pass.state_name == PassStateName::Redeemed)
            .map(|pass| pass.number)
            .collect();
        let last_uses =
            if used.is_empty() { Vec::new() } else { redemptions::last_uses(tx, &used)? };
        Ok(Self {
            programme,
            sites: sites.into_iter().map(|site| (site.number, site)).collect(),
            last_uses: last_uses.into_iter().collect(),
            today: tx.today(),
        })
    }

    /// The site that an actor redeems at: a mediator's own, or one of a manager's organisation.
    pub fn site(&self, actor: &Actor, asked: Option<SiteId>) -> Result<&Site, Refusal> {
        let number = site_of(actor, asked)?;
        let organisation = actor.organisation()?;
        self.sites
            .get(&number)
            .filter(|site| site.organisation == organisation)
            .ok_or(Refusal::not_found("site"))
    }

    /// May this pass be spent there, now, for that? In the order of the refusals' precedence; what the
    /// code itself shows was judged before.
    pub fn judge(
        &self,
        tx: &Tx<'_>,
        pass: &Pass,
        site: &Site,
        service: Option<Service>,
    ) -> Result<HandOverId> {
        let ask = Ask {
            site: site.number,
            now: tx.now,
            last_use_on: pass.last_use_on,
            last_use: self.last_uses.get(&pass.number).copied(),
        };
        let hand_over = pass.state()?.redeem(&ask)?;
        self.ensure_place(site)?;
        if let Some(service) = service {
            ensure_service(site, service)?;
        }
        self.ensure_qualified(site)?;
        Ok(hand_over)
    }

    fn ensure_place(&self, site: &Site) -> Result<()> {
        let insee_code = site
            .insee_code
            .parse()
            .map_err(|_| anyhow::anyhow!("site {} has no INSEE code", site.number))?;
        if self.programme.territory.contains(&insee_code) {
            Ok(())
        } else {
            Err(Refusal::OutOfTerritory { commune: site.commune.clone() }.into())
        }
    }

    fn ensure_qualified(&self, site: &Site) -> Result<(), Refusal> {
        let is_qualified = site.qualified_from.is_some_and(|from| from <= self.today)
            && site.qualified_until.is_none_or(|until| self.today <= until);
        if is_qualified { Ok(()) } else { Err(Refusal::SiteNotQualified { on: self.today }) }
    }
}

/// The site's number, before it is known to exist.
pub(super) fn site_of(actor: &Actor, asked: Option<SiteId>) -> Result<SiteId, Refusal> {
    match (actor.site, asked) {
        (Some(own), Some(asked)) if own != asked => Err(Refusal::not_found("site")),
        (Some(own), _) => Ok(own),
        (None, Some(asked)) => Ok(asked),
        (None, None) => Err(Refusal::invalid(
            "site",
            "vous répondez de plusieurs lieux : précisez lequel reçoit la personne",
        )),
    }
}

/// A site that has declared no service may give any: most real ones have declared none.
fn ensure_service(site: &Site, service: Service) -> Result<(), Refusal> {
    let code: &str = service.into();
    if site.services.is_empty() || site.services.iter().any(|declared| declared == code) {
        Ok(())
    } else {
        Err(Refusal::ServiceNotAllowed { service: service.label().into() })
    }
}

/// Is this the code of that pass? Compared without telling by its duration how much of it is right.
pub(super) fn is_code_of(keys: &Keys, programme: &Programme, code: &PassCode, pass: &Pass) -> bool {
    let hash = keys.pepper_of(&programme.code).hash(&programme.code, code);
    pass.code_hash.len() == hash.len()
        && pass.code_hash.iter().zip(hash).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
