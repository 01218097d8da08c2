//! What leaves encrypted, to whoever holds an age key (age-encryption.org) and nobody else, us included; and what comes
//! back. Read and written as a stream: nothing of it is ever on a disk in clear.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::str::FromStr;

use age::stream::{StreamReader, StreamWriter};
use age::{Decryptor, Encryptor, IdentityFile};
use anyhow::{Context, bail};

/// What a file encrypted with age begins with.
const MAGIC: &[u8] = b"age-encryption.org/v1";

/// Who may open what is encrypted: a public key, `age1…`.
#[derive(Clone, Debug)]
pub struct Recipient(age::x25519::Recipient);

impl FromStr for Recipient {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!("{text} n'est pas une clé publique age : elle commence par age1, et `age-keygen` en fait une")
        })
    }
}

/// Encrypts what is written, to all of these. Whoever is done calls `finish`: without it, it does not open.
///
/// # Errors
/// When there is no recipient, or `out` can't be written.
pub fn seal<W: Write>(recipients: &[Recipient], out: W) -> anyhow::Result<StreamWriter<W>> {
    let recipients = recipients.iter().map(|recipient| -> &dyn age::Recipient { &recipient.0 });
    let encryptor = Encryptor::with_recipients(recipients)
        .map_err(|error| anyhow::anyhow!("rien ne peut être chiffré : {error}"))?;
    Ok(encryptor.wrap_output(out)?)
}

/// The private keys that open what is encrypted, as `age-keygen` writes them.
pub struct Identities(Vec<Box<dyn age::Identity + Send + Sync>>);

impl Identities {
    /// Reads a file of them.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("{shown} est illisible"))?;
        let file = IdentityFile::from_buffer(io::BufReader::new(file))
            .with_context(|| format!("{shown} n'est pas un fichier de clés privées age"))?;
        let identities = file.into_identities();
        Ok(Self(identities.map_err(|error| anyhow::anyhow!("{shown} : {error}"))?))
    }

    /// What was encrypted to one of them.
    ///
    /// # Errors
    /// When it was encrypted to others, or is not encrypted with age.
    pub fn open<R: Read>(&self, from: R) -> anyhow::Result<StreamReader<R>> {
        let identities = self.0.iter().map(|identity| -> &dyn age::Identity { identity.as_ref() });
        Decryptor::new(from).and_then(|decryptor| decryptor.decrypt(identities)).map_err(|error| {
            anyhow::anyhow!("aucune des clés privées données ne l'ouvre : {error}")
        })
    }
}

/// A file, in clear or not, read as what it holds.
pub enum Opened {
    /// In clear.
    Clear(File),
    /// Encrypted, and opened as it is read.
    Sealed(Box<StreamReader<File>>),
}

impl Opened {
    /// Opens a file; one that is encrypted takes the file of the private key.
    pub fn open(path: &Path, identities: Option<&Path>) -> anyhow::Result<Self> {
        let shown = path.display();
        let mut file = File::open(path).with_context(|| format!("{shown} est illisible"))?;
        let mut begin = Vec::new();
        Read::by_ref(&mut file).take(MAGIC.len().try_into()?).read_to_end(&mut begin)?;
        file.rewind()?;
        match (begin == MAGIC, identities) {
            (false, None) => Ok(Self::Clear(file)),
            (true, Some(identities)) => {
                let opened = Identities::read(identities)?.open(file);
                Ok(Self::Sealed(Box::new(opened.with_context(|| shown.to_string())?)))
            }
            (true, None) => {
                bail!("{shown} est chiffré : donnez le fichier de la clé privée avec --identity")
            }
            (false, Some(_)) => bail!("{shown} n'est pas chiffré : enlevez --identity"),
        }
    }
}

impl Read for Opened {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(file) => file.read(into),
            Self::Sealed(stream) => stream.read(into),
        }
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Clear(file) => file.seek(to),
            Self::Sealed(stream) => stream.seek(to),
        }
    }
}
