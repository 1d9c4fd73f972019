//! What is read out of one database, and put into another.

use std::collections::BTreeMap;
use std::io;

use acceptance::{Database, on_each_database};
use keystile_domain::{Expiry, JwtAlgorithm, Seq};
use keystile_storage::{
    DumpError, Moment, RestoreRefusal, Sink, Store, StoreError, StoredPepper, StoredSigningKey,
    TombstoneDraft,
};

use crate::raw::on_raw;
use crate::samples::{
    api_key, at, digest, full_api_key, full_draft, full_token, full_user, oidc_provider, principal,
    role, token_provider,
};
use crate::stage::{Stage, sealed};

/// Everything, by its table, with the names of its columns first.
#[derive(Default)]
struct Lines {
    moment: Option<Moment>,
    tables: Vec<(String, Vec<String>, Vec<String>)>,
}

impl Sink for Lines {
    fn moment(&mut self, moment: &Moment) -> io::Result<()> {
        self.moment = Some(moment.clone());
        Ok(())
    }

    fn table(&mut self, name: &str, columns: &[String]) -> io::Result<()> {
        self.tables.push((name.to_owned(), columns.to_vec(), Vec::new()));
        Ok(())
    }

    fn row(&mut self, row: &str) -> io::Result<()> {
        self.tables.last_mut().unwrap().2.push(row.to_owned());
        Ok(())
    }
}

impl Lines {
    fn sorted(&self) -> BTreeMap<&str, Vec<&str>> {
        fn sorted(rows: &[String]) -> Vec<&str> {
            let mut rows: Vec<_> = rows.iter().map(String::as_str).collect();
            rows.sort_unstable();
            rows
        }
        self.tables.iter().map(|(name, _, rows)| (name.as_str(), sorted(rows))).collect()
    }
}

/// A store with something in every place where the two databases differ.
async fn full(database: Database) -> Stage {
    let stage = Stage::furnished(database).await;
    let owner = full_user("Ann", 1);
    let draft = TombstoneDraft {
        deleted_at: at(5),
        deleted_by: Some(principal()),
        reason: Some("gone".parse().unwrap()),
        seq: Seq(2),
    };
    let signing = StoredSigningKey {
        kid: "kid".to_owned(),
        algorithm: JwtAlgorithm::EdDsa,
        public_key: r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_owned(),
        sealed: vec![0, 255, 7, b'\''],
        created_at: at(1),
        signs_from: at(2),
        retired_at: Expiry::Never,
    };
    let role = role("custom \"'\\ \u{e9}\u{1f511}", &["a.b"]);
    let mut tx = stage.store.begin().await.unwrap();
    tx.set_meta("name", "a line\nand another").await.unwrap();
    let id = tx.insert_role(&role).await.unwrap();
    tx.insert_provider(&oidc_provider("oidc", 2)).await.unwrap();
    tx.insert_provider(&token_provider("tokens", 3)).await.unwrap();
    tx.insert_user(&owner, Some("hash")).await.unwrap();
    tx.insert_token(&full_token(1, &owner, "token"), &digest(9)).await.unwrap();
    let mut key = full_api_key(1, "one");
    key.roles.insert(id);
    tx.insert_api_key(&key, &digest(1)).await.unwrap();
    tx.insert_api_key(&api_key(2, "two"), &digest(2)).await.unwrap();
    tx.remove_api_key(&api_key(2, "two"), &draft).await.unwrap();
    tx.insert_signing_key(&signing).await.unwrap();
    let pepper = StoredPepper { number: 2, sealed: vec![1, 2], created_at: at(3) };
    tx.insert_pepper(&pepper).await.unwrap();
    let events = sealed(tx.seq(), tx.previous(), [full_draft(), full_draft()]);
    tx.commit(events).await.unwrap();
    stage
}

async fn dump(store: &Store) -> Lines {
    store.dump(Lines::default()).await.unwrap()
}

async fn restore(lines: &Lines, database: Database) -> Stage {
    let stage = Stage::new(database).await;
    let moment = lines.moment.as_ref().unwrap();
    let mut tx = stage.store.begin().await.unwrap();
    tx.begin_restore(moment).await.unwrap();
    for (name, columns, rows) in &lines.tables {
        let table = tx.restored_table(name, columns).await.unwrap();
        tx.restore_rows(&table, &format!("[{}]", rows.join(","))).await.unwrap();
    }
    tx.restore_head(moment).await.unwrap();
    assert_eq!(tx.seq(), moment.head.0.next());
    let events = sealed(tx.seq(), tx.previous(), [full_draft()]);
    tx.commit(events).await.unwrap();
    stage
}

on_each_database! {
    async fn what_goes_through_both_databases_comes_back_the_same(database: Database) {
        let is_sqlite = matches!(database, Database::Sqlite);
        let stage = full(database).await;
        let before = dump(&stage.store).await;
        let mut last = Stage::new(Database::Sqlite).await;
        let mut lines = dump(&stage.store).await;
        let Some(postgres) = Database::postgres().await else { return };
        let Some(home) = Database::postgres().await else { return };
        let home = if is_sqlite { Database::Sqlite } else { home };
        for next in [Database::Sqlite, postgres, home] {
            last = restore(&lines, next).await;
            lines = dump(&last.store).await;
        }
        let (mut before, mut after) = (before.sorted(), lines.sorted());
        // Each of the three wrote an event of its own.
        let (old, new) = (before.remove("events").unwrap(), after.remove("events").unwrap());
        assert_eq!(new.len(), old.len() + 3);
        assert!(old.iter().all(|event| new.contains(event)));
        assert_eq!(after, before);
        let mut conn = last.store.read().await.unwrap();
        let key = full_api_key(1, "one");
        let found = conn.find_api_key(key.id).await.unwrap().unwrap();
        assert_eq!((found.metadata, found.expiry), (key.metadata, key.expiry));
    }

    async fn a_role_gets_no_id_that_another_had_before(database: Database) {
        let stage = Stage::furnished(database).await;
        let id = stage.change(async |tx| tx.insert_role(&role("gone", &[])).await).await;
        stage.change(async |tx| tx.remove_role(id).await).await;
        let restored = restore(&dump(&stage.store).await, Database::Sqlite).await;
        let next = restored.change(async |tx| tx.insert_role(&role("next", &[])).await).await;
        assert!(next > id, "{next:?} after {id:?}");
    }

    async fn only_an_empty_database_takes_anything(database: Database) {
        let stage = full(database).await;
        let moment = dump(&stage.store).await.moment.unwrap();
        let mut tx = stage.store.begin().await.unwrap();
        let refused = tx.begin_restore(&moment).await.unwrap_err();
        assert!(matches!(refused, RestoreRefusal::NotEmpty), "{refused:?}");
        tx.rollback().await.unwrap();
    }

    async fn there_is_a_place_for_known_tables_and_columns_alone(database: Database) {
        let stage = Stage::new(database).await;
        let mut tx = stage.store.begin().await.unwrap();
        for (table, column) in
            [("meta", "nothing"), ("nothing", "name"), ("nodes", "node"), ("meta; --", "name")]
        {
            let columns = [column.to_owned()];
            let refused = tx.restored_table(table, &columns).await.unwrap_err();
            assert!(matches!(refused, RestoreRefusal::NoPlace(_)), "{table}: {refused:?}");
        }
        // Columns that came later than the rows have their defaults.
        let columns = ["id", "seq"].map(str::to_owned);
        assert!(tx.restored_table("events", &columns).await.is_ok());
        tx.rollback().await.unwrap();
    }

    async fn a_row_that_fits_nowhere_is_refused(database: Database) {
        let stage = Stage::new(database).await;
        for rows in ["[[\"a\", null]]", "[[\"a\"]]", "nothing"] {
            let mut tx = stage.store.begin().await.unwrap();
            let columns = ["name", "value"].map(str::to_owned);
            let table = tx.restored_table("meta", &columns).await.unwrap();
            let refused = tx.restore_rows(&table, rows).await.unwrap_err();
            assert!(!matches!(refused, StoreError::Unavailable(_)), "{rows}: {refused:?}");
        }
    }

    async fn another_schema_is_not_read(database: Database) {
        let stage = Stage::new(database).await;
        assert!(stage.store.is_migrated().await.unwrap());
        on_raw(&stage, |raw| {
            raw.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
        })
        .await;
        assert!(!stage.store.is_migrated().await.unwrap());
        let refused = stage.store.dump(Lines::default()).await.err().unwrap();
        assert!(matches!(refused, DumpError::OtherSchema), "{refused:?}");
    }

    async fn a_database_without_tables_has_no_schema(database: Database) {
        let stage = Stage::blank(database, 1);
        assert!(!stage.store.is_migrated().await.unwrap());
    }
}
