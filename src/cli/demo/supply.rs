//! From an order to printed, funded booklets in the sponsor's stock.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the days of a story are far from the ends of their type"
)]

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;

use super::calendar::{When, working};
use super::stage::{Stage, line};
use super::world::{Setting, World};
use crate::app::order::{self, NewFunding, NewOrder, PrintCount, PrintJob};
use crate::domain::order::{Dates, Quantity};
use crate::domain::{BookletId, OrderId, PassNumber};
use crate::print;

/// Booklets on the sheets that are left for the reader.
const SHOWN: usize = 3;

/// The printed booklets of a programme: what people hold. The service can't make their codes again.
pub struct Papers {
    /// What the printer was given.
    pub job: PrintJob,
    /// The first booklet.
    pub first_booklet: BookletId,
    /// Its first pass.
    pub first_pass: PassNumber,
    /// Sheets with the first booklets, for the reader to scan.
    pub sheets: PathBuf,
}

/// Orders, approves, mints, prints, funds and confirms, within a fortnight.
pub fn supply(stage: &Stage<'_>, world: &World, setting: &Setting) -> anyhow::Result<Papers> {
    let bar = stage.bar(format!("{} : commande et impression", setting.code), 4);
    let cast = &world.cast;
    let number = place(stage, world, setting)?;
    bar.inc(1);
    let day = setting.opens_on;
    stage.wait_until(When::at(working(day + 3), 9, 0));
    stage.act(&cast.admin, |tx| order::mint(tx, &cast.admin, stage.keys, number))?;
    bar.inc(1);
    stage.wait_until(When::at(working(day + 3), 11, 0));
    let job = stage.act(&cast.admin, |tx| order::print(tx, &cast.admin, stage.keys, number))?;
    let papers = papers(stage, setting, job)?;
    bar.inc(1);
    fund(stage, world, setting, number)?;
    stage.wait_until(When::at(working(day + 16), 10, 0));
    let counted = PrintCount { booklets: setting.booklets };
    stage.act(&cast.admin, |tx| order::confirm_print(tx, &cast.admin, number, counted))?;
    bar.finish_and_clear();
    Ok(papers)
}

fn place(stage: &Stage<'_>, world: &World, setting: &Setting) -> anyhow::Result<OrderId> {
    let cast = &world.cast;
    let day = setting.opens_on;
    stage.wait_until(When::at(day + 1, 14, 30));
    let date = |after: u32| stage.options.calendar.date(day + after);
    let new = NewOrder {
        quantity: Quantity { booklets_of_10: setting.booklets, booklets_of_5: 0 },
        // Good until well after the story, so that the reader can go on.
        dates: Dates {
            last_hand_over_on: date(540),
            last_use_on: date(730),
            last_presentation_on: date(790),
        },
    };
    let order = stage.act(&cast.sponsor, |tx| order::place(tx, &cast.sponsor, new))?;
    stage.wait_until(When::at(day + 2, 10, 15));
    stage.act(&cast.approver, |tx| order::approve(tx, &cast.approver, order.number))?;
    Ok(order.number)
}

/// Leaves the first booklets as sheets to print and as data to read; the rest stays with the printer.
fn papers(stage: &Stage<'_>, setting: &Setting, job: PrintJob) -> anyhow::Result<Papers> {
    let url = stage.options.public_url.as_str();
    let first = job.booklets(url).next().context("la commande n'a pas de carnet")?;
    let number = |n: u32| i32::try_from(n).context("un numéro hors des bornes");
    let first_pass = first.passes.first().context("le carnet n'a pas de pass")?.number;
    let edition = job.edition(url);
    let (sheets, file) = stage.create("print", &format!("{}-planche.pdf", setting.code))?;
    let mut out = BufWriter::new(file);
    print::write_pdf(&mut out, &edition, job.booklets(url).take(SHOWN))?;
    out.flush()?;
    let (_, file) = stage.create("print", &format!("{}-planche.csv", setting.code))?;
    let mut out = BufWriter::new(file);
    print::write_csv(&mut out, &edition, job.booklets(url).take(SHOWN))?;
    out.flush()?;
    Ok(Papers {
        first_booklet: BookletId::new(number(first.number)?),
        first_pass: PassNumber::new(number(first_pass)?),
        job,
        sheets,
    })
}

fn fund(
    stage: &Stage<'_>,
    world: &World,
    setting: &Setting,
    number: OrderId,
) -> anyhow::Result<()> {
    let (accountant, day) = (&world.cast.accountant, working(setting.opens_on + 9));
    stage.wait_until(When::at(day, 9, 20));
    let face_value = world.programme.face_value;
    let passes = i64::from(setting.booklets).saturating_mul(10);
    let new = NewFunding {
        mandate_reference: line(&format!("Mandat fictif n° {}-0001", setting.code))?,
        amount_cents: face_value.times(passes).context("un montant hors des bornes")?,
        received_on: stage.options.calendar.date(day - 1),
    };
    stage.act(accountant, |tx| order::fund(tx, accountant, number, new))?;
    Ok(())
}
