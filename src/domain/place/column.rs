//! The columns of the national schema: which ones we read, how long they may be, and which
//! generation each betrays.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// The two generations of the national schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Generation {
    /// The first: lists separated by `;`, fifteen fine services, `conditions_acces`,
    /// `labels_nationaux`.
    V0,
    /// Version 1 (1.0.2): lists separated by `|`, nine services, `frais_a_charge`,
    /// `autres_formations_labels`.
    V1,
}

/// A column that we read, by the name it has in files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column(usize);

/// Name and longest text, in characters, of each column that we read. One table serves both
/// generations: where they differ, they differ by name.
const READ: [(&str, usize); 23] = [
    ("id", 200),
    ("pivot", 40),
    ("nom", 250),
    ("commune", 120),
    ("code_postal", 20),
    ("code_insee", 20),
    ("adresse", 300),
    ("complement_adresse", 300),
    ("latitude", 40),
    ("longitude", 40),
    ("services", 2_000),
    ("horaires", 1_000),
    ("source", 120),
    ("itinerance", 40),
    ("date_maj", 40),
    // Where the pass is told: generation 0, generation 1, then raw forms that follow neither.
    ("conditions_acces", 2_000),
    ("labels_nationaux", 2_000),
    ("labels_autres", 2_000),
    ("frais_a_charge", 2_000),
    ("autres_formations_labels", 2_000),
    ("autres_formations_et_labels", 2_000),
    ("labels", 2_000),
    ("tarifs", 2_000),
];

/// Columns that only generation 0 has.
const ONLY_V0: [&str; 8] = [
    "accessibilite",
    "cle_ban",
    "conditions_acces",
    "courriel",
    "labels_autres",
    "labels_nationaux",
    "publics_accueillis",
    "autres_formations_et_labels",
];

/// Columns that only generation 1 has.
const ONLY_V1: [&str; 9] = [
    "autres_formations_labels",
    "courriels",
    "dispositif_programmes_nationaux",
    "fiche_acces_libre",
    "formations_labels",
    "frais_a_charge",
    "modalites_acces",
    "prise_en_charge_specifique",
    "publics_specifiquement_adresses",
];

/// Columns of both generations that tell nothing a voucher ledger needs: known, and passed over.
const PASSED_OVER: [&str; 8] = [
    "modalites_accompagnement",
    "presentation_detail",
    "presentation_resume",
    "prise_rdv",
    "site_web",
    "structure_parente",
    "telephone",
    "typologie",
];

impl Column {
    pub(super) const ID: Self = Self(0);
    pub(super) const PIVOT: Self = Self(1);
    pub(super) const NAME: Self = Self(2);
    pub(super) const COMMUNE: Self = Self(3);
    pub(super) const POSTAL_CODE: Self = Self(4);
    pub(super) const INSEE_CODE: Self = Self(5);
    pub(super) const ADDRESS: Self = Self(6);
    pub(super) const ADDRESS_MORE: Self = Self(7);
    pub(super) const LATITUDE: Self = Self(8);
    pub(super) const LONGITUDE: Self = Self(9);
    pub(super) const SERVICES: Self = Self(10);
    pub(super) const HOURS: Self = Self(11);
    pub(super) const SOURCE: Self = Self(12);
    pub(super) const ITINERANT: Self = Self(13);
    pub(super) const UPDATED: Self = Self(14);

    /// The columns that may say that a place takes the pass.
    pub(super) fn of_the_pass() -> impl Iterator<Item = Self> {
        (15..READ.len()).map(Self)
    }

    /// The column of that name, when it is one that we read.
    pub(super) fn named(name: &str) -> Option<Self> {
        READ.iter().position(|(read, _)| *read == name).map(Self)
    }

    /// Its name in files.
    pub fn name(self) -> &'static str {
        READ.get(self.0).map(|(name, _)| *name).unwrap_or_default()
    }

    /// The longest text it may hold, in characters.
    pub(super) fn max_chars(self) -> usize {
        READ.get(self.0).map(|(_, max)| *max).unwrap_or_default()
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of a column as we compare it: trimmed, in small letters.
pub(super) fn normalised(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Every column name seen in a file, kept to a bounded number.
#[derive(Default)]
pub(super) struct Seen {
    names: BTreeSet<String>,
    more: usize,
}

impl Seen {
    /// How many different names are kept: four times the schema's thirty-two.
    const KEPT: usize = 128;

    pub(super) fn see(&mut self, name: &str) {
        if self.names.contains(name) {
            return;
        }
        if self.names.len() < Self::KEPT || Column::named(name).is_some() {
            self.names.insert(name.to_owned());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The names that neither generation knows and that we don't read, cut to sixty characters.
    pub(super) fn unknown(&self) -> Vec<String> {
        let known = |name: &&String| {
            let name = name.as_str();
            Column::named(name).is_some()
                || [ONLY_V0.as_slice(), &ONLY_V1, &PASSED_OVER]
                    .iter()
                    .any(|list| list.contains(&name))
        };
        let unknown = self
            .names
            .iter()
            .filter(|name| !known(name))
            .map(|name| super::verdict::shown(name, 60));
        let more = (self.more > 0).then(|| "…".to_owned());
        unknown.chain(more).collect()
    }

    /// How many columns only generation 0 has, and how many only generation 1.
    pub(super) fn betrayed(&self) -> (usize, usize) {
        let count = |list: &[&str]| list.iter().filter(|name| self.has(name)).count();
        (count(&ONLY_V0), count(&ONLY_V1))
    }
}
