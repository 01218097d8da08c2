//! A receipt on paper: the same facts as its JSON, in the words of people here.

use std::io;

use super::{Which, address, named, read, signature};
use crate::db::programmes::Programme;
use crate::db::{Tx, organisations, programmes, sites};
use crate::domain::date::in_paris_to_the_second;
use crate::domain::entry::EntryKind;
use crate::domain::{Actor, OrganisationId, SiteId, fact};
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger::Told;
use crate::print::{PrintedReceipt, write_receipt};

/// All that its paper shows.
pub struct Paper {
    title: String,
    /// As people quote it: `HDF-0412733-1`.
    pub number: String,
    issuer_name: String,
    issuer_address: String,
    lines: Vec<(String, String)>,
    receipt: String,
    signature: Option<Vec<u8>>,
    written: String,
}

/// Reads a receipt that the actor may read, with the names of what it is about.
pub fn paper(tx: &mut Tx<'_>, actor: &Actor, which: Which) -> Result<Paper> {
    let entry = read(tx, actor, which)?;
    let told = Told::read(&entry.receipt).map_err(anyhow::Error::msg)?;
    let programme = programmes::current(tx)?;
    Ok(Paper {
        title: match told.kind {
            EntryKind::Redemption => "Reçu d'utilisation d'un pass".into(),
            kind => format!("Récépissé : {}", kind.label()),
        },
        number: number(&told),
        lines: lines(tx, &told, &programme)?,
        issuer_name: programme.issuer_name,
        issuer_address: programme.issuer_address,
        receipt: entry.receipt,
        signature: entry.signature,
        written: told.written,
    })
}

impl Paper {
    /// Writes it as PDF, with a code that leads to `page`, where it verifies itself.
    pub fn write(&self, out: &mut impl io::Write, keys: &Keys, page: &str) -> io::Result<()> {
        let brought_along = self.signature.as_deref();
        let signature = signature(keys, &self.receipt, brought_along).map(|(_, it)| it);
        let whole = signature.as_ref().map(|it| address(page, &self.receipt, it));
        // One with very many facts does not fit a code: its JSON is pasted into the page.
        let whole = whole.filter(|it| it.len() <= PrintedReceipt::MAX_QR_BYTES);
        let check = match (&signature, &whole) {
            (None, _) => {
                "La clé qu'il nomme n'est pas ici : demandez sa signature à qui l'a émis.".into()
            }
            (_, None) => format!("Il se vérifie à l'adresse {page}, où l'on dépose son JSON."),
            _ => format!(
                "Le code le contient en entier et ouvre {page}, où il se vérifie dans le navigateur, sans rien envoyer."
            ),
        };
        let footer = format!(
            "Ce que dit ce papier est ce que dit le récépissé signé, en JSON, qui seul fait preuve. {check} Empreinte : {}",
            self.written
        );
        let qr = whole.unwrap_or_else(|| format!("https://{page}"));
        let printed = PrintedReceipt {
            title: &self.title,
            number: &self.number,
            issuer_name: &self.issuer_name,
            issuer_address: &self.issuer_address,
            lines: &self.lines,
            signatures: &[],
            qr: &qr,
            footer: &footer,
        };
        write_receipt(out, &printed)
    }
}

/// `HDF-0412733-1` for a redemption or what undoes it, `HDF-12` for what has a number.
fn number(told: &Told) -> String {
    let redemption = told.facts.get("redemption").and_then(|it| it.as_str());
    let own = told.number.map(|number| number.to_string());
    let name = own.or_else(|| redemption.map(str::to_owned));
    format!("{}-{}", told.programme, name.unwrap_or_else(|| told.entry.to_string()))
}

fn lines(tx: &mut Tx<'_>, told: &Told, programme: &Programme) -> Result<Vec<(String, String)>> {
    let mut lines =
        vec![("Dispositif".to_owned(), format!("{} ({})", programme.name, told.programme))];
    let place = |name: &str| fact::LABELS.iter().position(|(known, _)| *known == name);
    let mut facts: Vec<_> = told.facts.iter().collect();
    facts.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
    for (name, value) in facts {
        let said = match name.as_str() {
            "site" => match named(told, name) {
                Some(number) => {
                    let (place, bearer) = site(tx, number)?;
                    lines.push((fact::label("site"), place));
                    lines.push((fact::label("organisation"), bearer));
                    continue;
                }
                None => fact::value(name, value),
            },
            "organisation" | "prescriber" => match named(told, name) {
                Some(number) => organisation(tx, number)?,
                None => fact::value(name, value),
            },
            "pass" | "first_pass" => format!("{}-{}", told.programme, fact::value(name, value)),
            _ => fact::value(name, value),
        };
        let line = (fact::label(name), said);
        // A site's registration names its organisation too.
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let at = in_paris_to_the_second;
    lines.push(("Fait le".into(), format!("{} (heure de Paris)", at(told.happened_at))));
    lines.push(("Enregistré le".into(), format!("{} (heure de Paris)", at(told.recorded_at))));
    lines.push(("Écriture".into(), told.entry.to_string()));
    if let Some(corrected) = told.corrects {
        lines.push(("Corrige l'écriture".into(), corrected.to_string()));
    }
    if let Some(kid) = &told.kid {
        lines.push(("Clé de signature".into(), kid.clone()));
    }
    if let Some(head) = told.head {
        lines
            .push(("Journal public".into(), format!("taille {}, racine {}", head.size, head.root)));
    }
    Ok(lines)
}

/// A site by its name and address, and whose it is.
fn site(tx: &mut Tx<'_>, number: SiteId) -> Result<(String, String)> {
    let site = sites::get(tx, number)?;
    let town = [site.postal_code.as_deref(), Some(&site.commune)];
    let town: Vec<&str> = town.into_iter().flatten().collect();
    let place = format!("n°\u{a0}{number}, {}, {}, {}", site.name, site.address, town.join(" "));
    Ok((place, organisation(tx, site.organisation)?))
}

fn organisation(tx: &mut Tx<'_>, number: OrganisationId) -> Result<String> {
    let organisation = organisations::get(tx, number)?;
    let siret = organisation.siret.map(|siret| format!(", SIRET {siret}")).unwrap_or_default();
    Ok(format!("n°\u{a0}{number}, {}{siret}", organisation.name))
}
