//! Who users are to OpenID providers.

use acceptance::{Database, on_each_database};
use keystile_domain::UserId;
use keystile_storage::{Conflict, StoreError};

use crate::samples::{at, user, uuid};
use crate::stage::Stage;

on_each_database! {
    async fn a_user_is_who_their_issuer_says_and_to_the_letter(database: Database) {
        let stage = Stage::furnished(database).await;
        let (ann, bob) = (user("ann", 1), user("bob", 2));
        stage
            .change(async |tx| {
                tx.insert_user(&ann, None).await?;
                tx.insert_user(&bob, None).await?;
                tx.insert_identity("https://one.example", "4711", ann.id, at(0)).await?;
                tx.insert_identity("https://two.example", "4711", bob.id, at(0)).await?;
                tx.insert_identity("https://two.example", "Ärger|1", ann.id, at(0)).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        for (issuer, subject, expected) in [
            ("https://one.example", "4711", Some(&ann)),
            ("https://two.example", "4711", Some(&bob)),
            ("https://two.example", "Ärger|1", Some(&ann)),
            ("https://one.example", "Ärger|1", None),
            ("https://two.example", "ärger|1", None),
            ("https://two.example/", "4711", None),
            ("https://two.example", "ann", None),
            ("https://two.example", "4711\0", None),
            ("https://two.example\0", "4711", None),
        ] {
            let found = conn.find_user_by_identity(issuer, subject).await.unwrap();
            assert_eq!(found.as_ref(), expected, "{issuer} {subject}");
        }
    }

    async fn an_issuer_calls_one_user_so(database: Database) {
        let stage = Stage::furnished(database).await;
        let (ann, bob) = (user("ann", 1), user("bob", 2));
        stage
            .change(async |tx| {
                tx.insert_user(&ann, None).await?;
                tx.insert_user(&bob, None).await?;
                tx.insert_identity("https://idp.example", "1", ann.id, at(0)).await
            })
            .await;
        let refused = stage
            .refused(async |tx| tx.insert_identity("https://idp.example", "1", bob.id, at(1)).await)
            .await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Identity)), "{refused:?}");
    }

    async fn nobody_is_nobody_to_an_issuer(database: Database) {
        let stage = Stage::furnished(database).await;
        let ghost = UserId::from(uuid(9));
        let refused = stage
            .refused(async |tx| tx.insert_identity("https://idp.example", "1", ghost, at(0)).await)
            .await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
    }

    async fn the_memory_of_an_identity_outlives_its_user(database: Database) {
        let stage = Stage::furnished(database).await;
        let ann = user("ann", 1);
        let issuer = "https://idp.example";
        stage
            .change(async |tx| {
                tx.insert_user(&ann, None).await?;
                tx.insert_identity(issuer, "1", ann.id, at(0)).await
            })
            .await;
        stage.change(async |tx| tx.remove_user(ann.id).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_user_by_identity(issuer, "1").await.unwrap(), None);
        assert!(conn.knows_identity(issuer, "1").await.unwrap());
        for (issuer, subject) in [(issuer, "2"), ("https://idp.example/", "1"), (issuer, "1\0")] {
            assert!(!conn.knows_identity(issuer, subject).await.unwrap(), "{subject}");
        }
        assert!(conn.list_roles_of_issuer(issuer).await.unwrap().is_empty());
    }

    async fn an_identity_that_is_forgotten_may_be_another_users(database: Database) {
        let stage = Stage::furnished(database).await;
        let (ann, bob) = (user("ann", 1), user("bob", 2));
        let issuer = "https://idp.example";
        stage
            .change(async |tx| {
                tx.insert_user(&ann, None).await?;
                tx.insert_user(&bob, None).await?;
                tx.insert_identity(issuer, "1", ann.id, at(0)).await?;
                tx.remove_identities(ann.id).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        assert!(!conn.knows_identity(issuer, "1").await.unwrap());
        stage.change(async |tx| tx.insert_identity(issuer, "1", bob.id, at(1)).await).await;
        assert_eq!(conn.find_user_by_identity(issuer, "1").await.unwrap(), Some(bob));
    }
}
