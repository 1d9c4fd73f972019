//! Peppers: under which of them secrets stand, and how they come under another.

use acceptance::{Database, on_each_database};
use keystile_domain::{CredentialKind, Found, Timestamp};
use keystile_storage::{Conflict, StoreError, StoredPepper, Straggler};

use crate::samples::{api_key, at, digest, principal, token, token_provider, user};
use crate::stage::Stage;

fn pepper(number: i32) -> StoredPepper {
    StoredPepper { number, sealed: vec![7; 40], created_at: at(i64::from(number)) }
}

/// A key, a token and a second key, which stand under the first pepper of two.
async fn rotated(database: Database) -> Stage {
    let stage = Stage::furnished(database).await;
    let owner = user("robot", 1);
    stage
        .change(async |tx| {
            tx.insert_api_key(&api_key(1, "one"), &digest(1)).await?;
            tx.insert_api_key(&api_key(2, "two"), &digest(2)).await?;
            tx.insert_provider(&token_provider("tokens", 2)).await?;
            tx.insert_user(&owner, None).await?;
            tx.insert_token(&token(3, &owner, "three"), &digest(3)).await
        })
        .await;
    stage.change(async |tx| tx.insert_pepper(&pepper(1)).await).await;
    stage.change(async |tx| tx.insert_pepper(&pepper(2)).await).await;
    stage
}

async fn stragglers(stage: &Stage, now: Timestamp) -> Vec<String> {
    let mut conn = stage.store.read().await.unwrap();
    let left = conn.list_stragglers(2, now).await.unwrap();
    left.into_iter().map(|Straggler { name, .. }| name).collect()
}

async fn finds(stage: &Stage, secret: u8) -> bool {
    let mut conn = stage.store.read().await.unwrap();
    let found = conn.find_credential(&digest(secret)).await.unwrap();
    matches!(found, Some(Found::Credential(_)))
}

async fn move_secret(stage: &Stage, from: u8, to: u8) -> Result<bool, StoreError> {
    let mut books = stage.store.books().await.unwrap();
    let moved = books.move_secret(&digest(from), &digest(to), 2).await?;
    books.commit().await.unwrap();
    Ok(moved)
}

on_each_database! {
    async fn a_change_learns_which_pepper_new_secrets_stand_under(database: Database) {
        let stage = Stage::new(database).await;
        let tx = stage.store.begin().await.unwrap();
        assert_eq!(tx.pepper(), 1);
        tx.rollback().await.unwrap();
        stage.change(async |tx| tx.insert_pepper(&pepper(1)).await).await;
        stage
            .change(async |tx| {
                tx.insert_pepper(&pepper(2)).await?;
                assert_eq!(tx.pepper(), 2);
                Ok(())
            })
            .await;
        let tx = stage.store.begin().await.unwrap();
        assert_eq!(tx.pepper(), 2);
        tx.rollback().await.unwrap();
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.list_peppers().await.unwrap(), [pepper(1), pepper(2)]);
    }

    async fn a_secret_that_moved_is_found_at_its_new_place_alone(database: Database) {
        let stage = rotated(database).await;
        assert!(move_secret(&stage, 1, 11).await.unwrap());
        assert!(!move_secret(&stage, 1, 12).await.unwrap());
        assert!(finds(&stage, 11).await);
        assert!(!finds(&stage, 1).await);
        let mut conn = stage.store.read().await.unwrap();
        let id = api_key(1, "one").id.as_uuid();
        // What was made with it names it by either place.
        for place in [1, 11] {
            let tag = digest(place).tag();
            let found = conn.find_credential_by_tag(CredentialKind::ApiKey, id, tag).await;
            assert_eq!(found.unwrap().map(|found| found.id), Some(id), "{place}");
        }
        let tag = digest(2).tag();
        let found = conn.find_credential_by_tag(CredentialKind::ApiKey, id, tag).await;
        assert!(found.unwrap().is_none());
    }

    async fn two_secrets_never_come_to_the_same_place(database: Database) {
        let stage = rotated(database).await;
        let refused = move_secret(&stage, 1, 2).await.unwrap_err();
        assert!(matches!(refused, StoreError::Conflict(Conflict::SecretDigest)), "{refused:?}");
        assert!(finds(&stage, 1).await);
    }

    async fn a_secret_is_located_among_many_places(database: Database) {
        let stage = rotated(database).await;
        let draft = keystile_storage::TombstoneDraft {
            deleted_at: at(5),
            deleted_by: Some(principal()),
            reason: None,
            seq: keystile_domain::Seq(5),
        };
        stage.change(async |tx| tx.remove_api_key(&api_key(2, "two"), &draft).await).await;
        let mut conn = stage.store.read().await.unwrap();
        for (places, expected) in
            [(&[9, 1][..], Some(1)), (&[3, 9], Some(3)), (&[2, 9], Some(2)), (&[8, 9], None)]
        {
            let places: Vec<_> = places.iter().map(|place| digest(*place)).collect();
            assert_eq!(conn.locate_secret(&places).await.unwrap(), expected.map(digest));
        }
    }

    async fn who_stands_under_an_old_pepper_is_listed_and_stops_with_it(database: Database) {
        let stage = rotated(database).await;
        assert_eq!(stragglers(&stage, at(0)).await, ["one", "two", "three"]);
        move_secret(&stage, 1, 11).await.unwrap();
        stage.change(async |tx| tx.insert_api_key(&api_key(4, "new"), &digest(4)).await).await;
        assert_eq!(stragglers(&stage, at(0)).await, ["two", "three"]);
        // What is over needs no pepper.
        let rotate = async |tx: &mut keystile_storage::Tx| {
            tx.replace_secret(&api_key(2, "two"), &digest(22), at(10), at(5)).await
        };
        stage.change(rotate).await;
        assert_eq!(stragglers(&stage, at(9)).await, ["two", "three"]);
        assert_eq!(stragglers(&stage, at(10)).await, ["three"]);

        stage.change(async |tx| tx.remove_old_peppers(at(20)).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.list_peppers().await.unwrap(), [pepper(2)]);
        // A node that still knows the old pepper finds it, and finds it ended.
        let found = conn.find_credential(&digest(3)).await.unwrap();
        let Some(Found::Credential(found)) = found else { panic!("{found:?}") };
        assert!(found.secret_expiry.is_over(at(20)));
        let found = conn.find_credential(&digest(11)).await.unwrap();
        let Some(Found::Credential(found)) = found else { panic!("{found:?}") };
        assert!(!found.secret_expiry.is_over(at(20)));
    }
}
