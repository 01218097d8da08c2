//! Who comes in: accounts, sign-in, tokens.

mod password;
mod sign_in;
mod token;
mod user;

pub use password::{Hasher, hash_password};
pub use sign_in::{Credentials, Refresh, SignedIn, refresh, sign_in};
pub use token::Tokens;
pub use user::{NewUser, User, add_user, first_admin};

use crate::db::{Tx, memberships, programmes, users};
use crate::domain::programme::ProgrammeCode;
use crate::domain::{Actor, Role};
use crate::error::Result;

/// Who the actor is, and every programme where it has a role.
pub struct Me {
    /// Mail address.
    pub email: String,
    /// Name shown.
    pub name: String,
    /// Role in each programme; none for the instance itself.
    pub memberships: Vec<(Option<ProgrammeCode>, Role)>,
}

/// Who am I? The transaction must be of the actor's own person.
pub fn me(tx: &mut Tx<'_>, actor: &Actor) -> Result<Me> {
    let (email, name) = users::card(tx, actor.user)?;
    let codes = programmes::visible(tx)?;
    let code_of = |member: &Actor| {
        codes
            .iter()
            .find(|programme| programme.id == member.programme)
            .map(|programme| programme.code.clone())
    };
    let memberships = memberships::of(tx, actor.user)?
        .iter()
        .map(|member| (code_of(member), member.role))
        .collect();
    Ok(Me { email, name, memberships })
}
