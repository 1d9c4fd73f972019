//! What the server tells verifiers of others: the feed, the leases, and what is known of a
//! credential.

use acceptance::{Api, Database, Key, on_each_database, until};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::{started, verifier_key};

on_each_database! {
    async fn the_feed_tells_what_was_changed_and_neither_from_what_nor_to_what(database: Database) {
        let (server, admin) = started(&database).await;
        let verifier = verifier_key(&admin).await.api(&admin);
        let end = verifier.get(CHANGES).await.expect(200).body["position"].as_i64().unwrap();

        let key = Key::made(&admin, json!({ "name": "told to nobody" })).await;
        admin.patch(&key.at(""), json!({ "enabled": false })).await.expect(200);

        let page = verifier.get(&format!("{CHANGES}?after={end}")).await.expect(200);
        let told = |at: usize, member: &str| page.body["data"][at][member].clone();
        assert_eq!(page.body["data"].as_array().unwrap().len(), 2, "{page}");
        assert_eq!(page.body["position"], end + 2);
        assert_eq!((told(0, "seq"), told(1, "seq")), (json!(end + 1), json!(end + 2)));
        assert_eq!(told(0, "action"), "api_key.created");
        assert_eq!(told(1, "action"), "api_key.disabled");
        assert_eq!((told(1, "target_kind"), told(1, "target_id")), (json!("api_key"), json!(key.id)));
        assert!(!page.text.contains("told to nobody") && !page.text.contains(&key.secret), "{page}");
        verifier.get(&format!("{CHANGES}?after=-1")).await.expect(422);
        drop(server);
    }

    async fn the_feed_as_a_stream_tells_each_change_as_it_comes(database: Database) {
        let (server, admin) = started(&database).await;
        let key = verifier_key(&admin).await;
        let mut stream = Stream::open(&key.api(&admin), None).await;
        let made = Key::made(&admin, json!({ "name": "one" })).await;
        let first = stream.next().await;
        assert_eq!(first["target_id"], made.id, "{first}");

        // Whoever comes back misses nothing.
        let two = Key::made(&admin, json!({ "name": "two" })).await;
        let mut again = Stream::open(&key.api(&admin), first["seq"].as_i64()).await;
        assert_eq!(again.next().await["target_id"], two.id);

        // It ends with the credential that opened it, and with the server.
        let other = verifier_key(&admin).await;
        let mut theirs = Stream::open(&other.api(&admin), None).await;
        admin.delete(&other.at("")).await;
        theirs.ends().await;
        server.term();
        again.ends().await;
        stream.ends().await;
        assert!(server.wait().await.status.success());
    }

    async fn a_lease_is_extended_for_whoever_has_applied_what_it_was_told(database: Database) {
        let (server, admin) = started(&database).await;
        let verifier = verifier_key(&admin).await.api(&admin);
        let ask = async |question: Value| verifier.post(LEASE, question).await.expect(200).body;
        let has_seen_all = async || {
            let verifiers = admin.get("/api/v1/verifiers").await.expect(200).body;
            verifiers["data"][0]["position"] == verifiers["head"]
        };
        let has_lease = async || ask(json!({})).await["lease_millis"].is_i64();
        until("the node has a lease itself", has_lease).await;
        until("the node has seen the key of the verifier", has_seen_all).await;

        let first = ask(json!({ "counter": 1 })).await;
        assert_eq!(first["forgets"], true, "whoever remembers nothing begins at the end");
        assert!(first["lease_millis"].as_i64().unwrap() <= 1_000);
        let key = Key::made(&admin, json!({ "name": "k" })).await;
        until("the node has seen the key", has_seen_all).await;
        let here = json!({
            "lease": first["lease"], "counter": 2,
            "position": first["position"], "mark": first["mark"],
            "generation": first["generation"],
        });
        let second = ask(here.clone()).await;
        assert_eq!(second["forgets"], false, "{second}");
        assert_eq!(second["changes"][0]["target_id"], key.id, "{second}");
        assert_eq!(second["position"], first["position"].as_i64().unwrap() + 1);
        assert!(second["lease_millis"].is_i64());

        // Rule 19: what was overtaken extends nothing.
        assert!(ask(here.clone()).await["lease_millis"].is_null());
        // Rule 18: whoever has not applied what it was told gets no lease.
        let behind = with(&here, "counter", json!(3));
        assert!(ask(behind).await["lease_millis"].is_null());
        // A place of another history is no place to go on from.
        let forked = with(&with(&here, "counter", json!(4)), "mark", json!("0".repeat(64)));
        assert_eq!(ask(forked).await["forgets"], true);
        // Rule 7: neither is one that another primary has told of.
        let other = with(&with(&here, "counter", json!(5)), "generation", json!("another"));
        assert_eq!(ask(other).await["forgets"], true);
        for member in ["position", "mark", "generation"] {
            let mut half = here.clone();
            half.as_object_mut().unwrap().remove(member);
            verifier.post(LEASE, half).await.expect(422);
        }
        let beyond = json!(first["position"].as_i64().unwrap() + 1);
        verifier.post(LEASE, with(&here, "settled", beyond)).await.expect(422);
        drop(server);
    }

    async fn rule_20_a_change_waits_for_decisions_that_a_verifier_has_begun(database: Database) {
        let (server, admin) = started(&database).await;
        let verifier = verifier_key(&admin).await.api(&admin);
        let ask = async |question: Value| verifier.post(LEASE, question).await.expect(200).body;
        let wait = async || {
            let nothing = admin.delete("/api/v1/api-keys?external_id=no&wait=cluster").await;
            nothing.expect(200).body["revocation"].clone()
        };
        until("changes are acknowledged", async || wait().await["acknowledged"] == 1).await;
        let first = ask(json!({ "counter": 1 })).await;
        let here = json!({
            "lease": first["lease"], "counter": 2, "position": first["position"],
            "mark": first["mark"], "generation": first["generation"], "settled": 0,
        });
        let deciding = ask(here.clone()).await;
        assert!(deciding["lease_millis"].is_i64(), "it has applied all: {deciding}");
        let mut counter = 2;
        let goes_on_deciding = async {
            loop {
                counter += 1;
                ask(with(&here, "counter", json!(counter))).await;
            }
        };
        let waited = tokio::select! {
            waited = wait() => waited,
            () = goes_on_deciding => unreachable!(),
        };
        assert_eq!(waited["lease_expired"], 2, "its decisions have not ended: {waited}");

        let settled = with(&here, "settled", first["position"].clone());
        ask(with(&settled, "counter", json!(counter + 1))).await;
        assert_eq!(wait().await["acknowledged"], 2, "they have");
        drop(server);
    }

    async fn a_credential_is_looked_up_by_its_fingerprint(database: Database) {
        let (server, admin) = started(&database).await;
        let verifier = verifier_key(&admin).await.api(&admin);
        let key = Key::made(&admin, json!({
            "name": "CI", "allowed_ips": ["192.0.2.0/24"], "role_ids": [4],
        })).await;
        let by = |secret: &str| json!({ "fingerprint": fingerprint(secret) });
        let look_up = async |secret: &str| verifier.post(LOOKUP, by(secret)).await.expect(200).body;

        let found = look_up(&key.secret).await;
        assert_eq!(found["code"], "found", "{found}");
        assert_eq!(found["facts"]["credential"]["id"], key.id);
        assert_eq!(found["facts"]["allowed_ips"], json!(["192.0.2.0/24"]));
        assert_eq!(found["facts"]["roles"][0]["permissions"], json!(["keystile.keys.verify"]));
        assert_eq!(look_up("ks_unknown").await["code"], "not_found");

        let checked = verifier.post(VERIFY, by(&key.secret)).await.expect(200).body;
        assert_eq!(checked["code"], "ip_not_allowed", "{checked}");
        assert!(checked["position"].as_i64().unwrap() >= found["position"].as_i64().unwrap());
        let from = with(&by(&key.secret), "ip", json!("192.0.2.7"));
        assert_eq!(verifier.post(VERIFY, from).await.expect(200).body["code"], "valid");

        admin.delete(&key.at("")).await;
        assert_eq!(look_up(&key.secret).await["code"], "deleted");
        for path in [LOOKUP, VERIFY] {
            verifier.post(path, json!({})).await.expect(422);
            verifier.post(path, json!({ "fingerprint": "abc" })).await.expect(422);
            let both = with(&by("a"), "credential", json!("a"));
            verifier.post(path, both).await.expect(422);
        }
        drop(server);
    }
}

/// The feed as a stream.
struct Stream {
    response: Response,
    heard: String,
}

impl Stream {
    async fn open(api: &Api, after: Option<i64>) -> Self {
        let mut request = api.request(Method::GET, CHANGES).header("Accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("Last-Event-ID", after);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = Self { response, heard: String::new() };
        stream.hear("retry: ").await;
        stream
    }

    /// The next change, whose id must be its place.
    async fn next(&mut self) -> Value {
        let event = self.hear("id: ").await;
        let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let change: Value = serde_json::from_str(data).unwrap();
        assert!(event.contains(&format!("id: {}\n", change["seq"])), "{event}");
        change
    }

    /// Waits until the server ends it.
    async fn ends(&mut self) {
        while let Ok(Some(_)) = self.response.chunk().await {}
    }

    /// The next event that begins so.
    async fn hear(&mut self, beginning: &str) -> String {
        loop {
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let (event, rest) = (format!("{event}\n"), rest.to_owned());
                self.heard = rest;
                if event.starts_with(beginning) {
                    return event;
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.heard.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

fn with(object: &Value, member: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[member] = value;
    object
}

fn fingerprint(secret: &str) -> String {
    let secret = keystile_domain::Secret::parse(secret).unwrap();
    secret.fingerprint().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

const CHANGES: &str = "/api/v1/changes";
const LEASE: &str = "/api/v1/verifiers/lease";
const LOOKUP: &str = "/api/v1/credentials/lookup";
const VERIFY: &str = "/api/v1/verify";
