//! Evidence to be carried away, and what goes on elsewhere from it: all of a programme's, or what a site is owed.

mod bundle;
mod claim;
mod drill;
mod escrow;
mod identities;
mod import;

pub use bundle::{bundle, note_export, write};
pub use claim::claim_file;
pub use drill::{Held, hold_claims};
pub use escrow::{Escrow, Keeper};
pub use import::{Ask, import};
