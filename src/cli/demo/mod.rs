//! `souche demo`: the Hauts-de-France deployment, played in some minutes on a fresh instance.
//!
//! The region's pilot (programme `SAT`, 500 booklets in Sambre-Avesnois-Thiérache) and then the whole region
//! (`HDF`, 6,610 booklets) live nine months under a test clock: people, prescribers, sites, orders, deliveries,
//! hand-overs, redemptions, slips, voids, settlements. Everything goes through the use cases of [`crate::app`], as
//! over HTTP; there is no other way into the tables. `plan` writes a script from a seed, `season` plays it and
//! stops at the first answer that is not the one written, and `report` reads what it came to from the books.
//!
//! The same seed gives the same numbers. Ids, keys, codes, nonces and passwords are random all the same.

mod accounts;
mod calendar;
mod command;
mod iban;
mod money;
mod places;
mod plan;
mod progress;
mod report;
mod script;
mod season;
mod stage;
mod supply;
mod visits;
mod world;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use serde::Serialize;

pub use accounts::Account;
pub use calendar::Calendar;
pub use command::Demo;
pub use places::Told as PlacesTold;
pub use report::{Chapter, write_way_on};
pub use season::Tally;

use crate::app::access;
use crate::db::{Clock, Db, Scope};
use crate::domain::territory::Territory;
use crate::domain::text::{Email, Password};
use crate::domain::{Actor, BusinessDate, ProgrammeId, Refusal, Role};
use crate::error::Error;
use crate::keys::Keys;
use calendar::{When, sunday_after};
use places::RealPlaces;
use season::Season;
use stage::{Stage, line};
use world::Setting;

/// File of the accounts, in the instance's directory.
pub const ACCOUNTS_FILE: &str = "demo-accounts.json";

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scale {
    /// The pilot alone: 5,000 passes
    Pilot,
    /// The pilot, then the region: 71,100 passes
    Hdf,
}

/// What is played, and how it is shown.
#[derive(Clone, Debug)]
pub struct Options {
    /// How much.
    pub scale: Scale,
    /// Where chance begins.
    pub seed: u64,
    /// A file of real places in the national schema; made-up ones without it.
    pub sites: Option<PathBuf>,
    /// Show bars on standard error.
    pub progress: bool,
    /// When it takes place; the database's test clock must not stand later than its start.
    pub calendar: Calendar,
    /// Address of the page that explains a pass, without `https://`: printed, and in each QR code.
    pub public_url: String,
}

/// The sums over all programmes, read from the books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Booklets minted.
    pub booklets: i64,
    /// Passes minted.
    pub passes: i64,
    /// Passes handed over to people: those in their hands, and those they have used.
    pub handed_over: i64,
    /// Passes redeemed, those undone left out.
    pub redeemed: i64,
    /// Debited at the bank for sites, in cents.
    pub paid_cents: i64,
    /// Passes issued, less what lies somewhere: 0.
    pub conservation_pass: i64,
    /// Cash, less what is owed, in cents: 0.
    pub conservation_eur_cents: i64,
    /// Redeemed, listed, sent, debited: what differs, in cents: 0.
    pub three_way_difference_cents: i64,
    /// How long it took, in whole seconds.
    pub seconds: u64,
}

/// A story that was played to its end.
pub struct Story {
    /// The sums.
    pub summary: Summary,
    /// One per programme.
    pub chapters: Vec<Chapter>,
}

/// Plays the story on an instance that has no account yet.
///
/// # Errors
/// When the instance is in use, a file can't be read or written, or the service answers anything but what
/// the script says.
pub fn play(db: &Db, keys: &Keys, data: &Path, options: &Options) -> anyhow::Result<Story> {
    let started = Instant::now();
    ensure!(
        matches!(db.clock(), Clock::Test(_)),
        "la démonstration se joue sous une horloge d'essai"
    );
    let stage = Stage { db, keys, data, options };
    let real = options.sites.as_deref().map(RealPlaces::read).transpose()?;
    stage.wait_until(When::at(0, 8, 0));
    let mut accounts = Vec::new();
    let admin = first_admin(&stage, &mut accounts)?;
    let mut seasons: Vec<Season<'_>> = Vec::new();
    let settings = settings(options.scale);
    for setting in &settings {
        play_until(&stage, &mut seasons, Some(When::at(setting.opens_on, 0, 0)))?;
        let season = Season::open(&stage, &admin, setting, real.as_ref())?;
        tell_accounts(&stage, &mut accounts, setting, &season)?;
        seasons.push(season);
    }
    play_until(&stage, &mut seasons, None)?;
    let bar = stage.bar("Bilan et vérification".to_owned(), seasons.len());
    let mut story = Story { summary: Summary::default(), chapters: Vec::new() };
    for (season, setting) in seasons.iter().zip(&settings) {
        let chapter = Chapter::read(season, setting.booklets)?;
        chapter.add_to(&mut story.summary);
        story.chapters.push(chapter);
        bar.inc(1);
    }
    bar.finish_and_clear();
    story.summary.seconds = started.elapsed().as_secs();
    Ok(story)
}

/// The programmes, in the order in which they open.
fn settings(scale: Scale) -> Vec<Setting> {
    let pilot = Setting {
        code: "SAT",
        name: "Pass numérique Sambre-Avesnois-Thiérache (démonstration)",
        territory: Territory::sambre_avesnois_thierache(),
        opens_on: 0,
        booklets: 500,
        settles_after: [16, 28],
        prescribers_per_department: 4,
        places: 60,
        organisations: 24,
    };
    let region = Setting {
        code: "HDF",
        name: "Pass numérique Hauts-de-France (démonstration)",
        territory: Territory::hauts_de_france(),
        // Ten weeks after the pilot, when its first lessons are learnt.
        opens_on: sunday_after(10).saturating_add(1),
        booklets: 6_610,
        settles_after: [24, 32],
        prescribers_per_department: 6,
        places: 1_400,
        organisations: 180,
    };
    match scale {
        Scale::Pilot => vec![pilot],
        Scale::Hdf => vec![pilot, region],
    }
}

/// Opens the first account, which no instance in use allows.
fn first_admin(stage: &Stage<'_>, accounts: &mut Vec<Account>) -> anyhow::Result<Actor> {
    let (email, secret) = ("operator_admin@demo.souche.example".to_owned(), accounts::password()?);
    let (address, name) = (
        Email::try_from(email.clone()).map_err(anyhow::Error::msg)?,
        line("Administratrice fictive de l'opérateur")?,
    );
    let password = Password::try_from(secret.clone()).map_err(anyhow::Error::msg)?;
    let opened = stage
        .db
        .transact_blocking(Scope::Nobody, |tx| access::first_admin(tx, &address, &name, &password));
    let user = match opened {
        Ok(user) => user,
        Err(Error::Refused(Refusal::Duplicate { .. })) => anyhow::bail!(
            "ce répertoire contient déjà une instance ; choisissez-en un autre avec --data, ou lancez souche serve --data {}",
            stage.data.display()
        ),
        Err(error) => return Err(error.into()),
    };
    let totp_secret = accounts::factor_of(stage, user, Role::OperatorAdmin)?;
    let role = Role::OperatorAdmin;
    accounts.push(Account { role, email, password: secret, totp_secret, programme: None });
    Ok(Actor {
        user,
        role: Role::OperatorAdmin,
        programme: ProgrammeId::INSTANCE,
        organisation: None,
        site: None,
    })
}

/// Adds a programme's accounts to the file. Written as soon as there are any: a story cut short can be looked at.
fn tell_accounts(
    stage: &Stage<'_>,
    accounts: &mut Vec<Account>,
    setting: &Setting,
    season: &Season<'_>,
) -> anyhow::Result<()> {
    // The instance's administrator is every programme's too; its own line stays the last.
    let instance = accounts.pop().context("l'instance n'a pas de compte")?;
    accounts.push(Account { programme: Some(setting.code.to_owned()), ..instance.clone() });
    accounts.extend(season.world.accounts.iter().cloned());
    accounts.push(instance);
    let text = serde_json::to_string_pretty(&accounts)?;
    stage.write("", ACCOUNTS_FILE, text.as_bytes())?;
    Ok(())
}

/// Plays the cues of all programmes in the order of time, until that minute, or until none is left.
fn play_until(
    stage: &Stage<'_>,
    seasons: &mut [Season<'_>],
    until: Option<When>,
) -> anyhow::Result<()> {
    if seasons.is_empty() {
        return Ok(());
    }
    let label = if until.is_some() {
        "Les premières semaines du pilote"
    } else {
        "La vie des dispositifs"
    };
    let bar = stage.bar(label.to_owned(), seasons.iter().map(Season::cues_left).sum());
    while let Some(season) = next_in_time(seasons, until) {
        let played = season.play_next().with_context(|| format!("au {}", date_of(stage)))?;
        bar.inc(u64::try_from(played).unwrap_or(u64::MAX));
        show(&bar, stage);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The programme whose next cue comes first; the first to open, of two in the same minute.
fn next_in_time<'a, 's>(
    seasons: &'a mut [Season<'s>],
    until: Option<When>,
) -> Option<&'a mut Season<'s>> {
    let next = seasons
        .iter_mut()
        .filter_map(|season| Some((season.next_at()?, season)))
        .min_by_key(|(at, _)| *at);
    next.filter(|(at, _)| until.is_none_or(|until| *at < until)).map(|(_, season)| season)
}

fn show(bar: &ProgressBar, stage: &Stage<'_>) {
    if !bar.is_hidden() {
        bar.set_message(date_of(stage));
    }
}

fn date_of(stage: &Stage<'_>) -> String {
    BusinessDate::of(stage.now()).to_string()
}
