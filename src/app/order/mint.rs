//! Passes come into being: all those of an order, in one transaction.

use std::sync::mpsc::sync_channel;
use std::thread;

use serde_json::json;

use crate::db::passes::NewPass;
use crate::db::{Tx, booklets, orders, passes, programmes, series};
use crate::domain::account::{Account, AccountKind};
use crate::domain::code::PrintKey;
use crate::domain::entry::EntryKind;
use crate::domain::order::PlannedBooklet;
use crate::domain::programme::ProgrammeCode;
use crate::domain::{Action, Actor, BookletId, OrderId, PassNumber, Refusal};
use crate::error::Result;
use crate::keys::{Keys, random};
use crate::ledger::{self, Entry, Receipt};

/// Passes per statement: the arrays of one stay under a megabyte.
const CHUNK: usize = 5_000;

/// Makes the booklets and passes of an approved order. Their codes are derived from a key of the
/// order, kept sealed until the print is confirmed; of each code only a keyed hash is kept.
pub fn mint(tx: &mut Tx<'_>, actor: &Actor, keys: &Keys, number: OrderId) -> Result<Receipt> {
    actor.require(Action::MintOrder)?;
    let order = orders::lock(tx, number)?;
    if order.approved_by.is_none() {
        return Err(Refusal::wrong_state(
            "order",
            "faites-la d'abord approuver par une autre personne",
        )
        .into());
    }
    if order.mint_entry.is_some() {
        return Err(Refusal::wrong_state("order", "ses pass sont déjà émis").into());
    }
    let programme = programmes::current(tx)?;
    let quantity = order.quantity();
    let first_booklet = BookletId::new(series::take(tx, "booklet", quantity.booklets())?);
    let first_pass = PassNumber::new(series::take(tx, "pass", quantity.passes())?);
    let plan: Vec<PlannedBooklet> = quantity.plan(first_booklet, first_pass).collect();

    let printer = Account::of(AccountKind::Printer);
    booklets::insert(tx, number, printer, &plan)?;
    let print_key = PrintKey(random()?);
    let passes = write_passes(tx, keys, &programme.code, number, &print_key, &plan)?;

    let facts = json!({
        "order": number, "booklets_of_10": quantity.booklets_of_10, "booklets_of_5": quantity.booklets_of_5,
        "first_booklet": first_booklet, "first_pass": first_pass, "passes": quantity.passes(),
        "face_value_cents": programme.face_value,
    });
    let entry = Entry::new(tx, EntryKind::Mint, actor.user, facts).passes(
        printer,
        Account::of(AccountKind::Issued),
        first_pass,
        quantity.passes(),
    );
    let sealed = keys.seal("print_key", &print_key.0)?;
    orders::set_minted(tx, number, actor.user, entry.id, &sealed)?;
    let booklets = plan.iter().map(|booklet| booklets::line(number, *booklet));
    let entry = booklets.chain(passes).fold(entry, Entry::writing).changed("orders", number.get());
    ledger::record(tx, &programme.code, entry)
}

/// Writes the passes; returns their lines of evidence. Codes are made and hashed while the chunk before is written.
fn write_passes(
    tx: &mut Tx<'_>,
    keys: &Keys,
    programme: &ProgrammeCode,
    order: OrderId,
    print_key: &PrintKey,
    plan: &[PlannedBooklet],
) -> Result<Vec<String>> {
    let pepper = keys.pepper_of(programme);
    let new = |booklet: BookletId, number: PassNumber| NewPass {
        number,
        booklet,
        code_hash: pepper.hash(programme, &print_key.code(number)),
    };
    let mut passes = plan.iter().flat_map(|of| of.passes().map(|number| new(of.number, number)));
    let (made, chunks) = sync_channel(1);
    thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                let chunk: Vec<NewPass> = passes.by_ref().take(CHUNK).collect();
                let lines =
                    chunk.iter().map(|pass| pass.line(order)).collect::<Vec<_>>().join("\n");
                // Nobody takes it any more if the database refused one before.
                if chunk.is_empty() || made.send((chunk, lines)).is_err() {
                    break;
                }
            }
        });
        chunks
            .into_iter()
            .map(|(chunk, lines)| passes::insert(tx, order, &chunk).map(|()| lines))
            .collect()
    })
}
