//! What a role is beside what it may do: who gives it, what it takes to sign in with it, and which others
//! one person can't hold with it.

use super::actor::{Actor, Role};
use super::id::{OrganisationId, SiteId};
use super::refusal::Refusal;
use super::text::Email;

/// A role, and the place that it acts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// What the person may do.
    pub role: Role,
    /// For prescribers and sites: whose.
    pub organisation: Option<OrganisationId>,
    /// For a mediator: where.
    pub site: Option<SiteId>,
}

impl Assignment {
    /// Refuses a role without the place it acts for, or with one it has no use for.
    pub fn ensure_whole(&self) -> Result<(), Refusal> {
        if self.role.acts_for_an_organisation() != self.organisation.is_some() {
            return Err(Refusal::invalid(
                "organisation",
                "attendue pour un prescripteur ou un lieu, et pour eux seuls",
            ));
        }
        if (self.role == Role::SiteMediator) != self.site.is_some() {
            return Err(Refusal::invalid("site", "attendu pour un médiateur, et pour lui seul"));
        }
        Ok(())
    }

    /// Refuses an actor that has not the charge of this role there: the operator's administrator has that of
    /// everybody, a manager that of its own organisation's people.
    pub fn ensure_in_charge(&self, actor: &Actor) -> Result<(), Refusal> {
        let of_its_own: &[Role] = match actor.role {
            Role::OperatorAdmin => return Ok(()),
            Role::PrescriberManager => &[Role::PrescriberManager, Role::PrescriberAgent],
            Role::SiteManager => &[Role::SiteManager, Role::SiteMediator],
            _ => &[],
        };
        if of_its_own.contains(&self.role) && self.organisation == actor.organisation {
            Ok(())
        } else {
            Err(Refusal::NotAllowed { action: "manage_users_of_another_place".into() })
        }
    }
}

impl Role {
    /// Does it act for one organisation?
    pub const fn acts_for_an_organisation(self) -> bool {
        matches!(
            self,
            Self::PrescriberManager
                | Self::PrescriberAgent
                | Self::SiteManager
                | Self::SiteMediator
        )
    }

    /// Does it take a second factor? Yes for the roles that run the instance or let money go.
    pub const fn needs_second_factor(self) -> bool {
        matches!(
            self,
            Self::OperatorAdmin
                | Self::OperatorAccountant
                | Self::SponsorApprover
                | Self::PublicAccountant
        )
    }

    /// May one person hold both in one programme? Only within one organisation's own work: everywhere else one
    /// of the two makes what the other checks, or watches it.
    pub const fn goes_with(self, other: Self) -> bool {
        const fn work(role: Role) -> u8 {
            match role {
                Role::OperatorAdmin => 0,
                Role::OperatorAccountant => 1,
                Role::SponsorManager => 2,
                Role::SponsorApprover => 3,
                Role::PublicAccountant => 4,
                Role::PrescriberManager | Role::PrescriberAgent => 5,
                Role::SiteManager | Role::SiteMediator => 6,
                Role::Auditor => 7,
            }
        }
        work(self) == work(other)
    }
}

impl Email {
    /// The letter box that it leads to: what follows a `+` is the owner's own business (RFC 5233), so two
    /// such addresses are one person.
    pub fn letter_box(&self) -> String {
        let (user, host) = self.as_str().split_once('@').unwrap_or((self.as_str(), ""));
        let user = user.split_once('+').map_or(user, |(user, _)| user);
        format!("{user}@{host}")
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;
    use crate::domain::{ProgrammeId, UserId};

    fn assignment(role: Role, organisation: Option<i32>) -> Assignment {
        Assignment { role, organisation: organisation.map(OrganisationId::new), site: None }
    }

    #[test]
    fn a_manager_is_in_charge_of_its_own_people_only() {
        let manager = Actor {
            user: UserId::generate(),
            role: Role::SiteManager,
            programme: ProgrammeId::new(1),
            organisation: Some(OrganisationId::new(4)),
            site: None,
        };
        assert!(assignment(Role::SiteMediator, Some(4)).ensure_in_charge(&manager).is_ok());
        for (role, organisation) in [
            (Role::SiteMediator, Some(5)),
            (Role::PrescriberAgent, Some(4)),
            (Role::OperatorAdmin, None),
        ] {
            let asked = assignment(role, organisation);
            assert!(asked.ensure_in_charge(&manager).is_err(), "{role:?} {organisation:?}");
        }
        let auditor = Actor { role: Role::Auditor, organisation: None, ..manager };
        for role in Role::VARIANTS {
            assert!(assignment(*role, None).ensure_in_charge(&auditor).is_err());
        }
    }

    #[test]
    fn whoever_makes_never_checks() {
        for (maker, checker) in [
            (Role::SponsorManager, Role::SponsorApprover),
            (Role::OperatorAccountant, Role::PublicAccountant),
            (Role::PrescriberAgent, Role::SiteMediator),
            (Role::OperatorAdmin, Role::Auditor),
        ] {
            assert!(
                !maker.goes_with(checker) && !checker.goes_with(maker),
                "{maker:?} {checker:?}"
            );
        }
        assert!(Role::SiteManager.goes_with(Role::SiteMediator));
        assert!(Role::VARIANTS.iter().all(|role| role.goes_with(*role)));
    }

    #[test]
    fn a_letter_box_has_one_name() {
        let email = |text: &str| Email::try_from(text.to_owned()).unwrap();
        assert_eq!(email("Ana+2@exemple.fr").letter_box(), "ana@exemple.fr");
        assert_eq!(email("ana@exemple.fr").letter_box(), "ana@exemple.fr");
    }
}
