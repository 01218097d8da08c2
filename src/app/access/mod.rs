//! Who comes in: accounts, invitations, sign-in, second factors, sessions, tokens.

mod assignment;
mod factor;
mod hasher;
mod invitation;
mod key_set;
mod member;
mod own_account;
mod password;
mod recovery;
mod session;
mod sign_in;
mod standing;
mod token;
mod user;
mod watch;

pub use factor::{
    Code, Confirmed, Enrolled, Enrolment, code_at, confirm, enrol, give, step_up, take_away,
};
pub use hasher::Hasher;
pub use invitation::{Acceptance, Invited, NewInvitation, accept, invitations, invite, withdraw};
pub use key_set::KeySet;
pub use member::{NewRole, RoleChange, change_role, members, revoke};
pub use password::{NO_PASSWORD, hash_password};
pub use recovery::{
    AskReset, NewPassword, PasswordChange, ask_reset, change_password, reset_link, use_reset,
};
pub use session::{Refresh, SignedIn, end_session, end_sessions, refresh, sessions_of};
pub use sign_in::{Credentials, open_session, sign_in};
pub use standing::Standing;
pub use token::{Signed, Tokens};
pub use user::{NewUser, User, add_user, first_admin};
pub use watch::Watch;

use crate::db::{Db, Tx, memberships, programmes, users};
use crate::domain::programme::ProgrammeCode;
use crate::domain::{Actor, Role};
use crate::error::Result;
use crate::keys::Keys;

/// What it takes to let somebody in. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    /// Where accounts are.
    pub db: Db,
    /// What seals and marks.
    pub keys: Keys,
    /// Who is let in, for ten minutes.
    pub tokens: Tokens,
    /// Who looks at passwords.
    pub hasher: Hasher,
}

impl Gate {
    /// On that database, with those keys.
    pub fn new(db: Db, keys: Keys) -> anyhow::Result<Self> {
        let tokens = Tokens::new(&keys, db.clock().clone())?;
        Ok(Self { db, keys, tokens, hasher: Hasher::start()? })
    }
}

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
