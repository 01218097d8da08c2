//! `souche audit`: what an auditor makes of a bundle, with nothing else at hand.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};

use crate::domain::date::{in_paris_to_the_second, parse_as_of};
use crate::domain::money::Cents;
use crate::domain::sample::{Sample, Seed};
use crate::domain::statement::Conservation;
use crate::domain::{SampleId, Timestamp};
use crate::export::custody::Report;
use crate::export::worksheet::{self, Row};
use crate::export::{conservation, custody};
use crate::ledger::bundle::{self, AsOf, Committed, Past, Trusted};
use crate::print::write_statement;

/// The commands. Each reads a bundle, which `souche verify FILE` verifies.
#[derive(Subcommand, Debug)]
pub enum Audit {
    /// Draw an audit sample again, and write its worksheet
    Sample(SampleCommand),
    /// Who held each pass at a date, range by range and by holder
    Custody(CustodyCommand),
    /// That both books add up at a date: every account, every equality
    Conservation(ConservationCommand),
}

/// The command.
#[derive(Args, Debug)]
pub struct SampleCommand {
    /// A bundle (`souche export bundle`)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Number of the sample
    #[arg(long, value_name = "NUMBER")]
    sample: String,
    /// Its seed, 64 hexadecimal digits: to know what it draws before it is revealed
    #[arg(long, value_name = "HEX")]
    seed: Option<String>,
    /// Where to write the worksheet, CSV; refuses to replace a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A public key of the log that was kept elsewhere (vkey); repeated, after a change of keys
    #[arg(id = "vkey", long = "key", value_name = "VKEY")]
    keys: Vec<String>,
}

/// The command.
#[derive(Args, Debug)]
pub struct CustodyCommand {
    #[command(flatten)]
    of: OfDate,
    /// As it was known then: a day, or an instant; when the bundle was written when left out
    #[arg(long, value_name = "DATE")]
    known_at: Option<String>,
    /// How it is told
    #[arg(long, value_enum, default_value = "csv")]
    format: CustodyFormat,
}

/// The command.
#[derive(Args, Debug)]
pub struct ConservationCommand {
    #[command(flatten)]
    of: OfDate,
    /// How it is told; a PDF goes to a file (`> etat.pdf`)
    #[arg(long, value_enum, default_value = "text")]
    format: ConservationFormat,
}

/// Which bundle, as of when.
#[derive(Args, Debug)]
pub struct OfDate {
    /// A bundle (`souche export bundle`)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A day (its end, in Paris), or an instant; when the bundle was written when left out
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CustodyFormat {
    Csv,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ConservationFormat {
    Text,
    Csv,
    Json,
    Pdf,
}

impl Audit {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Sample(command) => command.run(),
            Self::Custody(command) => command.run(),
            Self::Conservation(command) => command.run(),
        }
    }
}

fn open(file: &Path) -> anyhow::Result<BufReader<File>> {
    let opened = File::open(file).with_context(|| format!("{} est illisible", file.display()))?;
    Ok(BufReader::with_capacity(1 << 20, opened))
}

impl OfDate {
    /// Reads the bundle as of its date; with the dates that were asked for, or when it was written.
    fn read(&self, known_at: Option<&String>) -> anyhow::Result<(Past, Timestamp, Timestamp)> {
        let date = |text: Option<&String>| {
            text.map(|text| parse_as_of(text)).transpose().map_err(anyhow::Error::msg)
        };
        let at = AsOf { as_of: date(self.as_of.as_ref())?, known_at: date(known_at)? };
        let past = Past::read(open(&self.file)?, at).map_err(anyhow::Error::msg)?;
        let or_then = |at: Option<Timestamp>| at.unwrap_or(past.exported_at);
        let (as_of, known_at) = (or_then(at.as_of), or_then(at.known_at));
        Ok((past, as_of, known_at))
    }
}

impl CustodyCommand {
    fn run(self) -> anyhow::Result<()> {
        let (past, as_of, known_at) = self.of.read(self.known_at.as_ref())?;
        let format = match self.format {
            CustodyFormat::Csv => custody::Format::Csv,
            CustodyFormat::Json => custody::Format::Json,
        };
        let out = BufWriter::new(io::stdout().lock());
        let mut report = Report::begin(out, format, &past.custody_frame(as_of, known_at))?;
        for range in past.ranges() {
            report.range(&range)?;
        }
        Ok(report.finish()?)
    }
}

impl ConservationCommand {
    /// Fails when an equality does not hold.
    fn run(self) -> anyhow::Result<()> {
        let (past, as_of, _) = self.of.read(None)?;
        let statement = past.conservation(as_of);
        let mut out = BufWriter::new(io::stdout().lock());
        match self.format {
            ConservationFormat::Text => write_text(&mut out, &statement)?,
            ConservationFormat::Csv => conservation::write_csv(&mut out, &statement)?,
            ConservationFormat::Json => serde_json::to_writer(&mut out, &statement)?,
            ConservationFormat::Pdf => write_statement(&mut out, &past.programme_name, &statement)?,
        }
        out.flush()?;
        if !statement.every_equality_holds {
            bail!("une égalité au moins n'est pas vérifiée");
        }
        Ok(())
    }
}

/// The equalities, and under what they were computed.
fn write_text(out: &mut impl Write, statement: &Conservation) -> io::Result<()> {
    let at = in_paris_to_the_second(statement.as_of);
    writeln!(
        out,
        "{} — état de conservation arrêté au {at} (heure de Paris)",
        statement.programme
    )?;
    if let Some(head) = statement.head {
        let past = statement.entries_past_head;
        writeln!(
            out,
            "Sous la tête de taille {}, racine {} ; {past} écritures n'y sont pas encore.",
            head.size, head.root
        )?;
    }
    for equality in &statement.equalities {
        let mark = if equality.difference == 0 { "✓" } else { "✗" };
        let shown = |amount: i64| match equality.book {
            crate::domain::account::Book::Pass => amount.to_string(),
            crate::domain::account::Book::Eur => Cents(amount).to_string(),
        };
        let terms: Vec<String> = equality
            .right
            .iter()
            .map(|term| format!("{} {}", term.label, shown(term.amount)))
            .collect();
        writeln!(out, "  {mark} {} ({})", equality.rule, equality.code)?;
        writeln!(
            out,
            "    {} {} = {} ; écart {}",
            equality.left.label,
            shown(equality.left.amount),
            terms.join(" + "),
            shown(equality.difference)
        )?;
    }
    Ok(())
}

impl SampleCommand {
    /// Verifies the bundle, then draws; fails when a rule does not hold, or the draw is another.
    fn run(self) -> anyhow::Result<()> {
        let number: SampleId = self.sample.parse().map_err(anyhow::Error::msg)?;
        let keys = self.keys.iter().map(|key| key.parse().map_err(anyhow::Error::msg));
        let keys: anyhow::Result<Vec<_>> = keys.collect();
        let trusted = Trusted { keys: keys?, checkpoint: None };
        let verdict = bundle::verify(open(&self.file)?, &trusted);
        let broken: Vec<&str> =
            verdict.checks.iter().filter(|check| !check.holds).map(|check| check.code).collect();
        if !broken.is_empty() {
            bail!("ce dossier ne tient pas ({}) : voyez souche verify", broken.join(", "));
        }
        let committed = verdict.samples.find(number.get().into());
        let committed =
            committed.with_context(|| format!("aucun échantillon {number} dans ce dossier"))?;
        let seed = self.seed(committed)?;
        let sample = verdict
            .samples
            .remake(committed, seed)
            .context("son engagement n'est pas encore scellé dans ce dossier")?;
        self.tell(committed, seed, &sample)?;
        self.write(number, &sample)
    }

    /// The seed that was revealed, or the one that is given; it must be the one committed to.
    fn seed(&self, committed: &Committed) -> anyhow::Result<Seed> {
        let given =
            self.seed.clone().map(Seed::try_from).transpose().map_err(anyhow::Error::msg)?;
        let seed = given.or(committed.seed);
        let seed = seed.context("sa graine n'est pas encore révélée : donnez-la par --seed")?;
        if seed.commitment() != committed.commitment {
            bail!("cette graine n'est pas celle de l'engagement");
        }
        Ok(seed)
    }

    fn tell(&self, committed: &Committed, seed: Seed, sample: &Sample) -> anyhow::Result<()> {
        let size = committed.leaf.unwrap_or_default().saturating_add(1);
        super::say(&format!("Échantillon {} — {}", self.sample, committed.title))?;
        super::say(&format!("Graine {seed}, tête de taille {size}, racine {}", committed.root))?;
        for lot in &sample.lots {
            let leaves: Vec<String> = lot.leaves.iter().map(ToString::to_string).collect();
            super::say(&format!(
                "  strate {} : {} sur {} récépissés, feuilles {}",
                lot.stratum,
                lot.leaves.len(),
                lot.population,
                leaves.join(", ")
            ))?;
        }
        super::say(match committed.seed {
            Some(_) => "Le tirage consigné est celui-ci, ligne pour ligne.",
            None => "Rien n'est encore tiré : c'est ce que cette graine tirera, et rien d'autre.",
        })
    }

    fn write(&self, number: SampleId, sample: &Sample) -> anyhow::Result<()> {
        let Some(out) = &self.out else { return Ok(()) };
        let strata: Vec<String> = sample.lots.iter().map(|lot| lot.stratum.to_string()).collect();
        let numbered = (1..).zip(sample.lines()).map(|(line, (stratum, leaf))| {
            let at = usize::try_from(stratum).ok().and_then(|at| at.checked_sub(1));
            let name = at.and_then(|at| strata.get(at)).cloned().unwrap_or_default();
            (leaf, (line, name))
        });
        let leaves: BTreeMap<u64, (i32, String)> = numbered.collect();
        let drawn = bundle::worksheet(open(&self.file)?, number.get().into(), &leaves)
            .map_err(anyhow::Error::msg)?;
        let shown = out.display();
        let file = File::create_new(out)
            .with_context(|| format!("{shown} existe déjà, ou ne peut être écrit"))?;
        let mut sheet = worksheet::begin(BufWriter::new(file))?;
        for it in &drawn {
            let finding = it.finding.as_ref();
            let row = Row {
                line: it.line,
                stratum: &it.stratum,
                receipt: &it.receipt,
                kind: it.kind,
                happened_at: it.happened_at,
                amount_cents: it.amount_cents,
                site: it.site.zip(it.site_name.as_deref()),
                leaf: i64::try_from(it.leaf)?,
                entry: it.entry,
                conclusion: finding.map(|(conclusion, _)| *conclusion),
                remark: finding.and_then(|(_, remark)| remark.as_deref()),
            };
            worksheet::write(&mut sheet, &row)?;
        }
        sheet.finish()?;
        super::say(&format!("Feuille de travail : {shown}"))
    }
}
