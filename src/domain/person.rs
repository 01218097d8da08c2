//! Who a beneficiary is. Kept sealed, in one table; everything else knows a keyed hash.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::date::BusinessDate;
use super::folding::fold;
use super::text::Line;

/// What a hand-over must know of a person, and no more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Surname.
    pub last_name: Line,
    /// First name.
    pub first_name: Line,
    /// Birth date.
    pub born_on: BusinessDate,
}

/// For what an identity may be read; a closed list, so that the trace of it names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadingReason {
    /// The person asks what is kept about it (GDPR, article 15), or has it corrected (article 16).
    RightsOfThePerson,
    /// A booklet was lost or stolen, and its holder has to be recognised.
    LossOrTheft,
    /// Eligibility is checked against the documents.
    EligibilityCheck,
    /// A site or the person contests a use.
    Dispute,
}

impl Person {
    /// The text that names a person however it was typed: letters and digits, without case or accents.
    pub fn normalised(&self) -> String {
        let plain = |line: &Line| fold(line.as_str()).replace(' ', "");
        format!("{}|{}|{}", plain(&self.last_name), plain(&self.first_name), self.born_on.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(last_name: &str, first_name: &str) -> Person {
        let line = |text: &str| Line::try_from(text.to_owned()).unwrap();
        let born_on = BusinessDate::try_from("1950-02-03".to_owned()).unwrap();
        Person { last_name: line(last_name), first_name: line(first_name), born_on }
    }

    #[test]
    fn the_same_person_typed_in_two_ways_is_one() {
        let same = person("D'ŒUILLY-L'HAŸ", "Éléonore");
        assert_eq!(same.normalised(), person("d oeuilly l hay", "ELEONORE").normalised());
    }

    #[test]
    fn two_persons_are_two() {
        assert_ne!(person("Martin", "Ana").normalised(), person("Marti", "nAna").normalised());
    }
}
