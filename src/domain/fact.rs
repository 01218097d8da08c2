//! The facts of receipts, as people here say them: on paper, and on the page that verifies.

use serde_json::Value;
use strum::VariantArray;

use super::entry::EntryKind;
use super::money::Cents;
use super::sample::Conclusion;
use super::service::Service;

/// The facts that receipts have, in the order in which they are read.
pub const LABELS: &[(&str, &str)] = &[
    ("redemption", "Utilisation"),
    ("pass", "Pass"),
    ("amount_cents", "Montant"),
    ("face_value_cents", "Valeur faciale d'un pass"),
    ("service", "Service"),
    ("site", "Lieu"),
    ("workshop", "Atelier"),
    ("held_on", "Tenu le"),
    ("people", "Personnes attendues"),
    ("organisation", "Structure"),
    ("prescriber", "Prescripteur"),
    ("hand_over", "Remise"),
    ("eligibility", "Public"),
    ("booklet", "Carnet"),
    ("delivery", "Livraison"),
    ("order", "Commande"),
    ("booklets_of_10", "Carnets de dix"),
    ("booklets_of_5", "Carnets de cinq"),
    ("booklets", "Carnets"),
    ("first_booklet", "Premier carnet"),
    ("last_booklet", "Dernier carnet"),
    ("first_pass", "Premier pass"),
    ("passes", "Nombre de pass"),
    ("received", "Carnets reçus"),
    ("missing_booklets", "Carnets manquants"),
    ("mandate_reference", "Référence du mandat"),
    ("received_on", "Reçu le"),
    ("settlement", "Lot de paiement"),
    ("payout", "Contre-paiement"),
    ("payouts", "Contre-paiements"),
    ("sites", "Par lieu"),
    ("end_to_end_id", "Référence du virement"),
    ("items", "Lignes"),
    ("cut_off_on", "Arrêté au"),
    ("execution_on", "À exécuter le"),
    ("executed_on", "Exécuté le"),
    ("document_sha256", "Empreinte du justificatif"),
    ("bank_account", "Compte bancaire"),
    ("is_prescriber", "Est un prescripteur"),
    ("from", "Qualifié à partir du"),
    ("until", "Qualifié jusqu'au"),
    ("max_passes_per_person", "Pass par personne, au plus"),
    ("incident", "Incident"),
    ("flag", "Signalement"),
    ("kind", "Nature"),
    ("outcome", "Décision"),
    ("daily_capacity", "Capacité par jour"),
    ("audit_sample", "Échantillon d'audit"),
    ("commitment", "Empreinte de la graine"),
    ("seed", "Graine"),
    ("kinds", "Natures d'écriture"),
    ("period_from", "Du"),
    ("period_until", "Au"),
    ("strata", "Strates par"),
    ("per_stratum", "Récépissés par strate, au plus"),
    ("head_size", "Taille du journal public"),
    ("head_root", "Racine du journal public"),
    ("population", "Récépissés dans la population"),
    ("line", "Ligne"),
    ("finding", "Constat"),
    ("conclusion", "Conclusion"),
    ("corrects_finding", "Corrige le constat"),
];

/// Values that are words of ours: the nine services, the publics, what flags are about and what becomes of them,
/// kinds of entries, and what auditors find.
pub fn words() -> impl Iterator<Item = (&'static str, &'static str)> {
    let services = Service::ALL.map(|service| (<&str>::from(service), service.label()));
    let words = services.into_iter().chain([
        ("senior", "Soixante ans ou plus"),
        ("jobseeker", "Demandeur d'emploi"),
        ("young_in_insertion", "18 à 25 ans en insertion"),
        ("whole_booklet_at_once", "Carnet entier en une minute"),
        ("used_soon_after_hand_over", "Utilisé peu après sa remise"),
        ("beyond_capacity", "Au-delà de la capacité déclarée"),
        ("one_prescriber_feeds_one_site", "Un seul prescripteur pour un lieu"),
        ("night_hours", "Heures de nuit"),
        ("released", "Levé"),
        ("upheld", "Maintenu"),
        ("kind", "nature d'écriture"),
        ("site", "lieu"),
        ("month", "mois"),
    ]);
    let kinds = EntryKind::VARIANTS.iter().map(|kind| (<&str>::from(kind), kind.label()));
    let conclusions = Conclusion::VARIANTS.iter().map(|it| (<&str>::from(it), it.label()));
    words.chain(kinds).chain(conclusions)
}

/// What a fact is called; one that has no words yet, by its name.
pub fn label(fact: &str) -> String {
    let known = LABELS.iter().find(|(name, _)| *name == fact);
    known.map_or_else(|| fact.replace('_', " "), |(_, label)| (*label).to_owned())
}

/// What it is.
pub fn value(fact: &str, value: &Value) -> String {
    match value {
        Value::Null => "aucun".into(),
        Value::Bool(true) => "oui".into(),
        Value::Bool(false) => "non".into(),
        Value::Number(number) => match number.as_i64() {
            Some(cents) if fact.ends_with("_cents") => Cents(cents).to_string(),
            _ => number.to_string(),
        },
        Value::String(text) => {
            let word = words().find(|(word, _)| word == text).map(|(_, label)| label.to_owned());
            word.or_else(|| day(text)).unwrap_or_else(|| text.clone())
        }
        Value::Array(items) if items.is_empty() => "aucun".into(),
        Value::Array(items) => {
            items.iter().map(|item| self::value(fact, item)).collect::<Vec<_>>().join(", ")
        }
        // Money by site: the only fact that has parts.
        Value::Object(by_site) => {
            let each = by_site.iter().map(|(site, cents)| {
                format!("lieu {site} : {}", self::value("amount_cents", cents))
            });
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

/// `31/12/2026` for `2026-12-31`; `None` for what is no day.
fn day(text: &str) -> Option<String> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    day.map(|day| day.format("%d/%m/%Y").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_are_said_in_french() {
        for (fact, told, said) in [
            ("amount_cents", json!(1_000), "10,00\u{a0}€"),
            ("passes", json!(10), "10"),
            ("service", json!("employment"), "Insertion professionnelle via le numérique"),
            ("held_on", json!("2026-12-31"), "31/12/2026"),
            ("workshop", json!(null), "aucun"),
            ("missing_booklets", json!(["4", "7"]), "4, 7"),
            ("missing_booklets", json!([]), "aucun"),
            ("is_prescriber", json!(true), "oui"),
            ("pass", json!("0412733"), "0412733"),
        ] {
            assert_eq!(value(fact, &told), said, "{fact}");
        }
        assert_eq!(label("amount_cents"), "Montant");
        assert_eq!(label("something_new"), "something new");
    }
}
