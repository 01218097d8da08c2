//! What can go wrong: a refusal is not a fault, and "nothing was written" is not "nobody knows".

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::domain::Refusal;

/// The result of everything that talks to the database.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no result. HTTP decides last how each is told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule was not met; nothing was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too busy, or the database is away; nothing was written, and the same request may be sent again.
    #[error("busy: {0}")]
    Busy(String),
    /// The answer to COMMIT, or to a statement that commits itself, was lost: written or not, nobody here knows.
    /// The same idempotency key will tell.
    #[error("the answer to COMMIT was lost: {0}")]
    Unknown(String),
    /// A bug, or a broken machine; nothing was written.
    #[error(transparent)]
    Fault(#[from] anyhow::Error),
}

impl From<DieselError> for Error {
    /// For failures before COMMIT is sent: nothing is written, whatever they are.
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(
                DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand,
                info,
            ) => Self::Busy(info.message().to_owned()),
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, info)
                if is_passing(info.message()) =>
            {
                Self::Busy(info.message().to_owned())
            }
            DieselError::BrokenTransactionManager => Self::Busy("broken connection".into()),
            _ => Self::Fault(anyhow::Error::from(error)),
        }
    }
}

/// Failures that diesel has no kind for, and that another try may not meet.
fn is_passing(message: &str) -> bool {
    [
        "deadlock detected",
        "canceling statement due to lock timeout",
        "canceling statement due to statement timeout",
        "terminating connection",
        "server closed the connection",
        "no connection to the server",
        "the database system is",
        "SSL connection has been closed",
        "could not receive data",
    ]
    .iter()
    .any(|passing| message.contains(passing))
}
