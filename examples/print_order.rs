//! Prints a made-up order, to look at and to measure: `cargo run --example print_order -- 6610 10
//! order.pdf` (booklets, passes per booklet, file; `.csv` gives the variable data).

use souche::print::{Edition, PrintedBooklet, PrintedPass, write_csv, write_pdf};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

const EDITION: Edition<'static> = Edition {
    issuer_name: "Médiation Numérique de l’Œuvre (fictif)",
    issuer_address: "12 rue de l’Église, 59000 Lille",
    sponsor_name: "Région Hauts-de-France",
    programme_name: "Pass numérique Hauts-de-France",
    face_value_cents: 1000,
    last_hand_over: chrono::NaiveDate::from_ymd_opt(2027, 10, 31).unwrap(),
    last_use: chrono::NaiveDate::from_ymd_opt(2027, 12, 31).unwrap(),
    services: "un atelier collectif, un accompagnement individuel ou une formation au numérique",
    territory: "région Hauts-de-France",
    public_url: "pass.example.fr",
};

/// A code that looks like a real one: scrambled, not secret.
fn code(number: u32) -> String {
    let alphabet: Vec<char> = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars().collect();
    let mut state = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut digit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 59).ok().and_then(|index| alphabet.get(index))
    };
    (0..17).filter_map(|_| digit()).collect()
}

fn booklet(number: u32, size: u32) -> PrintedBooklet {
    let first = number.saturating_sub(1).saturating_mul(size);
    let passes = (1..=size).map(|rank| {
        let number = first.saturating_add(rank);
        let (label, code) = (format!("HDF-{number:07}"), code(number));
        let groups: Vec<String> = code
            .chars()
            .collect::<Vec<_>>()
            .chunks(4)
            .map(|group| group.iter().collect())
            .collect();
        let qr = format!("https://pass.example.fr/p#{label}.{code}");
        PrintedPass { number, label, typable: groups.join("-"), qr }
    });
    PrintedBooklet { number, passes: passes.collect() }
}

fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1);
    let mut number = |default| words.next().and_then(|word| word.parse().ok()).unwrap_or(default);
    let (count, size) = (number(6610_u32), number(10_u32));
    let path = words.next().unwrap_or_else(|| "order.pdf".into());
    let mut out = BufWriter::new(File::create(&path)?);
    let booklets = (1..=count).map(|number| booklet(number, size));

    let start = Instant::now();
    if Path::new(&path).extension().is_some_and(|kind| kind == "csv") {
        write_csv(&mut out, &EDITION, booklets)?;
    } else {
        write_pdf(&mut out, &EDITION, booklets)?;
    }
    out.flush()?;
    let bytes = std::fs::metadata(&path)?.len();
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    eprintln!("{count} × {size} → {path}: {bytes} bytes, {:?}, {peak}", start.elapsed());
    Ok(())
}
