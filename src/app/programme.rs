//! Setting up a programme.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::db::programmes::{self, Programme};
use crate::db::{Tx, memberships};
use crate::domain::bank::Iban;
use crate::domain::entry::EntryKind;
use crate::domain::programme::{LegalRoad, PassesPerService, ProgrammeCode};
use crate::domain::territory::Territory;
use crate::domain::text::Line;
use crate::domain::{Action, Actor, Amount, ProgrammeId, Refusal};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// A programme to be set up (fr: dispositif).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProgramme {
    /// Its short name, printed in every code; nobody else's on this instance.
    pub code: ProgrammeCode,
    /// Its name.
    pub name: Line,
    /// Who pays for it: a region.
    pub sponsor_name: Line,
    /// Who issues the passes.
    pub issuer_name: Line,
    /// The issuer's postal address, on one line.
    pub issuer_address: Line,
    /// The legal road of the public money.
    pub legal_road: LegalRoad,
    /// What a pass is worth, in cents: 1 to 100,000.
    pub face_value_cents: Amount,
    /// How many passes one person may receive in all: 1 to 1,000.
    #[schema(minimum = 1, maximum = 1000)]
    pub max_passes_per_person: i32,
    /// How many of these it may spend on a service; a service that is left out has no limit.
    #[serde(default)]
    pub passes_per_service: PassesPerService,
    /// Where its passes may be used.
    pub territory: Territory,
    /// Holder of the ring-fenced account, as the bank knows it: 1 to 70 characters.
    pub debtor_name: Line,
    /// The ring-fenced account from which sites are paid.
    #[schema(value_type = String)]
    pub debtor_iban: Iban,
}

/// Sets up a programme with its books, and makes whoever does it its administrator.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, new: NewProgramme) -> Result<Programme> {
    actor.require(Action::CreateProgramme)?;
    if actor.programme != ProgrammeId::INSTANCE {
        return Err(Refusal::NotAllowed { action: "create_programme".into() }.into());
    }
    ensure_sound(&new)?;
    let id = programmes::next_id(tx)?;
    tx.enter(id)?;
    let programme = Programme {
        id,
        code: new.code,
        name: new.name.into(),
        sponsor_name: new.sponsor_name.into(),
        issuer_name: new.issuer_name.into(),
        issuer_address: new.issuer_address.into(),
        legal_road: new.legal_road,
        face_value: new.face_value_cents,
        max_passes_per_person: new.max_passes_per_person,
        territory: new.territory,
        debtor_name: new.debtor_name.into(),
        debtor_iban: new.debtor_iban,
        created_at: tx.now,
        created_by: actor.user,
        passes_per_service: new.passes_per_service,
    };
    programmes::insert(tx, &programme)?;
    memberships::insert(tx, &Actor { programme: id, ..*actor })?;
    let facts = json!({
        "face_value_cents": programme.face_value, "max_passes_per_person": programme.max_passes_per_person,
    });
    let entry =
        Entry::new(tx, EntryKind::ProgrammeCreation, actor.user, facts).changed("programmes", 1);
    ledger::record(tx, &programme.code, entry)?;
    Ok(programme)
}

fn ensure_sound(new: &NewProgramme) -> Result<(), Refusal> {
    if new.face_value_cents.cents() > 100_000 {
        return Err(Refusal::invalid(
            "face_value_cents",
            "une valeur faciale de 1 à 100 000 centimes est attendue",
        ));
    }
    if !(1..=1000).contains(&new.max_passes_per_person) {
        return Err(Refusal::invalid(
            "max_passes_per_person",
            "un nombre de 1 à 1 000 est attendu",
        ));
    }
    // As the payment file will write it: folding may lengthen it.
    if crate::export::pain001::fold(new.debtor_name.as_str()).chars().count() > 70 {
        return Err(Refusal::invalid(
            "debtor_name",
            "un nom de 70 caractères au plus est attendu, tel que la banque le connaît",
        ));
    }
    Ok(())
}
