//! Papers read back: what a person sees is what was handed over.

use super::*;
use crate::domain::SiteId;
use crate::domain::account::{Account, AccountKind};
use crate::domain::date::parse_instant;
use crate::domain::statement::{Conservation, Counted, Frame, Names};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

pub(super) fn edition() -> Edition<'static> {
    Edition {
        issuer_name: "Médiation Numérique de l’Œuvre",
        issuer_address: "12 rue de l’Église, 59000 Lille",
        sponsor_name: "Région Hauts-de-France",
        programme_name: "Pass numérique Hauts-de-France",
        face_value_cents: 1000,
        last_hand_over: NaiveDate::from_ymd_opt(2027, 10, 31).unwrap(),
        last_use: NaiveDate::from_ymd_opt(2027, 12, 31).unwrap(),
        services: "un atelier ou un accompagnement au numérique",
        territory: "Hauts-de-France",
        public_url: "pass.example.fr",
    }
}

fn booklets(count: u32, size: u32) -> impl Iterator<Item = PrintedBooklet> {
    (1..=count).map(move |booklet| PrintedBooklet {
        number: booklet,
        passes: (1..=size)
            .map(|rank| {
                let number = booklet.wrapping_sub(1).wrapping_mul(size).wrapping_add(rank);
                let label = format!("HDF-{number:07}");
                let typable = "7K3M-9QXW-2H4T-8N5P-C".to_owned();
                let qr = format!("https://pass.example.fr/p#{label}.7K3M9QXW2H4T8N5PC");
                PrintedPass { number, label, typable, qr }
            })
            .collect(),
    })
}

fn pdf(count: u32, size: u32) -> Vec<u8> {
    let mut out = Vec::new();
    write_pdf(&mut out, &edition(), booklets(count, size)).unwrap();
    out
}

/// The text that a reader of the file finds, or `None` where poppler is not installed (and not CI).
fn read(pdf: &[u8]) -> Option<String> {
    let spawned = Command::new("pdftotext")
        .args(["-layout", "-enc", "UTF-8", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut pdftotext) = spawned else {
        let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!in_ci, "pdftotext is missing (apt install poppler-utils)");
        return None;
    };
    pdftotext.stdin.take().unwrap().write_all(pdf).unwrap();
    let output = pdftotext.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "the file is sound");
    Some(String::from_utf8(output.stdout).unwrap().replace('\u{a0}', " "))
}

#[test]
fn amounts_and_dates_are_french() {
    for (cents, figure) in [(0, "0,00"), (1005, "10,05"), (123_456_789, "1 234 567,89")] {
        assert_eq!(amount(cents).replace('\u{a0}', " "), figure);
    }
    assert_eq!(date(edition().last_use), "31/12/2027");
}

#[test]
fn a_booklet_says_all_that_the_law_and_its_bearer_need() {
    let Some(text) = read(&pdf(2, 5)) else { return };
    let pages: Vec<&str> = text.split_terminator('\u{c}').collect();
    assert_eq!(pages.len(), 2, "one page per booklet");
    for expected in [
        "Pass numérique Hauts-de-France",
        "Carnet n° 2",
        "5 pass de 10,00 €",
        "Financé par Région Hauts-de-France · émis par Médiation Numérique de l’Œuvre",
        "au plus tard le 31/10/2027",
        "À utiliser au plus tard le 31/12/2027",
        "HDF-0000010",
        "7K3M-9QXW-2H4T-8N5P-C",
        "12 rue de l’Église, 59000 Lille",
        "Territoire : Hauts-de-France",
        "un atelier ou un accompagnement au numérique",
    ] {
        assert!(pages[1].contains(expected), "{expected} is missing from {}", pages[1]);
    }
    assert_eq!(pages[1].matches("10,00 €").count(), 6);
}

#[test]
fn every_offset_of_the_file_points_at_its_object() {
    let file = pdf(3, 10);
    let text: String =
        file.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect();
    let table = text.split_once("xref\n0 1\n").unwrap().1.split_once("trailer").unwrap().0;
    let (mut id, mut checked) = (0_usize, 0);
    for line in table.lines() {
        let mut words = line.split(' ');
        let number: usize = words.next().unwrap().parse().unwrap();
        match (words.next(), words.next()) {
            (Some("00000"), Some("n")) => {
                assert!(text[number..].starts_with(&format!("{id} 0 obj")), "object {id}");
                (id, checked) = (id.wrapping_add(1), usize::wrapping_add(checked, 1));
            }
            (Some(_count), None) => id = number,
            _ => {}
        }
    }
    assert_eq!(checked, 13, "catalog, tree, title, form, 3 fonts, 3 pages of 2 objects");
}

#[test]
fn the_same_order_gives_the_same_file() {
    assert_eq!(pdf(2, 10), pdf(2, 10));
}

#[test]
fn a_page_is_written_before_the_next_booklet_is_made() {
    struct Seen(std::rc::Rc<std::cell::Cell<usize>>);
    impl std::io::Write for Seen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.set(self.0.get().saturating_add(bytes.len()));
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let written = std::rc::Rc::new(std::cell::Cell::new(0));
    let mut before = Vec::new();
    let watched = booklets(3, 5).inspect(|_| before.push(written.get()));
    write_pdf(&mut Seen(written.clone()), &edition(), watched).unwrap();
    assert!(before[0] < before[1] && before[1] < before[2], "{before:?}");
}

#[test]
fn a_code_too_long_to_be_scanned_is_refused() {
    let mut booklet = booklets(1, 5).next().unwrap();
    booklet.passes[0].qr = "x".repeat(1000);
    let error = write_pdf(&mut Vec::new(), &edition(), std::iter::once(booklet)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn texts_far_too_long_are_cut_with_an_ellipsis() {
    let services = "accompagnement ".repeat(100);
    let edition = Edition { services: &services, ..edition() };
    let mut out = Vec::new();
    write_pdf(&mut out, &edition, booklets(1, 5)).unwrap();
    if let Some(text) = read(&out) {
        assert!(text.contains('…'));
    }
}

#[test]
fn the_variable_data_has_one_row_per_pass() {
    let mut out = Vec::new();
    write_csv(&mut out, &edition(), booklets(2, 5)).unwrap();
    let text = String::from_utf8(out).unwrap();
    let rows: Vec<&str> = text.strip_prefix('\u{feff}').unwrap().lines().collect();
    assert_eq!(rows.len(), 11);
    assert_eq!(
        rows[7],
        "2;2;7;HDF-0000007;7K3M-9QXW-2H4T-8N5P-C;\
         https://pass.example.fr/p#HDF-0000007.7K3M9QXW2H4T8N5PC;10,00;31/10/2027;31/12/2027;\
         Pass numérique Hauts-de-France;Région Hauts-de-France;Médiation Numérique de l’Œuvre;\
         12 rue de l’Église, 59000 Lille;\
         un atelier ou un accompagnement au numérique — Hauts-de-France"
    );
}

#[test]
fn the_debug_form_of_a_pass_keeps_its_secret() {
    let booklet = booklets(1, 1).next().unwrap();
    assert!(!format!("{booklet:?}").contains("7K3M"));
}

fn receipt(lines: &[(String, String)]) -> PrintedReceipt<'_> {
    PrintedReceipt {
        title: "Récépissé de remise d’un carnet",
        number: "HDF-R-000042",
        issuer_name: "Médiation Numérique de l’Œuvre",
        issuer_address: "12 rue de l’Église, 59000 Lille",
        lines,
        signatures: &["La personne bénéficiaire", "Pour le prescripteur"],
        qr: "https://pass.example.fr/verifier#HDF-R-000042.q83vEjRWeJq7zN3u_w",
        footer: "Empreinte du registre : souche/HDF 1042 tV9kQ0mE",
    }
}

fn lines(count: u32) -> Vec<(String, String)> {
    (1..=count).map(|n| (format!("Pass n° {n}"), format!("HDF-{n:07}, 10,00 €"))).collect()
}

#[test]
fn a_receipt_says_what_it_was_given() {
    let mut out = Vec::new();
    write_receipt(&mut out, &receipt(&lines(10))).unwrap();
    let Some(text) = read(&out) else { return };
    assert_eq!(text.matches('\u{c}').count(), 1, "one page");
    for expected in [
        "Récépissé de remise d’un carnet",
        "N° HDF-R-000042",
        "Pass n° 10",
        "HDF-0000010, 10,00 €",
        "Pour le prescripteur",
        "Scanner pour vérifier",
        "tV9kQ0mE",
    ] {
        assert!(text.contains(expected), "{expected} is missing from {text}");
    }
}

#[test]
fn a_long_receipt_goes_on_overleaf_and_loses_nothing() {
    let mut out = Vec::new();
    write_receipt(&mut out, &receipt(&lines(60))).unwrap();
    let Some(text) = read(&out) else { return };
    assert!(text.matches('\u{c}').count() > 1 && text.contains("Suite au verso"));
    for n in 1..=60 {
        assert_eq!(text.matches(&format!("HDF-{n:07}, 10,00 €")).count(), 1);
    }
}

/// Books of 20 passes, 10 of them funded and one of those used at one of `sites` sites that each have an account; the bank is
/// short of `short` cents.
fn statement(sites: i32, short: i64) -> Conservation {
    let of = Account::of;
    let mut balances = BTreeMap::from([
        (of(AccountKind::Issued), -20),
        (of(AccountKind::Circulation), 19),
        (of(AccountKind::Bank), 1_000_000_i64.saturating_sub(short)),
        (of(AccountKind::Float), -900_000),
    ]);
    for site in 1..=sites {
        balances.insert(Account::redeemed_at(SiteId::new(site)), i64::from(site == 1));
        balances
            .insert(Account::payable_to(SiteId::new(site)), if site == 1 { -100_000 } else { 0 });
    }
    let frame = Frame {
        programme: "HDF".into(),
        as_of: parse_instant("2026-12-31T22:59:59Z").unwrap(),
        head: None,
        entries_past_head: 0,
    };
    let names = Names {
        sites: (1..=sites).map(|site| (site, format!("Médiathèque {site}"))).collect(),
        ..Names::default()
    };
    Conservation::of(
        frame,
        &balances,
        Counted { funded: 10, used: 1, face_value_cents: 100_000 },
        &names,
    )
}

#[test]
fn a_statement_on_paper_says_every_account_and_both_sides() {
    let mut out = Vec::new();
    write_statement(&mut out, "Pass numérique Hauts-de-France", &statement(1, 0)).unwrap();
    let Some(text) = read(&out) else { return };
    for said in [
        "Pass numérique Hauts-de-France",
        "État de conservation",
        "Arrêté au 31/12/2026 à 23:59:59 (heure de Paris)",
        "Toutes les égalités sont vérifiées.",
        "utilisés, n° 1 Médiathèque 1",
        "10 000,00",
        "valeur faciale de 10 pass financés",
        "L'auditeur, le",
        "Page 1",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
}

#[test]
fn a_statement_that_does_not_add_up_says_so_on_paper_and_a_long_one_goes_on_overleaf() {
    let mut out = Vec::new();
    write_statement(&mut out, "Pass numérique", &statement(150, 50)).unwrap();
    let Some(text) = read(&out) else { return };
    assert!(text.contains("UNE ÉGALITÉ AU MOINS N'EST PAS VÉRIFIÉE."), "{text}");
    assert!(text.contains("-0,50"), "{text}");
    assert!(text.contains("Médiathèque 150") && text.contains("Page 7"), "{text}");
}
