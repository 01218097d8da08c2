//! What is printed on a pass: a public number to speak of it, and a secret to spend it.
//!
//! The secret is 80 bits in Crockford's base 32 (16 symbols), followed by one check symbol over
//! number and secret, so that a slip of the finger is seen before anything is sent. The QR code
//! holds `HDF-0412733-7K3M9QXW2T5V8Y1A-Z` behind a URL fragment; a hand scanner types the same.
//!
//! The database keeps a keyed hash only ([`Pepper`]); print files come from a per-order key
//! ([`PrintKey`]) that is destroyed once the print is confirmed.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::id::PassNumber;
use super::programme::ProgrammeCode;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Crockford's five more symbols: a check is a remainder by 37.
const CHECK_ALPHABET: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
const SECRET_SYMBOLS: usize = 16;

/// 80 secret bits, sixteen symbols of five.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; SECRET_SYMBOLS]);

/// The whole code of a pass, as scanned or typed.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PassCode {
    /// The public number.
    pub number: PassNumber,
    /// The secret.
    pub secret: Secret,
}

impl fmt::Debug for PassCode {
    /// Without the secret: a code must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PassCode({}, …)", self.number)
    }
}

impl PassCode {
    /// As typed from the paper: `0412733-7K3M-9QXW-2T5V-8Y1A-Z`.
    pub fn typable(&self) -> String {
        let symbols = self.secret.symbols();
        let groups: Vec<&str> =
            [0..4, 4..8, 8..12, 12..16].into_iter().filter_map(|r| symbols.get(r)).collect();
        format!("{}-{}-{}", self.number, groups.join("-"), self.check_symbol())
    }

    /// As in the QR code, behind the `#` of the public address.
    pub fn scannable(&self, programme_code: &str) -> String {
        format!(
            "{programme_code}-{}-{}-{}",
            self.number,
            self.secret.symbols(),
            self.check_symbol()
        )
    }

    fn check_symbol(&self) -> char {
        let number = self.number.get().unsigned_abs();
        let digits = self.secret.0.iter().map(|symbol| u32::from(*symbol));
        let remainder = digits
            .fold(number % 37, |rest, digit| rest.saturating_mul(32).saturating_add(digit) % 37);
        usize::try_from(remainder)
            .ok()
            .and_then(|i| CHECK_ALPHABET.get(i))
            .map_or('?', |b| char::from(*b))
    }
}

impl TryFrom<String> for PassCode {
    type Error = String;

    /// Takes the URL of the QR code, its fragment alone, or what a person types: case, spaces and
    /// hyphens don't matter, and O, I, L are read as 0, 1, 1.
    fn try_from(text: String) -> Result<Self, String> {
        const EXPECTED: &str = "le code du pass est attendu : son numéro, puis les 17 signes imprimés à côté ; \
            scannez-le, ou vérifiez chaque signe";
        if text.len() > 300 {
            return Err(EXPECTED.into());
        }
        let code = text.rsplit('#').next().unwrap_or_default();
        let symbols: String = code
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '\u{a0}'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if !symbols.is_ascii() || symbols.len() < SECRET_SYMBOLS + 2 {
            return Err(EXPECTED.into());
        }
        let (front, check) = symbols.split_at(symbols.len().saturating_sub(1));
        let (front, secret) = front.split_at(front.len().saturating_sub(SECRET_SYMBOLS));
        // The seven digits at the end; before them may stand the programme's code.
        let digits = front.get(front.len().saturating_sub(7)..).unwrap_or_default();
        let code = Self {
            number: digits.parse().map_err(|_| EXPECTED)?,
            secret: Secret::parse(secret).ok_or(EXPECTED)?,
        };
        if check == code.check_symbol().to_string() { Ok(code) } else { Err(EXPECTED.into()) }
    }
}

impl Secret {
    /// The sixteen symbols.
    pub fn symbols(&self) -> String {
        self.0
            .iter()
            .filter_map(|symbol| ALPHABET.get(usize::from(*symbol)))
            .map(|b| char::from(*b))
            .collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut symbols = [0; SECRET_SYMBOLS];
        if text.len() != SECRET_SYMBOLS {
            return None;
        }
        for (slot, byte) in symbols.iter_mut().zip(text.bytes()) {
            let plain = match byte {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            *slot = u8::try_from(ALPHABET.iter().position(|b| *b == plain)?).ok()?;
        }
        Some(Self(symbols))
    }
}

/// The key of an order's secrets: 32 random bytes, destroyed once the print is confirmed.
pub struct PrintKey(pub [u8; 32]);

impl PrintKey {
    /// The code of one pass of the order; the same each time, as long as the key lives.
    pub fn code(&self, number: PassNumber) -> PassCode {
        let tag = keyed(&self.0, &[b"souche/secret/1", &number.get().to_be_bytes()]);
        let mut symbols = [0; SECRET_SYMBOLS];
        for (symbol, byte) in symbols.iter_mut().zip(tag) {
            // Five bits of each byte: sixteen times five is eighty.
            *symbol = byte & 0b1_1111;
        }
        PassCode { number, secret: Secret(symbols) }
    }
}

/// The key under which the database keeps hashes of codes; it lives outside the database.
#[derive(Clone)]
pub struct Pepper(pub [u8; 32]);

impl Pepper {
    /// A name for what must not be written down: 64 bits of HMAC-SHA-256, in hexadecimal. It tells one
    /// from another, and no more to who hasn't the pepper.
    pub fn pseudonym(&self, of: &str) -> String {
        let tag = keyed(&self.0, &[b"souche/pseudonym/1", of.as_bytes()]);
        let half = tag.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        format!("{half:016x}")
    }

    /// What the database keeps of a code: 128 bits of HMAC-SHA-256 over the programme's code, number, secret. The
    /// programme's number is of one instance only; its code goes with it to another (decision 0029).
    pub fn hash(&self, programme: &ProgrammeCode, code: &PassCode) -> [u8; 16] {
        let parts: [&[u8]; 5] = [
            b"souche/code/2",
            programme.as_str().as_bytes(),
            &[0],
            &code.number.get().to_be_bytes(),
            &code.secret.0,
        ];
        let mut short = [0; 16];
        for (slot, byte) in short.iter_mut().zip(keyed(&self.0, &parts)) {
            *slot = byte;
        }
        short
    }

    /// Names a person without telling who it is: the full HMAC-SHA-256 of a normalised identity.
    pub fn person_key(&self, programme: &ProgrammeCode, identity: &str) -> [u8; 32] {
        let programme = programme.as_str().as_bytes();
        keyed(&self.0, &[b"souche/person/2", programme, &[0], identity.as_bytes()])
    }
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(number: i32) -> PassCode {
        PrintKey([7; 32]).code(PassNumber::new(number))
    }

    fn read(text: &str) -> Result<PassCode, String> {
        PassCode::try_from(text.to_owned())
    }

    proptest! {
        #[test]
        fn a_code_is_read_back_from_paper_and_from_the_qr(number in 1..9_999_999) {
            let code = code(number);
            prop_assert!(read(&code.typable()).unwrap() == code);
            prop_assert!(read(&code.typable().to_lowercase().replace('-', " ")).unwrap() == code);
            prop_assert!(read(&code.scannable("HDF")).unwrap() == code);
            let url = format!("https://souche.example/p#{}", code.scannable("SAT2"));
            prop_assert!(read(&url).unwrap() == code);
        }

        #[test]
        fn one_wrong_symbol_is_seen(number in 1..9_999_999, at in 0_usize..16, other in 0_usize..32) {
            let code = code(number);
            let mut symbols = code.secret.0;
            let replacement = u8::try_from(other).unwrap();
            prop_assume!(symbols[at] != replacement);
            symbols[at] = replacement;
            let forged = PassCode { number: code.number, secret: Secret(symbols) };
            let typed = format!("{}-{}-{}", code.number, forged.secret.symbols(), code.check_symbol());
            prop_assert!(read(&typed).is_err());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = read(&text);
        }
    }

    #[test]
    fn letters_that_look_like_digits_are_taken_for_them() {
        let code =
            (1..1_000).map(code).find(|code| code.secret.symbols().contains(['0', '1'])).unwrap();
        let typed = code.scannable("HDF");
        let (front, rest) = typed.split_at("HDF-0000000-".len());
        assert!(
            read(&format!("{front}{}", rest.replace('0', "o").replace('1', "l"))).unwrap() == code
        );
    }

    #[test]
    fn the_same_code_hashes_differently_in_another_programme() {
        let pepper = Pepper([9; 32]);
        let code = code(1);
        let of = |programme: &str| {
            pepper.hash(&ProgrammeCode::try_from(programme.to_owned()).unwrap(), &code)
        };
        assert_ne!(of("HDF"), of("SAT"));
    }
}
