//! What becomes of an imported key before and while its secret is shown for the first time.

use acceptance::{Api, Caller, Database, Server, on_each_database, started, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{KEYS, batch, code, import, refusals, shown, unseen, with_hash};

const SECRET: &str = "ghp_27D8f53A303d7023F8821d949458Bf289C5b";
const SECRET_HASH: &str = "cfb0b76bae1b5dc86a80f6a520686f74bcbaeab7837a5bd4de87c076330b2513";
const SHA512: &str = "45d6b8e7aa08c0135c2a38e91e207fd6c8a88aeba96c89d3aa8d802b2165553d\
                      c81bc93d3511f57edb152ab5ead1278c77171c1ab96f78a141e9dfcffe8aefa6";

on_each_database! {
    async fn a_key_that_was_ended_before_its_first_use_stays_dead(database: Database) {
        let (_server, admin) = started(&database).await;
        let disabled = one(&admin).await;
        admin.patch(&disabled, json!({ "enabled": false })).await.expect(200);
        assert_eq!(shown(&admin, SECRET).await, 401);
        assert_eq!(code(&admin, SECRET).await, "disabled");
        admin.patch(&disabled, json!({ "enabled": true })).await.expect(200);
        assert_eq!(shown(&admin, SECRET).await, 200);
        admin.delete(&format!("{disabled}?reason=leaked")).await.expect(204);
        assert_eq!(shown(&admin, SECRET).await, 401);
        assert_eq!(code(&admin, SECRET).await, "deleted");

        // A deleted secret is not imported a second time, by whatever is known of it.
        let again = [hashed("hash"), json!({ "name": "plain", "key": SECRET })];
        let again = batch(&admin, again.to_vec()).await;
        assert_eq!(refusals(&again), [(409, vec![]), (409, vec![])]);
    }

    async fn a_key_that_was_deleted_unseen_is_told_as_deleted_while_others_wait(database: Database) {
        let (_server, admin) = started(&database).await;
        let deleted = one(&admin).await;
        let other = "0000000000000000000000000000000000000000000000000000000000000000";
        import(&admin, vec![with_hash("other", json!({ "algorithm": "sha256", "value": other }))])
            .await;
        admin.delete(&deleted).await.expect(204);
        assert_eq!(shown(&admin, SECRET).await, 401);
        assert_eq!(code(&admin, SECRET).await, "deleted");
        let again = batch(&admin, vec![hashed("again")]).await;
        assert_eq!(refusals(&again), [(409, vec![])]);
        assert_eq!(unseen(&admin).await, ["other"]);
    }

    async fn the_imported_secret_of_a_rotated_key_works_for_the_overlap(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = one(&admin).await;
        let overlap = json!({ "overlap_seconds": 600 });
        let rotated = admin.post(&format!("{key}/rotate"), overlap).await.expect(200);
        let new = rotated.text_of("key").to_owned();
        assert_eq!(shown(&admin, SECRET).await, 200);
        assert_eq!(shown(&admin, &new).await, 200);
        admin.post(&format!("{key}/rotation/finish"), json!({})).await.expect(200);
        assert_eq!(shown(&admin, SECRET).await, 401);
        assert_eq!(shown(&admin, &new).await, 200);
    }

    async fn first_uses_at_the_same_time_all_succeed(database: Database) {
        let (_server, admin) = started(&database).await;
        one(&admin).await;
        let mut uses = JoinSet::new();
        for _ in 0..16 {
            let admin = admin.clone();
            uses.spawn(async move { shown(&admin, SECRET).await });
        }
        assert_eq!(uses.join_all().await, [200; 16]);
        assert_eq!(unseen(&admin).await, [""; 0]);
    }

    async fn a_secret_that_is_known_already_is_refused_alone(database: Database) {
        let (_server, admin) = started(&database).await;
        let other = "1111111111111111111111111111111111111111111111111111111111111111";
        let other = || with_hash("other", json!({ "algorithm": "sha256", "value": other }));
        let twice = batch(&admin, vec![hashed("first"), other(), hashed("second"), other()]).await;
        assert_eq!((&twice.body["created"], &twice.body["refused"]), (&json!(2), &json!(2)));
        assert_eq!(refusals(&twice), [(409, vec![]), (409, vec![])]);
        let plain = json!({ "name": "plain", "key": SECRET });
        assert_eq!(shown(&admin, SECRET).await, 200);
        for known in [hashed("hash"), plain] {
            admin.post(KEYS, known).await.expect(409).problem("conflict");
        }
        let drawn = admin.post(KEYS, json!({ "name": "drawn" })).await.expect(201);
        let plain = json!({ "name": "plain", "key": drawn.text_of("key") });
        admin.post(KEYS, plain).await.expect(409).problem("conflict");
    }

    async fn a_hash_is_imported_once_whatever_it_is_found_by(database: Database) {
        let (_server, admin) = started(&database).await;
        let found_by = |prefix: Option<&str>| {
            let mut hash = sha512();
            hash["prefix"] = json!(prefix);
            with_hash("k", hash)
        };
        let made = admin.post(KEYS, found_by(Some("ghp_"))).await.expect(201);
        let others = || [None, Some("ghp_"), Some("ghp_2")].map(found_by);
        let plain = json!({ "name": "plain", "key": SECRET });
        for again in others().into_iter().chain([plain]) {
            admin.post(KEYS, again).await.expect(409).problem("conflict");
        }
        let refused = batch(&admin, others().to_vec()).await;
        assert_eq!(refusals(&refused), vec![(409, vec![]); 3]);

        admin.delete(&format!("{KEYS}/{}", made.text_of("id"))).await.expect(204);
        for again in others() {
            admin.post(KEYS, again).await.expect(409).problem("conflict");
        }
        assert_eq!(shown(&admin, SECRET).await, 401);
    }

    async fn the_oldest_of_several_keys_has_the_secret(database: Database) {
        let (_server, admin) = started(&database).await;
        let sha1 = |value: &str| json!({ "algorithm": "sha1", "value": value });
        let sha256 = |value: &str| json!({ "algorithm": "sha256", "value": value });
        let slow = json!({
            "algorithm": "pbkdf2", "prefix": "secret-",
            "value": "pbkdf2_sha256$1000$salt$ZQj1ZrpG45UYDHUF6RQIaqn4E3fUGqSWCuzsgS0pMZ0=",
        });
        let one = sha1("c861cb16abb8ff4419eaec5987e514993b2c7c2f");
        let of_one = sha256("ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185");
        let two = sha256("cebdf378f2d2bd60d3e3693349e8f20f329daf11a276f849996f0a6377e2155b");
        let of_two = sha1("9796877d12d6e568b7326d82af2f2e73836e3db8");
        let of_three = sha256("2a32a097d0e385878ded206d7c22422ba962802dce9707796c3e10324a6b7478");
        for (secret, oldest, shadow) in
            [("secret-one", one, of_one), ("secret-two", two, of_two), ("secret-three", slow, of_three)]
        {
            admin.post(KEYS, with_hash(secret, oldest)).await.expect(201);
            let shadow = admin.post(KEYS, with_hash("shadow", shadow)).await.expect(201);
            for _ in 0..2 {
                let me = admin.with(Caller::Header(secret.to_owned())).get(super::ME).await;
                assert_eq!(me.expect(200).body["credential"]["name"], secret);
            }
            assert_eq!(unseen(&admin).await, ["shadow"]);
            admin.delete(&format!("{KEYS}/{}", shadow.text_of("id"))).await.expect(204);
            assert_eq!(shown(&admin, secret).await, 200);
        }
    }

    async fn the_rules_of_every_key_hold_for_an_imported_one(database: Database) {
        let (_server, admin) = started(&database).await;
        let manager = admin.post(KEYS, json!({ "name": "manager", "role_ids": [2] })).await;
        let manager = admin.with(Caller::Header(manager.text_of("key").to_owned()));
        let with = |member: &str, value: Value| {
            let mut key = hashed("k");
            key[member] = value;
            key
        };
        let refused = batch(&manager, vec![
            with("role_ids", json!([1])),
            with("expires_at", json!("2020-01-01T00:00:00Z")),
            with("provider", json!("nobody")),
            with("role_ids", json!([999])),
        ])
        .await;
        let at = |at: usize, member: &str| vec![format!("/api_keys/{at}/{member}")];
        let expected = [
            (403, vec![]),
            (422, at(1, "expires_at")),
            (422, at(2, "provider")),
            (422, at(3, "role_ids")),
        ];
        assert_eq!(refusals(&refused), expected);
        let reader = admin.post(KEYS, json!({ "name": "auditor", "role_ids": [3] })).await;
        let reader = admin.with(Caller::Header(reader.text_of("key").to_owned()));
        reader.post(KEYS, hashed("k")).await.expect(403);

        let whole = json!({
            "name": "k", "hash": hashed("k")["hash"], "role_ids": [4], "external_id": "crm-1",
            "expires_at": "2099-01-01T00:00:00Z", "metadata": { "team": "a" },
        });
        manager.post(KEYS, whole).await.expect(201);
        let seen = admin.with(Caller::Header(SECRET.to_owned()));
        let seen = seen.get(super::ME).await.expect(200);
        assert_eq!(seen.body["roles"][0]["id"], 4, "{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_one_server_imported_is_known_to_the_others() {
    let Some(database) = Database::postgres().await else { return };
    let (first, admin) = started(&database).await;
    let second = Server::start(&first.options().clone().with_own_data()).await;
    one(&admin).await;
    let other = second.api(Caller::Anonymous);
    until("the other knows it", async || shown(&other, SECRET).await == 200).await;
    assert_eq!(shown(&admin, SECRET).await, 200);
}

/// Imports [`SECRET`] by its hash and returns the path of its key.
async fn one(admin: &Api) -> String {
    let made = admin.post(KEYS, hashed("one")).await.expect(201);
    format!("{KEYS}/{}", made.text_of("id"))
}

fn sha512() -> Value {
    json!({ "algorithm": "sha512", "value": SHA512 })
}

fn hashed(name: &str) -> Value {
    with_hash(name, json!({ "algorithm": "sha256", "value": SECRET_HASH }))
}
