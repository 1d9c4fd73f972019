//! Lists: filters, orders, pages and cursors, by the example of keys, roles, users and tokens.

use acceptance::{Database, on_each_database};
use keystile_domain::{
    ApiKey, ApiKeyFilter, ApiKeySort, Direction, Expiry, Listing, Mark, MarkKey, NamePattern,
    PageLimit, PageNumber, PageRequest, RoleFilter, RoleId, RoleSort, Start, Token, TokenFilter,
    TokenId, TokenSort, User, UserFilter, UserSort,
};
use keystile_storage::{Exercised, LastUse, StoreError};

use crate::books::keep;
use crate::samples::{api_key, at, digest, digest_of, provider, role, token, user, uuid};
use crate::stage::Stage;
use crate::tokens;

/// The first page of a hundred.
pub fn first<S>(sort: S) -> PageRequest<S> {
    let limit = PageLimit::new(100).unwrap();
    let start = Start::Page(PageNumber::default());
    PageRequest { sort, direction: Direction::Ascending, limit, start }
}

fn of_two<S>(sort: S) -> PageRequest<S> {
    PageRequest { limit: PageLimit::new(2).unwrap(), ..first(sort) }
}

async fn store(stage: &Stage, keys: &[ApiKey]) {
    stage
        .change(async |tx| {
            for key in keys {
                tx.insert_api_key(key, &digest_of(key)).await?;
            }
            Ok(())
        })
        .await;
}

async fn list(
    stage: &Stage,
    filter: &ApiKeyFilter,
    page: &PageRequest<ApiKeySort>,
) -> Listing<ApiKey> {
    let mut conn = stage.store.read().await.unwrap();
    conn.list_api_keys(filter, page, at(0)).await.unwrap()
}

async fn names(stage: &Stage, filter: ApiKeyFilter) -> Vec<String> {
    let listed = list(stage, &filter, &first(ApiKeySort::Name)).await;
    assert_eq!(listed.total, i64::try_from(listed.items.len()).ok());
    listed.items.iter().map(|key| key.name.to_string()).collect()
}

on_each_database! {
    async fn each_filter_shows_its_keys_alone(database: Database) {
        let stage = Stage::furnished(database).await;
        let other = provider("other", 2);
        stage.change(async |tx| tx.insert_provider(&other).await).await;
        let any = ApiKeyFilter::default;
        store(
            &stage,
            &[
                api_key(1, "plain"),
                ApiKey { enabled: false, ..api_key(2, "off") },
                ApiKey { expiry: Expiry::At(at(0)), ..api_key(3, "over") },
                ApiKey { expiry: Expiry::At(at(1)), ..api_key(4, "soon") },
                ApiKey { roles: [RoleId(2)].into(), ..api_key(5, "held") },
                ApiKey { provider: other.id, ..api_key(6, "other") },
                ApiKey { external_id: Some("x".parse().unwrap()), ..api_key(7, "external") },
                ApiKey { created_at: at(-1), ..api_key(8, "old") },
            ],
        )
        .await;
        for (filter, expected) in [
            (ApiKeyFilter { enabled: Some(false), ..any() }, vec!["off"]),
            (ApiKeyFilter { expired: Some(true), ..any() }, vec!["over"]),
            (ApiKeyFilter { expires_before: Some(at(2)), ..any() }, vec!["over", "soon"]),
            (ApiKeyFilter { expires_before: Some(at(1)), ..any() }, vec!["over"]),
            (ApiKeyFilter { ends: Some(true), ..any() }, vec!["over", "soon"]),
            (
                ApiKeyFilter { ends: Some(false), created_before: Some(at(0)), ..any() },
                vec!["old"],
            ),
            (ApiKeyFilter { role: Some(RoleId(2)), ..any() }, vec!["held"]),
            (ApiKeyFilter { role: Some(RoleId(99)), ..any() }, vec![]),
            (ApiKeyFilter { provider: Some(other.id), ..any() }, vec!["other"]),
            (ApiKeyFilter { external_id: Some("x".parse().unwrap()), ..any() }, vec!["external"]),
            (
                ApiKeyFilter { expired: Some(false), enabled: Some(true), ..any() },
                vec!["external", "held", "old", "other", "plain", "soon"],
            ),
        ] {
            assert_eq!(names(&stage, filter.clone()).await, expected, "{filter:?}");
        }
    }

    async fn a_key_is_unused_since_it_was_used_last_or_made(database: Database) {
        let stage = Stage::furnished(database).await;
        let young = ApiKey { created_at: at(5), ..api_key(1, "young") };
        store(&stage, &[young, api_key(2, "never"), api_key(3, "early"), api_key(4, "late")]).await;
        let last = |number, moment| LastUse {
            credential: uuid(number),
            at: at(moment),
            address: None,
            user_agent: None,
        };
        let uses = [last(3, 4), last(4, 6)];
        keep(&stage.store, async |books| books.add_usage(&[], &uses).await).await;
        for (moment, expected) in [
            (0, vec![]),
            (1, vec!["never"]),
            (4, vec!["never"]),
            (5, vec!["early", "never"]),
            (6, vec!["early", "never", "young"]),
            (7, vec!["early", "late", "never", "young"]),
        ] {
            let unused = ApiKeyFilter { unused_since: Some(at(moment)), ..Default::default() };
            assert_eq!(names(&stage, unused).await, expected, "since {moment}");
        }
        for (used, expected) in [(true, ["early", "late"]), (false, ["never", "young"])] {
            let filter = ApiKeyFilter { used: Some(used), ..Default::default() };
            assert_eq!(names(&stage, filter).await, expected);
        }
    }

    async fn keys_are_found_by_whether_it_is_known_what_they_needed(database: Database) {
        let stage = Stage::furnished(database).await;
        store(&stage, &[api_key(1, "known"), api_key(2, "unknown")]).await;
        let exercised = ["a", "b"].map(str::to_owned);
        let exercised = exercised
            .map(|exercise| Exercised { credential: uuid(1), exercise, at: at(0) });
        keep(&stage.store, async |books| books.add_exercises(&exercised).await).await;
        for (exercised, expected) in [(true, "known"), (false, "unknown")] {
            let filter = ApiKeyFilter { exercised: Some(exercised), ..Default::default() };
            assert_eq!(names(&stage, filter).await, [expected]);
        }
    }

    async fn only_stars_and_question_marks_are_wildcards(database: Database) {
        let stage = Stage::furnished(database).await;
        let stored = ["CI-1", "ci-22", "ci%", "c_i", "ci\\x", "Ähre", "a.b", "🚀🚀"];
        let keys: Vec<_> = (1..).zip(stored).map(|(number, name)| api_key(number, name)).collect();
        store(&stage, &keys).await;
        for (pattern, expected) in [
            ("CI-*", vec!["CI-1", "ci-22"]),
            ("ci-?", vec!["CI-1"]),
            ("ci%", vec!["ci%"]),
            ("c_i", vec!["c_i"]),
            ("c?i", vec!["c_i"]),
            ("ci\\*", vec!["ci\\x"]),
            ("*I-*", vec!["CI-1", "ci-22"]),
            ("*%*", vec!["ci%"]),
            ("äHR?", vec!["Ähre"]),
            ("🚀?", vec!["🚀🚀"]),
            ("?", vec![]),
            ("", vec![]),
            ("ci\0*", vec![]),
            ("**", vec!["a.b", "c_i", "ci%", "CI-1", "ci-22", "ci\\x", "Ähre", "🚀🚀"]),
        ] {
            let name = Some(NamePattern::parse(pattern).unwrap());
            let found = names(&stage, ApiKeyFilter { name, ..ApiKeyFilter::default() }).await;
            assert_eq!(found, expected, "{pattern}");
        }
    }

    async fn every_order_can_be_walked_by_page_and_by_cursor(database: Database) {
        let stage = Stage::furnished(database).await;
        let keys: Vec<_> = (0..10_u8)
            .map(|number| ApiKey {
                // Pairs that are equal in what they are sorted by are sorted by id.
                created_at: at((i64::from(number) * 7 % 10) / 2),
                expiry: if number < 3 {
                    Expiry::Never
                } else {
                    Expiry::At(at(i64::from(number) / 2))
                },
                ..api_key(
                    number.into(),
                    ["Beta", "alpha", "ALPHA", "Ωmega"][usize::from(number) % 4],
                )
            })
            .collect();
        store(&stage, &keys).await;
        for sort in [ApiKeySort::CreatedAt, ApiKeySort::ExpiresAt, ApiKeySort::Name] {
            for direction in [Direction::Ascending, Direction::Descending] {
                let mut expected = keys.clone();
                expected.sort_by_key(|key| match sort {
                    ApiKeySort::CreatedAt => (String::new(), Expiry::At(key.created_at), key.id),
                    ApiKeySort::ExpiresAt => (String::new(), key.expiry, key.id),
                    _ => (key.name.folded(), Expiry::Never, key.id),
                });
                if direction == Direction::Descending {
                    expected.reverse();
                }
                let limit = PageLimit::new(3).unwrap();
                let page = |start| PageRequest { sort, direction, limit, start };
                let (mut paged, mut walked, mut mark) = (Vec::new(), Vec::new(), None);
                for number in 1..=4 {
                    let number = PageNumber::new(number).unwrap();
                    let asked = page(Start::Page(number));
                    let part = list(&stage, &ApiKeyFilter::default(), &asked).await;
                    assert_eq!(part.total, Some(10));
                    paged.extend(part.items);
                    let start = mark.map_or(Start::Page(number), Start::After);
                    let part = list(&stage, &ApiKeyFilter::default(), &page(start)).await;
                    walked.extend(part.items);
                    mark = part.next;
                }
                assert_eq!(mark, None);
                assert_eq!((&paged, &walked), (&expected, &expected), "{sort:?} {direction:?}");
            }
        }
    }

    async fn a_walk_shows_each_stable_key_once_while_others_come(database: Database) {
        let stage = Stage::furnished(database).await;
        let name = |number: u128| format!("key {number:02}");
        let stable: Vec<_> = (0..12).map(|n| api_key(2 * n, &name(2 * n))).collect();
        store(&stage, &stable).await;
        let (mut walked, mut start) = (Vec::new(), Start::Page(PageNumber::default()));
        for number in 0.. {
            let page =
                PageRequest { limit: PageLimit::new(3).unwrap(), start, ..first(ApiKeySort::Name) };
            let part = list(&stage, &ApiKeyFilter::default(), &page).await;
            walked.extend(part.items);
            let Some(next) = part.next else { break };
            start = Start::After(next);
            // One behind the walk and one before it.
            let newcomers = [2 * number + 1, 23 - 2 * number];
            let newcomers = newcomers.map(|number| api_key(number, &name(number)));
            store(&stage, newcomers.get(..1 + usize::from(number < 5)).unwrap()).await;
        }
        let mut seen = walked.clone();
        seen.sort_by_key(|key| key.id);
        seen.dedup_by_key(|key| key.id);
        assert_eq!(seen.len(), walked.len(), "a key came twice");
        let of_old: Vec<_> = walked.into_iter().filter(|key| stable.contains(key)).collect();
        assert_eq!(of_old, stable);
    }

    async fn roles_are_listed_in_every_order(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(async |tx| tx.insert_role(&role("Billing", &[])).await).await;
        let mut conn = stage.store.read().await.unwrap();
        for (sort, expected) in [
            (RoleSort::Id, [1, 2, 3, 4, 5]),
            (RoleSort::CreatedAt, [1, 2, 3, 4, 5]),
            (RoleSort::Name, [1, 3, 5, 2, 4]),
        ] {
            let mut walked = Vec::new();
            let mut page = of_two(sort);
            loop {
                let part = conn.list_roles(&RoleFilter::default(), &page).await.unwrap();
                walked.extend(part.items.iter().map(|role| role.id.0));
                let Some(next) = part.next else { break };
                page.start = Start::After(next);
            }
            assert_eq!(walked, expected, "{sort:?}");
        }
        let filter = RoleFilter { name: Some(NamePattern::parse("*r").unwrap()) };
        let listed = conn.list_roles(&filter, &first(RoleSort::Name)).await.unwrap();
        let names: Vec<_> = listed.items.iter().map(|role| role.name.as_str()).collect();
        assert_eq!(names, ["administrator", "auditor", "key-manager", "verifier"]);
    }

    async fn users_and_tokens_can_be_walked_by_cursor_in_every_order(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(tokens::furnish).await;
        let people: Vec<_> =
            (3..8).map(|n| User { created_at: at(2), ..user(&format!("U{n}"), n) }).collect();
        let of_ann = |number: u8| {
            let expiry = Expiry::At(at(i64::from(number) / 2));
            Token {
                expiry,
                ..token(number.into(), &user("ann", 1), ["b", "A"][usize::from(number) % 2])
            }
        };
        stage
            .change(async |tx| {
                for user in &people {
                    tx.insert_user(user, None).await?;
                }
                for number in 1..6 {
                    tx.insert_token(&of_ann(number), &digest(number)).await?;
                }
                Ok(())
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        for (sort, expected) in [
            (UserSort::Username, "ann bob U3 U4 U5 U6 U7"),
            (UserSort::CreatedAt, "ann bob U3 U4 U5 U6 U7"),
        ] {
            let (mut walked, mut page) = (Vec::new(), of_two(sort));
            loop {
                let part = conn.list_users(&UserFilter::default(), &page).await.unwrap();
                walked.extend(part.items.iter().map(|user| user.username.to_string()));
                let Some(next) = part.next else { break };
                page.start = Start::After(next);
            }
            assert_eq!(walked.join(" "), expected, "{sort:?}");
        }
        for (sort, expected) in [
            (TokenSort::Name, [1, 3, 5, 2, 4]),
            (TokenSort::CreatedAt, [1, 2, 3, 4, 5]),
            (TokenSort::ExpiresAt, [1, 2, 3, 4, 5]),
        ] {
            let (mut walked, mut page) = (Vec::new(), of_two(sort));
            loop {
                let part = conn.list_tokens(&TokenFilter::default(), &page, at(0)).await.unwrap();
                walked.extend(part.items.iter().map(|token| token.id));
                let Some(next) = part.next else { break };
                page.start = Start::After(next);
            }
            assert_eq!(walked, expected.map(|number| TokenId::from(uuid(number))), "{sort:?}");
        }
    }

    async fn a_mark_of_another_order_is_refused(database: Database) {
        let stage = Stage::furnished(database).await;
        let mut conn = stage.store.read().await.unwrap();
        let number = Mark { key: MarkKey::Number(1), id: "1".to_owned() };
        let text = Mark { key: MarkKey::Text("a".to_owned()), id: "a".to_owned() };
        for (sort, mark) in [(RoleSort::Name, number), (RoleSort::Id, text.clone())] {
            let page = PageRequest { start: Start::After(mark), ..first(sort) };
            let refused = conn.list_roles(&RoleFilter::default(), &page).await;
            assert!(matches!(refused, Err(StoreError::ForeignMark)));
        }
        let page = PageRequest { start: Start::After(text), ..first(RoleSort::Name) };
        let refused = conn.list_roles(&RoleFilter::default(), &page).await;
        assert!(matches!(refused, Err(StoreError::ForeignMark)));
        let nul = Mark { key: MarkKey::Text("\0".to_owned()), id: "\0".to_owned() };
        let page = PageRequest { start: Start::After(nul), ..first(ApiKeySort::Name) };
        let listed = conn.list_api_keys(&ApiKeyFilter::default(), &page, at(0)).await.unwrap();
        assert!(listed.items.is_empty());
    }
}
