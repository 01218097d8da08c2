//! Who may receive a booklet: the publics of the Hauts-de-France deployment, and the proofs that
//! show it (the Region's own page of 2022 on the aid). The kind of proof is kept, never the paper.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use super::date::BusinessDate;
use super::refusal::Refusal;

/// The public that a person belongs to.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Eligibility {
    /// Sixty or over.
    Senior,
    /// Registered as a jobseeker.
    Jobseeker,
    /// 18 to 25, looking for work or in an insertion path.
    YoungInInsertion,
}

/// The kind of document that was seen.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Proof {
    /// Identity document.
    IdentityDocument,
    /// Certificate of registration as a jobseeker.
    JobseekerCertificate,
    /// Placement certificate of a training body.
    PlacementCertificate,
    /// Certificate of a mission locale.
    MissionLocaleCertificate,
}

/// What an agent saw, to be held against the rules.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// The public declared.
    pub eligibility: Eligibility,
    /// The kind of document seen.
    pub proof: Proof,
    /// The day the document bears.
    pub dated_on: BusinessDate,
    /// The person's birth date.
    pub born_on: BusinessDate,
}

impl Evidence {
    /// Shows that the person belongs to the public, on that day, or says which condition fails.
    pub fn ensure_sound(&self, today: BusinessDate) -> Result<(), Refusal> {
        if self.dated_on > today {
            return Err(Refusal::invalid(
                "proof_dated_on",
                "le justificatif ne peut être daté du futur",
            ));
        }
        if self.born_on >= today {
            return Err(Refusal::invalid("born_on", "la date de naissance est dans le futur"));
        }
        let age = today.years_since(self.born_on);
        let not_eligible = |rule: &str| Err(Refusal::NotEligible { rule: rule.into() });
        match (self.eligibility, self.proof) {
            (Eligibility::Senior, _) if age < 60 => not_eligible("avoir 60 ans ou plus"),
            (Eligibility::Senior, Proof::IdentityDocument) => Ok(()),
            (Eligibility::Senior, _) => not_eligible("présenter une pièce d'identité"),
            (Eligibility::Jobseeker, Proof::JobseekerCertificate)
                if self.dated_on < today.minus_months(3) =>
            {
                not_eligible(
                    "présenter une attestation de demandeur d'emploi de moins de trois mois",
                )
            }
            (Eligibility::Jobseeker, Proof::JobseekerCertificate) => Ok(()),
            (Eligibility::Jobseeker, _) => {
                not_eligible("présenter une attestation de demandeur d'emploi")
            }
            (Eligibility::YoungInInsertion, _) if !(18..=25).contains(&age) => {
                not_eligible("avoir de 18 à 25 ans")
            }
            (
                Eligibility::YoungInInsertion,
                Proof::PlacementCertificate | Proof::MissionLocaleCertificate,
            ) => Ok(()),
            (Eligibility::YoungInInsertion, _) => not_eligible(
                "présenter une attestation d'organisme de formation ou de mission locale",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> BusinessDate {
        BusinessDate::try_from(text.to_owned()).unwrap()
    }

    fn is_eligible(eligibility: Eligibility, proof: Proof, dated_on: &str, born_on: &str) -> bool {
        let evidence =
            Evidence { eligibility, proof, dated_on: day(dated_on), born_on: day(born_on) };
        evidence.ensure_sound(day("2026-11-22")).is_ok()
    }

    #[test]
    fn each_public_has_its_age_and_its_proofs() {
        use Eligibility as E;
        use Proof as P;
        let cases = [
            (E::Senior, P::IdentityDocument, "2020-01-01", "1966-11-22", true),
            (E::Senior, P::IdentityDocument, "2020-01-01", "1966-11-23", false),
            (E::Senior, P::JobseekerCertificate, "2026-11-01", "1950-01-01", false),
            (E::Jobseeker, P::JobseekerCertificate, "2026-08-22", "1980-01-01", true),
            (E::Jobseeker, P::JobseekerCertificate, "2026-08-21", "1980-01-01", false),
            (E::Jobseeker, P::IdentityDocument, "2026-11-01", "1980-01-01", false),
            (E::YoungInInsertion, P::MissionLocaleCertificate, "2026-11-01", "2008-11-22", true),
            (E::YoungInInsertion, P::PlacementCertificate, "2026-11-01", "2008-11-23", false),
            (E::YoungInInsertion, P::PlacementCertificate, "2026-11-01", "2000-11-23", true),
            (E::YoungInInsertion, P::PlacementCertificate, "2026-11-01", "2000-11-22", false),
            (E::YoungInInsertion, P::IdentityDocument, "2026-11-01", "2004-01-01", false),
        ];
        for (eligibility, proof, dated_on, born_on, expected) in cases {
            assert_eq!(
                is_eligible(eligibility, proof, dated_on, born_on),
                expected,
                "{eligibility:?} {proof:?} {dated_on} {born_on}"
            );
        }
    }

    #[test]
    fn dates_to_come_prove_nothing() {
        assert!(!is_eligible(
            Eligibility::Senior,
            Proof::IdentityDocument,
            "2026-11-23",
            "1950-01-01"
        ));
        assert!(!is_eligible(
            Eligibility::Senior,
            Proof::IdentityDocument,
            "2020-01-01",
            "2027-01-01"
        ));
    }
}
