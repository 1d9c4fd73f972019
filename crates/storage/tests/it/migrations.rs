//! The schema: brought up to date by any number of servers, and the same on both databases.

use std::time::Duration;

use acceptance::{Database, on_each_database};
use keystile_domain::Metadata;
use keystile_storage::{OpenError, Url};
use tokio::task::JoinSet;

use crate::raw::{Raw, on_raw};
use crate::stage::Stage;

on_each_database! {
    async fn a_migration_can_be_taken_back_and_made_again(database: Database) {
        let stage = Stage::new(database).await;
        let (first, empty, second) = on_raw(&stage, |raw| {
            let first = raw.lines(SCHEMA);
            raw.revert_all();
            let empty = raw.lines(SCHEMA);
            raw.run_all();
            (first, empty, raw.lines(SCHEMA))
        })
        .await;
        assert!(!first.is_empty());
        assert!(empty.is_empty(), "{empty:?}");
        assert_eq!(first, second);
        stage.store.migrate(None).await.unwrap();
    }

    async fn a_user_of_the_first_schema_is_read_by_the_second(database: Database) {
        let stage = Stage::new(database).await;
        on_raw(&stage, |raw| {
            raw.execute(
                "INSERT INTO users (id, username, username_folded, enabled, is_service_account,
                                    version, created_at, updated_at)
                 VALUES ('00000000-0000-0000-0000-000000000001', 'admin', 'admin', TRUE, FALSE,
                         1, 0, 0)",
            );
        })
        .await;
        let mut conn = stage.store.read().await.unwrap();
        let found = conn.find_user_by_name("admin").await.unwrap().unwrap();
        assert_eq!((found.display_name, found.metadata), (None, Metadata::default()));
    }

    async fn four_servers_may_migrate_at_once(database: Database) {
        let stage = Stage::blank(database, 2);
        let mut servers = JoinSet::new();
        for _ in 0..4 {
            let store = stage.another(2, Duration::from_secs(30));
            servers.spawn(async move { store.migrate(None).await });
        }
        for migrated in servers.join_all().await {
            migrated.unwrap();
        }
        stage.change(async |tx| tx.set_meta("name", "value").await).await;
    }

    async fn a_schema_of_a_newer_version_is_refused_by_name(database: Database) {
        let stage = Stage::new(database).await;
        on_raw(&stage, |raw| {
            raw.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
        })
        .await;
        let refused = stage.store.migrate(None).await.unwrap_err();
        assert!(matches!(&refused, OpenError::NewerSchema { version } if version == "9999"));
        assert!(refused.to_string().contains("9999"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_take_the_direct_way_where_there_is_one() {
    let Some(database) = Database::postgres().await else { return };
    let stage = Stage::blank(database, 2);
    let Url::Postgres(direct) = &stage.options.url else { panic!() };
    let nowhere = "postgres://127.0.0.1:1/nowhere".to_owned().into();
    assert!(stage.store.migrate(Some(&nowhere)).await.is_err());
    stage.store.migrate(Some(direct)).await.unwrap();
    stage.change(async |tx| tx.set_meta("name", "value").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_columns_and_indexes() {
    let Some(postgres) = Database::postgres().await else { return };
    let (sqlite, postgres) = (Stage::new(Database::Sqlite).await, Stage::new(postgres).await);
    let names = |raw: &mut Raw| raw.lines(NAMES);
    let (sqlite, postgres) = (on_raw(&sqlite, names).await, on_raw(&postgres, names).await);
    assert_eq!(sqlite, postgres);
}

/// All that there is, as the database tells it.
const SCHEMA: [&str; 2] = [
    "SELECT sql AS line FROM sqlite_master
     WHERE sql IS NOT NULL AND name NOT LIKE '\\_\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'
     ORDER BY 1",
    "SELECT table_name || '.' || column_name || ' ' || data_type || is_nullable
            || coalesce(collation_name, '') || coalesce(column_default, '') AS line
     FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'
     UNION ALL SELECT indexdef FROM pg_indexes
     WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%'
     ORDER BY 1",
];

/// Columns, whether they may be empty, and indexes, in the same words on both.
const NAMES: [&str; 2] = [
    "SELECT m.name || '.' || c.name || iif(c.\"notnull\" OR c.pk, '', ' nullable') AS line
     FROM sqlite_master m, pragma_table_info(m.name) c
     WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'
       AND m.name NOT LIKE 'sqlite%'
     UNION ALL SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
     ORDER BY 1",
    "SELECT (table_name || '.' || column_name
            || CASE is_nullable WHEN 'YES' THEN ' nullable' ELSE '' END) COLLATE \"C\" AS line
     FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'
     UNION ALL SELECT indexname COLLATE \"C\" FROM pg_indexes
     WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%'
       AND indexname NOT LIKE '%\\_pkey'
     ORDER BY 1",
];
