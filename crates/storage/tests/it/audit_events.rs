//! The audit log.

use acceptance::{Database, on_each_database};
use keystile_domain::{
    Action, Actor, ChainHash, Direction, EventDraft, EventFilter, EventSort, PageLimit,
    PageRequest, SealedEvent, Seq, Start, TargetKind,
};
use keystile_storage::{FeedEvent, FeedPlace};

use crate::samples::{at, draft, full_draft, uuid};
use crate::stage::{Stage, chain, sealed};

fn page(limit: i64, direction: Direction, start: Start) -> PageRequest<EventSort> {
    let limit = PageLimit::new(limit).unwrap();
    PageRequest { sort: EventSort::Seq, direction, limit, start }
}

async fn tell(stage: &Stage, drafts: Vec<EventDraft>) {
    let tx = stage.store.begin().await.unwrap();
    let events = sealed(tx.seq(), tx.previous(), drafts);
    tx.commit(events).await.unwrap();
}

on_each_database! {
    async fn an_event_comes_back_as_it_was_sealed(database: Database) {
        let stage = Stage::new(database).await;
        let told = sealed(Seq(1), ChainHash::START, [draft(), full_draft()]);
        let tx = stage.store.begin().await.unwrap();
        tx.commit(told.clone()).await.unwrap();
        let mut conn = stage.store.read().await.unwrap();
        let read = conn.list_events_after(Seq(0), 10).await.unwrap();
        assert_eq!(read, told);
        chain().check(&read[0], ChainHash::START).unwrap();
        chain().check(&read[1], read[0].hash).unwrap();
    }

    async fn events_are_followed_from_any_place(database: Database) {
        let stage = Stage::new(database).await;
        tell(&stage, vec![draft(); 5]).await;
        let mut conn = stage.store.read().await.unwrap();
        let read = conn.list_events_after(Seq(2), 2).await.unwrap();
        assert_eq!(read.iter().map(|event| event.event.seq.0).collect::<Vec<_>>(), [3, 4]);
        assert!(conn.list_events_after(Seq(5), 2).await.unwrap().is_empty());

        let feed = conn.list_feed_after(Seq(2), 2).await.unwrap();
        let told = read.iter().map(|SealedEvent { event, hash, .. }| FeedEvent {
            place: FeedPlace { seq: event.seq, hash: *hash },
            action: event.draft.action.to_string(),
            target_kind: event.draft.target.kind.to_string(),
            target_id: event.draft.target.id.clone(),
        });
        assert_eq!(feed, told.collect::<Vec<_>>());
    }

    async fn each_filter_shows_its_events_alone(database: Database) {
        let stage = Stage::new(database).await;
        tell(&stage, vec![draft(), full_draft(), draft()]).await;
        let Actor::Principal { principal, credential } = full_draft().actor else { panic!() };
        let filters = [
            EventFilter { action: Some(Action::ApiKeyUpdated), ..EventFilter::default() },
            EventFilter { actor: Some(principal.id), ..EventFilter::default() },
            EventFilter { credential: Some(credential), ..EventFilter::default() },
            EventFilter { target_kind: Some(TargetKind::ApiKey), ..EventFilter::default() },
            EventFilter { target_id: Some(full_draft().target.id), ..EventFilter::default() },
            EventFilter { request_id: full_draft().request_id, ..EventFilter::default() },
            EventFilter { since: Some(at(2)), until: Some(at(3)), ..EventFilter::default() },
        ];
        let mut conn = stage.store.read().await.unwrap();
        let first = page(10, Direction::Ascending, Start::Page(Default::default()));
        for filter in filters {
            let listed = conn.list_events(&filter, &first).await.unwrap();
            let places: Vec<i64> = listed.items.iter().map(|event| event.event.seq.0).collect();
            assert_eq!((places, listed.total), (vec![2], Some(1)), "{filter:?}");
        }
        let nobody = EventFilter { actor: Some(uuid(1)), ..EventFilter::default() };
        assert_eq!(conn.list_events(&nobody, &first).await.unwrap().total, Some(0));
        let nul = EventFilter { target_id: Some("\0".to_owned()), ..EventFilter::default() };
        assert_eq!(conn.list_events(&nul, &first).await.unwrap().total, Some(0));
    }

    async fn a_cursor_walks_the_log_in_both_directions(database: Database) {
        let stage = Stage::new(database).await;
        tell(&stage, vec![draft(); 7]).await;
        for (direction, expected) in [
            (Direction::Ascending, (1..=7).collect::<Vec<_>>()),
            (Direction::Descending, (1..=7).rev().collect()),
        ] {
            let mut walked = Vec::new();
            let mut start = Start::Page(Default::default());
            loop {
                let mut conn = stage.store.read().await.unwrap();
                let asked = page(3, direction, start);
                let part = conn.list_events(&EventFilter::default(), &asked).await.unwrap();
                walked.extend(part.items.iter().map(|event| event.event.seq.0));
                let Some(next) = part.next else { break };
                start = Start::After(next);
            }
            assert_eq!(walked, expected);
        }
    }
}
