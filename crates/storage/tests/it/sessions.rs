//! Sessions, and what becomes of their refresh tokens with them.

use acceptance::{Database, on_each_database};
use keystile_domain::{ProviderId, RoleId, Session, SessionHolder, SessionId, UserId};
use keystile_storage::{Conflict, StoreError};

use crate::books::keep;
use crate::raw::on_raw;
use crate::samples::{at, digest, user, uuid};
use crate::stage::Stage;

/// A stage with the users 1 and 2, whose sessions are to be tested.
pub async fn with_users(database: Database) -> Stage {
    let stage = Stage::furnished(database).await;
    stage
        .change(async |tx| {
            tx.insert_user(&user("one", 1), None).await?;
            tx.insert_user(&user("two", 2), None).await
        })
        .await;
    stage
}

/// A session of a user; those with higher numbers began earlier.
pub fn session(number: u128, owner: u128) -> Session {
    Session {
        id: SessionId::from(uuid(number)),
        holder: SessionHolder::User(UserId::from(uuid(owner))),
        provider: ProviderId::from(uuid(1)),
        created_at: at(-i64::try_from(number).unwrap()),
        ends_at: at(100),
        address: Some("2001:db8::1".parse().unwrap()),
    }
}

pub async fn store(stage: &Stage, sessions: &[Session]) {
    stage
        .change(async |tx| {
            for session in sessions {
                tx.insert_session(session).await?;
            }
            Ok(())
        })
        .await;
}

async fn ids(stage: &Stage, owner: u128) -> Vec<SessionId> {
    let mut conn = stage.store.read().await.unwrap();
    let listed = conn.list_sessions(UserId::from(uuid(owner))).await.unwrap();
    listed.iter().map(|session| session.id).collect()
}

fn named(numbers: &[u128]) -> Vec<SessionId> {
    numbers.iter().map(|number| SessionId::from(uuid(*number))).collect()
}

on_each_database! {
    async fn a_session_comes_back_as_it_was_stored(database: Database) {
        let stage = with_users(database).await;
        let of_user = session(1, 1);
        let name = "repo:größer".parse().unwrap();
        let of_machine = Session {
            holder: SessionHolder::Workload { name, roles: [RoleId(4), RoleId(2)].into() },
            address: None,
            ..session(2, 1)
        };
        store(&stage, &[of_user.clone(), of_machine.clone()]).await;
        let mut conn = stage.store.read().await.unwrap();
        for stored in [of_user, of_machine] {
            assert_eq!(conn.find_session(stored.id).await.unwrap(), Some(stored));
        }
        assert_eq!(conn.find_session(SessionId::from(uuid(3))).await.unwrap(), None);
    }

    async fn a_session_needs_a_user_and_a_provider_that_exist(database: Database) {
        let stage = with_users(database).await;
        let provider = ProviderId::from(uuid(99));
        for session in [session(1, 99), Session { provider, ..session(1, 1) }] {
            let refused = stage.refused(async |tx| tx.insert_session(&session).await).await;
            assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
        }
    }

    async fn a_user_has_their_own_sessions_in_the_order_they_began(database: Database) {
        let stage = with_users(database).await;
        store(&stage, &[session(1, 1), session(2, 2), session(3, 1), session(4, 1)]).await;
        assert_eq!(ids(&stage, 1).await, named(&[4, 3, 1]));
        assert_eq!(ids(&stage, 2).await, named(&[2]));
        assert_eq!(ids(&stage, 3).await, []);
    }

    async fn a_session_ends_with_its_refresh_tokens_and_alone(database: Database) {
        let stage = with_users(database).await;
        let [one, two] = [session(1, 1), session(2, 1)];
        store(&stage, &[one.clone(), two.clone()]).await;
        stage
            .change(async |tx| {
                tx.insert_refresh_token(one.id, &digest(1), at(9)).await?;
                tx.insert_refresh_token(two.id, &digest(2), at(9)).await?;
                tx.remove_session(one.id).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_session(one.id).await.unwrap(), None);
        assert_eq!(conn.find_refresh_token(&digest(1)).await.unwrap(), None);
        assert!(conn.find_refresh_token(&digest(2)).await.unwrap().is_some());
        drop(conn);
        let refused = stage.refused(async |tx| tx.remove_session(one.id).await).await;
        assert!(matches!(refused, StoreError::NotFound));
        assert_eq!(ids(&stage, 1).await, [two.id]);
    }

    async fn a_user_can_end_every_session_but_the_present_one(database: Database) {
        let stage = with_users(database).await;
        store(&stage, &[session(1, 1), session(2, 2), session(3, 1), session(4, 1)]).await;
        let (owner, present) = (UserId::from(uuid(1)), SessionId::from(uuid(3)));
        let ended =
            stage.change(async |tx| tx.remove_sessions_of(owner, Some(present)).await).await;
        assert_eq!(ended, named(&[1, 4]));
        assert_eq!(ids(&stage, 1).await, [present]);
        let ended = stage.change(async |tx| tx.remove_sessions_of(owner, None).await).await;
        assert_eq!(ended, [present]);
        let ended = stage.change(async |tx| tx.remove_sessions_of(owner, None).await).await;
        assert_eq!(ended, []);
        assert_eq!(ids(&stage, 2).await, named(&[2]));
    }

    async fn sessions_that_have_ended_are_cleared_away_with_their_tokens(database: Database) {
        let stage = with_users(database).await;
        let over = Session { ends_at: at(5), ..session(1, 1) };
        let live = Session { ends_at: at(6), ..session(2, 1) };
        store(&stage, &[over.clone(), live.clone()]).await;
        stage.change(async |tx| tx.insert_refresh_token(over.id, &digest(1), at(9)).await).await;
        keep(&stage.store, async |books| books.remove_ended_sessions(at(5)).await).await;
        assert_eq!(ids(&stage, 1).await, [live.id]);
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_refresh_token(&digest(1)).await.unwrap(), None);
    }

    async fn a_session_of_nobody_or_of_two_is_never_an_answer(database: Database) {
        let stage = with_users(database).await;
        let stored = session(1, 1);
        store(&stage, std::slice::from_ref(&stored)).await;
        for (place, spoil) in [
            ("sessions.address", "UPDATE sessions SET address = 'somewhere'"),
            ("sessions.user_id", "UPDATE sessions SET workload = 'one'"),
            ("sessions.user_id", "UPDATE sessions SET user_id = NULL"),
            ("sessions.role_ids", "UPDATE sessions SET role_ids = '{}'"),
        ] {
            on_raw(&stage, move |raw| raw.execute(spoil)).await;
            let mut conn = stage.store.read().await.unwrap();
            let refused = conn.find_session(stored.id).await;
            let Err(StoreError::Corrupt(told)) = refused else { panic!("{place}: {refused:?}") };
            assert_eq!(told, place);
        }
    }
}
