//! Refresh tokens: each works once, whoever comes first.

use acceptance::{Database, on_each_database};
use keystile_domain::SessionId;
use keystile_storage::{Books, Conflict, RefreshToken, Spent, Store, StoreError, Tx};
use tokio::task::JoinSet;

use crate::books::keep;
use crate::samples::{at, digest, uuid};
use crate::sessions::{session, store, with_users};
use crate::stage::{Stage, commit};

/// A stage with session 1 and its refresh token 1.
async fn signed_in(database: Database) -> Stage {
    let stage = with_users(database).await;
    store(&stage, &[session(1, 1)]).await;
    let id = SessionId::from(uuid(1));
    stage.change(async |tx| tx.insert_refresh_token(id, &digest(1), at(9)).await).await;
    stage
}

async fn refresh(store: &Store, used: u8, next: u8) -> Result<Option<Spent>, StoreError> {
    let mut books = store.books().await?;
    let spent = books.spend_refresh_token(&digest(used)).await?;
    if let Some(spent) = spent {
        books.insert_refresh_token(spent.session, &digest(next), at(20)).await?;
    }
    books.commit().await?;
    Ok(spent)
}

async fn sign_out(store: &Store, id: SessionId) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.remove_session(id).await?;
    commit(tx).await.map(drop)
}

on_each_database! {
    async fn a_refresh_token_works_once_and_is_known_afterwards(database: Database) {
        let stage = signed_in(database).await;
        let (session, ends_at) = (SessionId::from(uuid(1)), at(9));
        let mut conn = stage.store.read().await.unwrap();
        let found = conn.find_refresh_token(&digest(1)).await.unwrap();
        assert_eq!(found, Some(RefreshToken { session, current: true, ends_at }));

        for was_current in [true, false, false] {
            let spend = async |books: &mut Books| {
                books.spend_refresh_token(&digest(1)).await
            };
            let spent = keep(&stage.store, spend).await;
            assert_eq!(spent, Some(Spent { session, was_current, ends_at }));
            let found = conn.find_refresh_token(&digest(1)).await.unwrap();
            assert_eq!(found, Some(RefreshToken { session, current: false, ends_at }));
        }
    }

    async fn a_text_that_was_never_a_refresh_token_is_none(database: Database) {
        let stage = signed_in(database).await;
        let mut books = stage.store.books().await.unwrap();
        assert_eq!(books.spend_refresh_token(&digest(2)).await.unwrap(), None);
        assert_eq!(books.find_refresh_token(&digest(2)).await.unwrap(), None);
    }

    async fn a_use_that_is_rolled_back_was_none(database: Database) {
        let stage = signed_in(database).await;
        for _ in 0..2 {
            let mut books = stage.store.books().await.unwrap();
            let spent = books.spend_refresh_token(&digest(1)).await.unwrap();
            assert!(spent.unwrap().was_current);
            books.rollback().await.unwrap();
        }
    }

    async fn a_refresh_token_needs_a_session(database: Database) {
        let stage = signed_in(database).await;
        let nobody = SessionId::from(uuid(9));
        let insert = async |tx: &mut Tx| {
            tx.insert_refresh_token(nobody, &digest(2), at(9)).await
        };
        let refused = stage.refused(insert).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
        let mut books = stage.store.books().await.unwrap();
        let refused = books.insert_refresh_token(nobody, &digest(2), at(9)).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Conflict::Reference))));
    }

    async fn of_many_uses_at_once_one_is_the_first(database: Database) {
        let stage = signed_in(database).await;
        let mut uses = JoinSet::new();
        for number in 2..42 {
            let store = stage.store.clone();
            uses.spawn(async move { refresh(&store, 1, number).await.unwrap().unwrap() });
        }
        let spent = uses.join_all().await;
        assert_eq!(spent.iter().filter(|spent| spent.was_current).count(), 1);
    }

    async fn signing_out_and_refreshing_at_once_never_hold_each_other_up(database: Database) {
        let stage = with_users(database).await;
        for number in 1..=40 {
            let session = session(number.into(), 1);
            let (used, next) = (number, number + 100);
            store(&stage, std::slice::from_ref(&session)).await;
            let id = session.id;
            let insert = async |tx: &mut Tx| {
                tx.insert_refresh_token(id, &digest(used), at(9)).await
            };
            stage.change(insert).await;
            let (refreshing, ending) = (stage.store.clone(), stage.store.clone());
            let refreshing = tokio::spawn(async move { refresh(&refreshing, used, next).await });
            let ending = tokio::spawn(async move { sign_out(&ending, id).await });
            refreshing.await.unwrap().unwrap();
            ending.await.unwrap().unwrap();
            let mut conn = stage.store.read().await.unwrap();
            assert_eq!(conn.find_session(id).await.unwrap(), None);
            for token in [used, next] {
                assert_eq!(conn.find_refresh_token(&digest(token)).await.unwrap(), None);
            }
        }
    }
}
