//! `souche keys`: the secrets of an instance, made, and changed where they can be.

use std::path::PathBuf;

use clap::Subcommand;

use crate::domain::programme::ProgrammeCode;
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
    /// Take over, from the key file of the instance that a programme comes from, what it needs here to go on
    Adopt {
        /// The key file of this instance
        file: PathBuf,
        /// The other's
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Code of the programme
        #[arg(long, value_name = "CODE")]
        programme: String,
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
            Self::Adopt { file, from, programme } => {
                let code = ProgrammeCode::try_from(programme).map_err(anyhow::Error::msg)?;
                Keys::adopt(&file, &from, &code)?;
                super::say(&format!(
                    "Ce qu'il faut à {code} est dans {}. Relancez le service, et refaites la copie du fichier.",
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
