//! Tickets: kept until somebody takes them, or their time is over.

use acceptance::{Database, on_each_database};
use keystile_storage::StoredTicket;
use tokio::task::JoinSet;

use crate::books::keep;
use crate::samples::{at, digest};
use crate::stage::Stage;

fn ticket(ends_at: i64) -> StoredTicket {
    StoredTicket { sealed: vec![1, 2, 3], ends_at: at(ends_at) }
}

on_each_database! {
    async fn a_ticket_is_found_until_it_is_taken(database: Database) {
        let stage = Stage::new(database).await;
        let new = ticket(5);
        keep(&stage.store, async |books| books.insert_ticket(&digest(1), &new).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_ticket(&digest(1)).await.unwrap(), Some(ticket(5)));
        assert_eq!(conn.find_ticket(&digest(2)).await.unwrap(), None);
        let take = async |number| {
            keep(&stage.store, async |books| books.take_ticket(&digest(number)).await).await
        };
        assert!(!take(2).await);
        assert!(take(1).await);
        assert_eq!(conn.find_ticket(&digest(1)).await.unwrap(), None);
        assert!(!take(1).await);
    }

    async fn of_many_who_take_a_ticket_at_once_one_succeeds(database: Database) {
        let stage = Stage::new(database).await;
        let new = ticket(5);
        keep(&stage.store, async |books| books.insert_ticket(&digest(1), &new).await).await;
        let mut taking = JoinSet::new();
        for _ in 0..40 {
            let store = stage.store.clone();
            taking.spawn(async move {
                keep(&store, async |books| books.take_ticket(&digest(1)).await).await
            });
        }
        let taken = taking.join_all().await.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, 1);
    }

    async fn a_ticket_whose_taking_is_not_committed_is_still_there(database: Database) {
        let stage = Stage::new(database).await;
        let new = ticket(5);
        keep(&stage.store, async |books| books.insert_ticket(&digest(1), &new).await).await;
        let mut books = stage.store.books().await.unwrap();
        assert!(books.take_ticket(&digest(1)).await.unwrap());
        books.rollback().await.unwrap();
        assert!(keep(&stage.store, async |books| books.take_ticket(&digest(1)).await).await);
    }

    async fn tickets_that_have_ended_are_forgotten(database: Database) {
        let stage = Stage::new(database).await;
        keep(&stage.store, async |books| {
            for (number, end) in [(1, 4), (2, 5), (3, 6)] {
                books.insert_ticket(&digest(number), &ticket(end)).await?;
            }
            books.remove_ended_tickets(at(5)).await
        })
        .await;
        let mut conn = stage.store.read().await.unwrap();
        for (number, is_kept) in [(1, false), (2, false), (3, true)] {
            let found = conn.find_ticket(&digest(number)).await.unwrap();
            assert_eq!(found.is_some(), is_kept, "{number}");
        }
    }
}
