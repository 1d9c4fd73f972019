//! Facts about the installation, formats of secrets, and answers that are kept for a while.

use acceptance::{Database, on_each_database};
use keystile_storage::Replay;

use crate::samples::{at, format, uuid};
use crate::stage::Stage;

on_each_database! {
    async fn a_fact_is_found_by_its_name_and_replaced(database: Database) {
        let stage = Stage::new(database).await;
        stage.change(async |tx| tx.set_meta("check", "one").await).await;
        stage.change(async |tx| tx.set_meta("check", "two").await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_meta("check").await.unwrap().as_deref(), Some("two"));
        assert_eq!(conn.find_meta("other").await.unwrap(), None);
    }

    async fn a_format_is_remembered_once(database: Database) {
        let stage = Stage::new(database).await;
        stage
            .change(async |tx| {
                tx.remember_format(&format("ks_")).await?;
                tx.remember_format(&format("")).await?;
                tx.remember_format(&format("ks_")).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.list_formats().await.unwrap(), [format(""), format("ks_")]);
    }

    async fn an_answer_is_kept_per_caller_and_key_until_its_time_is_over(database: Database) {
        let stage = Stage::new(database).await;
        let replay = |number| Replay { request_hash: [number; 32], sealed: vec![number; 100] };
        stage
            .change(async |tx| {
                tx.insert_replay(uuid(1), &[1; 32], &replay(1), at(10)).await?;
                tx.insert_replay(uuid(2), &[1; 32], &replay(2), at(20)).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        let (one, two) = (uuid(1), uuid(2));
        assert_eq!(conn.find_replay(one, &[1; 32], at(9)).await.unwrap(), Some(replay(1)));
        assert_eq!(conn.find_replay(two, &[1; 32], at(9)).await.unwrap(), Some(replay(2)));
        assert_eq!(conn.find_replay(one, &[2; 32], at(9)).await.unwrap(), None);
        assert_eq!(conn.find_replay(one, &[1; 32], at(10)).await.unwrap(), None);
        drop(conn);

        stage.change(async |tx| tx.insert_replay(one, &[1; 32], &replay(3), at(30)).await).await;
        stage.change(async |tx| tx.remove_expired_replays(at(20)).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_replay(one, &[1; 32], at(0)).await.unwrap(), Some(replay(3)));
        assert_eq!(conn.find_replay(two, &[1; 32], at(0)).await.unwrap(), None);
    }
}
