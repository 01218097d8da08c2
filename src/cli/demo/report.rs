//! What the story came to, read from the books by the auditor, and told in French.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Summary;
use super::places::Told;
use super::season::{Season, Tally};
use crate::app::report::{self, Conservation, ThreeWay};
use crate::domain::Cents;
use crate::domain::account::AccountKind;
use crate::ledger::verify::Check;

/// One programme, at the end of the story.
pub struct Chapter {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Booklets minted.
    pub booklets: i64,
    /// Both books.
    pub conservation: Conservation,
    /// Redeemed, listed, sent to the bank, debited.
    pub three_way: ThreeWay,
    /// Every rule, held against the journal.
    pub checks: Vec<Check>,
    /// What was played.
    pub tally: Tally,
    /// What became of its sites.
    pub places: Told,
    /// Sheets with passes to be scanned.
    pub sheets: PathBuf,
}

impl Chapter {
    /// Reads the books of a programme.
    pub fn read(season: &Season<'_>, booklets: i32) -> anyhow::Result<Self> {
        let (stage, world) = (season.stage(), &season.world);
        let auditor = &world.cast.auditor;
        Ok(Self {
            code: world.programme.code.to_string(),
            name: world.programme.name.clone(),
            booklets: booklets.into(),
            conservation: stage.act(auditor, |tx| report::conservation(tx, auditor, tx.now))?,
            three_way: stage.act(auditor, |tx| report::three_way(tx, auditor))?,
            checks: stage.act(auditor, |tx| report::verify(tx, auditor))?,
            tally: season.tally,
            places: world.places.clone(),
            sheets: season.papers.sheets.clone(),
        })
    }

    fn passes(&self, kind: AccountKind) -> i64 {
        self.conservation.passes.get(&kind).copied().unwrap_or(0)
    }

    /// Adds what the books of this programme say to the sums.
    pub fn add_to(&self, sums: &mut Summary) {
        let add = |sum: &mut i64, n: i64| *sum = sum.saturating_add(n);
        add(&mut sums.booklets, self.booklets);
        add(&mut sums.passes, self.passes(AccountKind::Issued));
        let in_hands =
            [AccountKind::Circulation, AccountKind::Redeemed].map(|kind| self.passes(kind));
        add(&mut sums.handed_over, in_hands.into_iter().sum());
        add(&mut sums.redeemed, self.passes(AccountKind::Redeemed));
        add(&mut sums.paid_cents, self.three_way.debited_cents);
        // Absolute: a lack here must not make up for an excess there.
        add(&mut sums.conservation_pass, self.conservation.conservation_pass.saturating_abs());
        add(
            &mut sums.conservation_eur_cents,
            self.conservation.conservation_eur_cents.saturating_abs(),
        );
        add(&mut sums.three_way_difference_cents, self.three_way.difference_cents);
    }

    /// Tells it.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\n{} — {}", self.code, self.name)?;
        self.write_places(out)?;
        let Tally { hand_overs, hand_overs_refused, redemptions, refused, voids } = self.tally;
        let [hand_overs, hand_overs_refused, redemptions, refused, voids] =
            [hand_overs, hand_overs_refused, redemptions, refused, voids]
                .map(|n| grouped(i64::try_from(n).unwrap_or(i64::MAX)));
        writeln!(
            out,
            "  Vie    {hand_overs} carnets remis, {hand_overs_refused} remises refusées ; {redemptions} pass utilisés, \
                       {voids} utilisations annulées, {refused} présentations refusées"
        )?;
        self.write_passes(out)?;
        write_sum(out, "Euros ", &self.conservation.eur_cents, AccountKind::Bank, |cents| {
            Cents(cents).to_string()
        })?;
        writeln!(out, " ; écart {}", Cents(self.conservation.conservation_eur_cents))?;
        self.write_three_way(out)?;
        self.write_checks(out)
    }

    fn write_places(&self, out: &mut impl Write) -> io::Result<()> {
        let told = &self.places;
        if let Some((file, source)) = &told.source {
            let rows = &told.imported;
            writeln!(
                out,
                "  Lieux  {} lignes dans {file} (source : {source}) : {} reprises telles quelles, {} avec remarques, {} refusées, {} sans code \
                           INSEE, {} déjà connues",
                rows.rows,
                rows.imported,
                rows.with_remarks,
                rows.refused,
                rows.without_commune,
                rows.known
            )?;
            writeln!(
                out,
                "         {} sans SIRET, donc impossibles à qualifier et à payer ; {} hors du territoire. Qualifications et \
                           comptes bancaires sont inventés.",
                told.without_siret, told.outside
            )?;
        }
        if told.fictitious > 0 {
            writeln!(
                out,
                "  Lieux  {} fictifs, signalés comme tels dans leur nom",
                told.fictitious
            )?;
        }
        writeln!(out, "         {} qualifiés", told.qualified)
    }

    fn write_passes(&self, out: &mut impl Write) -> io::Result<()> {
        write_sum(out, "Pass  ", &self.conservation.passes, AccountKind::Issued, grouped)?;
        writeln!(out, " ; écart {}", self.conservation.conservation_pass)
    }

    fn write_three_way(&self, out: &mut impl Write) -> io::Result<()> {
        let report = &self.three_way;
        writeln!(out, "  Rapprochement")?;
        for (label, cents) in [
            ("utilisé, non annulé", report.redeemed_cents),
            ("dans un contre-paiement", report.items_cents),
            ("  dont préparé, en attente d'approbation", report.prepared_cents),
            ("dans un fichier de virements", report.in_files_cents),
            ("débité en banque", report.debited_cents),
            ("en attente du prochain lot", report.waiting_cents),
        ] {
            let cents = Cents(cents).to_string();
            writeln!(out, "    {label:<42}{cents:>16}")?;
        }
        for difference in &report.differences {
            writeln!(out, "    ÉCART entre {} : {}", difference.between, Cents(difference.cents))?;
        }
        writeln!(out, "    {:<42}{:>16}", "écarts", Cents(report.difference_cents).to_string())
    }

    fn write_checks(&self, out: &mut impl Write) -> io::Result<()> {
        let broken: Vec<&Check> = self.checks.iter().filter(|check| !check.holds).collect();
        if broken.is_empty() {
            return writeln!(
                out,
                "  Vérification : toutes les règles sont respectées ({})",
                self.checks.len()
            );
        }
        for check in broken {
            let first = check.first.as_deref().unwrap_or("-");
            writeln!(
                out,
                "  RÈGLE ENFREINTE ({}) : {} ; écart {}, premier cas {first}",
                check.code, check.rule, check.difference
            )?;
        }
        Ok(())
    }
}

/// One account as the sum of the others, those at nothing left out.
fn write_sum(
    out: &mut impl Write,
    label: &str,
    balances: &BTreeMap<AccountKind, i64>,
    whole: AccountKind,
    shown: impl Fn(i64) -> String,
) -> io::Result<()> {
    let total = balances.get(&whole).copied().unwrap_or(0);
    let parts = balances.iter().filter(|(kind, balance)| **kind != whole && **balance != 0);
    let parts: Vec<String> =
        parts.map(|(kind, balance)| format!("{} {}", kind.label(), shown(*balance))).collect();
    write!(out, "  {label} {} {} = {}", whole.label(), shown(total), parts.join(" + "))
}

/// A whole number as French readers write it.
fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut shown = String::from(if n < 0 { "-" } else { "" });
    for (rank, digit) in digits.chars().enumerate() {
        if rank > 0 && digits.len().saturating_sub(rank).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

/// Where the reader may look next.
pub fn write_way_on(
    out: &mut impl Write,
    chapters: &[Chapter],
    data: &Path,
    listen: &str,
) -> io::Result<()> {
    let shown = data.display();
    writeln!(out, "\nPour aller plus loin")?;
    writeln!(
        out,
        "  service         souche serve --data {shown} --listen {listen}, puis http://{listen}"
    )?;
    writeln!(
        out,
        "  comptes         {shown}/demo-accounts.json : un par rôle, mots de passe tirés au hasard ; codes par souche users code SECRET"
    )?;
    writeln!(
        out,
        "  virements       {shown}/settlements : fichiers pain.001.001.09 et relevés inventés ; un troisième lot attend son approbation"
    )?;
    for chapter in chapters {
        writeln!(
            out,
            "  pass à scanner  {} (et .csv) : carnet 1 remis et entier, carnet 2 entamé, carnet 3 encore en stock",
            chapter.sheets.display()
        )?;
    }
    let Some(chapter) = chapters.first() else { return Ok(()) };
    let address = super::accounts::address(crate::domain::Role::Auditor, 1, &chapter.code);
    writeln!(
        out,
        "  se connecter    curl -s http://{listen}/api/v1/auth/token -H 'Content-Type: application/json' \\"
    )?;
    writeln!(out, "                    -d '{{\"email\": \"{address}\", \"password\": \"…\"}}'")?;
    writeln!(
        out,
        "  interroger      curl -s http://{listen}/api/v1/reports/three-way -H 'Authorization: Bearer …'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(
            [0, 999, 1_000, 71_100, -1_234_567].map(grouped),
            ["0", "999", "1\u{202f}000", "71\u{202f}100", "-1\u{202f}234\u{202f}567"]
        );
    }
}
