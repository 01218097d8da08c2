//! Which commune a row means. A file gives up to three witnesses: an INSEE code, a name and a
//! postal code.
//!
//! Name and postal code are written by people, INSEE codes are computed by geocoders: when name and
//! postal code together designate a commune, they win over a code that disagrees. Otherwise the
//! code decides; without one, the postal code, the name or the address may still leave only one
//! commune, and a remark says that it was deduced. Nothing is guessed between several.

use super::Column;
use super::reading::Cells;
use super::remark::{Clue, Remark};
use super::verdict::{RowRefusal, shown};
use crate::domain::commune::{Commune, Communes, Department, InseeCode, PostalCode};

/// The commune of a place, as [`super::Place`] keeps it.
pub(super) struct Located {
    pub(super) commune: String,
    pub(super) insee_code: Option<InseeCode>,
    pub(super) postal_code: Option<PostalCode>,
    pub(super) department: Department,
}

/// What the row says about its commune.
struct Given<'a> {
    name: &'a str,
    address: &'a str,
    insee_code: Option<InseeCode>,
    postal_code: Option<PostalCode>,
}

/// Finds the commune of a row, with remarks on what was deduced or put right.
pub(super) fn locate(cells: &Cells, remarks: &mut Vec<Remark>) -> Result<Located, RowRefusal> {
    let given = Given {
        name: cells.get(Column::COMMUNE),
        address: cells.get(Column::ADDRESS),
        insee_code: code(cells, Column::INSEE_CODE, remarks),
        postal_code: code(cells, Column::POSTAL_CODE, remarks),
    };
    if let Some(commune) = given.commune(remarks) {
        return Ok(given.inside(commune, remarks));
    }
    given.outside(remarks).ok_or_else(|| given.refusal())
}

/// Reads a five-character code; a spreadsheet's four digits get their zero back.
fn code<T: std::str::FromStr>(
    cells: &Cells,
    column: Column,
    remarks: &mut Vec<Remark>,
) -> Option<T> {
    let text = cells.get(column);
    if text.is_empty() {
        return None;
    }
    let given = || shown(text, 40);
    let whole = if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        remarks.push(Remark::ZeroRestored { column, given: given() });
        format!("0{text}")
    } else {
        text.to_ascii_uppercase()
    };
    let code = whole.parse().ok();
    if code.is_none() {
        remarks.push(Remark::CodeInvalid { column, given: given() });
    }
    code
}

impl Given<'_> {
    /// The commune of Hauts-de-France that the row means, if any.
    fn commune(&self, remarks: &mut Vec<Remark>) -> Option<&'static Commune> {
        let table = Communes::hauts_de_france();
        let named = self.postal_code.and_then(|code| table.by_name(self.name, code));
        let coded = self.insee_code.and_then(|code| table.by_insee_code(code));
        match (named, coded, self.insee_code) {
            (Some(named), coded, Some(given)) if coded != Some(named) => {
                remarks.push(Remark::InseeCodeDisagrees { given, kept: named.name });
                Some(named)
            }
            (Some(commune), ..) | (None, Some(commune), _) => Some(commune),
            (None, None, Some(given)) if !table.covers(given.department()) => None,
            (None, None, given) => {
                remarks.extend(given.map(|given| Remark::InseeCodeUnknown { given }));
                let (commune, from) = self.deduced()?;
                remarks.push(Remark::CommuneDeduced { commune: commune.name, from });
                Some(commune)
            }
        }
    }

    /// The only commune that the postal code, the name or the address leaves.
    fn deduced(&self) -> Option<(&'static Commune, Clue)> {
        let table = Communes::hauts_de_france();
        let postal_code = self.postal_code?;
        if let [only] = table.by_postal_code(postal_code) {
            return Some((only, Clue::PostalCode));
        }
        let by_name = || table.by_name_in(self.name, postal_code.department()?);
        let by_address = || {
            let (_, town) = self.address.split_once(postal_code.as_str())?;
            table.by_name(town, postal_code)
        };
        by_name()
            .map(|commune| (commune, Clue::Name))
            .or_else(|| Some((by_address()?, Clue::Address)))
    }

    /// The place in a commune that is known; the differences with what was given are told.
    fn inside(&self, commune: &'static Commune, remarks: &mut Vec<Remark>) -> Located {
        self.remark_name(commune, remarks);
        Located {
            commune: commune.name.to_owned(),
            insee_code: Some(commune.insee_code),
            postal_code: self.postal_code_in(commune, remarks),
            department: commune.department(),
        }
    }

    /// The postal code as given, or the commune's first one.
    fn postal_code_in(
        &self,
        commune: &'static Commune,
        remarks: &mut Vec<Remark>,
    ) -> Option<PostalCode> {
        let first = commune.postal_codes.first().copied();
        match self.postal_code {
            Some(given) if !commune.postal_codes.contains(&given) => {
                remarks.push(Remark::PostalCodeDiffers { given, commune: commune.name });
            }
            Some(_) => {}
            None => {
                remarks.extend(first.map(|postal_code| Remark::PostalCodeDeduced { postal_code }));
            }
        }
        self.postal_code.or(first)
    }

    /// Tells when the name or the code given is not the commune's of today.
    fn remark_name(&self, commune: &'static Commune, remarks: &mut Vec<Remark>) {
        let table = Communes::hauts_de_france();
        let today = commune.name;
        let name = || shown(self.name, 120);
        let old_code = self.insee_code.filter(|code| {
            *code != commune.insee_code && table.by_insee_code(*code) == Some(commune)
        });
        let mut by_codes = commune.postal_codes.iter().map(|code| table.by_name(self.name, *code));
        let is_old_name = by_codes.any(|named| named == Some(commune));
        let is_name = self.name.is_empty() || commune.is_called(self.name);
        remarks.extend(match (is_name, is_old_name, old_code) {
            (false, true, _) => Some(Remark::CommuneMerged { given: name(), today }),
            (_, _, Some(code)) => Some(Remark::CommuneMerged { given: code.to_string(), today }),
            (false, false, None) => Some(Remark::CommuneNameDiffers { given: name(), kept: today }),
            (true, _, None) => None,
        });
    }

    /// The place outside Hauts-de-France, taken as given: a name and a code of either kind.
    fn outside(&self, remarks: &mut Vec<Remark>) -> Option<Located> {
        let of_code = self.insee_code.map(|code| code.department());
        let department = of_code.or_else(|| self.postal_code?.department())?;
        if self.name.is_empty() || Communes::hauts_de_france().covers(department) {
            return None;
        }
        remarks.push(Remark::CommuneNotChecked);
        Some(Located {
            commune: self.name.to_owned(),
            insee_code: self.insee_code,
            postal_code: self.postal_code,
            department,
        })
    }

    fn refusal(&self) -> RowRefusal {
        let Some(postal_code) = self.postal_code else {
            return if self.name.is_empty() && self.insee_code.is_none() {
                RowRefusal::CommuneMissing
            } else {
                RowRefusal::CommuneNotFound { given: self.said() }
            };
        };
        let communes = Communes::hauts_de_france().by_postal_code(postal_code).len();
        match (self.name.is_empty(), communes) {
            (true, 0) => RowRefusal::CommuneMissing,
            (true, _) => RowRefusal::CommuneAmbiguous { postal_code, communes },
            (false, _) => RowRefusal::CommuneNotFound { given: self.said() },
        }
    }

    /// What the row says, for the message: code, postal code and name that are there.
    fn said(&self) -> String {
        let codes = [self.insee_code.map(String::from), self.postal_code.map(String::from)];
        let name = Some(shown(self.name, 120)).filter(|name| !name.is_empty());
        codes.into_iter().flatten().chain(name).collect::<Vec<_>>().join(" ")
    }
}
