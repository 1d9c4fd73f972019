//! Secrets: what a check finds by them, and what is left of them.

use acceptance::{Database, on_each_database};
use keystile_domain::{
    AllowedIps, ApiKey, Credential, CredentialKind, Expiry, Found, Metadata, OldSecret, Principal,
    PrincipalKind, RoleId, Seq, Token, Tombstone, User,
};
use keystile_storage::{Conflict, StoreError, TombstoneDraft};

use crate::samples::{
    api_key, at, digest, full_api_key, full_token, full_user, principal, provider, role, set,
    token, token_provider, user, uuid,
};
use crate::stage::Stage;
use crate::tokens;

async fn credential(stage: &Stage, secret: u8) -> Credential {
    let mut conn = stage.store.read().await.unwrap();
    match conn.find_credential(&digest(secret)).await.unwrap() {
        Some(Found::Credential(credential)) => (*credential).clone(),
        found => panic!("{found:?}"),
    }
}

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
        assert_eq!(*found.roles, *conn.list_roles_by_id(&key.roles).await.unwrap());
        assert_eq!(found.roles.len(), 3);
        assert!(found.rights.permissions.covers(&"invoices.read".parse().unwrap()));
        assert_eq!((found.owner_enabled, found.signed_in, &found.scopes), (None, false, &None));
    }

    async fn a_secret_finds_everything_about_its_token_and_its_owner(database: Database) {
        let stage = Stage::furnished(database).await;
        let (ann, ci) = (user("Ann", 1), full_user("ci", 2));
        let (hers, its) = (full_token(1, &ann, "one"), token(2, &ci, "two"));
        stage
            .change(async |tx| {
                tx.insert_provider(&token_provider("tokens", 2)).await?;
                tx.insert_user(&ann, None).await?;
                tx.insert_user(&ci, None).await?;
                tx.insert_token(&hers, &digest(1)).await?;
                tx.insert_token(&its, &digest(2)).await
            })
            .await;
        for (secret, token, owner, kind) in
            [(1, hers, ann, PrincipalKind::User), (2, its, ci, PrincipalKind::ServiceAccount)]
        {
            let found = credential(&stage, secret).await;
            assert_eq!(found.id, token.id.as_uuid());
            assert_eq!(found.kind, CredentialKind::PersonalAccessToken);
            assert_eq!((&found.name, &found.key_prefix), (&token.name, &token.key_prefix));
            assert_eq!((found.expiry, found.secret_expiry), (token.expiry, Expiry::Never));
            assert!(found.enabled && !found.signed_in);
            assert_eq!(found.owner_enabled, Some(owner.enabled));
            let name = owner.username.as_name().clone();
            let principal = Principal { kind, id: owner.id.as_uuid(), name };
            assert_eq!(found.principal, principal);
            assert_eq!(found.allowed_ips, AllowedIps::default());
            assert_eq!((found.external_id, found.metadata), (None, Metadata::default()));
            assert_eq!(*found.provider, token_provider("tokens", 2));
            assert_eq!(found.scopes, token.scopes);
            let roles: Vec<_> = found.roles.iter().map(|role| role.id).collect();
            assert_eq!(roles, Vec::from_iter(owner.roles));
        }
    }

    async fn a_token_may_do_what_scopes_and_owner_both_allow_now(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(tokens::furnish).await;
        let ann = user("ann", 1);
        let scopes = Some(set(&["invoices.*", "keystile.api_keys.read"]));
        let tokens = [token(1, &ann, "wide"), Token { scopes, ..token(2, &ann, "narrow") }];
        stage
            .change(async |tx| {
                tx.insert_token(&tokens[0], &digest(1)).await?;
                tx.insert_token(&tokens[1], &digest(2)).await
            })
            .await;
        // An administrator, then an auditor, then nobody.
        for (roles, wide, narrow) in [
            ([RoleId(1)].as_slice(), vec!["**"], vec!["invoices.*", "keystile.api_keys.read"]),
            (&[RoleId(3)], vec!["keystile.*.read"], vec!["keystile.api_keys.read"]),
            (&[], vec![], vec![]),
        ] {
            let ann = User { roles: roles.iter().copied().collect(), ..ann.clone() };
            stage.change(async |tx| tx.update_user(&ann).await).await;
            for (secret, expected) in [(1, wide), (2, narrow)] {
                let found = credential(&stage, secret).await;
                assert_eq!(found.rights.permissions, set(&expected));
                assert_eq!(found.roles.len(), roles.len());
            }
        }
    }

    async fn a_token_finds_out_at_once_that_its_owner_is_switched_off(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(tokens::furnish).await;
        let ann = user("ann", 1);
        stage.change(async |tx| tx.insert_token(&token(1, &ann, "one"), &digest(1)).await).await;
        assert_eq!(credential(&stage, 1).await.owner_enabled, Some(true));
        stage.change(async |tx| tx.update_user(&User { enabled: false, ..ann }).await).await;
        assert_eq!(credential(&stage, 1).await.owner_enabled, Some(false));
    }

    async fn a_credential_is_found_by_a_tag_as_by_its_secret(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(tokens::furnish).await;
        let (key, token) = (full_api_key(1, "key"), full_token(1, &user("ann", 1), "token"));
        stage
            .change(async |tx| {
                tx.insert_api_key(&key, &digest(1)).await?;
                tx.insert_token(&token, &digest(2)).await?;
                tx.replace_secret(&key, &digest(3), at(100), at(0)).await?;
                tx.replace_secret(&token, &digest(4), at(100), at(0)).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        let (of_key, of_token) = (CredentialKind::ApiKey, CredentialKind::PersonalAccessToken);
        for (kind, secret, end) in [
            (of_key, 1, Expiry::At(at(100))),
            (of_key, 3, Expiry::Never),
            (of_token, 2, Expiry::At(at(100))),
            (of_token, 4, Expiry::Never),
        ] {
            let tag = digest(secret).tag();
            let found = conn.find_credential_by_tag(kind, uuid(1), tag).await.unwrap().unwrap();
            assert_eq!((found.kind, found.secret_expiry), (kind, end));
            let by_secret = credential(&stage, secret).await;
            assert_eq!(format!("{found:?}"), format!("{by_secret:?}"));
            assert!(conn.find_credential_by_tag(kind, uuid(9), tag).await.unwrap().is_none());
        }
        for (kind, secret) in [(of_key, 2), (of_token, 1), (CredentialKind::AccessToken, 3)] {
            let tag = digest(secret).tag();
            assert!(conn.find_credential_by_tag(kind, uuid(1), tag).await.unwrap().is_none());
        }
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

    async fn every_secret_of_a_deleted_token_finds_its_tombstone(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(tokens::furnish).await;
        // Another credential with the same number loses nothing.
        let (token, key) = (full_token(1, &user("ann", 1), "one"), api_key(1, "key"));
        let draft =
            TombstoneDraft { deleted_at: at(5), deleted_by: None, reason: None, seq: Seq(4) };
        stage
            .change(async |tx| {
                tx.insert_token(&token, &digest(1)).await?;
                tx.insert_api_key(&key, &digest(3)).await?;
                tx.replace_secret(&token, &digest(2), at(100), at(0)).await?;
                tx.remove_token(&token, &draft).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        for secret in [1, 2] {
            let found = conn.find_credential(&digest(secret)).await.unwrap();
            let Some(Found::Tombstone(found)) = found else { panic!("{found:?}") };
            let expected = Tombstone {
                id: token.id.as_uuid(),
                kind: CredentialKind::PersonalAccessToken,
                name: token.name.clone(),
                key_prefix: token.key_prefix.clone(),
                deleted_at: at(5),
                deleted_by: None,
                reason: None,
                seq: Seq(4),
            };
            assert_eq!(*found, expected);
        }
        assert_eq!(credential(&stage, 3).await.kind, CredentialKind::ApiKey);
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
        assert_eq!(old, Some(OldSecret { since: at(1), ends_at: at(100) }));

        stage.change(async |tx| tx.update_old_secret_end(key.id, at(200)).await).await;
        assert_eq!(secret_expiry(&stage, 1).await, Some(Expiry::At(at(200))));
        assert_eq!(secret_expiry(&stage, 2).await, Some(Expiry::Never));

        stage.change(async |tx| tx.replace_secret(&key, &digest(3), at(300), at(2)).await).await;
        assert_eq!(secret_expiry(&stage, 1).await, None);
        assert_eq!(secret_expiry(&stage, 2).await, Some(Expiry::At(at(300))));
        assert_eq!(secret_expiry(&stage, 3).await, Some(Expiry::Never));
    }

    async fn a_token_is_rotated_as_a_key_is_and_neither_touches_the_other(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(tokens::furnish).await;
        let (token, key) = (token(1, &user("ann", 1), "one"), api_key(1, "key"));
        stage
            .change(async |tx| {
                tx.insert_token(&token, &digest(1)).await?;
                tx.insert_api_key(&key, &digest(2)).await?;
                tx.replace_secret(&token, &digest(3), at(100), at(1)).await?;
                tx.update_old_secret_end(token.id, at(200)).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        let old = conn.find_old_secret(token.id).await.unwrap();
        assert_eq!(old, Some(OldSecret { since: at(1), ends_at: at(200) }));
        assert_eq!(conn.find_old_secret(key.id).await.unwrap(), None);
        assert_eq!(secret_expiry(&stage, 1).await, Some(Expiry::At(at(200))));
        assert_eq!(secret_expiry(&stage, 2).await, Some(Expiry::Never));
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
