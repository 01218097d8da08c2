//! Evidence to be carried away, and what goes on elsewhere from it: all of a programme's, or what a site is owed.

mod bundle;
mod claim;
mod identities;
mod import;

pub use bundle::{bundle, note_export, write};
pub use claim::claim_file;
pub use import::{Ask, import};
