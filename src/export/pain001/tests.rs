//! The bank file held to its schema, to its limits and to its own totals.

use super::*;
use proptest::prelude::*;
use std::io::Write as _;
use std::process::{Command, Stdio};

fn payment(number: u64, amount_cents: i64) -> CreditTransfer {
    CreditTransfer {
        end_to_end_id: crate::domain::bank::end_to_end_id("HDF", number),
        amount_cents,
        creditor_name: "Maison d'Éléonore — L'Haÿ-les-Roses".into(),
        creditor_iban: "FR1420041010050500013M02606".parse().unwrap(),
        creditor_bic: Some("PSSTFRPPLIL".parse().unwrap()),
        remittance: format!("Pass numériques, bordereau n° {number}"),
    }
}

fn file(payments: Vec<CreditTransfer>) -> CreditTransfers {
    CreditTransfers {
        message_id: "SOUCHE-HDF-2026-0003".into(),
        created_at: "2026-11-22T06:47:03.250Z".parse().unwrap(),
        execution_on: NaiveDate::from_ymd_opt(2026, 11, 24).unwrap(),
        debtor_name: "Œuvre sociale n° 3 & Cie".into(),
        debtor_iban: "FR76 3000 6000 0112 3456 7890 189".parse().unwrap(),
        debtor_bic: None,
        payments,
    }
}

fn text(file: &CreditTransfers) -> String {
    String::from_utf8(write(file).unwrap()).unwrap()
}

fn refused(change: impl FnOnce(&mut CreditTransfers)) -> String {
    let mut file = file(vec![payment(1, 1000), payment(2, 2000)]);
    change(&mut file);
    write(&file).unwrap_err().to_string()
}

#[test]
fn french_names_are_folded_to_what_every_bank_accepts() {
    for (name, folded) in [
        ("Maison d'Éléonore — L'Haÿ-les-Roses", "Maison d'Eleonore - L'Hay-les-Roses"),
        ("Œuvre sociale n° 3 & Cie", "Oeuvre sociale no 3 + Cie"),
        ("L’atelier « Numérique » à Hénin", "L'atelier ' Numerique ' a Henin"),
        ("e\u{301}le\u{300}ve\tà 10 €", "eleve a 10 E"),
    ] {
        assert_eq!(fold(name), folded);
    }
}

#[test]
fn a_file_says_what_was_asked() {
    let xml = text(&file(vec![payment(1, 1), payment(2, 99_999_999_999)]));
    for expected in [
        "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
        "<MsgId>SOUCHE-HDF-2026-0003</MsgId>",
        "<CreDtTm>2026-11-22T06:47:03Z</CreDtTm>",
        "<BtchBookg>false</BtchBookg>",
        "<CtrlSum>1000000000.00</CtrlSum>",
        "<ReqdExctnDt><Dt>2026-11-24</Dt></ReqdExctnDt>",
        "<Nm>Oeuvre sociale no 3 + Cie</Nm>",
        "<InstdAmt Ccy=\"EUR\">0.01</InstdAmt>",
        "<InstdAmt Ccy=\"EUR\">999999999.99</InstdAmt>",
        "<BICFI>PSSTFRPPLIL</BICFI>",
        "<Ustrd>Pass numeriques, bordereau no 2</Ustrd>",
    ] {
        assert!(xml.contains(expected), "{expected} is missing from {xml}");
    }
}

#[test]
fn the_same_settlement_gives_the_same_bytes() {
    let settlement = file((1..50).map(|number| payment(number, 1000)).collect());
    assert_eq!(write(&settlement).unwrap(), write(&settlement.clone()).unwrap());
}

#[test]
fn the_totals_are_those_of_the_payments() {
    let xml = write(&file(vec![payment(1, 12_345), payment(2, 5), payment(3, 1000)])).unwrap();
    assert_eq!(totals(&xml), Ok((3, 13_350)));
}

#[test]
fn a_header_that_disagrees_with_the_payments_is_caught() {
    let xml = text(&file(vec![payment(1, 1000), payment(2, 2000)]));
    for (from, to, field) in [
        ("<NbOfTxs>2<", "<NbOfTxs>3<", "GrpHdr/NbOfTxs"),
        ("<CtrlSum>30.00<", "<CtrlSum>30.01<", "GrpHdr/CtrlSum"),
        ("\">10.00<", "\">11.00<", "GrpHdr/CtrlSum"),
        ("\">10.00<", "\">ten<", "InstdAmt"),
        ("\">10.00<", "\">-10.00<", "InstdAmt"),
        ("Ccy=\"EUR\"", "Ccy=\"CHF\"", "InstdAmt"),
        ("<Amt><InstdAmt Ccy=\"EUR\">10.00</InstdAmt></Amt>", "", "InstdAmt"),
        ("</CdtTrfTxInf>", "</PmtInf>", "fichier"),
        ("<GrpHdr>", "<GrpHdr><!-- <NbOfTxs>2</NbOfTxs> -->", "fichier"),
        ("</Document>", "", "fichier"),
    ] {
        assert!(xml.contains(from), "{from}");
        let tampered = xml.replacen(from, to, 1);
        assert_eq!(totals(tampered.as_bytes()).unwrap_err().field, field, "{from} → {to}");
    }
    let group = xml.rfind("<NbOfTxs>2<").unwrap();
    let tampered = format!("{}<NbOfTxs>1<{}", &xml[..group], &xml[group + 11..]);
    assert_eq!(totals(tampered.as_bytes()).unwrap_err().field, "PmtInf/NbOfTxs");
}

#[test]
fn every_limit_is_refused_by_the_name_of_its_field() {
    let cases: [(String, &str); 10] = [
        (refused(|f| f.payments.clear()), "payments : il faut au moins un paiement"),
        (refused(|f| f.payments[1].amount_cents = 0), "payments[1].amount_cents : 0 centimes"),
        (refused(|f| f.payments[0].amount_cents = -1), "payments[0].amount_cents : -1 centimes"),
        (
            refused(|f| f.payments[0].amount_cents = 100_000_000_000),
            "payments[0].amount_cents : 100000000000",
        ),
        (
            refused(|f| f.payments[1].end_to_end_id = f.payments[0].end_to_end_id.clone()),
            "payments[1].end_to_end_id : « SOUCHE-HDF-1-",
        ),
        (
            refused(|f| f.payments[1].creditor_name = "x".repeat(71)),
            "payments[1].creditor_name : 71 caractères, 70 au plus",
        ),
        (
            refused(|f| f.payments[1].remittance = "œ".repeat(71)),
            "payments[1].remittance : 142 caractères, 140 au plus",
        ),
        (refused(|f| f.debtor_name = " ".into()), "debtor_name : le texte est vide"),
        (refused(|f| f.message_id = "x".repeat(36)), "message_id : 36 caractères, 35 au plus"),
        (refused(|f| f.message_id = "été".into()), "message_id : le caractère « é »"),
    ];
    for (said, expected) in cases {
        assert!(said.starts_with(expected), "{said:?} should start with {expected:?}");
    }
}

#[test]
fn a_date_that_no_bank_can_read_is_refused() {
    let said = refused(|f| f.execution_on = NaiveDate::MAX);
    assert!(said.starts_with("execution_on : date hors limites"), "{said}");
    let said = refused(|f| f.created_at = DateTime::<Utc>::MIN_UTC);
    assert!(said.starts_with("created_at : date hors limites"), "{said}");
}

proptest! {
    #[test]
    fn whatever_the_amounts_the_file_adds_up(amounts in prop::collection::vec(1..=99_999_999_999_i64, 1..40)) {
        let sum: i64 = amounts.iter().sum();
        let payments = amounts.iter().zip(1..).map(|(cents, number)| payment(number, *cents));
        let file = file(payments.collect());
        prop_assert_eq!(totals(&write(&file).unwrap()), Ok((amounts.len(), sum)));
    }

    #[test]
    fn any_text_is_folded_into_the_bank_set(name in "\\PC*|.*") {
        prop_assert!(sepa::is_sepa_text(&fold(&name)));
        let mut file = file(vec![payment(1, 1000)]);
        file.payments[0].creditor_name = name;
        if let Ok(xml) = write(&file) {
            prop_assert_eq!(totals(&xml), Ok((1, 1000)));
        }
    }

    #[test]
    fn no_bytes_make_the_totals_panic(bytes: Vec<u8>, tags in "[<>/A-Za-z !?\"=]*") {
        prop_assert!(totals(&bytes).is_err());
        prop_assert!(totals(tags.as_bytes()).is_err());
    }
}

/// The schema that the `sepa` crate ships for its own tests, wherever cargo unpacked it.
fn schema() -> Option<std::path::PathBuf> {
    let cargo = |args: &[&str]| {
        let dir = env!("CARGO_MANIFEST_DIR");
        Command::new(env!("CARGO")).args(args).current_dir(dir).output().ok()
    };
    let version = String::from_utf8(cargo(&["-vV"])?.stdout).ok()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
    // What only other platforms need was never downloaded.
    let offline = ["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform"];
    let output = cargo(&[&offline[..], &[host]].concat())?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let packages = metadata["packages"].as_array()?;
    let sepa = packages.iter().find(|package| package["name"] == "sepa")?;
    let root = std::path::Path::new(sepa["manifest_path"].as_str()?).parent()?;
    Some(root.join("tests/xsd/pain.001.001.09.xsd")).filter(|xsd| xsd.exists())
}

fn validate(xsd: &std::path::Path, xml: &[u8]) -> Option<(bool, String)> {
    let mut xmllint = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .args([xsd.as_os_str(), "-".as_ref()])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    xmllint.stdin.take().unwrap().write_all(xml).unwrap();
    let output = xmllint.wait_with_output().unwrap();
    Some((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[test]
fn the_file_is_valid_against_the_schema_and_a_broken_one_is_not() {
    let mut full = file((1..=200).map(|number| payment(number, 1000)).collect());
    full.debtor_bic = Some("AGRIFRPP".parse().unwrap());
    full.payments[7].creditor_bic = None;
    let xml = write(&full).unwrap();
    let broken = text(&full).replace("<PmtMtd>TRF</PmtMtd>", "");

    let Some((valid, report)) = schema().and_then(|xsd| validate(&xsd, &xml)) else {
        let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!in_ci, "xmllint (apt install libxml2-utils) or the schema is missing");
        return;
    };
    assert!(valid, "{report}");
    assert!(!schema().and_then(|xsd| validate(&xsd, broken.as_bytes())).unwrap().0);
}
