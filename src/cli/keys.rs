//! `souche keys generate`: the secrets of an instance.

use std::path::PathBuf;

use clap::Subcommand;

use crate::keys::Keys;

/// The commands.
#[derive(Subcommand, Debug)]
pub enum KeysCommand {
    /// Make a new key file, readable by its owner alone; refuses to replace one
    Generate {
        /// Where
        file: PathBuf,
    },
}

impl KeysCommand {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<()> {
        let Self::Generate { file } = self;
        Keys::generate()?.save(&file)?;
        super::say(&format!(
            "Clés écrites dans {}. Gardez-en une copie ailleurs : sans elles, aucun code de pass n'est reconnu.",
            file.display()
        ))
    }
}
