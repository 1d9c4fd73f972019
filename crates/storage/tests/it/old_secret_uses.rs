//! Who shows the old secret of a rotated key: counted by client, and forgotten with the secret.

use acceptance::{Database, on_each_database};
use keystile_domain::ApiKeyId;
use keystile_storage::{OldSecretUse, Store, StoreError};

use crate::books::keep;
use crate::raw::on_raw;
use crate::samples::{api_key, at, digest, uuid};
use crate::stage::Stage;

fn used(credential: u128, client: i64, checks: i64, moment: i64) -> OldSecretUse {
    OldSecretUse {
        credential: uuid(credential),
        address: Some(format!("2001:db8::{client}").parse().unwrap()),
        user_agent: Some(format!("agent/{client} 🚀")),
        checks,
        last_at: at(moment),
    }
}

fn unknown(credential: u128, checks: i64, moment: i64) -> OldSecretUse {
    OldSecretUse { address: None, user_agent: None, ..used(credential, 0, checks, moment) }
}

async fn add(store: &Store, uses: &[OldSecretUse]) {
    keep(store, async |books| books.add_old_secret_uses(uses).await).await;
}

async fn uses(store: &Store, credential: u128) -> Vec<OldSecretUse> {
    let mut conn = store.read().await.unwrap();
    conn.list_old_secret_uses(ApiKeyId::from(uuid(credential)), at(2), 3).await.unwrap()
}

on_each_database! {
    async fn uses_add_up_by_client_and_the_latest_come_first(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        add(store, &[used(1, 1, 2, 5), unknown(1, 1, 1), used(1, 1, 1, 4), used(2, 1, 7, 9)]).await;
        add(store, &[used(1, 2, 3, 6), unknown(1, 1, 2)]).await;
        assert_eq!(uses(store, 1).await, [used(1, 2, 3, 6), used(1, 1, 3, 5), unknown(1, 2, 2)]);
        assert_eq!(uses(store, 2).await, [used(2, 1, 7, 9)]);
        add(store, &[used(1, 3, 1, 3)]).await;
        let latest = [used(1, 2, 3, 6), used(1, 1, 3, 5), used(1, 3, 1, 3)];
        assert_eq!(uses(store, 1).await, latest, "no more than were asked for");
    }

    async fn beyond_a_thousand_clients_the_others_are_counted_together(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        let many: Vec<_> = (1..=1_000).map(|client| used(1, client, 1, 1)).collect();
        add(store, &many).await;
        add(store, &[used(1, 1_001, 1, 2), used(1, 7, 1, 3), used(1, 1_002, 1, 4)]).await;
        assert_eq!(uses(store, 1).await[..2], [unknown(1, 2, 4), used(1, 7, 2, 3)]);
    }

    async fn whoever_has_not_shown_it_since_a_moment_is_forgotten(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        add(store, &[used(1, 1, 1, 4), used(1, 2, 1, 5)]).await;
        keep(store, async |books| books.remove_old_secret_uses_before(at(5)).await).await;
        assert_eq!(uses(store, 1).await, [used(1, 2, 1, 5)]);
    }

    async fn the_uses_of_a_secret_go_when_a_newer_one_takes_its_place(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = api_key(1, "one");
        stage.change(async |tx| tx.insert_api_key(&key, &digest(1)).await).await;
        stage.change(async |tx| tx.replace_secret(&key, &digest(2), at(100), at(1)).await).await;
        add(&stage.store, &[used(1, 1, 1, 2), used(2, 1, 1, 2)]).await;
        stage.change(async |tx| tx.update_old_secret_end(key.id, at(50)).await).await;
        assert_eq!(uses(&stage.store, 1).await, [used(1, 1, 1, 2)]);
        stage.change(async |tx| tx.replace_secret(&key, &digest(3), at(100), at(3)).await).await;
        assert_eq!(uses(&stage.store, 1).await, []);
        assert_eq!(uses(&stage.store, 2).await, [used(2, 1, 1, 2)]);
    }

    async fn what_was_shown_before_a_moment_is_of_an_older_secret(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        add(store, &[used(1, 1, 4, 1), used(1, 2, 1, 2)]).await;
        assert_eq!(uses(store, 1).await, [used(1, 2, 1, 2)], "since 2");
    }

    async fn an_address_that_is_none_is_never_an_answer(database: Database) {
        let stage = Stage::new(database).await;
        add(&stage.store, &[used(1, 1, 1, 1)]).await;
        on_raw(&stage, |raw| raw.execute("UPDATE old_secret_uses SET address = 'here'")).await;
        let mut conn = stage.store.read().await.unwrap();
        let refused = conn.list_old_secret_uses(ApiKeyId::from(uuid(1)), at(1), 3).await;
        assert!(matches!(refused, Err(StoreError::Corrupt("old_secret_uses.address"))));
    }
}
