//! Signing keys.

use acceptance::{Database, on_each_database};
use keystile_domain::{Expiry, JwtAlgorithm};
use keystile_storage::{Conflict, StoreError, StoredSigningKey};

use crate::raw::on_raw;
use crate::samples::at;
use crate::stage::Stage;

fn key(kid: &str, made: i64) -> StoredSigningKey {
    StoredSigningKey {
        kid: kid.to_owned(),
        algorithm: JwtAlgorithm::EdDsa,
        public_key: r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_owned(),
        sealed: vec![0, 255, 7],
        created_at: at(made),
        signs_from: at(made + 5),
        retired_at: Expiry::Never,
    }
}

async fn list(stage: &Stage) -> Vec<StoredSigningKey> {
    let mut conn = stage.store.read().await.unwrap();
    conn.list_signing_keys().await.unwrap()
}

on_each_database! {
    async fn signing_keys_come_back_as_they_were_stored_the_oldest_first(database: Database) {
        let stage = Stage::new(database).await;
        let newer = key("a", 2);
        let algorithm = JwtAlgorithm::Rs256;
        let older = StoredSigningKey { algorithm, retired_at: Expiry::At(at(3)), ..key("b", 1) };
        stage.change(async |tx| tx.insert_signing_key(&newer).await).await;
        stage.change(async |tx| tx.insert_signing_key(&older).await).await;
        assert_eq!(list(&stage).await, [older, newer]);
    }

    async fn two_signing_keys_are_never_called_the_same(database: Database) {
        let stage = Stage::new(database).await;
        stage.change(async |tx| tx.insert_signing_key(&key("a", 1)).await).await;
        let refused = stage.refused(async |tx| tx.insert_signing_key(&key("a", 2)).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Value)));
    }

    async fn a_signing_key_is_retired_alone_and_can_be_retired_sooner(database: Database) {
        let stage = Stage::new(database).await;
        stage
            .change(async |tx| {
                tx.insert_signing_key(&key("a", 1)).await?;
                tx.insert_signing_key(&key("b", 2)).await?;
                tx.retire_signing_key("a", at(9)).await?;
                tx.retire_signing_key("a", at(4)).await
            })
            .await;
        let retired = StoredSigningKey { retired_at: Expiry::At(at(4)), ..key("a", 1) };
        assert_eq!(list(&stage).await, [retired, key("b", 2)]);
        for kid in ["c", "", "a\0"] {
            let refused = stage.refused(async |tx| tx.retire_signing_key(kid, at(4)).await).await;
            assert!(matches!(refused, StoreError::NotFound), "{kid:?}");
        }
    }

    async fn only_keys_that_were_retired_long_ago_are_forgotten(database: Database) {
        let stage = Stage::new(database).await;
        let retired = |kid, end| StoredSigningKey { retired_at: Expiry::At(at(end)), ..key(kid, 1) };
        stage
            .change(async |tx| {
                for key in [retired("a", 3), retired("b", 4), key("c", 1)] {
                    tx.insert_signing_key(&key).await?;
                }
                tx.remove_signing_keys_retired_before(at(4)).await
            })
            .await;
        assert_eq!(list(&stage).await, [retired("b", 4), key("c", 1)]);
    }

    async fn a_key_of_an_unknown_algorithm_is_no_key(database: Database) {
        let stage = Stage::new(database).await;
        stage.change(async |tx| tx.insert_signing_key(&key("a", 1)).await).await;
        let spoil = "UPDATE signing_keys SET algorithm = 'none'";
        on_raw(&stage, move |raw| raw.execute(spoil)).await;
        let mut conn = stage.store.read().await.unwrap();
        let refused = conn.list_signing_keys().await;
        assert!(matches!(refused, Err(StoreError::Corrupt("signing_keys.algorithm"))));
    }
}

#[test]
fn debugging_a_signing_key_shows_its_name_alone() {
    let text = format!("{:?}", key("the-kid", 1));
    assert_eq!(text, r#"StoredSigningKey { kid: "the-kid", .. }"#);
}
