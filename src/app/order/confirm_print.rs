//! The printed booklets are counted into the sponsor's stock, and the key of their codes is destroyed.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::ranges;
use crate::db::{Tx, booklets, orders, programmes};
use crate::domain::account::{Account, AccountKind};
use crate::domain::entry::EntryKind;
use crate::domain::{Action, Actor, OrderId, Refusal};
use crate::error::Result;
use crate::ledger::{self, Entry, Receipt};

/// What was counted.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintCount {
    /// Booklets received from the printer: as many as were minted, or the print is not confirmed.
    pub booklets: i32,
}

/// Confirms that every booklet of an order came back from the printer. From here nobody, operator
/// included, can make its codes again.
pub fn confirm_print(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: OrderId,
    counted: PrintCount,
) -> Result<Receipt> {
    actor.require(Action::ConfirmPrint)?;
    let order = orders::lock(tx, number)?;
    if order.mint_entry.is_none() {
        return Err(Refusal::wrong_state("order", "faites-la d'abord émettre").into());
    }
    if order.print_entry.is_some() {
        return Err(Refusal::wrong_state("order", "l'impression est déjà confirmée").into());
    }
    let all = booklets::lock_order(tx, number)?;
    if usize::try_from(counted.booklets) != Ok(all.len()) {
        let rule = format!(
            "la commande compte {} carnets ; recomptez, ou réclamez le manque à l'imprimeur",
            all.len()
        );
        return Err(Refusal::invalid("booklets", rule).into());
    }
    let (stock, printer) =
        (Account::of(AccountKind::SponsorStock), Account::of(AccountKind::Printer));
    booklets::move_to(tx, &all.iter().map(|booklet| booklet.number).collect::<Vec<_>>(), stock)?;
    let facts = json!({ "order": number, "booklets": counted.booklets });
    let mut entry = Entry::new(tx, EntryKind::PrintReceipt, actor.user, facts);
    for (first, count) in ranges(&all) {
        entry = entry.passes(stock, printer, first, count);
    }
    orders::set_printed(tx, number, entry.id)?;
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry.changed("orders", number.get()))
}
