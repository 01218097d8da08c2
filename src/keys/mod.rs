//! The secrets that live outside the database: the pepper of codes, the key that seals, the keys that
//! sign tokens and receipts. One file, readable by its owner alone.

mod receipt_key;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use ed25519_dalek::{SigningKey, VerifyingKey};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::Kid;
use crate::domain::code::Pepper;
use crate::domain::programme::ProgrammeCode;

pub use receipt_key::ReceiptKey;

/// Every secret of an instance.
#[derive(Clone)]
pub struct Keys {
    /// Hashes codes and names persons.
    pub pepper: Pepper,
    /// Signs access tokens.
    pub token: SigningKey,
    /// Signed them before the last rotation; verifies those that are left.
    pub previous_token: Option<SigningKey>,
    /// Signs receipts.
    receipt: ReceiptKey,
    /// Signed receipts before it, the newest first: theirs are still signed with them.
    retired: Vec<ReceiptKey>,
    sealing: [u8; 32],
    /// What programmes that came from another instance were hashed and sealed with there.
    adopted: BTreeMap<ProgrammeCode, Adopted>,
}

/// Of another instance's keys, what a programme can't go on without.
#[derive(Clone)]
struct Adopted {
    pepper: Pepper,
    sealing: [u8; 32],
}

/// As the file holds them: 32 bytes each, in hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    pepper: String,
    sealing: String,
    token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_token: Option<String>,
    /// Not in files made before receipts named their key: see [`Keys::load`].
    receipt: Option<String>,
    /// The receipt keys before it, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retired_receipts: Vec<String>,
    /// By the code of a programme that came from another instance.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    adopted: BTreeMap<ProgrammeCode, AdoptedInFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdoptedInFile {
    pepper: String,
    sealing: String,
}

impl Keys {
    /// New random keys.
    pub fn generate() -> anyhow::Result<Self> {
        Ok(Self {
            pepper: Pepper(random()?),
            token: SigningKey::from_bytes(&random()?),
            previous_token: None,
            receipt: ReceiptKey::new(&random()?)?,
            retired: Vec::new(),
            sealing: random()?,
            adopted: BTreeMap::new(),
        })
    }

    /// Reads the file, or makes it when there is none. Refuses one that others may read.
    pub fn load_or_generate(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            Self::generate()?.save(path)?;
        }
        Self::load(path)
    }

    /// Reads the file. One without a key for receipts is given one, and written anew.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let mode = fs::metadata(path)
            .with_context(|| {
                format!("the key file {shown} can't be read: make one with `souche keys generate`")
            })?
            .mode();
        if mode & 0o077 != 0 {
            bail!("the key file {shown} can be read by others: run `chmod 600 {shown}`");
        }
        let mut file: KeyFile =
            serde_json::from_str(&fs::read_to_string(path).with_context(|| {
                format!("the key file {shown} can't be read: run as the user who owns it")
            })?)
            .with_context(|| format!("{shown} is not a key file"))?;
        if file.receipt.is_none() {
            file.receipt = Some(hex(&random::<32>()?));
            replace(path, &file).with_context(|| {
                format!("{shown} has no key for receipts and can't be written: add \"receipt\" to it, 64 random hexadecimal digits")
            })?;
        }
        let key = |name, text: &str| {
            let key = unhex(name, text).and_then(|key| not_made_up(name, key));
            key.with_context(|| {
                format!("{shown} can't be used: `souche keys generate` makes another")
            })
        };
        Ok(Self {
            pepper: Pepper(key("pepper", &file.pepper)?),
            token: SigningKey::from_bytes(&key("token", &file.token)?),
            previous_token: match &file.previous_token {
                Some(text) => Some(SigningKey::from_bytes(&key("previous_token", text)?)),
                None => None,
            },
            receipt: ReceiptKey::new(&key("receipt", &file.receipt.unwrap_or_default())?)?,
            retired: file
                .retired_receipts
                .iter()
                .map(|text| ReceiptKey::new(&key("retired_receipts", text)?))
                .collect::<anyhow::Result<_>>()?,
            sealing: key("sealing", &file.sealing)?,
            adopted: file
                .adopted
                .into_iter()
                .map(|(programme, of)| {
                    let pepper = Pepper(key("pepper", &of.pepper)?);
                    Ok((programme, Adopted { pepper, sealing: key("sealing", &of.sealing)? }))
                })
                .collect::<anyhow::Result<_>>()?,
        })
    }

    /// Writes a new file that only its owner may read; refuses to replace one: what a lost key sealed
    /// is lost with it.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        write_new(path, &self.to_file())
    }

    /// Gives the file a new key for access tokens. The one it had goes on verifying those that are out; the one
    /// before that is forgotten. Services take it up when they start again.
    pub fn rotate_token(path: &Path) -> anyhow::Result<()> {
        let mut keys = Self::load(path)?;
        let new = SigningKey::from_bytes(&random()?);
        keys.previous_token = Some(std::mem::replace(&mut keys.token, new));
        replace(path, &keys.to_file())
    }

    /// Gives the file another key for receipts, and keeps the one there was for the receipts that name it.
    pub fn rotate_receipt(path: &Path) -> anyhow::Result<Self> {
        let mut keys = Self::load(path)?;
        let new = ReceiptKey::new(&random()?)?;
        keys.retired.insert(0, std::mem::replace(&mut keys.receipt, new));
        replace(path, &keys.to_file())?;
        Ok(keys)
    }

    /// Takes over, from the key file of the instance that a programme comes from, what it can't go on without here: the
    /// pepper of its codes, the key of what was sealed, and the keys of its receipts, which only ever sign those that
    /// name them.
    pub fn adopt(path: &Path, from: &Path, programme: &ProgrammeCode) -> anyhow::Result<()> {
        let (mut keys, theirs) = (Self::load(path)?, Self::load(from)?);
        let of_it = theirs.adopted.get(programme).cloned();
        let of_it = of_it.unwrap_or(Adopted { pepper: theirs.pepper, sealing: theirs.sealing });
        keys.adopted.insert(programme.clone(), of_it);
        for key in std::iter::once(theirs.receipt).chain(theirs.retired) {
            if !keys.receipt_keys().any(|known| known.secret == key.secret) {
                keys.retired.push(key);
            }
        }
        replace(path, &keys.to_file())
    }

    /// What codes and persons of a programme are hashed with.
    pub fn pepper_of(&self, programme: &ProgrammeCode) -> &Pepper {
        self.adopted.get(programme).map_or(&self.pepper, |of| &of.pepper)
    }

    fn to_file(&self) -> KeyFile {
        KeyFile {
            pepper: hex(&self.pepper.0),
            sealing: hex(&self.sealing),
            token: hex(&self.token.to_bytes()),
            previous_token: self.previous_token.as_ref().map(|key| hex(&key.to_bytes())),
            receipt: Some(hex(&self.receipt.secret.to_bytes())),
            retired_receipts: self.retired.iter().map(|key| hex(&key.secret.to_bytes())).collect(),
            adopted: self
                .adopted
                .iter()
                .map(|(programme, of)| {
                    let (pepper, sealing) = (hex(&of.pepper.0), hex(&of.sealing));
                    (programme.clone(), AdoptedInFile { pepper, sealing })
                })
                .collect(),
        }
    }

    /// Names and marks bytes so that only these keys can, and only as `what`: HMAC-SHA-256.
    #[expect(clippy::missing_panics_doc, reason = "HMAC takes a key of any length")]
    pub fn mark(&self, what: &str, bytes: &[u8]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.sealing).expect("HMAC takes a key of any length");
        for part in [what.as_bytes(), &[0], bytes] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The name of the key that signs receipts.
    pub fn receipt_kid(&self) -> Kid {
        self.receipt.kid
    }

    /// The key that signs receipts.
    pub fn receipt_key(&self) -> &ReceiptKey {
        &self.receipt
    }

    /// Every key that signs receipts: the present one first.
    pub fn receipt_keys(&self) -> impl Iterator<Item = &ReceiptKey> {
        std::iter::once(&self.receipt).chain(&self.retired)
    }

    /// Signs a receipt with the key that it names, base64: the same each time. `None` when the key is not here.
    pub fn sign_receipt(&self, named: &str, receipt: &str) -> Option<String> {
        let key = self.receipt_keys().find(|key| key.kid.to_string() == named)?;
        Some(key.sign(receipt))
    }

    /// Seals bytes so that only these keys open them, and only as `what`.
    pub fn seal(&self, what: &str, plain: &[u8]) -> anyhow::Result<Vec<u8>> {
        let nonce: [u8; 12] = random()?;
        let payload = Payload { msg: plain, aad: what.as_bytes() };
        let sealed = ChaCha20Poly1305::new(&self.sealing.into())
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| anyhow::anyhow!("{what} can't be sealed"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Keys::seal`] made: here, or where a programme came from.
    pub fn unseal(&self, what: &str, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<12>()
            .with_context(|| format!("{what} is too short to be sealed"))?;
        let keys =
            std::iter::once(&self.sealing).chain(self.adopted.values().map(|of| &of.sealing));
        let mut opened = keys.filter_map(|key| {
            let payload = Payload { msg: sealed, aad: what.as_bytes() };
            ChaCha20Poly1305::new(key.into()).decrypt(&Nonce::from(*nonce), payload).ok()
        });
        opened.next().with_context(|| format!("{what} does not open with this key file"))
    }
}

/// The name of a key: from its public half.
pub fn kid_of(key: &VerifyingKey) -> Kid {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    Kid::new(digest.first_chunk().copied().unwrap_or_default())
}

/// Writes a key file that is not there yet.
fn write_new(path: &Path, file: &KeyFile) -> anyhow::Result<()> {
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{} exists already, or can't be written", path.display()))?;
    writeln!(out, "{}", serde_json::to_string_pretty(file)?)?;
    out.sync_all()?;
    Ok(())
}

/// Puts a new key file in the place of one, whole or not at all. Of two processes that try at once, one
/// finds the other's file in its way.
fn replace(path: &Path, file: &KeyFile) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    write_new(&new, file)?;
    fs::rename(&new, path)?;
    Ok(())
}

/// Refuses a key that nobody drew: one byte, over and over.
fn not_made_up(name: &str, key: [u8; 32]) -> anyhow::Result<[u8; 32]> {
    if key.windows(2).all(|pair| pair.first() == pair.last()) {
        bail!("{name}: 32 random bytes are expected");
    }
    Ok(key)
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    Ok(bytes)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('?');
        text.extend([digit(byte >> 4), digit(byte & 0xf)]);
        text
    })
}

/// Reads 32 bytes of hexadecimal; `name` is for the error.
pub fn unhex(name: &str, text: &str) -> anyhow::Result<[u8; 32]> {
    let wrong = || format!("{name}: 64 hexadecimal digits are expected");
    if text.len() != 64 || !text.is_ascii() {
        bail!(wrong());
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0_usize..64).step_by(2)) {
        let digits = text.get(at..at.saturating_add(2)).with_context(wrong)?;
        *byte = u8::from_str_radix(digits, 16).with_context(wrong)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
