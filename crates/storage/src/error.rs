//! What can go wrong, in the words that callers act on; and the one place that translates what the
//! two databases say into them.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};

/// Why the store did not do what it was asked.
///
/// No text of it, nor of its sources, contains a value of a row or the password of an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Others hold what is needed for too long; the same may work a moment later.
    #[error("the database is busy")]
    Busy,
    /// What was asked contradicts what is stored.
    #[error(transparent)]
    Conflict(Conflict),
    /// A stored value that no version of this program wrote; says where it stands.
    #[error("the database holds a value in {0} that cannot be read")]
    Corrupt(&'static str),
    /// The page begins behind a mark that belongs to a list in another order.
    #[error("the mark belongs to another list")]
    ForeignMark,
    /// What was to be changed is not there.
    #[error("not found")]
    NotFound,
    /// The database refused a statement: a defect of this program.
    #[error("the database refused a statement")]
    Query(#[source] diesel::result::Error),
    /// A change was to be committed without events, or with events that do not continue the log.
    #[error("a change must come with the events that continue the audit log")]
    Unaudited,
    /// The database could not be asked. A commit that ends so may have happened or not.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// What a change contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The issuer calls another user so already.
    #[error("the issuer calls a user so already")]
    Identity,
    /// The kind of provider has a default already.
    #[error("the kind of provider has a default already")]
    ProviderDefault,
    /// Another provider has the identifier.
    #[error("another provider has this identifier")]
    ProviderIdentifier,
    /// It names something that is not there, or is still named by something.
    #[error("names something that does not exist, or is still named by something")]
    Reference,
    /// Another role has the name.
    #[error("another role has this name")]
    RoleName,
    /// The secret belongs to a credential already, or belonged to one.
    #[error("the secret is known already")]
    SecretDigest,
    /// Another user has the name.
    #[error("another user has this name")]
    Username,
    /// Any other value that must be unique: ids, places in the audit log.
    #[error("a value that must be unique is taken")]
    Value,
}

/// Why the store could not be opened, each a reason to stop the start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A rule of PostgreSQL addresses is broken.
    #[error("the PostgreSQL address {0}")]
    Address(&'static str),
    /// The address is none that the PostgreSQL driver understands.
    #[error("the PostgreSQL address cannot be read")]
    AddressSyntax(#[source] tokio_postgres::Error),
    /// The root certificates could not be read.
    #[error("the root certificates of {path} cannot be used")]
    Certificates {
        /// The file, or `system`.
        path: PathBuf,
        /// What is wrong with it, where there is more to say than that it holds none.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The path of the SQLite file, or of a file beside it, cannot be used.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another process serves the SQLite file.
    #[error("another server (process {pid}) serves {path}; one SQLite file has one server")]
    InUse {
        /// The database.
        path: PathBuf,
        /// Who holds it, as that process wrote it down.
        pid: String,
    },
    /// The schema could not be brought up to date.
    #[error("the database schema cannot be brought up to date")]
    Migration(#[source] Box<dyn Error + Send + Sync>),
    /// A newer version of this program has used the database.
    #[error(
        "a newer version of Keystile has used this database: it has migration {version}, which \
         this version does not know"
    )]
    NewerSchema {
        /// The migration that is not known here.
        version: String,
    },
    /// The pool's settings contradict each other.
    #[error("the connection pool cannot be made")]
    Pool(#[source] deadpool::managed::BuildError),
    /// The database could not be reached, or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// TLS could not be set up.
    #[error("TLS to PostgreSQL cannot be set up")]
    Tls(#[source] rustls::Error),
}

impl StoreError {
    pub(crate) fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// A pooler has lent this connection to others in between.
#[derive(Debug, thiserror::Error)]
#[error(
    "the pooler keeps no prepared statements: let it pool by session, or set \
     max_prepared_statements (PgBouncer 1.21 or later)"
)]
struct Unprepared(#[source] diesel::result::Error);

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::Error as Diesel;
        match &error {
            Diesel::NotFound => Self::NotFound,
            Diesel::BrokenTransactionManager => Self::unavailable(error),
            Diesel::DatabaseError(kind, told) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Conflict(Conflict::unique(&**told)),
                DatabaseErrorKind::ForeignKeyViolation => Self::Conflict(Conflict::Reference),
                DatabaseErrorKind::SerializationFailure => Self::Busy,
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::ReadOnlyTransaction
                | DatabaseErrorKind::UnableToSendCommand => Self::unavailable(error),
                _ if says(&**told, BUSY) => Self::Busy,
                _ if says(&**told, OUTAGES) => Self::unavailable(error),
                _ if says(&**told, UNPREPARED) => Self::unavailable(Unprepared(error)),
                _ => Self::Query(error),
            },
            _ => Self::Query(error),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<deadpool::managed::PoolError<E>> for StoreError {
    fn from(error: deadpool::managed::PoolError<E>) -> Self {
        Self::unavailable(error)
    }
}

impl Conflict {
    /// PostgreSQL names the index, SQLite the columns.
    fn unique(told: &dyn DatabaseErrorInformation) -> Self {
        let index = told.constraint_name();
        let columns = told.message().strip_prefix("UNIQUE constraint failed: ");
        UNIQUE
            .into_iter()
            .find(|(name, on, _)| index == Some(name) || columns == Some(on))
            .map_or(Self::Value, |(_, _, conflict)| conflict)
    }
}

/// diesel keeps no error code of either database, so their words must do. A PostgreSQL that speaks
/// another language than English makes a [`StoreError::Query`] of these: still an error, only a
/// less telling one.
fn says(told: &dyn DatabaseErrorInformation, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| told.message().starts_with(beginning))
}

const UNIQUE: [(&str, &str, Conflict); 7] = [
    ("identities_pkey", "identities.issuer, identities.subject", Conflict::Identity),
    ("providers_default", "providers.kind", Conflict::ProviderDefault),
    ("providers_identifier", "providers.identifier", Conflict::ProviderIdentifier),
    ("roles_name_folded", "roles.name_folded", Conflict::RoleName),
    ("secrets_pkey", "secrets.digest", Conflict::SecretDigest),
    ("tombstones_pkey", "tombstones.digest", Conflict::SecretDigest),
    ("users_username_folded", "users.username_folded", Conflict::Username),
];

const BUSY: &[&str] = &[
    "canceling statement due to lock timeout",
    "database is locked",
    "database table is locked",
    "deadlock detected",
];

const OUTAGES: &[&str] = &[
    "attempt to write a readonly database",
    "database or disk is full",
    "disk I/O error",
    "terminating connection",
    "the database system is",
    "unable to open database file",
];

/// It does not exist, or another process has made one of the same name.
const UNPREPARED: &[&str] = &["prepared statement "];
