//! What people do with their own account: while their session is good, and beside its trace.

use serde_json::Value;

use super::{Signed, Standing};
use crate::app::Outcome;
use crate::app::audit::{Asked, Trace};
use crate::db::Tx;
use crate::error::Result;

/// Does `work` in the name of who is signed in; the transaction must be of its programme. Held in one order: the
/// session, then the account.
pub(super) fn act<T>(
    tx: &mut Tx<'_>,
    signed: &Signed,
    asked: Option<Asked>,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    Standing::Session(signed.session).hold(tx)?;
    let trace = asked.map(|asked| Trace::begin(tx, asked, &signed.actor)).transpose()?;
    let done = work(tx)?;
    if let Some(trace) = trace {
        trace.end(tx, &Outcome::Done(Value::Null))?;
    }
    Ok(done)
}
