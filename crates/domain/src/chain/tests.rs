//! The chain under every forgery of a single field, over events drawn at random.

use std::net::IpAddr;

use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{
    Action, EventDraft, EventId, Principal, PrincipalKind, Reason, RequestId, Seq, Target,
    TargetKind, Timestamp,
};

/// Takes one field of an event from another one.
type Splice = fn(&mut Event, Event);

/// Every field of an event, and what is wrong with an event that has it from another one.
const SPLICES: [(Splice, ChainError); 17] = [
    (|to, from| to.seq = from.seq, ChainError::Seal),
    (|to, from| to.id = from.id, ChainError::Seal),
    (|to, from| to.at = from.at, ChainError::Seal),
    (|to, from| principal(to, from, |to, from| to.kind = from.kind), ChainError::Seal),
    (|to, from| principal(to, from, |to, from| to.id = from.id), ChainError::Seal),
    (|to, from| principal(to, from, |to, from| to.name = from.name), ChainError::Seal),
    (credential, ChainError::Seal),
    (|to, from| to.draft.actor = from.draft.actor, ChainError::Seal),
    (|to, from| to.draft.action = from.draft.action, ChainError::Seal),
    (|to, from| to.draft.target.kind = from.draft.target.kind, ChainError::Seal),
    (|to, from| to.draft.target.id = from.draft.target.id, ChainError::Seal),
    (|to, from| to.draft.target.name = from.draft.target.name, ChainError::Seal),
    (|to, from| to.draft.before = from.draft.before, ChainError::Content),
    (|to, from| to.draft.after = from.draft.after, ChainError::Content),
    (|to, from| to.draft.reason = from.draft.reason, ChainError::Seal),
    (|to, from| to.draft.address = from.draft.address, ChainError::Content),
    (|to, from| to.draft.request_id = from.draft.request_id, ChainError::Seal),
];

fn principal(to: &mut Event, from: Event, splice: impl Fn(&mut Principal, Principal)) {
    if let Actor::Principal { principal: to, .. } = &mut to.draft.actor
        && let Actor::Principal { principal: from, .. } = from.draft.actor
    {
        splice(to, from);
    }
}

fn credential(to: &mut Event, from: Event) {
    if let Actor::Principal { credential: to, .. } = &mut to.draft.actor
        && let Actor::Principal { credential: from, .. } = from.draft.actor
    {
        *to = from;
    }
}

fn key() -> ChainKey {
    ChainKey::from_bytes(&[7; 32])
}

fn sealed(event: &Event) -> SealedEvent {
    key().seal(event.clone(), ChainHash::START, [[1; 16], [2; 16], [3; 16]])
}

fn check(sealed: &SealedEvent) -> Result<(), ChainError> {
    key().check(sealed, ChainHash::START)
}

/// Checks a whole log, as an auditor reads it.
fn walk<'a>(log: impl IntoIterator<Item = &'a SealedEvent>) -> Result<(), ChainError> {
    let end = log.into_iter().try_fold(ChainHash::START, |previous, event| {
        key().check(event, previous).map(|()| event.hash)
    });
    end.map(drop)
}

#[test]
fn a_part_cannot_go_with_its_digest_nor_stay_without_its_salt() {
    type Change = fn(&mut SealedEvent);
    let changes: [(Change, ChainError); 4] = [
        (|sealed| sealed.digests.before = None, ChainError::Seal),
        (
            |sealed| {
                sealed.event.draft.before = None;
                sealed.digests.before = None;
            },
            ChainError::Seal,
        ),
        (|sealed| sealed.digests.before = sealed.digests.before.map(erased), ChainError::Content),
        (
            |sealed| {
                let salted = |before| Salted { salt: Some([9; 16]), ..before };
                sealed.digests.before = sealed.digests.before.map(salted);
            },
            ChainError::Content,
        ),
    ];
    for (change, error) in changes {
        let mut sealed = sealed(&example());
        change(&mut sealed);
        assert_eq!(check(&sealed), Err(error), "{sealed:?}");
    }
}

#[test]
fn debugging_a_key_shows_nothing() {
    assert_eq!(format!("{:?}", key()), "ChainKey(..)");
}

#[test]
fn a_hash_is_shown_in_hexadecimal() {
    let hash = ChainHash::from_bytes([0x0f; 32]);
    assert_eq!(hash.to_string(), "0f".repeat(32));
    assert_eq!(ChainHash::from_bytes(*hash.as_bytes()), hash);
}

proptest! {
    #[test]
    fn what_was_sealed_is_valid(log in prop::collection::vec(event(), 0..4)) {
        prop_assert_eq!(walk(&sealed_log(log)), Ok(()));
    }

    #[test]
    fn a_field_of_another_event_is_noticed(event in event(), other in event()) {
        let mut replaced = event.clone();
        for (splice, error) in SPLICES {
            let mut forged = sealed(&event);
            splice(&mut forged.event, other.clone());
            let expected = if forged.event == event { Ok(()) } else { Err(error) };
            prop_assert_eq!(check(&forged), expected, "{:?}", forged.event);
            splice(&mut replaced, other.clone());
        }
        prop_assert_eq!(replaced, other, "the splices are all fields");
    }

    #[test]
    fn a_digest_of_another_event_is_noticed(event in event(), other in event()) {
        let (original, other) = (sealed(&event), sealed(&other).digests);
        let EventDigests { before, after, address } = other;
        for digests in [
            EventDigests { before, ..original.digests },
            EventDigests { after, ..original.digests },
            EventDigests { address, ..original.digests },
        ] {
            let forged = SealedEvent { digests, ..original.clone() };
            let expected =
                if digests == original.digests { Ok(()) } else { Err(ChainError::Seal) };
            prop_assert_eq!(check(&forged), expected);
        }
    }

    #[test]
    fn before_and_after_cannot_change_places(event in event()) {
        let original = sealed(&event);
        let mut forged = original.clone();
        std::mem::swap(&mut forged.event.draft.before, &mut forged.event.draft.after);
        std::mem::swap(&mut forged.digests.before, &mut forged.digests.after);
        let expected = if forged == original { Ok(()) } else { Err(ChainError::Seal) };
        prop_assert_eq!(check(&forged), expected);
    }

    #[test]
    fn a_seal_with_one_other_bit_is_wrong(event in event(), byte in 0..32_usize, bit in 0..8_u32) {
        let mut forged = sealed(&event);
        forged.hash.0[byte] ^= 1_u8 << bit;
        prop_assert_eq!(check(&forged), Err(ChainError::Seal));
    }

    #[test]
    fn the_seal_of_another_key_is_wrong(event in event(), key in any::<[u8; 32]>()) {
        prop_assume!(key != [7; 32]);
        let forged = ChainKey::from_bytes(&key).seal(event, ChainHash::START, [[0; 16]; 3]);
        prop_assert_eq!(check(&forged), Err(ChainError::Seal));
    }

    #[test]
    fn erased_parts_leave_the_log_valid(
        log in prop::collection::vec(event(), 1..4),
        erase in any::<[bool; 3]>(),
    ) {
        let mut log = sealed_log(log);
        for SealedEvent { event, digests, .. } in &mut log {
            let [before, after, address] = erase;
            if before {
                event.draft.before = None;
                digests.before = digests.before.map(erased);
            }
            if after {
                event.draft.after = None;
                digests.after = digests.after.map(erased);
            }
            if address {
                event.draft.address = None;
                digests.address = digests.address.map(erased);
            }
        }
        prop_assert_eq!(walk(&log), Ok(()));
    }

    #[test]
    fn a_part_erased_without_its_salt_is_noticed(event in event()) {
        let erasures: [fn(&mut EventDraft); 3] = [
            |draft| draft.before = None,
            |draft| draft.after = None,
            |draft| draft.address = None,
        ];
        for erase in erasures {
            let mut half = sealed(&event);
            erase(&mut half.event.draft);
            let expected = if half.event == event { Ok(()) } else { Err(ChainError::Content) };
            prop_assert_eq!(check(&half), expected);
        }
    }

    #[test]
    fn events_cannot_change_places_or_go_missing(
        log in prop::collection::vec(event(), 3),
        at in 0..2_usize,
    ) {
        let log = sealed_log(log);
        let mut swapped = log.clone();
        swapped.swap(at, at + 1);
        prop_assert_eq!(walk(&swapped), Err(ChainError::Link));
        let mut shorter = log;
        shorter.remove(at);
        prop_assert_eq!(walk(&shorter), Err(ChainError::Link));
    }

    #[test]
    fn an_event_moved_with_its_link_mended_is_noticed(first in event(), second in event()) {
        let log = sealed_log(vec![first, second]);
        let moved = SealedEvent { previous: ChainHash::START, ..log[1].clone() };
        prop_assert_eq!(walk([&moved]), Err(ChainError::Seal));
    }

    #[test]
    fn no_letter_slips_from_one_field_into_the_next(
        event in event(),
        text in "[a-z]{3,12}",
        cuts in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let cut = |cut: prop::sample::Index| text.split_at(1 + cut.index(text.len() - 1));
        let (honest, forged) = (cut(cuts.0), cut(cuts.1));
        prop_assume!(honest != forged);
        type Set = fn(&mut EventDraft, (&str, &str));
        let set: [Set; 2] = [
            |draft, (id, name)| {
                draft.target.id = id.into();
                draft.target.name = name.into();
            },
            |draft, (reason, id)| {
                draft.reason = Some(reason.parse().unwrap());
                draft.request_id = Some(id.parse().unwrap());
            },
        ];
        for set in set {
            let mut event = event.clone();
            set(&mut event.draft, honest);
            let mut sealed = sealed(&event);
            prop_assert_eq!(check(&sealed), Ok(()));
            set(&mut sealed.event.draft, forged);
            prop_assert_eq!(check(&sealed), Err(ChainError::Seal));
        }
    }

    #[test]
    fn what_a_store_keeps_of_a_digest_is_all_of_it(text in ".*", salt in any::<[u8; 16]>()) {
        let salted = Salted::new(&text, salt);
        let (kept, digest) = salted.to_parts();
        prop_assert_eq!(Salted::from_parts(kept, digest), salted);
        prop_assert_ne!(Salted::new(&text, salt.map(|byte| !byte)).digest, salted.digest);
    }
}

fn erased(salted: Salted) -> Salted {
    Salted { salt: None, ..salted }
}

fn sealed_log(log: Vec<Event>) -> Vec<SealedEvent> {
    let mut previous = ChainHash::START;
    let seal = |event| {
        let sealed = key().seal(event, previous, [[1; 16], [2; 16], [3; 16]]);
        previous = sealed.hash;
        sealed
    };
    log.into_iter().map(seal).collect()
}

fn example() -> Event {
    Event {
        seq: Seq(1),
        id: EventId::from(Uuid::from_u128(1)),
        at: Timestamp::from_millis(1),
        draft: EventDraft {
            actor: Actor::System,
            action: Action::ApiKeyUpdated,
            target: Target { kind: TargetKind::ApiKey, id: "1".into(), name: "CI".into() },
            before: Some(json!({"name": "CI"})),
            after: Some(json!({"name": "CD"})),
            reason: None,
            address: None,
            request_id: None,
        },
    }
}

fn event() -> impl Strategy<Value = Event> {
    (any::<i64>(), any::<u128>(), any::<i64>(), draft()).prop_map(|(seq, id, at, draft)| Event {
        seq: Seq(seq),
        id: EventId::from(Uuid::from_u128(id)),
        at: Timestamp::from_millis(at),
        draft,
    })
}

fn draft() -> impl Strategy<Value = EventDraft> {
    let words = (prop::sample::select(Action::ALL), target());
    let reason = "[a-z]{1,8}".prop_map(|text| text.parse::<Reason>().unwrap());
    let request_id = "[a-z]{1,8}".prop_map(|text| text.parse::<RequestId>().unwrap());
    let parts = (option::of(snapshot()), option::of(snapshot()), option::of(any::<IpAddr>()));
    (actor(), words, parts, option::of(reason), option::of(request_id)).prop_map(
        |(actor, (action, target), (before, after, address), reason, request_id)| EventDraft {
            actor,
            action,
            target,
            before,
            after,
            reason,
            address,
            request_id,
        },
    )
}

fn actor() -> impl Strategy<Value = Actor> {
    let kind = prop::sample::select(PrincipalKind::ALL);
    let principal = (kind, any::<u128>(), "[a-z]{1,8}", any::<u128>()).prop_map(
        |(kind, id, name, credential)| {
            let name = name.parse().unwrap();
            Actor::Principal {
                principal: Principal { kind, id: Uuid::from_u128(id), name },
                credential: Uuid::from_u128(credential),
            }
        },
    );
    prop_oneof![1 => Just(Actor::System), 4 => principal]
}

fn target() -> impl Strategy<Value = Target> {
    let kind = prop::sample::select(TargetKind::ALL);
    (kind, "[a-z]{0,8}", "[a-z]{0,8}").prop_map(|(kind, id, name)| Target { kind, id, name })
}

fn snapshot() -> impl Strategy<Value = Value> {
    (any::<bool>(), "[a-z]{0,8}").prop_map(|(enabled, name)| {
        if enabled { json!({"name": name}) } else { json!({"name": name, "enabled": false}) }
    })
}
