//! Tests of the reader on files written by hand: both generations, every separator, and nasties.
//! All places are fictitious.

use proptest::prelude::*;

use super::*;

const V0: &str = "id,pivot,nom,commune,code_postal,code_insee,adresse,complement_adresse,latitude,longitude,\
cle_ban,typologie,telephone,courriel,site_web,horaires,presentation_resume,presentation_detail,source,itinerance,\
structure_parente,date_maj,services,publics_accueillis,conditions_acces,labels_nationaux,labels_autres,\
modalites_accompagnement,accessibilite,prise_rdv";

const V1: &str = "id,pivot,nom,commune,code_postal,code_insee,adresse,complement_adresse,latitude,longitude,\
typologie,telephone,courriels,site_web,horaires,presentation_resume,presentation_detail,source,itinerance,\
structure_parente,date_maj,services,publics_specifiquement_adresses,prise_en_charge_specifique,frais_a_charge,\
dispositif_programmes_nationaux,formations_labels,autres_formations_labels,modalites_acces,\
modalites_accompagnement,fiche_acces_libre,prise_rdv";

/// The same place, field by field; what its generation calls otherwise is added by the caller.
const FIELDS: [(&str, &str); 12] = [
    ("id", "fictif-1"),
    ("pivot", "99990000400014"),
    ("nom", "Lieu fictif, « l’Établi »; salle \"A\""),
    ("commune", "FOURMIES CEDEX"),
    ("code_postal", "59610"),
    ("code_insee", "59249"),
    ("adresse", "1 rue Fictive\nBâtiment B"),
    ("latitude", "50.0171234"),
    ("longitude", "4,05"),
    ("horaires", "Mo-Fr 09:00-12:00"),
    ("source", "fictif"),
    ("date_maj", "2026-05-02"),
];

/// A CSV file of one row: the columns of the header, the separator asked for.
fn one_row(header: &str, separator: char, more: &[(&str, &str)]) -> String {
    let cells = header.split(',').map(|name| {
        let field = FIELDS.iter().chain(more).find(|(field, _)| *field == name);
        format!("\"{}\"", field.map_or("", |(_, text)| *text).replace('"', "\"\""))
    });
    let cells = cells.collect::<Vec<_>>().join(&separator.to_string());
    format!("{}\r\n{cells}\r\n", header.replace(',', &separator.to_string()))
}

fn only_place(text: &str) -> (PlaceFile, Place) {
    let file = read(text.as_bytes(), Limits::default()).unwrap();
    let told = file.rows[0].verdict.told();
    assert!(
        told.is_empty() && file.rows.len() == 1 && file.remarks.is_empty(),
        "{told:?} {:?}",
        file.remarks
    );
    let place = file.rows[0].verdict.place().unwrap().clone();
    (file, place)
}

const PASS_V0: [(&str, &str); 2] = [
    (
        "services",
        "Prendre en main un ordinateur;Utiliser le numérique au quotidien;Créer avec le numérique",
    ),
    (
        "conditions_acces",
        "Payant : L’accès est payant;Accepte le Pass numérique : Il est possible d’utiliser un Pass",
    ),
];

const PASS_V1: [(&str, &str); 3] = [
    ("services", "Maîtrise des outils numériques du quotidien|Loisirs et créations numériques"),
    ("frais_a_charge", "Payant"),
    ("autres_formations_labels", "Label local fictif|Accepte le pass numérique"),
];

#[test]
fn one_place_reads_the_same_in_both_generations_with_every_separator_and_mark() {
    let mut places = BTreeSet::new();
    for separator in [',', ';', '\t'] {
        for mark in ["", "\u{feff}"] {
            for (header, more, generation) in
                [(V0, PASS_V0.as_slice(), Generation::V0), (V1, &PASS_V1, Generation::V1)]
            {
                let (file, place) =
                    only_place(&format!("{mark}{}", one_row(header, separator, more)));
                assert_eq!((file.format, file.generation), (Format::Csv { separator }, generation));
                places.insert(serde_json::to_string(&place).unwrap());
            }
        }
    }
    assert_eq!(places.len(), 1);
}

#[test]
fn a_row_of_csv_and_an_object_of_json_give_the_same_place() {
    let (_, place) = only_place(&one_row(V1, ';', &PASS_V1));
    let object: serde_json::Map<_, _> = FIELDS
        .iter()
        .chain(&PASS_V1)
        .map(|(name, text)| ((*name).to_owned(), (*text).into()))
        .collect();
    let (file, same) = only_place(&serde_json::json!([object]).to_string());
    assert_eq!((file.format, file.generation), (Format::Json, Generation::V1));
    assert_eq!(same, place);
    assert_eq!(place.name, "Lieu fictif, « l’Établi »; salle \"A\"");
    assert_eq!(place.address, "1 rue Fictive Bâtiment B");
    assert_eq!(place.services, [Service::EverydayTools, Service::LeisureAndCreation].into());
    assert!(place.accepts_pass && !place.itinerant);
}

#[test]
fn columns_that_no_generation_has_are_told_once_for_the_file() {
    let file = "nom,code_insee,Couleur,,conditions_acces,frais_a_charge\nLieu fictif,59249,bleu,,,\nLieu fictif 2,59249,vert,,,\n";
    let file = read(file.as_bytes(), Limits::default()).unwrap();
    assert_eq!(
        file.remarks,
        [FileRemark::UnknownColumns(vec!["couleur".to_owned()]), FileRemark::MixedGenerations]
    );
}

/// The header of the nasties; `§` stands for a row's own number, so that no two rows are alike by
/// accident.
const HEADER: &str = "id;nom;adresse;commune;code_postal;code_insee;pivot;latitude;longitude;date_maj;services;itinerance\n";

/// Rows that went wrong in every way we met or feared, each on one line, and what is told of each.
const NASTIES: [(&str, &[&str]); 41] = [
    ("§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;;;2026-01-02;;", &[]),
    (";Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;;;2026-01-02;;", &["id_derived"]),
    ("§;;1 rue A;Fourmies;59610;59249;99990000400014;;;2026-01-02;;", &["name_missing"]),
    ("§; \u{200b} ;1 rue A;Fourmies;59610;59249;99990000400014;;;2026-01-02;;", &["name_missing"]),
    (
        "2;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;;;2026-01-02;;",
        &["duplicate_id"],
    ),
    ("§;LIEU  FICTIF 2;1, rue à;Fourmies;59610;59249;;;;;;", &["duplicate_place"]),
    ("§;Lieu fictif §;;Fourmies;59610;59249;99990000400014;;;2026-01-02;;", &["address_missing"]),
    ("§;Lieu fictif §;1 rue A;Fourmies;59610;59249;;;;2026-01-02;;", &["pivot_missing"]),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59249;00000000000000;;;2026-01-02;;",
        &["pivot_invalid"],
    ),
    ("§;Lieu fictif §;1 rue A;Fourmies;59610;59249;1;;;2026-01-02;;", &["pivot_invalid"]),
    ("§;Lieu fictif §;1 rue A;Fourmies;59610;59249;9,9999E+13;;;2026-01-02;;", &["pivot_invalid"]),
    ("§;Lieu fictif §;1 rue A;Fourmies;59610;59249;W595001234;;;2026-01-02;;", &[]),
    ("§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;;;;;", &["date_missing"]),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;;;31/02/2026;;",
        &["date_invalid"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;;;0001-01-01;;",
        &["date_invalid"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;;;99999999-01-01;;",
        &["date_invalid"],
    ),
    ("§;Lieu fictif §;1 rue A;;;;99990000400014;;;2026-01-02;;", &["commune_missing"]),
    ("§;Lieu fictif §;1 rue A;;59610;;99990000400014;;;2026-01-02;;", &["commune_ambiguous"]),
    (
        "§;Lieu fictif §;1 rue A 59610 Anor;;59610;;99990000400014;;;2026-01-02;;",
        &["commune_ambiguous"],
    ),
    (
        "§;Lieu fictif §;1 rue A 59610 Fourmies;;59610;;99990000400014;;;2026-01-02;;",
        &["commune_deduced"],
    ),
    ("§;Lieu fictif §;1 rue A;;59186;;99990000400014;;;2026-01-02;;", &["commune_deduced"]),
    (
        "§;Lieu fictif §;1 rue A;Ville-sous-Rien;59610;;99990000400014;;;2026-01-02;;",
        &["commune_not_found"],
    ),
    ("§;Lieu fictif §;1 rue A;Fourmies;;;99990000400014;;;2026-01-02;;", &["commune_not_found"]),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59999;99990000400014;;;2026-01-02;;",
        &["insee_code_disagrees"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;ABCDE;99990000400014;;;2026-01-02;;",
        &["code_invalid"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;02361;99990000400014;;;2026-01-02;;",
        &["insee_code_disagrees"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Guise;2120;2361;99990000400014;;;2026-01-02;;",
        &["zero_restored", "zero_restored"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Guise;;02361;99990000400014;;;2026-01-02;;",
        &["postal_code_deduced"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Guise;02121;02361;99990000400014;;;2026-01-02;;",
        &["postal_code_differs"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Lomme;59160;59355;99990000400014;;;2026-01-02;;",
        &["commune_merged"],
    ),
    ("§;Lieu fictif §;1 rue A;Gap;05000;;99990000400014;;;2026-01-02;;", &["commune_not_checked"]),
    ("§;Lieu fictif §;1 rue A;;05000;05061;99990000400014;;;2026-01-02;;", &["commune_missing"]),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;4.05;50.01;2026-01-02;;",
        &["coordinates_swapped"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;704000;7059000;2026-01-02;;",
        &["coordinates_not_degrees"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;0;0;2026-01-02;;",
        &["coordinates_outside"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;NaN;4;2026-01-02;;",
        &["coordinates_invalid"],
    ),
    (
        "§;Lieu fictif §;1 rue A;Fourmies;59610;59249;99990000400014;;;2026-01-02;Café|Thé;peut-être",
        &["service_unknown", "service_unknown", "itinerance_unknown"],
    ),
    ("§;Lieu fictif \0§;1 rue A;Fourmies;59610;59249;;;;;;", &["control_character"]),
    ("§;Lieu fictif §;1 rue \u{202e}A;Fourmies;59610;59249;;;;;;", &["control_character"]),
    (
        "§;Lieu fictif §;Ch\u{c3}\u{a2}teau;Fourmies;59610;59249;99990000400014;;;2026-01-02;;",
        &["text_repaired"],
    ),
    ("§;Lieu fictif §;trop;peu", &["cell_count"]),
];

#[test]
fn each_nasty_row_gets_its_own_verdict_and_none_is_lost() {
    let lines = NASTIES.iter().zip(2..).map(|((row, _), at)| row.replace('§', &at.to_string()));
    let text = HEADER.to_owned() + &lines.collect::<Vec<_>>().join("\r\n");
    let file = read(text.as_bytes(), Limits::default()).unwrap();
    assert_eq!(file.rows.len(), NASTIES.len());
    for ((row, (nasty, expected)), line) in file.rows.iter().zip(NASTIES).zip(2..) {
        let told = row.verdict.told();
        let codes: Vec<_> = told.iter().map(|told| told.code).collect();
        assert_eq!((row.at, codes.as_slice()), (line, expected), "{nasty}");
        assert!(told.iter().all(|told| told.detail.ends_with('.') && !told.detail.contains('\0')));
    }
    let duplicate = file.rows[5].verdict.told().remove(0).detail;
    assert!(duplicate.contains("n° 2"), "{duplicate}");
}

#[test]
fn a_row_tells_the_line_it_starts_on_past_blank_lines_and_line_breaks() {
    let text = "nom,code_insee,adresse\n\n\nLieu fictif 1,59249,\"rue\nA\nB\"\r\n\r\nLieu fictif 2,59249,\nLieu fictif 3,59249,x";
    let file = read(text.as_bytes(), Limits::default()).unwrap();
    let lines: Vec<_> = file.rows.iter().map(|row| (row.at, row.name.as_str())).collect();
    assert_eq!(lines, [(4, "Lieu fictif 1"), (8, "Lieu fictif 2"), (9, "Lieu fictif 3")]);
}

#[test]
fn a_quotation_mark_left_open_names_every_line_it_swallowed() {
    let text = "nom,code_insee\nLieu fictif 1,59249\nLieu \"fictif 2,59249\n\"Lieu fictif 3,59249\nLieu fictif 4,59249\n";
    let file = read(text.as_bytes(), Limits::default()).unwrap();
    let refused = |last_line| Verdict::Refused(vec![RowRefusal::OpenQuote { last_line }]);
    assert_eq!(file.counts(), Counts { imported: 0, with_remarks: 1, refused: 2 });
    assert_eq!((file.rows[1].at, &file.rows[1].verdict), (3, &refused(3)));
    assert_eq!((file.rows[2].at, &file.rows[2].verdict), (4, &refused(5)));
}

#[test]
fn json_values_of_every_kind_are_read_or_refused_by_name() {
    let text = r#"[{"nom":"Lieu fictif 1","code_insee":59249,"id":7,"itinerance":true,"labels":["APTIC","Label fictif"],"latitude":50.1,"longitude":4e0},
        {"nom":{"fr":"Lieu fictif 2"},"code_insee":"59249"}, "Lieu fictif 3", null, {"nom":null}]"#;
    let file = read(text.as_bytes(), Limits::default()).unwrap();
    let place = file.rows[0].verdict.place().unwrap();
    assert_eq!((place.source_id.as_str(), place.itinerant, place.accepts_pass), ("7", true, true));
    assert_eq!(place.coordinates.unwrap().longitude_microdegrees, 4_000_000);
    let codes = |at: usize| {
        file.rows[at].verdict.told().into_iter().map(|told| told.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(1), ["not_text"]);
    assert_eq!([codes(2), codes(3)], [["not_an_object"], ["not_an_object"]]);
    assert_eq!(codes(4), ["name_missing", "commune_missing"]);
}

#[test]
fn a_row_without_id_gets_the_same_one_in_every_file() {
    let id = |text: &str| {
        read(text.as_bytes(), Limits::default()).unwrap().places().next().unwrap().source_id.clone()
    };
    let first = id("nom,adresse,code_insee\nLieu fictif,1 rue A,59249");
    assert_eq!(
        first,
        id(
            r#"[{"nom":"LIEU FICTIF","adresse":"1, rue A","commune":"Fourmies","code_postal":"59610"}]"#
        )
    );
    assert_ne!(first, id("nom,adresse,code_insee\nLieu fictif,2 rue A,59249"));
    assert_eq!(first.len(), "derived-".len() + 16);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_as_a_whole() {
    let limits = Limits { bytes: 2_000, rows: 2, cell_chars: 100, depth: 4 };
    let deep = format!("[{}{}]", "[".repeat(5), "]".repeat(5));
    let long = format!("nom,x\nLieu fictif,{}", "é".repeat(101));
    for (bytes, code) in [
        (vec![b' '; 2_001], "file_too_big"),
        (b"nom,commune\nLieu fictif,Fr\xe9vent".to_vec(), "not_utf8"),
        (b"\xff\xfen\0o\0m\0".to_vec(), "not_utf8"),
        (b"\xef\xbb\xbf \r\n".to_vec(), "file_empty"),
        (b"nom,commune\n".to_vec(), "file_empty"),
        (b"[]".to_vec(), "file_empty"),
        (br#"{"nom":"Lieu fictif"}"#.to_vec(), "not_a_list"),
        (deep.into_bytes(), "json_too_deep"),
        (br#"[{"nom":"Lieu fictif"}"#.to_vec(), "json_broken"),
        (br#"[{"nom":"Lieu fictif"}] suite"#.to_vec(), "json_broken"),
        (br#"[{"nom":1e999}]"#.to_vec(), "json_broken"),
        (b"nom;Nom \nLieu fictif;Lieu fictif".to_vec(), "column_twice"),
        (b"lieu,ville\nLieu fictif,Fourmies".to_vec(), "column_nom_missing"),
        (b"nom\nA\nB\nC".to_vec(), "too_many_rows"),
        (br"[1,2,3]".to_vec(), "too_many_rows"),
    ] {
        let told = read(&bytes, limits).unwrap_err().told();
        assert_eq!(told.code, code, "{}", told.detail);
    }
    let file = read(long.as_bytes(), limits).unwrap();
    assert_eq!(file.rows[0].verdict.told()[0].code, "too_long");
}

#[test]
fn a_refusal_of_encoding_names_the_line_and_the_way_out() {
    let refused = read(b"nom,commune\nLieu fictif,Fr\xe9vent", Limits::default()).unwrap_err();
    assert!(refused.to_string().contains("ligne 2") && refused.to_string().contains("CSV UTF-8"));
}

/// Texts that look like files of places, so that chance reaches past the header.
fn file_like() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        Just("nom".to_owned()),
        Just("code_postal".to_owned()),
        Just("code_insee".to_owned()),
        Just("latitude".to_owned()),
        Just("59610".to_owned()),
        Just("Fourmies".to_owned()),
        "[\",;\t\r\n\\[\\]{}:|]",
        "\\PC{0,6}",
        any::<String>(),
    ];
    proptest::collection::vec(bit, 0..60).prop_map(|bits| bits.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, Limits::default());
    }

    #[test]
    fn no_text_makes_the_reader_panic_and_counts_always_add_up(text in file_like(), json in any::<bool>()) {
        let text = if json { format!("[{{\"nom\":{text:?}}}]") } else { format!("nom;commune;code_postal\n{text}") };
        if let Ok(file) = read(text.as_bytes(), Limits::default()) {
            let Counts { imported, with_remarks, refused } = file.counts();
            let counted: usize = [imported, with_remarks, refused].iter().sum();
            prop_assert_eq!(counted, file.rows.len());
            prop_assert!(file.places().all(|place| !place.name.is_empty() && !place.commune.is_empty()));
        }
    }

    #[test]
    fn no_text_makes_a_number_or_a_code_panic(text in any::<String>()) {
        let _ = text.parse::<Pivot>();
        let _ = text.parse::<InseeCode>().map(|code| code.department());
        let _ = text.parse::<PostalCode>().map(|code| code.department());
        let _ = values::point(&text, "4.05", "59".parse().unwrap());
        let _ = values::day(&text);
    }
}
