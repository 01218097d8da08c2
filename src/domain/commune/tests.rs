//! The table is whole, and a commune is found from what people really type.

use super::*;

fn code(text: &str) -> PostalCode {
    text.parse().unwrap()
}

fn found(name: &str, postal_code: &str) -> Option<&'static str> {
    Communes::hauts_de_france().by_name(name, code(postal_code)).map(|commune| commune.name)
}

#[test]
fn the_table_holds_every_commune_of_the_five_departments() {
    let all = Communes::hauts_de_france().all();
    let mut counts = BTreeMap::new();
    for commune in all {
        *counts.entry(commune.department().to_string()).or_insert(0) += 1;
    }
    assert_eq!(all.len(), TABLE.lines().count() - 3);
    assert_eq!(all.len(), 3_782);
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["02", "59", "60", "62", "80"]);
    assert!(
        (5_900_000..6_100_000).contains(&all.iter().map(|commune| commune.population).sum::<u32>())
    );
    assert!(all.iter().all(|commune| !commune.postal_codes.is_empty() && !commune.name.is_empty()));
    assert!(
        lines(TABLE)
            .zip(all)
            .all(|(line, commune)| line.contains(&format!(",{},", commune.department())))
    );
}

#[test]
fn every_commune_is_found_by_its_code_and_by_its_name_with_each_postal_code() {
    let communes = Communes::hauts_de_france();
    for commune in communes.all() {
        assert_eq!(communes.by_insee_code(commune.insee_code), Some(commune));
        for postal_code in &commune.postal_codes {
            assert_eq!(communes.by_name(commune.name, *postal_code), Some(commune));
            assert!(communes.by_postal_code(*postal_code).contains(&commune));
        }
    }
}

#[test]
fn a_name_is_found_however_it_is_spelt() {
    assert_eq!(found("FOURMIES", "59610"), Some("Fourmies"));
    assert_eq!(found("mons en baroeul", "59370"), Some("Mons-en-Barœul"));
    assert_eq!(found("ST OMER CEDEX 2", "62500"), Some("Saint-Omer"));
    assert_eq!(found("LA CROIX ST OUEN", "60610"), Some("Lacroix-Saint-Ouen"));
    assert_eq!(found("Le pommereuil", "59360"), Some("Pommereuil"));
    assert_eq!(found("Amiens 1er arrondissement", "80000"), Some("Amiens"));
    assert_eq!(found("Fourmies", "59000"), None);
    assert_eq!(found("", "59000"), None);
    assert_eq!(found("12", "59000"), None);
}

#[test]
fn a_commune_that_merged_gives_the_one_of_today() {
    assert_eq!(found("HESDIN", "62140"), Some("Hesdin-la-Forêt"));
    assert_eq!(found("Lomme", "59160"), Some("Lille"));
    let lomme: InseeCode = "59355".parse().unwrap();
    assert_eq!(
        Communes::hauts_de_france().by_insee_code(lomme).map(|commune| commune.name),
        Some("Lille")
    );
}

#[test]
fn a_name_alone_is_found_only_when_its_department_has_one() {
    let communes = Communes::hauts_de_france();
    let department = |code: &str| code.parse().unwrap();
    assert_eq!(
        communes.by_name_in("COMPIEGNE CEDEX", department("60")).map(|commune| commune.name),
        Some("Compiègne")
    );
    assert_eq!(communes.by_name_in("Compiègne", department("59")), None);
    let repeated = communes.all().iter().find(|one| {
        communes.all().iter().any(|other| {
            other != *one && other.name == one.name && other.department() == one.department()
        })
    });
    if let Some(repeated) = repeated {
        assert_eq!(communes.by_name_in(repeated.name, repeated.department()), None);
    }
}
