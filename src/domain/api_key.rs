//! The secret of an API key, as an integrator keeps it: `souche_` and 64 symbols of Crockford's base 32.
//! They say a programme (32 bits), 256 random bits, and the first 32 bits of the SHA-256 of both: a slip
//! is seen without a look into the database, and whoever scans files for lost secrets is sure of what it
//! found. The database keeps a SHA-256 of the whole.

use std::fmt;

use sha2::{Digest, Sha256};

use super::id::ProgrammeId;

const PREFIX: &str = "souche_";
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Programme and random bits.
const SAID: usize = 36;
const BYTES: usize = 40;
const SYMBOLS: usize = 64;

/// The secret, and the programme it opens.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeySecret {
    programme: ProgrammeId,
    random: [u8; 32],
}

impl fmt::Debug for ApiKeySecret {
    /// Without the secret: it must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeySecret({}, …)", self.programme)
    }
}

impl ApiKeySecret {
    /// Of that programme, from these random bytes.
    pub const fn new(programme: ProgrammeId, random: [u8; 32]) -> Self {
        Self { programme, random }
    }

    /// Does this look like one? What doesn't is another kind of token.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Reads one; nothing when any symbol is wrong.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = decoded(text.strip_prefix(PREFIX)?)?;
        let (said, check) = bytes.split_first_chunk::<SAID>()?;
        let (programme, random) = said.split_first_chunk::<4>()?;
        if check != checksum(said) {
            return None;
        }
        let programme = i32::try_from(u32::from_be_bytes(*programme)).ok()?;
        Some(Self::new(ProgrammeId::new(programme), random.try_into().ok()?))
    }

    /// The programme it opens.
    pub const fn programme(&self) -> ProgrammeId {
        self.programme
    }

    /// The secret itself: shown once, to who asked for it, and nowhere else.
    pub fn expose(&self) -> String {
        let said = self.said();
        let bytes = [&said[..], &checksum(&said)].concat();
        let symbols = bytes.chunks(5).flat_map(|five| {
            let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8_u32).rev().map(move |n| symbol(bits >> n.saturating_mul(5) & 31))
        });
        PREFIX.chars().chain(symbols).collect()
    }

    /// What is kept of it: SHA-256. 256 random bits need no slow hash.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.said()).into()
    }

    fn said(&self) -> [u8; SAID] {
        let mut said = [0; SAID];
        let programme = self.programme.get().unsigned_abs().to_be_bytes();
        for (byte, given) in said.iter_mut().zip(programme.iter().chain(&self.random)) {
            *byte = *given;
        }
        said
    }
}

fn checksum(said: &[u8; SAID]) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::digest([b"souche api key".as_slice(), said].concat()).into();
    digest.first_chunk().copied().unwrap_or_default()
}

fn symbol(value: u64) -> char {
    usize::try_from(value).ok().and_then(|at| ALPHABET.get(at)).map_or('?', |b| char::from(*b))
}

fn decoded(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != SYMBOLS {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (five, eight) in bytes.chunks_mut(5).zip(text.as_bytes().chunks(8)) {
        let mut bits = 0_u64;
        for symbol in eight {
            let value = ALPHABET.iter().position(|known| known == symbol)?;
            bits = bits << 5 | u64::try_from(value).ok()?;
        }
        five.copy_from_slice(bits.to_be_bytes().get(3..)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_a_slip_is_seen() {
        let secret = ApiKeySecret::new(
            ProgrammeId::new(7),
            std::array::from_fn(|n| u8::try_from(n).unwrap()),
        );
        let text = secret.expose();
        assert_eq!(text.len(), 71);
        assert_eq!(ApiKeySecret::read(&text), Some(secret.clone()));
        for at in 7..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(ApiKeySecret::read(std::str::from_utf8(&other).unwrap()), None, "{at}");
        }
        for odd in
            ["", "souche_", &text[1..], &text[..70], &format!("{text}0"), &text.to_uppercase()]
        {
            assert_eq!(ApiKeySecret::read(odd), None, "{odd}");
        }
        assert!(!format!("{secret:?}").contains(&text[20..]));
    }
}
