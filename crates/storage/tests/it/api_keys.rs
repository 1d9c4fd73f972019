//! API keys.

use acceptance::{Database, on_each_database};
use keystile_domain::{ApiKey, ApiKeyId, Expiry, Metadata, ProviderId, RoleId, Version};
use keystile_storage::{Conflict, StoreError, TombstoneDraft};

use crate::samples::{api_key, at, digest, digest_of, full_api_key, uuid};
use crate::stage::Stage;

fn tombstone() -> TombstoneDraft {
    let seq = keystile_domain::Seq(1);
    TombstoneDraft { deleted_at: at(0), deleted_by: None, reason: None, seq }
}

on_each_database! {
    async fn a_key_comes_back_as_it_was_stored(database: Database) {
        let stage = Stage::furnished(database).await;
        let (bare, full) = (api_key(1, "bare"), full_api_key(2, "Voll"));
        stage
            .change(async |tx| {
                tx.insert_api_key(&bare, &digest(1)).await?;
                tx.insert_api_key(&full, &digest(2)).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_api_key(bare.id).await.unwrap(), Some(bare));
        assert_eq!(conn.find_api_key(full.id).await.unwrap(), Some(full));
        assert_eq!(conn.find_api_key(ApiKeyId::from(uuid(9))).await.unwrap(), None);
    }

    async fn many_keys_are_stored_at_once(database: Database) {
        let stage = Stage::furnished(database).await;
        let keys: Vec<_> = (1..=5_000_u16)
            .map(|number| {
                let key = full_api_key(number.into(), "batch");
                let digest = digest_of(&key);
                (key, digest)
            })
            .collect();
        let rows: Vec<_> = keys.iter().map(|(key, digest)| (key.clone(), digest.into())).collect();
        stage.change(async |tx| tx.insert_api_keys(&rows).await).await;
        let mut conn = stage.store.read().await.unwrap();
        for (key, digest) in [&keys[0], &keys[4_999]] {
            assert_eq!(conn.find_api_key(key.id).await.unwrap().as_ref(), Some(key));
            assert!(conn.find_credential(digest).await.unwrap().is_some());
        }
        let external_id = keys[0].0.external_id.clone().unwrap();
        let found = conn.list_api_keys_by_external_id(&external_id).await.unwrap();
        assert_eq!(found.len(), 5_000);
    }

    async fn no_keys_at_all_are_stored_without_complaint(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(async |tx| tx.insert_api_keys(&[]).await).await;
    }

    async fn everything_about_a_key_changes_but_where_it_comes_from(database: Database) {
        let stage = Stage::furnished(database).await;
        let old = full_api_key(1, "old");
        stage.change(async |tx| tx.insert_api_key(&old, &digest(1)).await).await;
        let new = ApiKey {
            name: "new".parse().unwrap(),
            description: None,
            key_prefix: "ks_uvwxyz".to_owned(),
            roles: [RoleId(1)].into(),
            expiry: Expiry::Never,
            enabled: true,
            allowed_ips: Vec::new().try_into().unwrap(),
            external_id: None,
            metadata: Metadata::default(),
            version: Version(4),
            updated_at: at(7),
            ..old.clone()
        };
        let sent = ApiKey {
            provider: ProviderId::from(uuid(99)),
            created_by: None,
            created_at: at(99),
            ..new.clone()
        };
        stage.change(async |tx| tx.update_api_key(&sent).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_api_key(old.id).await.unwrap(), Some(new));
    }

    async fn a_key_needs_a_provider_and_roles_that_exist(database: Database) {
        let stage = Stage::furnished(database).await;
        let stray = ApiKey { provider: ProviderId::from(uuid(9)), ..api_key(1, "stray") };
        let climber = ApiKey { roles: [RoleId(99)].into(), ..api_key(1, "climber") };
        for key in [stray, climber] {
            let refused = stage.refused(async |tx| tx.insert_api_key(&key, &digest(1)).await).await;
            assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)), "{refused:?}");
        }
    }

    async fn a_secret_belongs_to_one_key(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(async |tx| tx.insert_api_key(&api_key(1, "one"), &digest(1)).await).await;
        let two = api_key(2, "two");
        let refused = stage.refused(async |tx| tx.insert_api_key(&two, &digest(1)).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::SecretDigest)));
        assert!(!format!("{refused:?} {refused}").contains('\u{1}'));
    }

    async fn a_key_that_is_gone_cannot_be_changed_or_removed(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = full_api_key(1, "one");
        stage.change(async |tx| tx.insert_api_key(&key, &digest(1)).await).await;
        stage.change(async |tx| tx.remove_api_key(&key, &tombstone()).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_api_key(key.id).await.unwrap(), None);
        assert_eq!(conn.count_role_use(RoleId(2)).await.unwrap().api_keys, 0);
        let refused = stage.refused(async |tx| tx.update_api_key(&key).await).await;
        assert!(matches!(refused, StoreError::NotFound));
        let refused = stage.refused(async |tx| tx.remove_api_key(&key, &tombstone()).await).await;
        assert!(matches!(refused, StoreError::NotFound));
    }

    async fn keys_are_listed_by_the_name_that_another_system_gave_them(database: Database) {
        let stage = Stage::furnished(database).await;
        let named = |number, external_id: &str| ApiKey {
            external_id: Some(external_id.parse().unwrap()),
            ..api_key(number, "key")
        };
        let keys = [named(2, "crm:1"), named(1, "crm:1"), named(3, "CRM:1")];
        stage
            .change(async |tx| {
                for (digits, key) in (1..).zip(&keys) {
                    tx.insert_api_key(key, &digest(digits)).await?;
                }
                Ok(())
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        let listed = conn.list_api_keys_by_external_id(&"crm:1".parse().unwrap()).await.unwrap();
        assert_eq!(listed, [keys[1].clone(), keys[0].clone()]);
    }
}
