//! The two databases, and the macro that runs one sentence on both.

use crate::{Part, Postgres};

/// An empty database for one test.
#[derive(Clone, Debug)]
pub enum Database {
    /// A database of its own in the shared cluster, by its address.
    Postgres(String),
    /// The file that the server makes in its data directory.
    Sqlite,
}

impl Database {
    /// A fresh PostgreSQL database; none where there is no PostgreSQL, which is then recorded.
    pub async fn postgres() -> Option<Self> {
        if !Part::Postgres.or_skip() {
            return None;
        }
        Some(Self::Postgres(Postgres::shared().fresh_database().await))
    }
}

/// Runs each test on both databases: `name` becomes `sqlite::name` and `postgres::name`.
#[macro_export]
macro_rules! on_each_database {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: $type:ty) $body:block)+) => {
        $($(#[$attribute])* async fn $name($database: $type) $body)+

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::Database::Sqlite).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(database) = $crate::Database::postgres().await {
                    super::$name(database).await;
                }
            })+
        }
    };
}
