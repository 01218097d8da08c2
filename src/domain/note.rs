//! Signed notes and checkpoints, as C2SP specifies them (c2sp.org/signed-note, c2sp.org/tlog-checkpoint),
//! and proofs that go with them (c2sp.org/tlog-proof): text that any tool for such logs reads.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::merkle::{Hash, verify_inclusion};

/// The algorithm byte of Ed25519.
const ED25519: u8 = 1;
/// What a signature line begins with: an em dash and a space.
const DASH: &str = "— ";
/// Longest note that is looked at.
const MAX_BYTES: usize = 10_000;
/// First line of a proof.
const PROOF_HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The state of a log that its signer stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log, of all logs there are: the name of its key.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root of its tree.
    pub root: Hash,
}

impl fmt::Display for Checkpoint {
    /// The text that is signed, its last line break included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}

impl FromStr for Checkpoint {
    type Err = String;

    /// Reads the text of a note. Extension lines are allowed after the root, and not looked at.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut lines =
            text.strip_suffix('\n').ok_or("la dernière ligne n'est pas finie")?.split('\n');
        let mut line =
            |what: &str| lines.next().filter(|it| !it.is_empty()).ok_or(format!("{what} manque"));
        let origin = line("l'origine")?.to_owned();
        let size = number(line("la taille")?)?;
        let root = line("la racine")?.parse()?;
        if lines.any(str::is_empty) {
            return Err("une ligne est vide".into());
        }
        Ok(Self { origin, size, root })
    }
}

/// A decimal number as the specification wants it: no sign, no leading zero.
fn number(text: &str) -> Result<u64, String> {
    let wrong = || format!("« {text} » n'est pas un nombre");
    let number: u64 = text.parse().map_err(|_| wrong())?;
    if number.to_string() == text { Ok(number) } else { Err(wrong()) }
}

/// A text and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed.
    pub text: String,
    /// Name, key id and signature of each.
    signatures: Vec<(String, [u8; 4], Vec<u8>)>,
}

impl Note {
    /// Signs a checkpoint with the key of its origin.
    pub fn sign(checkpoint: &Checkpoint, key: &SigningKey) -> Self {
        let text = checkpoint.to_string();
        let verifier = Verifier { name: checkpoint.origin.clone(), key: key.verifying_key() };
        let signature = key.sign(text.as_bytes()).to_bytes().to_vec();
        let signatures = vec![(verifier.name.clone(), verifier.id(), signature)];
        Self { text, signatures }
    }

    /// The checkpoint, when that key has signed it and it is the key of its origin.
    pub fn verify(&self, verifier: &Verifier) -> Result<Checkpoint, String> {
        let mut of_key = self
            .signatures
            .iter()
            .filter(|(name, id, _)| *name == verifier.name && *id == verifier.id());
        let (_, _, signature) =
            of_key.next().ok_or_else(|| format!("{} n'a pas signé", verifier.name))?;
        let is_true = Signature::from_slice(signature)
            .is_ok_and(|it| verifier.key.verify_strict(self.text.as_bytes(), &it).is_ok());
        if !is_true || of_key.next().is_some() {
            return Err(format!("la signature de {} est fausse", verifier.name));
        }
        let checkpoint: Checkpoint = self.text.parse()?;
        if checkpoint.origin != verifier.name {
            return Err(format!("{} n'est pas l'origine", verifier.name));
        }
        Ok(checkpoint)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for (name, id, signature) in &self.signatures {
            writeln!(f, "{DASH}{name} {}", STANDARD.encode([id, signature.as_slice()].concat()))?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = String;

    fn from_str(note: &str) -> Result<Self, String> {
        if note.len() > MAX_BYTES || note.chars().any(|c| c.is_control() && c != '\n') {
            return Err("ce n'est pas une note signée".into());
        }
        let (text, signed) =
            note.rsplit_once("\n\n").ok_or("les signatures ne suivent pas une ligne vide")?;
        let signed = signed.strip_suffix('\n').ok_or("la dernière ligne n'est pas finie")?;
        let signatures = signed.split('\n').map(signature).collect::<Result<_, _>>()?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

fn signature(line: &str) -> Result<(String, [u8; 4], Vec<u8>), String> {
    let wrong = || format!("« {line} » n'est pas une ligne de signature");
    let (name, base64) =
        line.strip_prefix(DASH).and_then(|it| it.split_once(' ')).ok_or_else(wrong)?;
    let bytes = STANDARD.decode(base64).map_err(|_| wrong())?;
    let (id, signature) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
    if !is_name(name) || signature.is_empty() {
        return Err(wrong());
    }
    Ok((name.to_owned(), *id, signature.to_vec()))
}

/// A key's name: no blank, no plus.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A public key with its name, written as `name+id+key` (a *vkey*).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// The origin that it signs for.
    pub name: String,
    /// The key.
    pub key: VerifyingKey,
}

impl Verifier {
    /// The first four bytes of SHA-256 over name, line break, algorithm and key.
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new_with_prefix(&self.name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize();
        hash.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), STANDARD.encode(key))
    }
}

impl FromStr for Verifier {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("« {text} » n'est pas une clé publique de journal");
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or_else(wrong);
        let (name, id, key) = (part()?, part()?, part()?);
        let key = STANDARD.decode(key).map_err(|_| wrong())?;
        let Some((&ED25519, key)) = key.split_first() else { return Err(wrong()) };
        let key = key.try_into().ok().and_then(|key| VerifyingKey::from_bytes(key).ok());
        let verifier = Self { name: name.to_owned(), key: key.ok_or_else(wrong)? };
        // Written again, it is the same: the id fits, and nothing is written in two ways.
        if is_name(name) && verifier.to_string() == text && id.len() == 8 {
            Ok(verifier)
        } else {
            Err(wrong())
        }
    }
}

/// That some bytes are a leaf of a log: self-contained, to be kept next to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The leaf's position.
    pub index: u64,
    /// From the leaf up.
    pub hashes: Vec<Hash>,
    /// The checkpoint that it leads to, signed.
    pub note: Note,
}

impl Proof {
    /// The checkpoint under which these bytes are, or what is wrong.
    pub fn verify(&self, leaf: &[u8], verifier: &Verifier) -> Result<Checkpoint, String> {
        let checkpoint = self.note.verify(verifier)?;
        let (hash, size) = (Hash::of_leaf(leaf), checkpoint.size);
        if verify_inclusion(hash, self.index, size, &self.hashes, checkpoint.root) {
            Ok(checkpoint)
        } else {
            Err("ces octets ne sont pas à cette place du journal".into())
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{PROOF_HEADER}\nindex {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for Proof {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (head, note) = text.split_once("\n\n").ok_or("le point de contrôle manque")?;
        let mut lines = head.split('\n');
        if lines.next() != Some(PROOF_HEADER) {
            return Err("ce n'est pas une preuve de journal".into());
        }
        let index =
            lines.next().and_then(|line| line.strip_prefix("index ")).ok_or("l'index manque")?;
        let hashes = lines.map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if hashes.len() > 63 {
            return Err("le chemin est trop long".into());
        }
        Ok(Self { index: number(index)?, hashes, note: note.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> (Note, Verifier, Checkpoint) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let root = Hash::of_leaf(b"a receipt");
        let checkpoint = Checkpoint { origin: "log.example/SAT".into(), size: 1, root };
        let verifier = Verifier { name: checkpoint.origin.clone(), key: key.verifying_key() };
        (Note::sign(&checkpoint, &key), verifier, checkpoint)
    }

    #[test]
    fn a_checkpoint_is_signed_written_read_and_verified() {
        let (note, verifier, checkpoint) = signed();
        let text = note.to_string();
        assert_eq!(text.lines().count(), 5);
        assert!(
            text.starts_with("log.example/SAT\n1\n") && text.contains("\n\n— log.example/SAT ")
        );
        let read: Note = text.parse().unwrap();
        assert_eq!(read, note);
        assert_eq!(read.verify(&verifier), Ok(checkpoint));
        assert_eq!(verifier.to_string().parse(), Ok(verifier));
    }

    #[test]
    fn a_known_key_is_read_and_its_id_is_right() {
        // The example of the Go checksum database, whose key every Go tool carries.
        let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        let verifier: Verifier = text.parse().unwrap();
        assert_eq!(verifier.id(), [0x03, 0x3d, 0xe0, 0xae]);
        assert_eq!(verifier.to_string(), text);
        for wrong in [
            &text[1..],
            &text[..60],
            "a+b",
            "",
            "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        ] {
            assert!(wrong.parse::<Verifier>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_single_change_of_a_byte_is_taken() {
        let (note, verifier, checkpoint) = signed();
        let proof = Proof { index: 0, hashes: Vec::new(), note };
        let text = proof.to_string();
        assert_eq!(text.parse::<Proof>().unwrap().verify(b"a receipt", &verifier), Ok(checkpoint));
        let bytes = text.as_bytes();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes.to_vec();
                other[at] ^= 1 << bit;
                let Ok(other) = String::from_utf8(other) else { continue };
                let taken =
                    other.parse::<Proof>().and_then(|proof| proof.verify(b"a receipt", &verifier));
                assert!(taken.is_err(), "byte {at}, bit {bit}: {other}");
            }
        }
        assert!(proof.verify(b"another", &verifier).is_err());
    }

    #[test]
    fn what_is_not_quite_a_checkpoint_is_refused() {
        let root = Hash::of_nothing();
        assert!(format!("a\n5\n{root}\nextension\n").parse::<Checkpoint>().is_ok());
        for wrong in [
            String::new(),
            format!("a\n5\n{root}"),
            format!("\n5\n{root}\n"),
            format!("a\n05\n{root}\n"),
            format!("a\n-5\n{root}\n"),
            format!("a\n+5\n{root}\n"),
            format!("a\n5\n{root}\n\n"),
            format!("a\n5\n{}\n", &root.to_string()[1..]),
        ] {
            assert!(wrong.parse::<Checkpoint>().is_err(), "{wrong:?}");
        }
        for wrong in
            ["", "a\n\n", "a\n\n— a\n", "a\n\n— a AAAA", "a\n\n— a AAAA\n", "a\n\n- a AAAAAAAA\n"]
        {
            assert!(wrong.parse::<Note>().is_err(), "{wrong:?}");
        }
    }
}
