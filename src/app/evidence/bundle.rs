//! A programme's bundle, with identities of beneficiaries when they are asked for.

use std::io::Write;

use serde_json::json;

use super::identities;
use crate::app::audit;
use crate::db::{Tx, programmes};
use crate::domain::{Action, Actor};
use crate::envelope::Recipient;
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger::bundle::{self, Manifest};

/// Writes the programme's bundle; in a snapshot.
pub fn bundle(
    tx: &mut Tx<'_>,
    keys: &Keys,
    actor: &Actor,
    out: &mut impl Write,
) -> Result<Manifest> {
    actor.require(Action::ReadBundle)?;
    write(tx, keys, out, &[])
}

/// The same, for the command line: whoever has the key file may. With identities, encrypted, when there is somebody to
/// encrypt them to.
pub fn write(
    tx: &mut Tx<'_>,
    keys: &Keys,
    out: &mut impl Write,
    identities_to: &[Recipient],
) -> Result<Manifest> {
    bundle::write(tx, keys, out, &mut |tx, line| {
        if identities_to.is_empty() {
            Ok(())
        } else {
            identities::write(tx, keys, identities_to, line)
        }
    })
}

/// Leaves the trace of an export that is about to be made on the machine itself, by nobody whom the service knows.
pub fn note_export(tx: &mut Tx<'_>, with_identities: bool) -> Result<()> {
    let code = programmes::current(tx)?.code;
    audit::record_by_hand(
        tx,
        "export_bundle",
        json!({ "programme": code, "with_identities": with_identities }),
    )
}
