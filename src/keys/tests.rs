//! Keys that seal, sign, are changed, and are taken over from another instance.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signature;

use super::*;

#[test]
fn what_is_sealed_opens_as_what_it_is_only() {
    let keys = Keys::generate().unwrap();
    let sealed = keys.seal("identity", b"someone").unwrap();
    assert_eq!(keys.unseal("identity", &sealed).unwrap(), b"someone");
    assert!(keys.unseal("print_key", &sealed).is_err());
    assert!(Keys::generate().unwrap().unseal("identity", &sealed).is_err());
    assert!(keys.unseal("identity", &sealed[..5]).is_err());
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let path = std::env::temp_dir().join(format!("souche-keys-{}", hex(&random::<8>().unwrap())));
    let keys = Keys::load_or_generate(&path).unwrap();
    assert_eq!(Keys::load(&path).unwrap().pepper.0, keys.pepper.0);
    assert!(keys.save(&path).is_err(), "a key file was replaced");
    let old = fs::read_to_string(&path).unwrap();
    let receipt = format!(",\n  \"receipt\": \"{}\"", hex(&keys.receipt.secret.to_bytes()));
    assert!(old.contains(&receipt), "the receipt key is the last");
    fs::write(&path, old.replace(&receipt, "")).unwrap();
    let given = Keys::load(&path).unwrap();
    assert_ne!(given.receipt_kid(), keys.receipt_kid());
    assert_eq!(Keys::load(&path).unwrap().receipt_kid(), given.receipt_kid());
    assert_eq!(Keys::load(&path).unwrap().pepper.0, keys.pepper.0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Keys::load(&path).is_err());
    fs::remove_file(path).unwrap();
}

#[test]
fn a_receipt_key_that_was_changed_still_signs_what_names_it() {
    let path = std::env::temp_dir().join(format!("souche-keys-{}", hex(&random::<8>().unwrap())));
    let old = Keys::load_or_generate(&path).unwrap();
    let old_kid = old.receipt_kid().to_string();
    let signed = old.sign_receipt(&old_kid, "receipt").unwrap();
    for n in 1..=2_usize {
        let turned = Keys::rotate_receipt(&path).unwrap();
        let read = Keys::load(&path).unwrap();
        assert_eq!(read.receipt_kid(), turned.receipt_kid());
        assert_ne!(read.receipt_kid(), old.receipt_kid());
        assert_eq!(read.pepper.0, old.pepper.0);
        assert_eq!(read.sign_receipt(&old_kid, "receipt").as_ref(), Some(&signed));
        assert_ne!(
            read.sign_receipt(&read.receipt_kid().to_string(), "receipt"),
            Some(signed.clone())
        );
        let kids: Vec<_> = read.receipt_keys().map(|key| key.kid).collect();
        assert_eq!(kids.len(), n.checked_add(1).unwrap());
        assert_eq!((kids[0], kids[n]), (read.receipt_kid(), old.receipt_kid()));
    }
    assert_eq!(old.sign_receipt("0123456789abcdef", "receipt"), None);
    fs::remove_file(path).unwrap();
}

#[test]
fn a_receipt_key_signs_as_rfc_8032_says() {
    // Section 7.1, test 1: no text at all.
    let secret =
        unhex("secret", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap();
    let key = ReceiptKey::new(&secret).unwrap();
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(hex(key.verifying_key().as_bytes()), public);
    let signature = STANDARD.decode(key.sign("")).unwrap();
    assert_eq!(
        hex(&signature),
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    );
    let key = Keys::generate().unwrap().receipt;
    let signature = STANDARD.decode(key.sign("récépissé")).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    assert!(key.verifying_key().verify_strict("récépissé".as_bytes(), &signature).is_ok());
    assert!(key.verifying_key().verify_strict(b"recepisse", &signature).is_err());
}

#[test]
fn a_programme_that_moved_is_read_with_the_keys_of_where_it_was() {
    let path = |name: &str| {
        std::env::temp_dir().join(format!("souche-keys-{name}-{}", hex(&random::<8>().unwrap())))
    };
    let (here, there) = (path("here"), path("there"));
    let (own, theirs) =
        (Keys::load_or_generate(&here).unwrap(), Keys::load_or_generate(&there).unwrap());
    let code = |text: &str| ProgrammeCode::try_from(text.to_owned()).unwrap();
    let sealed = theirs.seal("print_key", b"key").unwrap();
    assert!(own.unseal("print_key", &sealed).is_err());
    for _ in 0..2 {
        Keys::adopt(&here, &there, &code("SAT")).unwrap();
    }
    let keys = Keys::load(&here).unwrap();
    assert_eq!(keys.pepper_of(&code("SAT")).0, theirs.pepper.0);
    assert_eq!(keys.pepper_of(&code("HDF")).0, own.pepper.0);
    assert_eq!(keys.unseal("print_key", &sealed).unwrap(), b"key");
    assert!(keys.unseal("identity", &sealed).is_err());
    assert_eq!(keys.receipt_kid(), own.receipt_kid());
    let kids: Vec<_> = keys.receipt_keys().map(|key| key.kid).collect();
    assert_eq!(kids, [own.receipt_kid(), theirs.receipt_kid()]);
    for path in [here, there] {
        fs::remove_file(path).unwrap();
    }
}
