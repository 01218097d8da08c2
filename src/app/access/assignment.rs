//! A role is given: where it may be, by whom, and beside which others.

use crate::db::{Tx, memberships, organisations, sites};
use crate::domain::text::Email;
use crate::domain::{Actor, Assignment, ProgrammeId, Refusal, Role, UserId};
use crate::error::Result;

/// Refuses a role that the actor can't give here, or whose place is not what the role takes.
pub(super) fn ensure_given(tx: &mut Tx<'_>, actor: &Actor, asked: &Assignment) -> Result<()> {
    if actor.programme == ProgrammeId::INSTANCE && asked.role != Role::OperatorAdmin {
        return Err(Refusal::invalid("role", "hors d'un dispositif, seul operator_admin a un sens ; connectez-vous dans un dispositif").into());
    }
    asked.ensure_whole()?;
    asked.ensure_in_charge(actor)?;
    if let Some(number) = asked.organisation {
        let organisation = organisations::get(tx, number)?;
        let prescribes = matches!(asked.role, Role::PrescriberManager | Role::PrescriberAgent);
        if prescribes && !organisation.is_prescriber {
            return Err(Refusal::invalid(
                "organisation",
                "cette structure n'est pas prescriptrice",
            )
            .into());
        }
    }
    if let Some(number) = asked.site
        && Some(sites::get(tx, number)?.organisation) != asked.organisation
    {
        return Err(Refusal::invalid("site", "ce lieu n'est pas de cette structure").into());
    }
    Ok(())
}

/// Refuses a role to whom holds another in this programme that does not go with it, under this address or one that
/// leads to the same letter box. `user` is the account whose own role is to be replaced.
pub(super) fn ensure_goes_with_others(
    tx: &mut Tx<'_>,
    email: &Email,
    role: Role,
    user: Option<UserId>,
) -> Result<()> {
    let held = memberships::of_letter_box(tx, &email.letter_box())?;
    let odd = held.iter().find(|held| Some(held.user) != user && !held.role.goes_with(role));
    match odd {
        Some(odd) => {
            let word = |role: Role| <&str>::from(role).to_owned();
            Err(Refusal::IncompatibleRoles { held: word(odd.role), asked: word(role) }.into())
        }
        None => Ok(()),
    }
}
