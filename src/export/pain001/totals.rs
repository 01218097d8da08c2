//! Reads a finished bank file back, to hold its announced totals against its payments.
//!
//! Not an XML reader for the world: it understands the plain elements that [`super::write`] writes
//! and refuses the rest (comments, CDATA, entities in figures), which is the point of a check.

use super::FileError;

/// How many payments the file carries and what they sum to in cents, counted one by one.
///
/// # Errors
/// A file that is not ours, a payment without exactly one amount in euros, or a header (of the
/// file or of its group) that announces anything else than the payments give.
pub fn totals(xml: &[u8]) -> Result<(usize, i64), FileError> {
    let text = std::str::from_utf8(xml).map_err(|_| unreadable("il n'est pas en UTF-8"))?;
    let mut reading = Reading::default();
    for piece in text.split('<').skip(1) {
        let (tag, value) =
            piece.split_once('>').ok_or_else(|| unreadable("une balise est coupée"))?;
        reading.tag(tag)?;
        reading.value(value.trim())?;
    }
    reading.finish()
}

fn unreadable(reason: &str) -> FileError {
    FileError::new("fichier", reason)
}

/// What was counted, or what was announced.
#[derive(Clone, Copy, Default)]
struct Totals {
    payments: usize,
    cents: i64,
}

#[derive(Default)]
struct Reading<'x> {
    path: Vec<&'x str>,
    counted: Totals,
    amounts: usize,
    announced: Vec<(&'static str, String)>,
}

impl<'x> Reading<'x> {
    fn tag(&mut self, tag: &'x str) -> Result<(), FileError> {
        if tag.starts_with('?') && self.path.is_empty() {
            return Ok(());
        }
        if tag.starts_with(['!', '?']) || tag.ends_with('/') {
            return Err(unreadable("il contient autre chose que des éléments simples"));
        }
        if let Some(closed) = tag.strip_prefix('/') {
            return match self.path.pop() {
                Some(open) if open == closed => Ok(()),
                _ => Err(unreadable("une balise n'est pas fermée")),
            };
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        self.path.push(name);
        if name == "InstdAmt" && attributes != "Ccy=\"EUR\"" {
            return Err(FileError::new("InstdAmt", "un montant n'est pas en euros"));
        }
        if name == "CdtTrfTxInf" {
            self.counted.payments = self.counted.payments.saturating_add(1);
        }
        Ok(())
    }

    fn value(&mut self, value: &str) -> Result<(), FileError> {
        if value.is_empty() {
            return Ok(());
        }
        match self.path.as_slice() {
            [.., "CdtTrfTxInf", "Amt", "InstdAmt"] => self.amount(value)?,
            [.., "GrpHdr", "NbOfTxs"] => self.announced.push(("GrpHdr/NbOfTxs", value.into())),
            [.., "GrpHdr", "CtrlSum"] => self.announced.push(("GrpHdr/CtrlSum", value.into())),
            [.., "PmtInf", "NbOfTxs"] => self.announced.push(("PmtInf/NbOfTxs", value.into())),
            [.., "PmtInf", "CtrlSum"] => self.announced.push(("PmtInf/CtrlSum", value.into())),
            _ => {}
        }
        Ok(())
    }

    fn amount(&mut self, value: &str) -> Result<(), FileError> {
        let wrong = || FileError::new("InstdAmt", format!("« {value} » n'est pas un montant"));
        let cents =
            sepa::ct_from_eur_str(value).ok().filter(|cents| *cents > 0).ok_or_else(wrong)?;
        self.counted.cents = self.counted.cents.checked_add(cents).ok_or_else(wrong)?;
        self.amounts = self.amounts.saturating_add(1);
        if self.amounts == self.counted.payments { Ok(()) } else { Err(one_amount_each()) }
    }

    fn finish(self) -> Result<(usize, i64), FileError> {
        let Totals { payments, cents } = self.counted;
        if !self.path.is_empty() {
            return Err(unreadable("il est coupé avant sa fin"));
        }
        if self.amounts != payments {
            return Err(one_amount_each());
        }
        for field in ["GrpHdr/NbOfTxs", "GrpHdr/CtrlSum", "PmtInf/NbOfTxs", "PmtInf/CtrlSum"] {
            let counted = if field.ends_with("NbOfTxs") {
                payments.to_string()
            } else {
                sepa::ct_to_eur_str(cents)
            };
            let mut announced = self.announced.iter().filter(|(name, _)| *name == field);
            match (announced.next(), announced.next()) {
                (Some((_, value)), None) if *value == counted => {}
                (Some((_, value)), None) => {
                    let reason = format!("l'en-tête annonce {value}, les paiements font {counted}");
                    return Err(FileError::new(field, reason));
                }
                _ => return Err(FileError::new(field, "il en faut un et un seul")),
            }
        }
        Ok((payments, cents))
    }
}

fn one_amount_each() -> FileError {
    FileError::new("InstdAmt", "chaque paiement doit porter un montant et un seul")
}
