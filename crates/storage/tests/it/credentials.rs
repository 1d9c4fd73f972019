//! Secrets: what a check finds by them, and what is left of them.

use acceptance::{Database, on_each_database};
use keystile_domain::{
    ApiKey, CredentialKind, Expiry, Found, OldSecret, Principal, PrincipalKind, RoleId, Seq,
    Tombstone,
};
use keystile_storage::{Conflict, StoreError, TombstoneDraft};

use crate::samples::{api_key, at, digest, full_api_key, principal, provider, role};
use crate::stage::Stage;

async fn secret_expiry(stage: &Stage, secret: u8) -> Option<Expiry> {
    let mut conn = stage.store.read().await.unwrap();
    match conn.find_credential(&digest(secret)).await.unwrap() {
        Some(Found::Credential(credential)) => Some(credential.secret_expiry),
        _ => None,
    }
}

on_each_database! {
    async fn a_secret_finds_everything_about_its_credential(database: Database) {
        let stage = Stage::furnished(database).await;
        let custom = role("custom", &["invoices.read"]);
        let custom_id = stage.change(async |tx| tx.insert_role(&custom).await).await;
        let mut key = full_api_key(1, "one");
        key.roles.insert(custom_id);
        stage.change(async |tx| tx.insert_api_key(&key, &digest(1)).await).await;

        let mut conn = stage.store.read().await.unwrap();
        let found = conn.find_credential(&digest(1)).await.unwrap();
        let Some(Found::Credential(found)) = found else { panic!("{found:?}") };
        let id = key.id.as_uuid();
        assert_eq!((found.id, found.kind), (id, CredentialKind::ApiKey));
        assert_eq!(found.name, key.name);
        assert_eq!(found.key_prefix, key.key_prefix);
        assert_eq!(found.enabled, key.enabled);
        assert_eq!((found.expiry, found.secret_expiry), (key.expiry, Expiry::Never));
        assert_eq!(found.allowed_ips, key.allowed_ips);
        assert_eq!(found.external_id, key.external_id);
        assert_eq!(found.metadata, key.metadata);
        let principal = Principal { kind: PrincipalKind::ApiKey, id, name: key.name.clone() };
        assert_eq!(found.principal, principal);
        assert_eq!(*found.provider, provider("api-keys", 1));
        assert_eq!(found.roles, conn.list_roles_by_id(&key.roles).await.unwrap());
        assert_eq!(found.roles.len(), 3);
        assert!(found.rights.permissions.covers(&"invoices.read".parse().unwrap()));
    }

    async fn a_credential_without_roles_may_do_nothing(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(async |tx| tx.insert_api_key(&api_key(1, "one"), &digest(1)).await).await;
        let mut conn = stage.store.read().await.unwrap();
        let found = conn.find_credential(&digest(1)).await.unwrap();
        let Some(Found::Credential(found)) = found else { panic!("{found:?}") };
        assert!(found.roles.is_empty() && found.rights.permissions.is_empty());
    }

    async fn an_unknown_secret_finds_nothing(database: Database) {
        let stage = Stage::furnished(database).await;
        let mut conn = stage.store.read().await.unwrap();
        assert!(conn.find_credential(&digest(1)).await.unwrap().is_none());
    }

    async fn every_secret_of_a_deleted_key_finds_its_tombstone(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = full_api_key(1, "one");
        let draft = TombstoneDraft {
            deleted_at: at(5),
            deleted_by: Some(principal()),
            reason: Some("leaked".parse().unwrap()),
            seq: Seq(3),
        };
        stage.change(async |tx| tx.insert_api_key(&key, &digest(1)).await).await;
        stage
            .change(async |tx| {
                tx.replace_secret(&key, &digest(2), at(100), at(0)).await?;
                tx.remove_api_key(&key, &draft).await
            })
            .await;
        let expected = Tombstone {
            id: key.id.as_uuid(),
            kind: CredentialKind::ApiKey,
            name: key.name.clone(),
            key_prefix: key.key_prefix.clone(),
            deleted_at: draft.deleted_at,
            deleted_by: draft.deleted_by,
            reason: draft.reason,
            seq: draft.seq,
        };
        let mut conn = stage.store.read().await.unwrap();
        for secret in [1, 2] {
            let found = conn.find_credential(&digest(secret)).await.unwrap();
            let Some(Found::Tombstone(found)) = found else { panic!("{found:?}") };
            assert_eq!(*found, expected);
        }
    }

    async fn a_replaced_secret_works_until_its_end_and_an_older_one_no_more(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = ApiKey { roles: [RoleId(4)].into(), ..api_key(1, "one") };
        stage.change(async |tx| tx.insert_api_key(&key, &digest(1)).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_old_secret(key.id).await.unwrap(), None);

        stage.change(async |tx| tx.replace_secret(&key, &digest(2), at(100), at(1)).await).await;
        assert_eq!(secret_expiry(&stage, 1).await, Some(Expiry::At(at(100))));
        assert_eq!(secret_expiry(&stage, 2).await, Some(Expiry::Never));
        let old = conn.find_old_secret(key.id).await.unwrap();
        assert_eq!(old, Some(OldSecret { ends_at: at(100) }));

        stage.change(async |tx| tx.update_old_secret_end(key.id, at(200)).await).await;
        assert_eq!(secret_expiry(&stage, 1).await, Some(Expiry::At(at(200))));
        assert_eq!(secret_expiry(&stage, 2).await, Some(Expiry::Never));

        stage.change(async |tx| tx.replace_secret(&key, &digest(3), at(300), at(2)).await).await;
        assert_eq!(secret_expiry(&stage, 1).await, None);
        assert_eq!(secret_expiry(&stage, 2).await, Some(Expiry::At(at(300))));
        assert_eq!(secret_expiry(&stage, 3).await, Some(Expiry::Never));
    }

    async fn a_taken_secret_replaces_none(database: Database) {
        let stage = Stage::furnished(database).await;
        let (one, two) = (api_key(1, "one"), api_key(2, "two"));
        stage
            .change(async |tx| {
                tx.insert_api_key(&one, &digest(1)).await?;
                tx.insert_api_key(&two, &digest(2)).await
            })
            .await;
        let refused = stage
            .refused(async |tx| tx.replace_secret(&one, &digest(2), at(100), at(0)).await)
            .await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::SecretDigest)));
    }

    async fn only_a_rotated_key_has_an_old_secret_to_move(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = api_key(1, "one");
        let refused = stage
            .refused(async |tx| tx.replace_secret(&key, &digest(1), at(100), at(0)).await)
            .await;
        assert!(matches!(refused, StoreError::NotFound));
        stage.change(async |tx| tx.insert_api_key(&key, &digest(1)).await).await;
        let refused = stage.refused(async |tx| tx.update_old_secret_end(key.id, at(9)).await).await;
        assert!(matches!(refused, StoreError::NotFound));
    }
}
