//! `souche keys`: the secrets of an instance, made, and changed where they can be.

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
    /// Give access tokens a new key; the one there was goes on verifying those that are out. Then start the service again
    RotateToken {
        /// The key file
        file: PathBuf,
    },
    /// Give a key file another key for receipts; the old one stays, for the receipts that name it
    RotateReceipt {
        /// Which; copied elsewhere again afterwards
        file: PathBuf,
    },
}

impl KeysCommand {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Generate { file } => {
                Keys::generate()?.save(&file)?;
                super::say(&format!(
                    "Clés écrites dans {}. Gardez-en une copie ailleurs : sans elles, aucun code de pass n'est reconnu.",
                    file.display()
                ))
            }
            Self::RotateToken { file } => {
                Keys::rotate_token(&file)?;
                super::say(&format!(
                    "Nouvelle clé des jetons dans {}. Relancez le service pour qu'il la prenne, et refaites la copie du fichier.",
                    file.display()
                ))
            }
            Self::RotateReceipt { file } => {
                let keys = Keys::rotate_receipt(&file)?;
                super::say(&format!(
                    "Les récépissés seront signés par la clé {}, dès que tous les processus du service auront été relancés. \
                     Gardez ailleurs une copie neuve de {} : il garde aussi les clés d'avant.",
                    keys.receipt_kid(),
                    file.display()
                ))
            }
        }
    }
}
