//! Tokens that are spent: once, for everybody, until they end.

use acceptance::{Database, on_each_database};
use tokio::task::JoinSet;

use crate::books::keep;
use crate::samples::at;
use crate::stage::{Stage, commit};

on_each_database! {
    async fn a_token_is_spent_once_and_only_for_its_issuer(database: Database) {
        let stage = Stage::new(database).await;
        let spend = async |issuer: &str, jti: &str| {
            stage.change(async |tx| tx.spend_token(issuer, jti, at(9)).await).await
        };
        let (issuer, other) = ("https://idp.example", "https://idp.example/");
        assert!(spend(issuer, "a").await);
        assert!(!spend(issuer, "a").await);
        assert!(spend(other, "a").await);
        assert!(spend(issuer, "A").await);
        assert!(spend(issuer, "").await);
        let mut conn = stage.store.read().await.unwrap();
        for (jti, is_spent) in [("a", true), ("A", true), ("", true), ("b", false), ("a ", false)] {
            assert_eq!(conn.is_spent(issuer, jti).await.unwrap(), is_spent, "{jti:?}");
        }
    }

    async fn whatever_an_issuer_calls_a_token_can_be_spent(database: Database) {
        let stage = Stage::new(database).await;
        for jti in ["\0", "'; DROP TABLE users", "\u{feff}🚀", &"é".repeat(800)] {
            let issuer = "x".repeat(400);
            let spend = async || {
                stage.change(async |tx| tx.spend_token(&issuer, jti, at(9)).await).await
            };
            assert!(spend().await, "{jti:?}");
            assert!(!spend().await, "{jti:?}");
            let mut conn = stage.store.read().await.unwrap();
            assert!(conn.is_spent(&issuer, jti).await.unwrap(), "{jti:?}");
        }
    }

    async fn a_token_whose_spending_is_not_committed_is_not_spent(database: Database) {
        let stage = Stage::new(database).await;
        let mut tx = stage.store.begin().await.unwrap();
        assert!(tx.spend_token("issuer", "a", at(9)).await.unwrap());
        tx.rollback().await.unwrap();
        assert!(stage.change(async |tx| tx.spend_token("issuer", "a", at(9)).await).await);
    }

    async fn of_many_who_spend_a_token_at_once_one_succeeds(database: Database) {
        let stage = Stage::new(database).await;
        let mut spending = JoinSet::new();
        for _ in 0..40 {
            let store = stage.store.clone();
            spending.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                let is_first = tx.spend_token("issuer", "a", at(9)).await.unwrap();
                commit(tx).await.unwrap();
                is_first
            });
        }
        let first = spending.join_all().await.into_iter().filter(|is_first| *is_first).count();
        assert_eq!(first, 1);
    }

    async fn only_tokens_that_have_ended_are_forgotten(database: Database) {
        let stage = Stage::new(database).await;
        stage
            .change(async |tx| {
                tx.spend_token("issuer", "over", at(5)).await?;
                tx.spend_token("issuer", "live", at(6)).await
            })
            .await;
        keep(&stage.store, async |books| books.remove_ended_spent_tokens(at(5)).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert!(!conn.is_spent("issuer", "over").await.unwrap());
        assert!(conn.is_spent("issuer", "live").await.unwrap());
    }
}
