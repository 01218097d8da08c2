//! The variable data of an order, for a printer that has its own layout: one row per pass.

use super::{Edition, PrintedBooklet, amount, date};
use crate::export::csv_safety::Sheet;
use std::io::{self, Write};

/// Names of the columns, in French because the printer's operator reads them.
const HEADER: [&str; 14] = [
    "carnet",
    "rang",
    "numero",
    "pass",
    "code_a_saisir",
    "contenu_qr",
    "valeur_faciale_eur",
    "derniere_remise",
    "derniere_utilisation",
    "dispositif",
    "commanditaire",
    "emetteur",
    "adresse_emetteur",
    "services_et_territoire",
];

/// Writes one row per pass, booklet after booklet. `rang` is the place of the pass in its booklet,
/// from 1; the file holds secrets and is to be treated as such.
///
/// # Errors
/// Those of `out`.
pub fn write_csv(
    out: &mut impl Write,
    edition: &Edition<'_>,
    booklets: impl Iterator<Item = PrintedBooklet>,
) -> io::Result<()> {
    let value = amount(edition.face_value_cents);
    let (hand_over, last_use) = (date(edition.last_hand_over), date(edition.last_use));
    let purpose = format!("{} — {}", edition.services, edition.territory);
    let mut sheet = Sheet::new(out, HEADER)?;
    for booklet in booklets {
        let booklet_number = booklet.number.to_string();
        for (rank, pass) in (1_u32..).zip(&booklet.passes) {
            sheet.row([
                booklet_number.as_str(),
                &rank.to_string(),
                &pass.number.to_string(),
                &pass.label,
                &pass.typable,
                &pass.qr,
                &value,
                &hand_over,
                &last_use,
                edition.programme_name,
                edition.sponsor_name,
                edition.issuer_name,
                edition.issuer_address,
                &purpose,
            ])?;
        }
    }
    sheet.finish()
}
