//! A signer of a test's own.

use std::path::PathBuf;

use souche::keys::{hex, random};
use souche::signer::Signer;

/// Its directory goes with it.
pub struct Signing {
    pub signer: Signer,
    pub dir: PathBuf,
}

impl Signing {
    /// A new key, nothing signed yet.
    pub fn new() -> Self {
        let name = format!("souche-it-signer-{}", hex(&random::<8>().unwrap()));
        let dir = std::env::temp_dir().join(name);
        Self { signer: Signer::here(&dir).unwrap(), dir }
    }
}

impl Drop for Signing {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
