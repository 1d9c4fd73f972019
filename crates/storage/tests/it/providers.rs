//! Providers.

use acceptance::{Database, on_each_database};
use keystile_domain::{Provider, ProviderId, ProviderKind, ProviderSettings};
use keystile_storage::{Conflict, StoreError};

use crate::samples::{provider, uuid};
use crate::stage::Stage;

fn password() -> Provider {
    Provider {
        kind: ProviderKind::Password,
        settings: ProviderSettings::Password,
        is_default: true,
        priority: -6,
        ..provider("local", 2)
    }
}

on_each_database! {
    async fn a_provider_comes_back_as_it_was_stored(database: Database) {
        let stage = Stage::new(database).await;
        let (keys, password) = (provider("api-keys", 1), password());
        stage
            .change(async |tx| {
                tx.insert_provider(&keys).await?;
                tx.insert_provider(&password).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_provider(keys.id).await.unwrap(), Some(keys.clone()));
        assert_eq!(conn.find_provider(ProviderId::from(uuid(9))).await.unwrap(), None);
        let found = conn.find_provider_by_identifier(&password.identifier).await.unwrap();
        assert_eq!(found, Some(password.clone()));
        assert_eq!(conn.list_providers().await.unwrap(), [password.clone(), keys]);
        assert_eq!(conn.find_default_provider(ProviderKind::Password).await.unwrap(), Some(password));
        assert_eq!(conn.find_default_provider(ProviderKind::ApiKey).await.unwrap(), None);
    }

    async fn an_identifier_belongs_to_one_provider(database: Database) {
        let stage = Stage::furnished(database).await;
        let second = provider("api-keys", 2);
        let refused = stage.refused(async |tx| tx.insert_provider(&second).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::ProviderIdentifier)));
    }

    async fn a_kind_has_one_default(database: Database) {
        let stage = Stage::new(database).await;
        stage.change(async |tx| tx.insert_provider(&password()).await).await;
        let second = Provider {
            id: ProviderId::from(uuid(3)),
            identifier: "ldap".parse().unwrap(),
            ..password()
        };
        let refused = stage.refused(async |tx| tx.insert_provider(&second).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::ProviderDefault)));
    }
}
