//! A format is alive as long as a secret of it works, or could work again.

use acceptance::{Database, on_each_database};
use keystile_domain::Seq;
use keystile_storage::{NewSecret, TombstoneDraft};

use crate::raw::on_raw;
use crate::samples::{api_key, at, digest, format};
use crate::stage::Stage;

on_each_database! {
    async fn a_format_is_alive_while_a_present_secret_has_it(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = api_key(1, "one");
        stage
            .change(async |tx| {
                tx.remember_format(&format("ks_")).await?;
                tx.remember_format(&format("other_")).await?;
                tx.insert_api_key(&key, NewSecret::new(digest(1), Some(&format("ks_")))).await
            })
            .await;
        assert!(is_alive(&stage, "ks_", 1_000).await);
        assert!(!is_alive(&stage, "other_", 0).await);
        let seq = Seq(2);
        let draft = TombstoneDraft { deleted_at: at(5), deleted_by: None, reason: None, seq };
        stage.change(async |tx| tx.remove_api_key(&key, &draft).await).await;
        assert!(!is_alive(&stage, "ks_", 0).await);
    }

    async fn a_format_is_alive_until_the_last_old_secret_of_it_has_ended(database: Database) {
        let stage = Stage::furnished(database).await;
        let key = api_key(1, "one");
        stage
            .change(async |tx| {
                tx.remember_format(&format("old_")).await?;
                tx.remember_format(&format("new_")).await?;
                tx.insert_api_key(&key, NewSecret::new(digest(1), Some(&format("old_")))).await?;
                let new = NewSecret::new(digest(2), Some(&format("new_")));
                tx.replace_secret(&key, new, at(100), at(0)).await
            })
            .await;
        assert!(is_alive(&stage, "old_", 99).await);
        assert!(!is_alive(&stage, "old_", 100).await);
        assert!(is_alive(&stage, "new_", 100).await);
    }

    async fn a_format_whose_secrets_do_not_say_so_is_always_alive(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(async |tx| tx.remember_format(&format("ks_")).await).await;
        on_raw(&stage, |raw| raw.execute("UPDATE formats SET counted = FALSE")).await;
        // To remember it once more does not make it known which secrets have it.
        stage.change(async |tx| tx.remember_format(&format("ks_")).await).await;
        assert!(is_alive(&stage, "ks_", 0).await);
    }

    async fn a_format_that_was_forgotten_can_be_remembered_again(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(async |tx| tx.remember_format(&format("ks_")).await).await;
        stage.change(async |tx| tx.forget_format(&format("ks_")).await).await;
        assert_eq!(stage.store.read().await.unwrap().list_formats().await.unwrap(), []);
        stage.change(async |tx| tx.remember_format(&format("ks_")).await).await;
        let formats = stage.store.read().await.unwrap().list_formats().await.unwrap();
        assert_eq!(formats, [format("ks_")]);
    }
}

async fn is_alive(stage: &Stage, prefix: &str, now: i64) -> bool {
    let mut conn = stage.store.read().await.unwrap();
    conn.is_format_alive(&format(prefix), at(now)).await.unwrap()
}
