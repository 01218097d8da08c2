//! A programme goes on here, from its bundle.

use std::io::{BufReader, Read, Seek, SeekFrom};

use serde_json::json;

use super::identities;
use crate::app::access::NO_PASSWORD;
use crate::app::audit;
use crate::db::{Tx, memberships, users};
use crate::domain::text::Email;
use crate::domain::{Actor, Refusal, Role};
use crate::envelope::Identities;
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger::bundle::{self, Host, Imported, Verdict};

/// What is asked for besides the programme itself.
#[derive(Default)]
pub struct Ask<'a> {
    /// An account of the instance, which becomes the programme's administrator and invites everybody else. Without one
    /// nobody gets in: enough for a drill.
    pub admin: Option<Email>,
    /// What opens identities that the bundle brings along, encrypted.
    pub identities: Option<&'a Identities>,
}

/// Puts a verified bundle back into a new programme; returns it with how many identities came along. For the command line.
///
/// # Errors
/// As [`bundle::import()`]; when the administrator has no account; when identities are asked for that the file lacks or
/// that the key does not open.
pub fn import(
    tx: &mut Tx<'_>,
    keys: &Keys,
    from: &mut (impl Read + Seek),
    verdict: &Verdict,
    ask: &Ask<'_>,
) -> Result<(Imported, usize)> {
    let kids = keys.receipt_keys().map(|key| key.kid.to_string());
    let host = Host { kids: kids.collect(), nobodys_password_hash: NO_PASSWORD };
    let admin = match &ask.admin {
        Some(email) => Some(users::by_email(tx, email)?.ok_or(Refusal::not_found("user"))?.id),
        None => None,
    };
    let imported = bundle::import(tx, &mut *from, verdict, &host)?;
    let known = match (ask.identities, imported.identities_at) {
        (Some(identities), Some(at)) => {
            from.seek(SeekFrom::Start(at)).map_err(anyhow::Error::from)?;
            identities::restore(tx, keys, BufReader::new(from), identities)?
        }
        (Some(_), None) => {
            return Err(anyhow::anyhow!("ce dossier n'apporte pas d'identités").into());
        }
        (None, _) => 0,
    };
    if let Some(user) = admin {
        let programme = imported.programme;
        let role = Role::OperatorAdmin;
        memberships::insert(tx, &Actor { user, role, programme, organisation: None, site: None })?;
    }
    let about =
        json!({ "programme": verdict.programme, "sha256": verdict.sha256, "identities": known });
    audit::record_by_hand(tx, "import_bundle", about)?;
    Ok((imported, known))
}
