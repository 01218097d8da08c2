//! The communes of Hauts-de-France: 3,782 facts in a table that ships with the binary, and
//! the ways to find one from what people type.
//!
//! Source: Etalab, « découpage administratif », Licence Ouverte 2.0
//! (`assets/communes-hauts-de-france.csv`).

mod codes;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

pub use codes::{Arrondissement, Department, InseeCode, PostalCode};

use super::folding::fold;

/// One commune as it is today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commune {
    /// Its code in the official geographic code.
    pub insee_code: InseeCode,
    /// Its official name, accents and hyphens included.
    pub name: &'static str,
    /// The postal codes of its addresses, at least one; CEDEX codes are not among them.
    pub postal_codes: Vec<PostalCode>,
    /// Inhabitants.
    pub population: u32,
    /// The arrondissement of the State it belongs to.
    pub arrondissement: Arrondissement,
}

impl Commune {
    /// The department it belongs to.
    pub fn department(&self) -> Department {
        self.insee_code.department()
    }

    /// Whether the name, however spelt, is this commune's.
    pub fn is_called(&self, name: &str) -> bool {
        let [whole, bare] = keys(self.name);
        keys(name).iter().any(|key| *key == whole || *key == bare)
    }
}

/// The table and its indexes. Communes that merged into another are found under their old code and
/// name too, and give the commune of today.
pub struct Communes {
    all: &'static [Commune],
    by_insee_code: HashMap<InseeCode, &'static Commune>,
    by_name: HashMap<(String, PostalCode), &'static Commune>,
    by_postal_code: BTreeMap<PostalCode, Vec<&'static Commune>>,
    by_department: HashMap<(String, Department), Option<&'static Commune>>,
    departments: BTreeSet<Department>,
}

impl Communes {
    /// The communes of departments 02, 59, 60, 62 and 80, read once.
    pub fn hauts_de_france() -> &'static Self {
        static INDEX: LazyLock<Communes> = LazyLock::new(|| Communes::index(&ALL, FORMER));
        &INDEX
    }

    /// All of them, by INSEE code.
    pub fn all(&self) -> &'static [Commune] {
        self.all
    }

    /// Whether the department is one of the table's.
    pub fn covers(&self, department: Department) -> bool {
        self.departments.contains(&department)
    }

    /// The commune of that code, or the one it merged into.
    pub fn by_insee_code(&self, code: InseeCode) -> Option<&'static Commune> {
        self.by_insee_code.get(&code).copied()
    }

    /// The commune of that name, old or new and however spelt, that the postal code serves.
    pub fn by_name(&self, name: &str, postal_code: PostalCode) -> Option<&'static Commune> {
        keys(name).into_iter().find_map(|key| self.by_name.get(&(key, postal_code)).copied())
    }

    /// The only commune of that name in the department; `None` when there is none or several.
    pub fn by_name_in(&self, name: &str, department: Department) -> Option<&'static Commune> {
        keys(name)
            .into_iter()
            .find_map(|key| self.by_department.get(&(key, department)).copied().flatten())
    }

    /// Every commune that the postal code serves.
    pub fn by_postal_code(&self, postal_code: PostalCode) -> &[&'static Commune] {
        self.by_postal_code.get(&postal_code).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether some commune belongs to that arrondissement.
    pub fn has_arrondissement(&self, arrondissement: Arrondissement) -> bool {
        self.all.iter().any(|commune| commune.arrondissement == arrondissement)
    }

    fn index(all: &'static [Commune], former: &'static str) -> Self {
        let mut communes = Self {
            all,
            by_insee_code: all.iter().map(|commune| (commune.insee_code, commune)).collect(),
            by_name: HashMap::new(),
            by_postal_code: BTreeMap::new(),
            by_department: HashMap::new(),
            departments: all.iter().map(Commune::department).collect(),
        };
        for commune in all {
            communes.name(commune.name, commune);
            for code in &commune.postal_codes {
                communes.by_postal_code.entry(*code).or_default().push(commune);
            }
        }
        for line in lines(former) {
            communes.add_former(line);
        }
        communes
    }

    /// Adds a line `code,old name,code of today`; today's names and codes win over old ones.
    fn add_former(&mut self, line: &'static str) {
        let mut cells = line.split(',');
        let (Some(old), Some(name), Some(joined)) = (cells.next(), cells.next(), cells.next())
        else {
            return;
        };
        let (Ok(old), Ok(joined)) = (old.parse(), joined.parse()) else { return };
        if let Some(commune) = self.by_insee_code(joined) {
            self.by_insee_code.entry(old).or_insert(commune);
            self.name(name, commune);
        }
    }

    fn name(&mut self, name: &str, commune: &'static Commune) {
        for key in BTreeSet::from(keys(name)) {
            for code in &commune.postal_codes {
                self.by_name.entry((key.clone(), *code)).or_insert(commune);
            }
            self.by_department
                .entry((key, commune.department()))
                .and_modify(|only| *only = only.filter(|other| *other == commune))
                .or_insert(Some(commune));
        }
    }
}

const TABLE: &str = include_str!("../../../assets/communes-hauts-de-france.csv");
const FORMER: &str = include_str!("../../../assets/former-communes-hauts-de-france.csv");

static ALL: LazyLock<Vec<Commune>> = LazyLock::new(|| lines(TABLE).filter_map(read).collect());

/// The lines of a table after its comments and its header.
fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#')).skip(1)
}

/// Reads `insee_code,name,postal_codes,population,department,arrondissement`. No name holds a
/// comma; a test counts the lines, so that none is lost.
fn read(line: &'static str) -> Option<Commune> {
    let mut cells = line.split(',');
    let (insee_code, name) = (cells.next()?.parse().ok()?, cells.next()?);
    let postal_codes =
        cells.next()?.split('|').map(|code| code.parse().ok()).collect::<Option<_>>()?;
    let population = cells.next()?.parse().ok()?;
    let arrondissement = cells.nth(1)?.parse().ok()?;
    Some(Commune { insee_code, name, postal_codes, population, arrondissement })
}

/// What two spellings of a commune's name have in common: the whole name in capitals without
/// blanks, and the same without its leading article. `ST` is `SAINT`; what follows CEDEX or BP is
/// not part of the name, nor is a trailing arrondissement ("Marseille 3e").
fn keys(name: &str) -> [String; 2] {
    let folded = fold(name);
    let words: Vec<&str> =
        folded.split(' ').take_while(|word| !matches!(*word, "CEDEX" | "BP" | "CS")).collect();
    let kept = words
        .iter()
        .rposition(|word| !is_arrondissement(word))
        .map_or(0, |last| last.saturating_add(1));
    let words = words.get(..kept).unwrap_or_default();
    let bare = match words {
        ["LE" | "LA" | "LES" | "L", rest @ ..] if !rest.is_empty() => rest,
        _ => words,
    };
    [spelt(words), spelt(bare)]
}

fn spelt(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| match *word {
            "ST" => "SAINT",
            "STE" => "SAINTE",
            word => word,
        })
        .collect()
}

fn is_arrondissement(word: &str) -> bool {
    word == "ARRONDISSEMENT" || word.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests;
