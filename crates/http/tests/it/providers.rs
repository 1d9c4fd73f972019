//! What a provider says about how long its keys live.

use acceptance::{Database, on_each_database};
use keystile_domain::{
    Action, Actor, ChainKey, Event, EventDraft, EventId, Provider, ProviderId, ProviderKind,
    ProviderSettings, Target, TargetKind,
};
use serde_json::{Value, json};

use crate::stage::{Stage, at, text_at};

on_each_database! {
    async fn a_key_without_an_end_gets_the_default_of_its_provider(database: Database) {
        let stage = stage(database).await;

        let made = stage.admin().post("/api/v1/api-keys", key()).await.expect(201);

        assert_eq!(made.text("expires_at"), text_at(DEFAULT));
    }

    async fn no_key_ends_later_than_its_provider_allows(database: Database) {
        let stage = stage(database).await;
        let ending = |end: Value| json!({"name": "k", "provider": "short-lived", "expires_at": end});

        for end in [json!(text_at(MAX + 1)), json!(null)] {
            let refused = stage.admin().post("/api/v1/api-keys", ending(end)).await;
            refused.refuses("/expires_at", TOO_LATE);
        }
        stage.admin().new_key(ending(json!(text_at(MAX)))).await;
    }

    async fn the_limit_counts_from_the_change(database: Database) {
        let stage = stage(database).await;
        let (path, _) = stage.admin().new_key(key()).await;
        stage.set_clock(1_000);
        let ending = |offset| json!({"expires_at": text_at(offset)});

        let refused = stage.admin().patch(&path, ending(MAX + 1_001)).await;
        refused.refuses("/expires_at", TOO_LATE);
        stage.admin().patch(&path, ending(MAX + 1_000)).await.expect(200);
    }
}

/// A stage with the provider `short-lived`: keys of an hour unless asked, and of two at most.
async fn stage(database: Database) -> Stage {
    let stage = Stage::new(database).await;
    let mut tx = stage.store.begin().await.unwrap();
    let built_in = tx.find_default_provider(ProviderKind::ApiKey).await.unwrap().unwrap();
    tx.insert_provider(&short_lived(built_in)).await.unwrap();
    let draft = EventDraft {
        actor: Actor::System,
        action: Action::ProviderCreated,
        target: Target {
            kind: TargetKind::Provider,
            id: String::new(),
            name: "short-lived".to_owned(),
        },
        before: None,
        after: None,
        reason: None,
        address: None,
        request_id: None,
    };
    let event = Event { seq: tx.seq(), id: EventId::new(at(0), [0; 10]), at: at(0), draft };
    let sealed = ChainKey::from_bytes(&[0; 32]).seal(event, tx.previous(), [[0; 16]; 3]);
    tx.commit(vec![sealed]).await.unwrap();
    stage
}

fn short_lived(mut provider: Provider) -> Provider {
    provider.id = ProviderId::new(at(0), [0; 10]);
    provider.identifier = "short-lived".parse().unwrap();
    provider.is_default = false;
    let ProviderSettings::Keys(settings) = &mut provider.settings else { panic!("no keys") };
    settings.default_expiry_minutes = Some(60);
    settings.max_expiry_minutes = Some(120);
    provider
}

fn key() -> Value {
    json!({"name": "k", "provider": "short-lived"})
}

const HOUR: i64 = 60 * 60 * 1_000;
const DEFAULT: i64 = HOUR;
const MAX: i64 = 2 * HOUR;
const TOO_LATE: &str = "must not be later than the provider allows";
