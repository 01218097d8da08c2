//! `souche openapi`: the contract.

use crate::http;

/// Prints it.
pub(super) fn run() -> anyhow::Result<()> {
    super::say(http::openapi().to_yaml()?.trim_end())
}
