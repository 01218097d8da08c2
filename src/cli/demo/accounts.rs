//! The people of the story: accounts with a role each, and passwords that are random, never drawn from the
//! seed.

use std::thread;

use anyhow::anyhow;
use serde::Serialize;

use super::stage::{Stage, line};
use crate::app::access::{self, NewUser};
use crate::db::Scope;
use crate::domain::text::{Email, Password};
use crate::domain::{Actor, OrganisationId, Role, SiteId, UserId};
use crate::keys::{hex, random};

/// Passwords hashed at once: argon2id takes a core and 46 MiB for each.
const THREADS: usize = 2;

/// An account that the reader may sign in with, as `demo-accounts.json` lists it.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// What it may do.
    pub role: Role,
    /// Its address.
    pub email: String,
    /// Its password.
    pub password: String,
    /// What makes its one-time codes (`souche users code`), in base 32; none for roles that take no second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp_secret: Option<String>,
    /// The programme that it acts in; none for the instance itself, where programmes are created.
    pub programme: Option<String>,
}

/// A place to be filled in a programme.
#[derive(Clone, Debug)]
pub struct Seat {
    /// What the person may do.
    pub role: Role,
    /// Which of several people with that role, from 1.
    pub rank: usize,
    /// Name shown.
    pub name: String,
    /// For whom it acts.
    pub organisation: Option<OrganisationId>,
    /// At which site.
    pub site: Option<SiteId>,
}

impl Seat {
    /// The only person of a role that acts for nobody in particular.
    pub fn only(role: Role, name: &str) -> Self {
        Self { role, rank: 1, name: name.to_owned(), organisation: None, site: None }
    }

    /// The `rank`-th person that acts for an organisation.
    pub fn of(role: Role, rank: usize, organisation: OrganisationId, name: &str) -> Self {
        Self { role, rank, name: name.to_owned(), organisation: Some(organisation), site: None }
    }
}

/// The address of the `rank`-th person of a role. The domain is reserved for examples (RFC 2606): no mail to it
/// arrives anywhere.
pub fn address(role: Role, rank: usize, programme: &str) -> String {
    let role: &str = role.into();
    let rank = if rank > 1 { rank.to_string() } else { String::new() };
    format!("{role}{rank}.{}@demo.souche.example", programme.to_lowercase())
}

/// A password of 96 random bits, in 24 hexadecimal digits.
pub fn password() -> anyhow::Result<String> {
    Ok(hex(&random::<12>()?))
}

/// Opens an account for each seat of the admin's programme; in the same order.
pub fn open_all(
    stage: &Stage<'_>,
    admin: &Actor,
    code: &str,
    seats: &[Seat],
) -> anyhow::Result<Vec<(Actor, Account)>> {
    let chunk = seats.len().div_ceil(THREADS).max(1);
    thread::scope(|scope| {
        let open_chunk = |seats: &[Seat]| {
            seats
                .iter()
                .map(|seat| open(stage, admin, code, seat))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let threads: Vec<_> =
            seats.chunks(chunk).map(|seats| scope.spawn(move || open_chunk(seats))).collect();
        let mut opened = Vec::with_capacity(seats.len());
        for thread in threads {
            opened.extend(
                thread
                    .join()
                    .map_err(|_| anyhow!("l'ouverture des comptes s'est interrompue"))??,
            );
        }
        Ok(opened)
    })
}

fn open(
    stage: &Stage<'_>,
    admin: &Actor,
    code: &str,
    seat: &Seat,
) -> anyhow::Result<(Actor, Account)> {
    let (email, secret) = (address(seat.role, seat.rank, code), password()?);
    let new = NewUser {
        email: Email::try_from(email.clone()).map_err(anyhow::Error::msg)?,
        name: line(&seat.name)?,
        password: Password::try_from(secret.clone()).map_err(anyhow::Error::msg)?,
        role: seat.role,
        organisation: seat.organisation,
        site: seat.site,
    };
    let user = stage.act(admin, |tx| access::add_user(tx, admin, &new))?;
    let totp_secret = factor_of(stage, user.id, seat.role)?;
    let actor = Actor {
        user: user.id,
        role: seat.role,
        programme: admin.programme,
        organisation: seat.organisation,
        site: seat.site,
    };
    Ok((
        actor,
        Account {
            role: seat.role,
            email,
            password: secret,
            totp_secret,
            programme: Some(code.to_owned()),
        },
    ))
}

/// The second factor of a person whose role takes one.
pub fn factor_of(stage: &Stage<'_>, user: UserId, role: Role) -> anyhow::Result<Option<String>> {
    if !role.needs_second_factor() {
        return Ok(None);
    }
    let given =
        stage.db.transact_blocking(Scope::Nobody, |tx| access::give(tx, stage.keys, user))?;
    Ok(Some(given))
}
