//! A credential's child never outlives it.

use acceptance::{Api, Database, Key, on_each_database, started};
use serde_json::{Value, json};

use crate::lifecycle::{KEY_MANAGER, KEYS, ME, everything, moment, pointers, until_expired};

on_each_database! {
    async fn the_child_of_a_key_that_ends_ends_with_it_at_the_latest(database: Database) {
        let (_server, admin) = started(&database).await;
        let (parent, _) = ending(&admin, END).await;
        let before = everything(&admin).await;

        for end in [json!(null), json!("2098-01-01T00:00:00.001Z"), json!("2099-01-01T00:00:00Z")] {
            let new = json!({ "name": "child", "expires_at": end });
            let refused = parent.post(KEYS, new.clone()).await.expect(422);
            assert_eq!(pointers(&refused), ["/expires_at"], "{end}");
            let batch = json!({ "api_keys": [new] });
            let batch = parent.post(&format!("{KEYS}/batch"), batch).await.expect(200);
            assert_eq!(batch.body["created"], 0, "{batch}");
        }
        assert_eq!(everything(&admin).await, before);

        for (new, end) in [
            (json!({ "name": "unsaid" }), END),
            (json!({ "name": "same", "expires_at": END }), END),
            (
                json!({ "name": "less", "expires_at": "2097-01-01T00:00:00Z" }),
                "2097-01-01T00:00:00Z",
            ),
        ] {
            let child = parent.post(KEYS, new).await.expect(201);
            assert_eq!(child.text_of("expires_at"), end);
        }
    }

    async fn a_key_that_ends_lengthens_no_life_not_even_its_own(database: Database) {
        let (_server, admin) = started(&database).await;
        let (parent, own) = ending(&admin, END).await;
        let child = Key::made(&parent, json!({ "name": "child", "role_ids": [KEY_MANAGER] })).await;
        let before = everything(&admin).await;

        for key in [&own, &child] {
            for api in [&parent, &child.api(&admin)] {
                for end in [Value::Null, json!("2098-01-01T00:00:01Z")] {
                    let refused = api.patch(&key.at(""), json!({ "expires_at": end })).await;
                    assert_eq!(pointers(&refused.expect(422)), ["/expires_at"]);
                }
            }
        }
        assert_eq!(everything(&admin).await, before);

        let rotated = parent.post(&own.at("/rotate"), json!({})).await.expect(200);
        assert_eq!(rotated.text_of("expires_at"), END, "a new secret is no new life");
        let grandchild = json!({ "name": "grandchild" });
        let grandchild = child.api(&admin).post(KEYS, grandchild).await.expect(201);
        assert_eq!(grandchild.text_of("expires_at"), END);
    }

    async fn a_key_that_has_ended_makes_nothing(database: Database) {
        let (_server, admin) = started(&database).await;
        let soon = moment(&admin, 4).await;
        let (parent, own) = ending(&admin, &soon).await;
        let child = Key::made(&parent, json!({ "name": "child", "role_ids": [KEY_MANAGER] })).await;

        until_expired(&admin, &own.secret).await;

        for api in [&parent, &child.api(&admin)] {
            api.get(ME).await.expect(401);
            api.post(KEYS, json!({ "name": "late" })).await.expect(401);
            let longer = json!({ "expires_at": END });
            api.patch(&own.at(""), longer).await.expect(401);
        }
        // Whoever does not end may bring it back.
        admin.patch(&own.at(""), json!({ "expires_at": END })).await.expect(200);
        parent.get(ME).await.expect(200);
        child.api(&admin).get(ME).await.expect(401);
    }
}

/// A key-manager whose key ends, and the key.
async fn ending(admin: &Api, end: &str) -> (Api, Key) {
    let new = json!({ "name": "parent", "role_ids": [KEY_MANAGER], "expires_at": end });
    let key = Key::made(admin, new).await;
    (key.api(admin), key)
}

const END: &str = "2098-01-01T00:00:00Z";
