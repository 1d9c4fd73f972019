//! Usage: it adds up, whichever node reports it and in whatever order.

use acceptance::{Database, on_each_database};
use keystile_storage::{LastUse, Store, StoreError, UsageHour};
use tokio::task::JoinSet;

use crate::books::keep;
use crate::raw::on_raw;
use crate::samples::{api_key, at, digest, token, user, uuid};
use crate::stage::Stage;
use crate::tokens;

fn hour(credential: u128, hour: i64, outcome: &str, checks: i64) -> UsageHour {
    UsageHour { credential: uuid(credential), hour: at(hour), outcome: outcome.to_owned(), checks }
}

fn last(credential: u128, moment: i64) -> LastUse {
    LastUse {
        credential: uuid(credential),
        at: at(moment),
        address: Some(format!("2001:db8::{moment}").parse().unwrap()),
        user_agent: Some(format!("agent/{moment} 🚀")),
    }
}

async fn add(store: &Store, hours: &[UsageHour], last: &[LastUse]) {
    keep(store, async |books| books.add_usage(hours, last).await).await;
}

async fn hours(store: &Store, credential: u128) -> Vec<UsageHour> {
    let mut conn = store.read().await.unwrap();
    conn.list_usage(uuid(credential), at(0), at(10_000)).await.unwrap()
}

async fn last_uses(store: &Store, credentials: &[u128]) -> Vec<LastUse> {
    let ids: Vec<_> = credentials.iter().copied().map(uuid).collect();
    let mut conn = store.read().await.unwrap();
    conn.find_last_uses(&ids).await.unwrap()
}

on_each_database! {
    async fn checks_of_one_hour_and_outcome_add_up(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        // The same place twice in one batch, too.
        let [ok, expired] = [hour(1, 0, "valid", 2), hour(1, 0, "expired", 3)];
        let other = hour(2, 0, "valid", 5);
        add(store, &[ok.clone(), expired, other.clone(), ok.clone()], &[]).await;
        add(store, &[hour(1, 60, "valid", 7), ok], &[]).await;
        assert_eq!(
            hours(store, 1).await,
            [hour(1, 0, "expired", 3), hour(1, 0, "valid", 6), hour(1, 60, "valid", 7)],
        );
        assert_eq!(hours(store, 2).await, [other]);
        assert_eq!(hours(store, 3).await, []);
    }

    async fn usage_is_listed_from_a_moment_on_and_before_another(database: Database) {
        let stage = Stage::new(database).await;
        let all = [0, 60, 120, 180].map(|start| hour(1, start, "valid", 1));
        add(&stage.store, &all, &[]).await;
        let mut conn = stage.store.read().await.unwrap();
        let listed = conn.list_usage(uuid(1), at(60), at(180)).await.unwrap();
        assert_eq!(listed, all[1..3]);
    }

    async fn the_latest_use_stays_however_late_an_earlier_one_is_told(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        add(store, &[], &[last(1, 5), last(2, 1), last(1, 6), last(1, 4)]).await;
        assert_eq!(last_uses(store, &[2, 1, 3]).await, [last(1, 6), last(2, 1)]);
        let bare = LastUse { address: None, user_agent: None, ..last(2, 2) };
        add(store, &[], &[last(1, 3), bare.clone()]).await;
        assert_eq!(last_uses(store, &[1, 2]).await, [last(1, 6), bare]);
        assert_eq!(last_uses(store, &[]).await, []);
    }

    async fn a_client_may_call_itself_anything(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        let user_agent = Some("\0 and more".to_owned());
        add(store, &[], &[LastUse { user_agent, ..last(1, 1) }]).await;
        assert_eq!(last_uses(store, &[1]).await.len(), 1);
    }

    async fn thousands_of_rows_go_in_one_batch(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        let many: Vec<_> = (0..5_000).map(|number| hour(number, 0, "valid", 1)).collect();
        let uses: Vec<_> = (0..5_000).map(|number| last(number, 1)).collect();
        add(store, &many, &uses).await;
        add(store, &many, &uses).await;
        for number in [0, 1_999, 2_000, 4_999] {
            assert_eq!(hours(store, number).await, [hour(number, 0, "valid", 2)]);
        }
        let all: Vec<u128> = (0..5_000).collect();
        assert_eq!(last_uses(store, &all).await, uses);
    }

    async fn nodes_that_report_at_once_never_hold_each_other_up(database: Database) {
        let stage = Stage::new(database).await;
        let mut many: Vec<_> = (0..200).map(|number| hour(number, 0, "valid", 1)).collect();
        let mut uses: Vec<_> = (0..200).map(|number| last(number, 1)).collect();
        let mut reporting = JoinSet::new();
        for _ in 0..12 {
            many.reverse();
            uses.reverse();
            let (store, many, uses) = (stage.store.clone(), many.clone(), uses.clone());
            reporting.spawn(async move { add(&store, &many, &uses).await });
        }
        reporting.join_all().await;
        for number in [0, 99, 199] {
            assert_eq!(hours(&stage.store, number).await, [hour(number, 0, "valid", 12)]);
        }
    }

    async fn only_old_hours_are_forgotten(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        let kept = hour(1, 60, "valid", 1);
        add(store, &[hour(1, 0, "valid", 1), kept.clone()], &[]).await;
        keep(store, async |books| books.remove_usage_before(at(60)).await).await;
        assert_eq!(hours(store, 1).await, [kept]);
    }

    async fn the_last_use_of_a_key_or_token_stays_as_long_as_that_does(database: Database) {
        let stage = &Stage::furnished(database).await;
        let (key, token) = (api_key(1, "key"), token(3, &user("ann", 1), "token"));
        stage
            .change(async |tx| {
                tokens::furnish(tx).await?;
                tx.insert_api_key(&key, &digest(1)).await?;
                tx.insert_token(&token, &digest(3)).await
            })
            .await;
        let uses = [last(1, 0), last(3, 0), last(4, 0), last(5, 60)];
        add(&stage.store, &[], &uses).await;
        keep(&stage.store, async |books| books.remove_usage_before(at(60)).await).await;
        let kept = [last(1, 0), last(3, 0), last(5, 60)];
        assert_eq!(last_uses(&stage.store, &[1, 3, 4, 5]).await, kept);
    }

    async fn an_address_that_is_none_is_never_an_answer(database: Database) {
        let stage = Stage::new(database).await;
        add(&stage.store, &[], &[last(1, 1)]).await;
        on_raw(&stage, |raw| raw.execute("UPDATE last_uses SET address = 'somewhere'")).await;
        let mut conn = stage.store.read().await.unwrap();
        let refused = conn.find_last_uses(&[uuid(1)]).await;
        assert!(matches!(refused, Err(StoreError::Corrupt("last_uses.address"))));
    }
}
