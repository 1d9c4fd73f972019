//! Providers.

use acceptance::{Database, on_each_database};
use keystile_domain::{
    ApiKey, Expiry, PasswordSettings, Provider, ProviderId, ProviderKind, ProviderSettings,
    Session, SessionHolder, SessionId, Token, Version,
};
use keystile_storage::{Conflict, StoreError};

use crate::raw::on_raw;
use crate::samples::{
    api_key, at, digest, oidc_provider, password_provider, provider, token, token_provider, user,
    uuid,
};
use crate::stage::Stage;

fn local() -> Provider {
    Provider { is_default: true, priority: -6, ..password_provider("local", 2) }
}

fn session(number: u128, provider: &Provider, ends_at: i64) -> Session {
    Session {
        id: SessionId::from(uuid(number)),
        holder: SessionHolder::User(user("ann", 1).id),
        provider: provider.id,
        created_at: at(-9),
        ends_at: at(ends_at),
        address: None,
    }
}

on_each_database! {
    async fn a_provider_comes_back_as_it_was_stored(database: Database) {
        let stage = Stage::new(database).await;
        let (keys, local, sso) = (provider("api-keys", 1), local(), oidc_provider("sso", 3));
        stage
            .change(async |tx| {
                tx.insert_provider(&keys).await?;
                tx.insert_provider(&local).await?;
                tx.insert_provider(&sso).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_provider(keys.id).await.unwrap(), Some(keys.clone()));
        assert_eq!(conn.find_provider(ProviderId::from(uuid(9))).await.unwrap(), None);
        let found = conn.find_provider_by_identifier(&local.identifier).await.unwrap();
        assert_eq!(found.as_ref(), Some(&local));
        assert_eq!(conn.list_providers().await.unwrap(), [local.clone(), keys, sso]);
        assert_eq!(conn.find_default_provider(ProviderKind::Password).await.unwrap(), Some(local));
        assert_eq!(conn.find_default_provider(ProviderKind::ApiKey).await.unwrap(), None);
    }

    async fn a_row_without_settings_of_passwords_has_those_of_a_new_provider(database: Database) {
        let stage = Stage::new(database).await;
        stage.change(async |tx| tx.insert_provider(&local()).await).await;
        on_raw(&stage, |raw| {
            raw.execute("UPDATE providers SET settings = '{\"of\":\"password\"}'")
        })
        .await;
        let mut conn = stage.store.read().await.unwrap();
        let found = conn.find_provider(local().id).await.unwrap().unwrap();
        let settings = ProviderSettings::Password(PasswordSettings::default());
        assert_eq!(found, Provider { settings, ..local() });
    }

    async fn settings_that_no_provider_can_have_are_no_answer(database: Database) {
        let stage = Stage::new(database).await;
        stage.change(async |tx| tx.insert_provider(&oidc_provider("sso", 1)).await).await;
        let mut conn = stage.store.read().await.unwrap();
        for (member, wrong) in [
            ("\"https://idp.example/realms/Main\"", "\"http://idp.example\""),
            ("\"RS256\"", "\"HS256\""),
            ("\"acme/*\"", "\"*\""),
        ] {
            let replace = |old: &str, new: &str| {
                format!("UPDATE providers SET settings = replace(settings, '{old}', '{new}')")
            };
            let (spoil, mend) = (replace(member, wrong), replace(wrong, member));
            on_raw(&stage, move |raw| raw.execute(&spoil)).await;
            let refused = conn.list_providers().await;
            assert!(matches!(refused, Err(StoreError::Corrupt("providers.settings"))), "{wrong}");
            on_raw(&stage, move |raw| raw.execute(&mend)).await;
            assert_eq!(conn.list_providers().await.unwrap(), [oidc_provider("sso", 1)]);
        }
        let weak = "UPDATE providers SET settings = '{\"of\":\"password\",\"memory_kib\":1}'";
        on_raw(&stage, move |raw| raw.execute(weak)).await;
        let refused = conn.list_providers().await;
        assert!(matches!(refused, Err(StoreError::Corrupt("providers.settings"))));
    }

    async fn an_identifier_belongs_to_one_provider(database: Database) {
        let stage = Stage::furnished(database).await;
        let second = provider("api-keys", 2);
        let refused = stage.refused(async |tx| tx.insert_provider(&second).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::ProviderIdentifier)));
    }

    async fn a_kind_has_one_default(database: Database) {
        let stage = Stage::new(database).await;
        let other = Provider { is_default: false, ..password_provider("ldap", 3) };
        stage
            .change(async |tx| {
                tx.insert_provider(&local()).await?;
                tx.insert_provider(&other).await
            })
            .await;
        let third = Provider { is_default: true, ..password_provider("third", 4) };
        let refused = stage.refused(async |tx| tx.insert_provider(&third).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::ProviderDefault)));
        let other = Provider { is_default: true, ..other };
        let refused = stage.refused(async |tx| tx.update_provider(&other).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::ProviderDefault)));
    }

    async fn another_becomes_the_default_of_its_kind_in_one_change(database: Database) {
        let stage = Stage::furnished(database).await;
        let (old, new) = (local(), password_provider("ldap", 3));
        let keys = Provider { is_default: true, ..provider("keys", 4) };
        stage
            .change(async |tx| {
                for provider in [&old, &new, &keys] {
                    tx.insert_provider(provider).await?;
                }
                Ok(())
            })
            .await;
        let new = Provider { is_default: true, ..new };
        stage
            .change(async |tx| {
                tx.clear_default(ProviderKind::Password, at(7)).await?;
                tx.update_provider(&new).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_default_provider(ProviderKind::Password).await.unwrap(), Some(new));
        assert_eq!(conn.find_default_provider(ProviderKind::ApiKey).await.unwrap(), Some(keys));
        let old =
            Provider { is_default: false, version: old.version.next(), updated_at: at(7), ..old };
        assert_eq!(conn.find_provider(old.id).await.unwrap(), Some(old));
    }

    async fn everything_about_a_provider_changes_but_what_it_is(database: Database) {
        let stage = Stage::new(database).await;
        let old = local();
        stage.change(async |tx| tx.insert_provider(&old).await).await;
        let new = Provider {
            name: "Names".parse().unwrap(),
            priority: 3,
            enabled: false,
            is_default: false,
            allow_insecure_http: false,
            settings: ProviderSettings::Password(PasswordSettings::default()),
            version: Version(3),
            updated_at: at(9),
            ..old.clone()
        };
        let sent = Provider {
            identifier: "other".parse().unwrap(),
            kind: ProviderKind::Oidc,
            created_at: at(99),
            ..new.clone()
        };
        stage.change(async |tx| tx.update_provider(&sent).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_provider(old.id).await.unwrap(), Some(new));
    }

    async fn a_provider_that_is_gone_cannot_be_changed_or_removed(database: Database) {
        let stage = Stage::new(database).await;
        stage.change(async |tx| tx.insert_provider(&local()).await).await;
        stage.change(async |tx| tx.remove_provider(local().id, at(0)).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_provider(local().id).await.unwrap(), None);
        let refused = stage.refused(async |tx| tx.update_provider(&local()).await).await;
        assert!(matches!(refused, StoreError::NotFound));
        let refused = stage.refused(async |tx| tx.remove_provider(local().id, at(0)).await).await;
        assert!(matches!(refused, StoreError::NotFound));
    }

    async fn what_has_not_ended_is_counted_whether_or_not_it_is_switched_on(database: Database) {
        let stage = Stage::furnished(database).await;
        let (ann, pats, local) =
            (user("ann", 1), token_provider("tokens", 2), password_provider("local", 3));
        let (ended, soon) = (Expiry::At(at(0)), Expiry::At(at(1)));
        stage
            .change(async |tx| {
                tx.insert_provider(&pats).await?;
                tx.insert_provider(&local).await?;
                tx.insert_user(&ann, None).await?;
                let key = ApiKey { expiry: ended, ..api_key(1, "over") };
                tx.insert_api_key(&key, &digest(1)).await?;
                let key = ApiKey { expiry: soon, enabled: false, ..api_key(2, "soon") };
                tx.insert_api_key(&key, &digest(2)).await?;
                tx.insert_api_key(&api_key(3, "never"), &digest(3)).await?;
                let over = Token { expiry: ended, ..token(4, &ann, "over") };
                tx.insert_token(&over, &digest(4)).await?;
                tx.insert_token(&token(5, &ann, "never"), &digest(5)).await?;
                tx.insert_session(&session(6, &local, 0)).await?;
                tx.insert_session(&session(7, &local, 1)).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        for (id, count) in [(ProviderId::from(uuid(1)), 2), (pats.id, 1), (local.id, 1)] {
            assert_eq!(conn.count_live_credentials(id, at(0)).await.unwrap(), count, "{id}");
        }
    }

    async fn a_provider_is_removed_with_ended_sessions_and_no_others(database: Database) {
        let stage = Stage::furnished(database).await;
        let local = password_provider("local", 2);
        let (over, live) = (session(1, &local, 0), session(2, &local, 1));
        stage
            .change(async |tx| {
                tx.insert_provider(&local).await?;
                tx.insert_user(&user("ann", 1), None).await?;
                tx.insert_session(&over).await?;
                tx.insert_session(&live).await
            })
            .await;
        let refused = stage.refused(async |tx| tx.remove_provider(local.id, at(0)).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
        stage.change(async |tx| tx.remove_provider(local.id, at(1)).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_session(live.id).await.unwrap(), None);
    }

    async fn a_provider_of_a_key_that_has_ended_is_not_removed(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = ApiKey { expiry: Expiry::At(at(0)), ..api_key(1, "over") };
        stage.change(async |tx| tx.insert_api_key(&key, &digest(1)).await).await;
        let refused = stage.refused(async |tx| tx.remove_provider(key.provider, at(1)).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
    }
}
