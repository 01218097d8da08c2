//! What it signs, and what nobody gets it to sign.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::merkle::{Frontier, consistency_proof};
use crate::keys::{hex, random};

struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("souche-signer-{}", hex(&random::<8>().unwrap()))))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The head of a log of `size` leaves, whose leaf `n` says `say(n)`, and how it continues its first `from`.
fn ask(from: u64, size: u64, say: impl Fn(u64) -> String) -> Ask {
    let leaf = |n: u64| Hash::of_leaf(say(n).as_bytes());
    let root = |begin: u64, end: u64| {
        let mut frontier = Frontier::new();
        (begin..end).for_each(|n| frontier.append(leaf(n), |_, _| ()));
        frontier.root()
    };
    let node = |node: crate::domain::merkle::Node| {
        let (begin, end) = node.leaves();
        Ok::<_, ()>(root(begin, end))
    };
    let proof =
        if from <= size { consistency_proof(from, size, node).unwrap() } else { Vec::new() };
    Ask { log: "SAT".to_owned().try_into().unwrap(), from, proof, size, root: root(0, size) }
}

fn honest(n: u64) -> String {
    format!("receipt {n}")
}

fn signed(answer: &Answer) -> Checkpoint {
    let Answer::Signed { note, vkey } = answer else { panic!("{answer:?}") };
    let note: Note = note.parse().unwrap();
    note.verify(&vkey.parse().unwrap()).unwrap()
}

#[test]
fn it_signs_a_log_that_grows_and_again_what_it_signed() {
    let dir = Dir::new();
    let signer = Local::open(&dir.0).unwrap();
    assert_eq!(signed(&signer.sign(&ask(0, 3, honest)).unwrap()).size, 3);
    assert_eq!(signer.sign(&ask(0, 7, honest)).unwrap(), Answer::Last { size: 3 });
    let seven = signer.sign(&ask(3, 7, honest)).unwrap();
    assert_eq!(signed(&seven).root, ask(0, 7, honest).root);
    // The answer was lost: the same question has the same answer, from another process too.
    assert_eq!(signer.sign(&ask(3, 7, honest)).unwrap(), Answer::Last { size: 7 });
    assert_eq!(Local::open(&dir.0).unwrap().sign(&ask(7, 7, honest)).unwrap(), seven);
}

#[test]
fn it_never_signs_another_past() {
    let dir = Dir::new();
    let signer = Local::open(&dir.0).unwrap();
    signed(&signer.sign(&ask(0, 9, honest)).unwrap());
    let another = |n: u64| if n == 4 { "forged".to_owned() } else { honest(n) };
    for (what, ask) in [
        ("changed", ask(9, 12, another)),
        ("changed, of the same size", ask(9, 9, another)),
        ("cut", ask(9, 8, honest)),
        ("without proof", Ask { proof: Vec::new(), ..ask(9, 12, honest) }),
    ] {
        let answer = signer.sign(&ask).unwrap();
        assert!(matches!(answer, Answer::Refused { .. }), "{what}: {answer:?}");
    }
    assert_eq!(signer.sign(&ask(0, 12, another)).unwrap(), Answer::Last { size: 9 });
    assert_eq!(signed(&signer.sign(&ask(9, 12, honest)).unwrap()).size, 12);
}

#[test]
fn logs_do_not_mix() {
    let dir = Dir::new();
    let signer = Local::open(&dir.0).unwrap();
    let sat = signed(&signer.sign(&ask(0, 9, honest)).unwrap());
    let hdf = Ask { log: "HDF".to_owned().try_into().unwrap(), ..ask(0, 2, honest) };
    let hdf = signed(&signer.sign(&hdf).unwrap());
    assert!(sat.origin.ends_with("/SAT") && hdf.origin.ends_with("/HDF"));
    assert_eq!(sat.origin.strip_suffix("/SAT"), hdf.origin.strip_suffix("/HDF"));
}

#[test]
fn a_memory_that_cannot_be_written_means_no_signature() {
    let dir = Dir::new();
    let signer = Local::open(&dir.0).unwrap();
    signed(&signer.sign(&ask(0, 3, honest)).unwrap());
    // A directory where the next file would go: what an unwritable disk does to any user.
    fs::create_dir(dir.0.join("heads.json.new")).unwrap();
    signer.sign(&ask(3, 7, honest)).unwrap_err();
    fs::remove_dir(dir.0.join("heads.json.new")).unwrap();
    assert_eq!(signed(&signer.sign(&ask(3, 7, honest)).unwrap()).size, 7);
    fs::write(dir.0.join("heads.json"), "{").unwrap();
    signer.sign(&ask(7, 9, honest)).unwrap_err();
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let dir = Dir::new();
    Local::open(&dir.0).unwrap();
    fs::set_permissions(dir.0.join("key.json"), fs::Permissions::from_mode(0o644)).unwrap();
    Local::open(&dir.0).unwrap_err();
}

#[test]
fn behind_a_socket_it_says_the_same() {
    let dir = Dir::new();
    let local = Local::open(&dir.0).unwrap();
    let socket = dir.0.join("socket");
    let (ready, is_ready) = std::sync::mpsc::channel();
    let at = socket.clone();
    std::thread::spawn(move || serve(&local, &at, move || ready.send(()).unwrap()));
    is_ready.recv().unwrap();
    let signer = Signer::Behind(socket.clone());
    assert_eq!(signed(&signer.sign(&ask(0, 3, honest)).unwrap()).size, 3);
    assert_eq!(signer.sign(&ask(0, 3, honest)).unwrap(), Answer::Last { size: 3 });
    // Nonsense harms nobody.
    std::os::unix::net::UnixStream::connect(&socket).unwrap().write_all(b"nonsense\n").unwrap();
    assert_eq!(signed(&signer.sign(&ask(3, 4, honest)).unwrap()).size, 4);
    Signer::Behind(dir.0.join("nobody")).sign(&ask(4, 5, honest)).unwrap_err();
}
