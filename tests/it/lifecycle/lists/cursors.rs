//! Cursors: the same work at any depth, and nothing for whoever forges one.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use acceptance::{Answer, Api, Database, Key, on_each_database, started};
use serde_json::Value;

use super::{ids, make};
use crate::lifecycle::{EVENTS, KEYS, ROLES, each, pointers, role};

on_each_database! {
    async fn a_cursor_walks_to_the_end_while_others_insert_and_delete(database: Database) {
        let (_server, admin) = started(&database).await;
        let stay: BTreeSet<String> = make(&admin, "stays", 60).await.into_iter().collect();
        for sort in ["name", "-name", "created_at", "-created_at", "-expires_at"] {
            let walking = Arc::new(AtomicBool::new(true));
            let others: Vec<_> = (0..3)
                .map(|_| tokio::spawn(insert_and_delete(admin.clone(), walking.clone())))
                .collect();

            let seen = walk(&admin, &format!("{KEYS}?sort={sort}&limit=7")).await;

            walking.store(false, Ordering::SeqCst);
            for other in others {
                other.await.unwrap();
            }
            let once: BTreeSet<String> = seen.iter().cloned().collect();
            assert_eq!(once.len(), seen.len(), "{sort}: one came twice");
            assert!(stay.is_subset(&once), "{sort}: one was skipped");
        }
    }

    async fn a_walk_by_cursor_sees_what_pages_show(database: Database) {
        let (_server, admin) = started(&database).await;
        make(&admin, "same", 12).await;
        for n in 0..6 {
            role(&admin, &format!("role {n}"), &[]).await;
        }

        for list in [
            &format!("{KEYS}?sort=name"),
            &format!("{KEYS}?sort=-expires_at&name=same"),
            &format!("{ROLES}?sort=-name"),
            &format!("{ROLES}?sort=id"),
            &format!("{EVENTS}?sort=seq"),
            &format!("{EVENTS}?action=role.created"),
        ] {
            let page = admin.get(&format!("{list}&limit=100")).await.expect(200);
            let ids = ids(&page);
            for limit in [1, 3, ids.len()] {
                assert_eq!(walk(&admin, &format!("{list}&limit={limit}")).await, ids, "{list}");
            }
        }
    }

    async fn a_cursor_counts_nothing_and_takes_no_page(database: Database) {
        let (_server, admin) = started(&database).await;
        make(&admin, "key", 3).await;
        let cursor = cursor(&admin.get(&format!("{KEYS}?limit=1")).await).unwrap();

        let next = admin.get(&format!("{KEYS}?limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!((&next.body["total"], &next.body["page"]), (&Value::Null, &Value::Null));
        assert_eq!(each(&next, "id").len(), 2, "the limit may change on the way");

        let both = admin.get(&format!("{KEYS}?cursor={cursor}&page=1")).await.expect(422);
        assert_eq!(pointers(&both), ["page"]);
    }

    async fn a_cursor_of_another_list_or_another_server_is_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        make(&admin, "key", 3).await;
        let (_other, elsewhere) = started(&Database::Sqlite).await;
        make(&elsewhere, "key", 3).await;
        let refused = async |list: &str, cursor: &str| {
            let answer = admin.get(&format!("{list}cursor={cursor}")).await.expect(400);
            answer.problem("invalid_cursor");
        };
        let of = async |api: &Api, list: &str| {
            cursor(&api.get(&format!("{list}limit=1")).await.expect(200)).unwrap()
        };
        let keys = format!("{KEYS}?");

        for list in [
            format!("{KEYS}?sort=name&"),
            format!("{KEYS}?sort=-created_at&"),
            format!("{KEYS}?name=key&"),
            format!("{ROLES}?"),
            format!("{EVENTS}?"),
        ] {
            refused(&keys, &of(&admin, &list).await).await;
            refused(&list, &of(&admin, &keys).await).await;
        }
        refused(&keys, &of(&elsewhere, &keys).await).await;
    }

    async fn a_forged_or_altered_cursor_is_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        make(&admin, "key", 3).await;
        let cursor = cursor(&admin.get(&format!("{KEYS}?limit=1")).await).unwrap();
        admin.get(&format!("{KEYS}?cursor={cursor}")).await.expect(200);
        let altered = (0..cursor.len()).map(|at| {
            let other = if &cursor[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &cursor[..at], &cursor[at + 1..])
        });
        let forged = ["", "0", "null", "eyJpZCI6MX0", "%00", "%27%20OR%201=1", "AAAAAAAAAAAAAAAA"];
        let cut = [cursor[1..].to_owned(), cursor[..cursor.len() - 1].to_owned()];
        let longer = [format!("{cursor}A"), format!("{cursor}="), format!("{cursor}{cursor}")];

        for cursor in altered.chain(forged.map(str::to_owned)).chain(cut).chain(longer) {
            let answer = admin.get(&format!("{KEYS}?cursor={cursor}")).await.expect(400);
            answer.problem("invalid_cursor");
        }
    }
}

/// The ids of everything in a list, in its order.
async fn walk(admin: &Api, list: &str) -> Vec<String> {
    let mut page = admin.get(list).await.expect(200);
    let mut seen = Vec::new();
    loop {
        seen.extend(ids(&page));
        let Some(cursor) = cursor(&page) else { return seen };
        page = admin.get(&format!("{list}&cursor={cursor}")).await.expect(200);
    }
}

fn cursor(page: &Answer) -> Option<String> {
    page.body["next_cursor"].as_str().map(str::to_owned)
}

async fn insert_and_delete(admin: Api, walking: Arc<AtomicBool>) {
    while walking.load(Ordering::SeqCst) {
        for name in ["aaa", "stays", "zzz"] {
            let key = Key::holding(&admin, name, &[]).await;
            admin.delete(&key.at("")).await.expect(204);
        }
    }
}
