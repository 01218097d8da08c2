//! What the printer needs, made anew from the order's key as long as that lives.

use crate::db::orders::{self, Order};
use crate::db::programmes::{self, Programme};
use crate::db::{Tx, booklets};
use crate::domain::code::PrintKey;
use crate::domain::{Action, Actor, BookletId, OrderId, PassNumber, Refusal};
use crate::error::Result;
use crate::keys::Keys;
use crate::print::{Edition, PrintedBooklet, PrintedPass};

/// Everything that an order's papers show. Makes booklet after booklet, without the database.
pub struct PrintJob {
    programme: Programme,
    order: Order,
    key: PrintKey,
    first_booklet: BookletId,
    first_pass: PassNumber,
}

/// Opens the key of an order that was minted and is not confirmed as printed.
pub fn print(tx: &mut Tx<'_>, actor: &Actor, keys: &Keys, number: OrderId) -> Result<PrintJob> {
    actor.require(Action::PrintOrder)?;
    let order = orders::get(tx, number)?;
    let sealed = order.print_key_sealed.as_ref().ok_or_else(|| {
        let needs = if order.print_entry.is_some() {
            "l'impression est confirmée, et la clé de ses codes détruite : personne ne peut les refaire"
        } else {
            "faites-la d'abord émettre"
        };
        Refusal::wrong_state("order", needs)
    })?;
    let opened = keys.unseal("print_key", sealed)?;
    let key = PrintKey(
        opened.try_into().map_err(|_| anyhow::anyhow!("a print key is not 32 bytes long"))?,
    );
    let first = booklets::first_of_order(tx, number)?;
    Ok(PrintJob {
        programme: programmes::current(tx)?,
        order,
        key,
        first_booklet: first.number,
        first_pass: first.first_pass,
    })
}

impl PrintJob {
    /// What all its passes have in common. `public_url` is the page that explains a pass.
    pub fn edition<'a>(&'a self, public_url: &'a str) -> Edition<'a> {
        Edition {
            issuer_name: &self.programme.issuer_name,
            issuer_address: &self.programme.issuer_address,
            sponsor_name: &self.programme.sponsor_name,
            programme_name: &self.programme.name,
            face_value_cents: self.order.face_value_cents.cents(),
            last_hand_over: self.order.last_hand_over_on.get(),
            last_use: self.order.last_use_on.get(),
            services: "Ateliers et accompagnements au numérique",
            territory: &self.programme.name,
            public_url,
        }
    }

    /// Its booklets, in order, codes included.
    pub fn booklets<'a>(
        &'a self,
        public_url: &'a str,
    ) -> impl Iterator<Item = PrintedBooklet> + 'a {
        let code = self.programme.code.as_str();
        self.order.quantity().plan(self.first_booklet, self.first_pass).map(move |booklet| {
            PrintedBooklet {
                number: booklet.number.get().unsigned_abs(),
                passes: booklet
                    .passes()
                    .map(|pass| {
                        let secret = self.key.code(pass);
                        PrintedPass {
                            number: pass.get().unsigned_abs(),
                            label: format!("{code}-{pass}"),
                            typable: secret.typable(),
                            qr: format!("https://{public_url}#{}", secret.scannable(code)),
                        }
                    })
                    .collect(),
            }
        })
    }

    /// The scannable code of one of its passes: what a tester types in place of a person with paper.
    pub fn code(&self, pass: PassNumber) -> String {
        self.key.code(pass).scannable(self.programme.code.as_str())
    }

    /// Its order.
    pub fn order(&self) -> OrderId {
        self.order.number
    }
}
