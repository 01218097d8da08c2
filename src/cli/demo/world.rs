//! A programme, its people, its prescribers and its sites, set up in the first days of its story.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::Context;

use super::accounts::{self, Account, Seat};
use super::calendar::When;
use super::iban;
use super::places::{self, Places, RealPlaces, Told};
use super::stage::{Stage, line};
use crate::app::bank_account::{self, NewBankAccount};
use crate::app::programme::{self, NewProgramme};
use crate::app::site::{self, NewOrganisation, Qualification};
use crate::db::organisations::Organisation;
use crate::db::programmes::Programme;
use crate::db::sites::Site;
use crate::domain::commune::{Commune, Department, InseeCode};
use crate::domain::programme::{LegalRoad, PassesPerService};
use crate::domain::seeded::Seeded;
use crate::domain::service::Service;
use crate::domain::territory::Territory;
use crate::domain::{Actor, Amount, BankAccountId, OrganisationId, Role, SiteId};

/// What sets one programme apart from another.
pub struct Setting {
    /// Its code.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Where its passes may be used.
    pub territory: Territory,
    /// The day on which it opens.
    pub opens_on: u32,
    /// Booklets of ten that it orders.
    pub booklets: i32,
    /// Weeks of the story at whose end its first two settlements cut off.
    pub settles_after: [u32; 2],
    /// Prescribers in each department.
    pub prescribers_per_department: usize,
    /// Made-up places, without a file of real ones.
    pub places: u32,
    /// Most organisations that are qualified: each has somebody who answers for it.
    pub organisations: usize,
}

/// People with one role each, who act for nobody but the programme.
#[derive(Clone, Copy)]
pub struct Cast {
    /// The operator's administrator.
    pub admin: Actor,
    /// The operator's accountant.
    pub accountant: Actor,
    /// Who orders, for the sponsor.
    pub sponsor: Actor,
    /// Who approves what the sponsor's manager ordered.
    pub approver: Actor,
    /// The public accountant.
    pub public_accountant: Actor,
    /// The auditor.
    pub auditor: Actor,
}

/// A prescriber of the story.
#[derive(Clone, Debug)]
pub struct Prescriber {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Where it is.
    pub department: Department,
    /// Its part of the deliveries, in proportion.
    pub weight: u64,
    /// Who counts its parcels.
    pub manager: Actor,
    /// Who hands booklets over.
    pub agent: Actor,
}

/// A site where passes are presented.
#[derive(Clone, Debug)]
pub struct Counter {
    /// The site.
    pub site: SiteId,
    /// Where it is.
    pub department: Department,
    /// What it gives; anything when empty.
    pub services: Vec<Service>,
    /// Who stands behind the counter.
    pub actor: Actor,
}

/// A programme set up.
pub struct World {
    /// The programme.
    pub programme: Programme,
    /// Its people.
    pub cast: Cast,
    /// Its prescribers.
    pub prescribers: Vec<Prescriber>,
    /// Its qualified sites.
    pub counters: Vec<Counter>,
    /// Sites out of its territory, where people try all the same.
    pub strangers: Vec<Counter>,
    /// What became of its sites.
    pub places: Told,
    /// The accounts that the reader may use.
    pub accounts: Vec<Account>,
}

/// Prescribers with an agent beside the manager, and organisations with a mediator: enough to try every role.
const WITH_STAFF: usize = 3;

/// Sets a programme up, as the instance's administrator.
pub fn set_up(
    stage: &Stage<'_>,
    instance_admin: &Actor,
    setting: &Setting,
    real: Option<&RealPlaces>,
) -> anyhow::Result<World> {
    let day = setting.opens_on;
    stage.wait_until(When::at(day, 9, 0));
    let bar = stage.bar(format!("{} : dispositif, comptes et lieux", setting.code), 4);
    let mut house =
        House { stage, setting, seeded: Seeded::new(stage.options.seed), accounts: Vec::new() };
    let programme = house.programme(instance_admin)?;
    let admin = Actor { programme: programme.id, ..*instance_admin };
    let cast = house.cast(admin)?;
    bar.inc(1);
    stage.wait_until(When::at(day, 10, 0));
    let prescribers = house.prescribers(&admin)?;
    bar.inc(1);
    stage.wait_until(When::at(day, 14, 0));
    let Places { qualifiable, strangers, mut told } =
        places::import(stage, &admin, real, &setting.territory, setting.places)?;
    let chosen: Vec<_> = qualifiable.into_iter().take(setting.organisations).collect();
    bar.inc(1);
    let (counters, strangers) = house.sites(&cast, &chosen, &strangers)?;
    told.qualified = counters.len();
    bar.finish_and_clear();
    Ok(World {
        programme,
        cast,
        prescribers,
        counters,
        strangers,
        places: told,
        accounts: house.accounts,
    })
}

/// A programme being set up.
struct House<'h> {
    stage: &'h Stage<'h>,
    setting: &'h Setting,
    seeded: Seeded,
    accounts: Vec<Account>,
}

impl House<'_> {
    fn programme(&mut self, instance_admin: &Actor) -> anyhow::Result<Programme> {
        let new = NewProgramme {
            code: self.setting.code.to_owned().try_into().map_err(anyhow::Error::msg)?,
            name: line(self.setting.name)?,
            sponsor_name: line("Région Hauts-de-France (démonstration)")?,
            issuer_name: line("Émetteur fictif de la démonstration")?,
            issuer_address: line("1 rue Fictive, 59000 Lille")?,
            legal_road: LegalRoad::ConventionMandat,
            face_value_cents: Amount::try_from(1000).map_err(anyhow::Error::msg)?,
            max_passes_per_person: 10,
            passes_per_service: PassesPerService::default(),
            territory: self.setting.territory.clone(),
            debtor_name: line("Compte cantonné inventé - démonstration")?,
            debtor_iban: iban::invented(self.seeded.next_u64())?,
        };
        Ok(self.stage.act(instance_admin, |tx| programme::create(tx, instance_admin, new))?)
    }

    fn cast(&mut self, admin: Actor) -> anyhow::Result<Cast> {
        let seats = [
            Seat::only(Role::OperatorAccountant, "Comptable fictive de l'opérateur"),
            Seat::only(Role::SponsorManager, "Gestionnaire fictif de la région"),
            Seat::only(Role::SponsorApprover, "Approbatrice fictive de la région"),
            Seat::only(Role::PublicAccountant, "Comptable public fictif"),
            Seat::only(Role::Auditor, "Auditrice fictive"),
        ];
        let actors = self.open(&admin, &seats, |_| true)?;
        let [accountant, sponsor, approver, public_accountant, auditor] =
            actors.try_into().map_err(|_| anyhow::anyhow!("il manque un compte"))?;
        Ok(Cast { admin, accountant, sponsor, approver, public_accountant, auditor })
    }

    /// Opens accounts; those that are `listed` are told to the reader, the password of the others is kept nowhere.
    fn open(
        &mut self,
        admin: &Actor,
        seats: &[Seat],
        listed: impl Fn(&Seat) -> bool,
    ) -> anyhow::Result<Vec<Actor>> {
        let opened = accounts::open_all(self.stage, admin, self.setting.code, seats)?;
        let told = seats
            .iter()
            .zip(&opened)
            .filter(|(seat, _)| listed(seat))
            .map(|(_, (_, account))| account.clone());
        self.accounts.extend(told);
        Ok(opened.into_iter().map(|(actor, _)| actor).collect())
    }

    /// One prescriber in each of the largest communes of every department. A department's part of the booklets is
    /// its inhabitants'; a prescriber's part of that, its commune's.
    fn prescribers(&mut self, admin: &Actor) -> anyhow::Result<Vec<Prescriber>> {
        let mut found: Vec<(OrganisationId, Department, u64)> = Vec::new();
        let communes =
            largest_communes(&self.setting.territory, self.setting.prescribers_per_department);
        for ((commune, weight), kind) in
            communes.into_iter().zip(PRESCRIBER_KINDS.into_iter().cycle())
        {
            let new = NewOrganisation {
                name: line(&format!("Prescripteur fictif — {kind} ({})", commune.name))?,
                siret: None,
                is_prescriber: true,
                department: Some(commune.department()),
            };
            let organisation =
                self.stage.act(admin, |tx| site::register_organisation(tx, admin, new))?;
            found.push((organisation.number, commune.department(), weight));
        }
        let seat = |role, name| {
            move |(rank, (organisation, ..)): (usize, &(OrganisationId, Department, u64))| {
                Seat::of(role, rank, *organisation, name)
            }
        };
        let managers: Vec<Seat> =
            (1..).zip(&found).map(seat(Role::PrescriberManager, "Responsable fictive")).collect();
        let agents: Vec<Seat> = (1..)
            .zip(&found)
            .take(WITH_STAFF)
            .map(seat(Role::PrescriberAgent, "Agent fictif"))
            .collect();
        let managers = self.open(admin, &managers, |seat| seat.rank <= WITH_STAFF)?;
        let agents = self.open(admin, &agents, |_| true)?;
        let staffed = found.into_iter().zip(managers).enumerate().map(
            |(rank, ((organisation, department, weight), manager))| {
                let agent = agents.get(rank).copied().unwrap_or(manager);
                Prescriber { organisation, department, weight, manager, agent }
            },
        );
        Ok(staffed.collect())
    }

    /// Opens accounts for the chosen organisations, qualifies their sites, and has their bank accounts approved.
    fn sites(
        &mut self,
        cast: &Cast,
        chosen: &[(Organisation, Vec<Site>)],
        outside: &[Site],
    ) -> anyhow::Result<(Vec<Counter>, Vec<Counter>)> {
        let seat = |(rank, (organisation, _)): (usize, &(Organisation, Vec<Site>))| {
            Seat::of(Role::SiteManager, rank, organisation.number, "Responsable fictif de lieux")
        };
        let managers: Vec<Seat> = (1..).zip(chosen).map(seat).collect();
        let managers = self.open(&cast.admin, &managers, |seat| seat.rank <= WITH_STAFF)?;
        let mediators: Vec<Seat> = (1..)
            .zip(chosen)
            .take(WITH_STAFF)
            .filter_map(|(rank, (organisation, sites))| {
                let seat =
                    Seat::of(Role::SiteMediator, rank, organisation.number, "Médiatrice fictive");
                Some(Seat { site: Some(sites.first()?.number), ..seat })
            })
            .collect();
        let mediators = self.open(&cast.admin, &mediators, |_| true)?;
        let mut counters = Vec::new();
        for ((_, sites), manager) in chosen.iter().zip(&managers) {
            for site in sites {
                let from = self.stage.options.calendar.date(self.setting.opens_on);
                self.stage.act(&cast.admin, |tx| {
                    site::qualify(tx, &cast.admin, site.number, Qualification { from, until: None })
                })?;
                let mediator = mediators.iter().find(|mediator| mediator.site == Some(site.number));
                counters.push(counter(site, *mediator.unwrap_or(manager))?);
            }
        }
        self.bank_accounts(cast, chosen, &managers)?;
        let strangers = self.strangers(cast, outside, &managers)?;
        Ok((counters, strangers))
    }

    /// Each organisation declares an invented account, and the operator's accountant approves it; but for the last
    /// one's, which is left for the reader and shows why a site is not paid yet.
    fn bank_accounts(
        &mut self,
        cast: &Cast,
        chosen: &[(Organisation, Vec<Site>)],
        managers: &[Actor],
    ) -> anyhow::Result<()> {
        self.stage.wait_until(When::at(self.setting.opens_on, 16, 0));
        let mut declared: Vec<BankAccountId> = Vec::new();
        for ((organisation, _), manager) in chosen.iter().zip(managers) {
            let short: String = organisation.name.chars().take(40).collect();
            let new = NewBankAccount {
                holder_name: line(&format!("Compte inventé - {short}"))?,
                iban: iban::invented(self.seeded.next_u64())?,
            };
            declared.push(
                self.stage.act(manager, |tx| bank_account::declare(tx, manager, &new))?.number,
            );
        }
        self.stage.wait_until(When::at(self.setting.opens_on.saturating_add(1), 10, 0));
        let approved = if declared.len() > WITH_STAFF {
            declared.len().saturating_sub(1)
        } else {
            declared.len()
        };
        for number in declared.into_iter().take(approved) {
            self.stage
                .act(&cast.accountant, |tx| bank_account::approve(tx, &cast.accountant, number))?;
        }
        Ok(())
    }

    /// A site out of the territory, and who answers for it.
    fn strangers(
        &mut self,
        cast: &Cast,
        outside: &[Site],
        managers: &[Actor],
    ) -> anyhow::Result<Vec<Counter>> {
        let Some(site) = outside.first() else { return Ok(Vec::new()) };
        let known = managers.iter().find(|manager| manager.organisation == Some(site.organisation));
        let actor = if let Some(manager) = known {
            *manager
        } else {
            let rank = managers.len().saturating_add(1);
            let seat = Seat::of(
                Role::SiteManager,
                rank,
                site.organisation,
                "Responsable fictif d'un lieu hors du territoire",
            );
            self.open(&cast.admin, &[seat], |_| false)?.pop().context("il manque un compte")?
        };
        Ok(vec![counter(site, actor)?])
    }
}

/// What prescribers of the region are.
const PRESCRIBER_KINDS: [&str; 4] =
    ["antenne de la région", "mission locale", "agence pour l'emploi", "CCAS"];

fn counter(site: &Site, actor: Actor) -> anyhow::Result<Counter> {
    let insee_code: InseeCode = site.insee_code.parse()?;
    let services = site.services.iter().filter_map(|service| service.parse().ok()).collect();
    Ok(Counter { site: site.number, department: insee_code.department(), services, actor })
}

/// The `n` largest communes of each department of a territory, by department then size, each with its weight.
fn largest_communes(territory: &Territory, n: usize) -> Vec<(&'static Commune, u64)> {
    let mut by_department: BTreeMap<Department, Vec<&'static Commune>> = BTreeMap::new();
    for commune in territory.communes() {
        by_department.entry(commune.department()).or_default().push(commune);
    }
    let mut chosen = Vec::new();
    for mut communes in by_department.into_values() {
        let people = |communes: &[&Commune]| {
            communes.iter().map(|commune| u64::from(commune.population)).sum::<u64>()
        };
        let in_department = people(&communes);
        communes.sort_by_key(|commune| (Reverse(commune.population), commune.insee_code));
        communes.truncate(n);
        let in_chosen = people(&communes);
        let weight = |commune: &Commune| {
            in_department
                .saturating_mul(commune.population.into())
                .checked_div(in_chosen)
                .unwrap_or(0)
        };
        chosen.extend(communes.into_iter().map(|commune| (commune, weight(commune))));
    }
    chosen
}
