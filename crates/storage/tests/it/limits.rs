//! How much of a quota is used: taken by one at a time, and gone with its key.

use acceptance::{Database, on_each_database};
use keystile_domain::{ApiKey, ApiKeyId, Found, QuotaUse, Refill, Seq};
use keystile_storage::{Store, TombstoneDraft};
use tokio::task::JoinSet;

use crate::books::keep;
use crate::samples::{api_key, at, digest, digest_of, full_api_key, principal, quota, uuid};
use crate::stage::Stage;

on_each_database! {
    async fn what_is_used_is_read_as_it_was_written(database: Database) {
        let stage = Stage::furnished(database).await;
        let (one, two) = (limited(1), limited(2));
        insert(&stage, &[(&one, 5), (&two, 6)]).await;

        let keys = [one.id, two.id, ApiKeyId::from(uuid(3))];
        let uses = stage.store.read().await.unwrap().find_quota_uses(&keys).await.unwrap();
        assert_eq!(uses, [(one.id, used(5)), (two.id, used(6))].into());
        keep(&stage.store, async |books| {
            assert_eq!(books.lock_quota_use(one.id).await?, Some(used(5)));
            let later = QuotaUse { period: at(9), used: 1 };
            books.update_quota_use(one.id, later).await?;
            assert_eq!(books.lock_quota_use(one.id).await?, Some(later));
            assert_eq!(books.lock_quota_use(keys[2]).await?, None);
            Ok(())
        })
        .await;
        stage.change(async |tx| tx.put_quota_uses(&[(one.id, used(0))]).await).await;
        assert_eq!(find(&stage.store, one.id).await, Some(used(0)), "it begins anew");
    }

    async fn nobody_reads_what_another_is_about_to_write(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = limited(1);
        insert(&stage, &[(&key, 0)]).await;

        let mut takers = JoinSet::new();
        for _ in 0..20 {
            let (store, id) = (stage.store.clone(), key.id);
            takers.spawn(async move {
                keep(&store, async |books| {
                    let usage = books.lock_quota_use(id).await?.unwrap();
                    books.update_quota_use(id, QuotaUse { used: usage.used + 1, ..usage }).await
                })
                .await;
            });
        }
        takers.join_all().await;

        assert_eq!(find(&stage.store, key.id).await, Some(used(20)));
    }

    async fn what_is_used_goes_with_its_key(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = limited(1);
        insert(&stage, &[(&key, 3)]).await;
        let tombstone = TombstoneDraft {
            deleted_at: at(1),
            deleted_by: Some(principal()),
            reason: None,
            seq: Seq(2),
        };
        stage.change(async |tx| tx.remove_api_key(&key, &tombstone).await).await;
        assert_eq!(find(&stage.store, key.id).await, None);
    }

    async fn limits_stand_in_the_credential(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = ApiKey { provider: api_key(1, "x").provider, ..full_api_key(1, "full") };
        stage.change(async |tx| tx.insert_api_key(&key, &digest(1)).await).await;
        let found = stage.store.read().await.unwrap().find_credential(&digest(1)).await.unwrap();
        let Some(Found::Credential(credential)) = found else { panic!("{found:?}") };
        let limits = &credential.limits;
        assert_eq!((limits.holder, limits.quota), (key.id.as_uuid(), key.quota));
        assert_eq!(limits.rates, key.rate_limits);
    }
}

fn limited(number: u128) -> ApiKey {
    ApiKey { quota: Some(quota(Refill::None)), ..api_key(number, "limited") }
}

fn used(used: i64) -> QuotaUse {
    QuotaUse { period: at(7), used }
}

async fn insert(stage: &Stage, keys: &[(&ApiKey, i64)]) {
    stage
        .change(async |tx| {
            for (key, of) in keys {
                tx.insert_api_key(key, &digest_of(key)).await?;
                tx.put_quota_uses(&[(key.id, used(*of))]).await?;
            }
            Ok(())
        })
        .await;
}

async fn find(store: &Store, key: ApiKeyId) -> Option<QuotaUse> {
    store.read().await.unwrap().find_quota_uses(&[key]).await.unwrap().remove(&key)
}
