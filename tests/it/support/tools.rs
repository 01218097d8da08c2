//! Programs of Debian's that read what we write: a test may do without them on a person's machine, never in CI.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a program says of an input, or `None` where it is not installed (and not CI).
pub fn run(program: &str, arguments: &[&str], input: &[u8], package: &str) -> Option<Vec<u8>> {
    let spawned = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!in_ci, "{program} is missing (apt install {package})");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Beside the reading: a pipe that is full on both sides would wait for ever.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// The text of a PDF.
pub fn text_of(pdf: &[u8]) -> Option<String> {
    let text = run("pdftotext", &["-layout", "-enc", "UTF-8", "-", "-"], pdf, "poppler-utils")?;
    Some(String::from_utf8(text).unwrap().replace(['\u{a0}', '\u{202f}'], " "))
}

/// What a reader sees on the first page of a PDF on paper. It looks at several distances, as a phone does: at some,
/// the edges of modules fall between its dots.
pub fn scan(pdf: &[u8]) -> Option<String> {
    for dots_per_inch in ["150", "250", "200", "300", "600"] {
        let options = ["-gray", "-r", dots_per_inch, "-singlefile", "-"];
        if let Some(seen) = look(&run("pdftoppm", &options, pdf, "poppler-utils")?) {
            return Some(seen);
        }
    }
    panic!("no symbol is seen");
}

/// What a PGM image shows: P5, width, height and 255, each followed by a blank; then the pixels.
fn look(pgm: &[u8]) -> Option<String> {
    let mut parts = pgm.splitn(4, u8::is_ascii_whitespace);
    assert_eq!(parts.next(), Some(&b"P5"[..]));
    let mut number =
        || -> usize { std::str::from_utf8(parts.next().unwrap()).unwrap().parse().unwrap() };
    let (width, height) = (number(), number());
    let pixels = parts.next().unwrap().strip_prefix(b"255\n").unwrap();
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    image.detect_grids().first()?.decode().ok().map(|(_, content)| content)
}
