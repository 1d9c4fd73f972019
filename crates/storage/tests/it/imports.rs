//! Secrets that another store hashed.

use acceptance::{Database, on_each_database};
use keystile_domain::{ApiKey, ApiKeyFilter, ApiKeySort, Digest, Found};
use keystile_storage::{
    Conflict, Import, ImportScheme, PrefixedImport, Store, StoreError, TombstoneDraft,
};
use tokio::task::JoinSet;

use crate::lists::first;
use crate::samples::{api_key, at, digest};
use crate::stage::Stage;

fn scheme(id: &str) -> ImportScheme {
    ImportScheme { id: id.to_owned(), sealed: vec![1, 2, 3] }
}

/// An import of the key's secret, which is in the store as `digest`.
fn import(key: &ApiKey, digest: Digest, prefix: Option<Digest>) -> Import {
    let prefixed = prefix.map(|prefix_digest| PrefixedImport { prefix_digest, sealed: vec![7] });
    Import { digest, key: key.id, scheme_id: "old".to_owned(), weight: 3, prefixed }
}

/// A store with these keys, each with a secret that nobody has shown yet.
async fn waiting(database: Database, keys: &[(&ApiKey, Digest, Option<Digest>)]) -> Stage {
    let stage = Stage::furnished(database).await;
    let imports: Vec<_> = keys.iter().map(|(key, of, prefix)| import(key, *of, *prefix)).collect();
    stage
        .change(async |tx| {
            for (key, digest, _) in keys {
                tx.insert_api_key(key, digest).await?;
            }
            tx.remember_import_scheme(&scheme("old")).await?;
            tx.insert_imports(&imports).await
        })
        .await;
    stage
}

/// Makes the secret an ordinary one, if it is there.
async fn adopt(store: &Store, import: Digest, own: Digest) -> Result<bool, StoreError> {
    let mut books = store.books().await.unwrap();
    let adopted = books.adopt_import(&import, &own, 1).await;
    match adopted {
        Ok(_) => books.commit().await.unwrap(),
        Err(_) => books.rollback().await.unwrap(),
    }
    adopted
}

async fn finds_key(stage: &Stage, digest: Digest) -> bool {
    let mut conn = stage.store.read().await.unwrap();
    matches!(conn.find_credential(&digest).await.unwrap(), Some(Found::Credential(_)))
}

/// The names of the keys that wait to be seen, or do not.
async fn names(stage: &Stage, unseen: bool) -> Vec<String> {
    let filter = ApiKeyFilter { unseen_import: Some(unseen), ..ApiKeyFilter::default() };
    let mut conn = stage.store.read().await.unwrap();
    let list = conn.list_api_keys(&filter, &first(ApiKeySort::Name), at(0)).await.unwrap();
    list.items.iter().map(|key| key.name.to_string()).collect()
}

on_each_database! {
    async fn a_secret_that_was_shown_is_an_ordinary_one(database: Database) {
        let (old, other) = (api_key(1, "old"), api_key(2, "other"));
        let keys = [(&old, digest(1), None), (&other, digest(2), None)];
        let stage = waiting(database, &keys).await;
        assert_eq!(names(&stage, true).await, ["old", "other"]);
        assert!(adopt(&stage.store, digest(1), digest(11)).await.unwrap());
        assert!(finds_key(&stage, digest(11)).await);
        assert!(!finds_key(&stage, digest(1)).await);
        assert_eq!(names(&stage, true).await, ["other"]);
        assert_eq!(names(&stage, false).await, ["old"]);
        let mut conn = stage.store.read().await.unwrap();
        let ids = [old.id.as_uuid(), other.id.as_uuid()];
        let unseen = conn.list_unseen_imports(&ids).await.unwrap();
        assert_eq!(unseen.into_iter().collect::<Vec<_>>(), [other.id.as_uuid()]);
    }

    async fn a_secret_is_adopted_once_by_whoever_comes_first(database: Database) {
        let old = api_key(1, "old");
        let stage = waiting(database, &[(&old, digest(1), None)]).await;
        let mut uses = JoinSet::new();
        for _ in 0..8 {
            let store = stage.store.clone();
            uses.spawn(async move { adopt(&store, digest(1), digest(11)).await.unwrap() });
        }
        let firsts = uses.join_all().await.into_iter().filter(|adopted| *adopted).count();
        assert_eq!(firsts, 1);
        assert!(finds_key(&stage, digest(11)).await);
    }

    async fn a_secret_that_another_key_has_is_not_adopted(database: Database) {
        let (old, other) = (api_key(1, "old"), api_key(2, "other"));
        let stage = waiting(database, &[(&old, digest(1), None)]).await;
        stage.change(async |tx| tx.insert_api_key(&other, &digest(11)).await).await;
        let refused = adopt(&stage.store, digest(1), digest(11)).await.unwrap_err();
        assert!(matches!(refused, StoreError::Conflict(Conflict::SecretDigest)), "{refused:?}");
        assert_eq!(names(&stage, true).await, ["old"]);
    }

    async fn what_is_kept_of_a_secret_goes_with_it(database: Database) {
        let old = api_key(1, "old");
        let stage = waiting(database, &[(&old, digest(1), Some(digest(9)))]).await;
        let seq = keystile_domain::Seq(1);
        let draft = TombstoneDraft { deleted_at: at(0), deleted_by: None, reason: None, seq };
        stage.change(async |tx| tx.remove_api_key(&old, &draft).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.list_imports(&[digest(1)], &[digest(9)]).await.unwrap(), []);
        assert_eq!(conn.list_known_digests(&[digest(1)]).await.unwrap(), [digest(1)]);
        assert_eq!(conn.list_buried_digests(&[digest(1)]).await.unwrap(), [digest(1)]);
        assert!(!adopt(&stage.store, digest(1), digest(11)).await.unwrap());
        assert!(!finds_key(&stage, digest(11)).await);
    }

    async fn the_old_secret_of_a_rotated_key_is_adopted_too(database: Database) {
        let old = api_key(1, "old");
        let stage = waiting(database, &[(&old, digest(1), None)]).await;
        stage.change(async |tx| tx.replace_secret(&old, &digest(2), at(60), at(0)).await).await;
        assert!(adopt(&stage.store, digest(1), digest(11)).await.unwrap());
        assert!(finds_key(&stage, digest(11)).await && finds_key(&stage, digest(2)).await);
        stage.change(async |tx| tx.replace_secret(&old, &digest(3), at(60), at(0)).await).await;
        assert!(!finds_key(&stage, digest(11)).await);
    }

    async fn secrets_are_found_by_hash_or_beginning_the_oldest_first(database: Database) {
        let (one, other, third) = (api_key(1, "one"), api_key(2, "other"), api_key(3, "third"));
        let (here, there) = (digest(8), digest(9));
        let keys = [
            (&third, digest(1), Some(here)),
            (&one, digest(2), Some(here)),
            (&other, digest(3), None),
        ];
        let stage = waiting(database, &keys).await;
        let mut conn = stage.store.read().await.unwrap();
        let [third, one, other] = keys.map(|(key, digest, prefix)| import(key, digest, prefix));
        let found = conn.list_imports(&[digest(3)], &[here, there]).await.unwrap();
        assert_eq!(found, [one.clone(), other.clone(), third.clone()]);
        assert_eq!(conn.list_imports(&[], &[here]).await.unwrap(), [one, third]);
        // What has a beginning is found by no hash alone.
        assert_eq!(conn.list_imports(&[digest(1), digest(3)], &[]).await.unwrap(), [other]);
        assert_eq!(conn.list_imports(&[], &[there]).await.unwrap(), []);
        let weights = conn.weigh_imports_by_prefix(&[here, there]).await.unwrap();
        assert_eq!(weights.into_iter().collect::<Vec<_>>(), [(*here.as_bytes(), 6)]);
    }

    async fn a_scheme_is_kept_while_a_secret_waits_and_then_forgotten(database: Database) {
        let old = api_key(1, "old");
        let stage = waiting(database, &[(&old, digest(1), None)]).await;
        stage.change(async |tx| tx.remember_import_scheme(&scheme("unused")).await).await;
        let left = async || {
            let mut books = stage.store.books().await.unwrap();
            books.forget_unused_import_schemes().await.unwrap();
            books.commit().await.unwrap();
            stage.store.read().await.unwrap().list_import_schemes().await.unwrap()
        };
        assert_eq!(left().await, [scheme("old")]);
        assert!(adopt(&stage.store, digest(1), digest(11)).await.unwrap());
        assert_eq!(left().await, []);
        let orphan = import(&old, digest(11), None);
        let refused = stage.refused(async |tx| tx.insert_imports(&[orphan]).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)), "{refused:?}");
    }

    async fn many_digests_are_asked_for_at_once(database: Database) {
        let old = api_key(1, "old");
        let stage = waiting(database, &[(&old, digest(1), None)]).await;
        let digests: Vec<_> = (0..40_000_u32)
            .map(|number| {
                let mut bytes = [9; 32];
                bytes[..4].copy_from_slice(&number.to_be_bytes());
                Digest::from_bytes(bytes)
            })
            .chain([digest(1)])
            .collect();
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.list_known_digests(&digests).await.unwrap(), [digest(1)]);
        assert_eq!(conn.list_buried_digests(&digests).await.unwrap(), []);
        assert!(conn.weigh_imports_by_prefix(&digests).await.unwrap().is_empty());
    }
}
