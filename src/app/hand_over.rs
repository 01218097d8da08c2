//! A booklet goes into somebody's hands (fr: remise), against a receipt.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::db::booklets::Booklet;
use crate::db::{Tx, beneficiaries, booklets, hand_overs, orders, passes, programmes, series};
use crate::domain::account::{Account, AccountKind};
use crate::domain::commune::InseeCode;
use crate::domain::eligibility::{Eligibility, Evidence, Proof};
use crate::domain::entry::EntryKind;
use crate::domain::pass::PassStateName;
use crate::domain::person::Person;
use crate::domain::programme::Terms;
use crate::domain::{
    Action, Actor, BookletId, BusinessDate, HandOverId, PassNumber, Refusal, Timestamp,
};
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger::{self, Entry, Receipt};

/// A booklet for a person, and what shows that the person is eligible.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHandOver {
    /// Which booklet, of the prescriber's stock.
    pub booklet: BookletId,
    /// Who receives it. Kept sealed, apart from everything else.
    pub person: Person,
    /// Where the person lives: INSEE code of the commune, inside the programme's territory.
    pub insee_code: InseeCode,
    /// The public that the person belongs to.
    pub eligibility: Eligibility,
    /// The kind of document that was seen; the document itself is not kept.
    pub proof: Proof,
    /// The day that the document bears.
    pub proof_dated_on: BusinessDate,
}

/// Hands a booklet over to an eligible person.
pub fn hand_over(
    tx: &mut Tx<'_>,
    actor: &Actor,
    keys: &Keys,
    new: &NewHandOver,
) -> Result<Receipt> {
    actor.require(Action::HandOver)?;
    let prescriber = actor.organisation()?;
    let evidence = Evidence {
        eligibility: new.eligibility,
        proof: new.proof,
        dated_on: new.proof_dated_on,
        born_on: new.person.born_on,
    };
    evidence.ensure_sound(tx.today())?;
    let programme = programmes::current(tx)?;
    if !programme.territory.contains(&new.insee_code) {
        return Err(Refusal::NotEligible {
            rule: format!("habiter le territoire du dispositif ({})", programme.name),
        }
        .into());
    }
    let booklet = booklets::lock(tx, new.booklet)?;
    let stock = Account::stock_of(prescriber);
    booklet.ensure_in(stock, "stock de votre structure")?;
    let (passes, at) = take_passes(tx, &booklet)?;
    let pepper = keys.pepper_of(&programme.code);
    let person_key = pepper.person_key(&programme.code, &new.person.normalised());
    entitle(tx, keys, &programme.terms(), &new.person, person_key, booklet.size)?;

    let number = HandOverId::new(series::next(tx, "hand_over_number")?);
    let circulation = Account::of(AccountKind::Circulation);
    let facts = json!({
        "hand_over": number, "booklet": booklet.number, "first_pass": booklet.first_pass, "passes": booklet.size,
        "prescriber": prescriber, "eligibility": new.eligibility,
    });
    let entry = Entry::new(tx, EntryKind::HandOver, actor.user, facts)
        .passes(circulation, stock, booklet.first_pass, booklet.size.into())
        .at(at);
    let entry = ledger::past_last_move(tx, entry)?;
    hand_overs::insert(
        tx,
        &hand_overs::HandOver {
            number,
            booklet: booklet.number,
            prescriber,
            person_key: person_key.to_vec(),
            eligibility: new.eligibility,
            proof: new.proof,
            proof_dated_on: new.proof_dated_on,
            insee_code: new.insee_code.to_string(),
            handed_at: tx.now,
            handed_by: actor.user,
            entry_id: entry.id,
        },
    )?;
    booklets::move_to(tx, &[booklet.number], circulation)?;
    let distributed = passes::distribute(tx, &passes, number, entry.recorded_at)?;
    if distributed != passes.len() {
        return Err(anyhow::anyhow!(
            "booklet {}: {distributed} passes distributed of {}",
            booklet.number,
            passes.len()
        )
        .into());
    }
    ledger::record(tx, &programme.code, entry.wrote("hand_overs"))
}

/// Locks a booklet's passes, which must all be active and still within their dates; returns them and the instant
/// that comes after all that happened to them.
fn take_passes(tx: &mut Tx<'_>, booklet: &Booklet) -> Result<(Vec<PassNumber>, Timestamp)> {
    let last_hand_over_on = orders::get(tx, booklet.order_number)?.last_hand_over_on;
    if tx.today() > last_hand_over_on {
        return Err(Refusal::wrong_state(
            "booklet",
            format!("la dernière remise était permise le {last_hand_over_on}"),
        )
        .into());
    }
    let numbers: Vec<PassNumber> =
        (0..booklet.size).map(|n| booklet.first_pass.plus(n.into())).collect();
    let locked = passes::lock(tx, &numbers)?;
    if locked.iter().any(|pass| pass.state_name == PassStateName::Inert) {
        return Err(Refusal::wrong_state(
            "booklet",
            "sa commande n'est pas encore financée ; attendez l'activation",
        )
        .into());
    }
    if locked.len() != numbers.len()
        || locked.iter().any(|pass| pass.state_name != PassStateName::Active)
    {
        return Err(Refusal::wrong_state(
            "booklet",
            "tous ses pass ne sont pas disponibles ; prenez-en un autre",
        )
        .into());
    }
    let changed_at = locked.iter().map(|pass| pass.changed_at).max().unwrap_or(tx.now);
    Ok((numbers, ledger::after(tx, changed_at)))
}

/// Counts the booklet against what the person may receive in all.
fn entitle(
    tx: &mut Tx<'_>,
    keys: &Keys,
    terms: &Terms,
    person: &Person,
    person_key: [u8; 32],
    size: i16,
) -> Result<()> {
    let identity = serde_json::to_vec(person).map_err(anyhow::Error::from)?;
    let sealed = keys.seal("identity", &identity)?;
    let total = beneficiaries::receive(tx, &person_key, &sealed, size.into())?;
    if total > terms.max_passes_per_person {
        let received = total.saturating_sub(size.into());
        return Err(
            Refusal::EntitlementUsed { received, limit: terms.max_passes_per_person }.into()
        );
    }
    Ok(())
}
