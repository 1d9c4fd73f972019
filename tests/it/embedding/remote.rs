//! A verifier that asks a server over a network which can be cut.

use std::cell::Cell;
use std::time::{Duration, Instant};

use acceptance::{Database, Key, on_each_database, until};
use keystile_auth::Verify;
use keystile_domain::Context;
use serde_json::json;

use super::stage::{LEASE, LOOKUP, Stage, code, code_of};

on_each_database! {
    async fn a_key_itself_does_not_leave_the_service(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|builder| builder).await;
        let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
        assert_eq!(code(&verifier, &key.secret).await, "valid");
        assert_eq!(code(&verifier, &"ks_x".repeat(9)).await, "unknown");
        assert!(stage.cable.has_carried("fingerprint"));
        assert!(!stage.cable.has_carried(&key.secret));

        // But for one that was imported, which only the secret can show.
        let imported = json!({ "api_keys": [{
            "name": "old", "hash": { "algorithm": "sha256", "value": sha256("an-old-key") },
        }] });
        stage.admin.post("/api/v1/api-keys/batch", imported).await.expect(200);
        let knows = async || code(&verifier, "an-old-key").await == "valid";
        until("the imported key is known", knows).await;
        assert!(stage.cable.has_carried("an-old-key"));
    }

    async fn rule_17_a_verifier_that_is_cut_off_believes_nothing_after_its_lease(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|builder| builder).await;
        let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
        assert_eq!(code(&verifier, &key.secret).await, "valid");

        stage.cable.cut();
        let fails = async || code(&verifier, &key.secret).await == "unavailable";
        until("its lease is over", fails).await;
        assert!(!verifier.is_trusting());

        stage.admin.delete(&key.at("")).await;
        stage.cable.mend();
        let refuses = async || code(&verifier, &key.secret).await == "unknown";
        until("it has heard of what it missed", refuses).await;
        until("it has a lease again", async || verifier.is_trusting()).await;
    }

    async fn a_verifier_that_was_told_to_goes_on_and_is_counted_as_unproven(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|it| it.fail_static(Duration::from_secs(600))).await;
        let [kept, ended] = ["kept", "ended"].map(|name| json!({ "name": name }));
        let kept = Key::made(&stage.admin, kept).await;
        let ended = Key::made(&stage.admin, ended).await;
        stage.remembered(&verifier, &kept.secret).await;
        stage.remembered(&verifier, &ended.secret).await;

        stage.cable.cut();
        let gone = stage.admin.delete(&format!("{}?wait=cluster", ended.at(""))).await.expect(200);
        assert_eq!(gone.body["revocation"]["unproven"], 1, "{gone}");
        assert_eq!(code(&verifier, &kept.secret).await, "valid", "what it remembers");
        assert_eq!(code(&verifier, &ended.secret).await, "valid", "as it was told to");

        stage.cable.mend();
        let refuses = async || code(&verifier, &ended.secret).await == "unknown";
        until("it has heard of what it missed", refuses).await;
        assert_eq!(code(&verifier, &kept.secret).await, "valid");
    }

    async fn a_verifier_that_goes_on_after_its_lease_stops_in_time(database: Database) {
        let stage = Stage::on(&database).await;
        let staleness = Duration::from_secs(2);
        let verifier = stage.trusting(|it| it.fail_static(staleness)).await;
        let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
        stage.remembered(&verifier, &key.secret).await;
        stage.cable.cut();
        // What it asked for last, it asked for before.
        let cut = Instant::now();
        let (last, refused) = (Cell::new(cut), Cell::new(cut));
        until("it stops", async || {
            let begun = Instant::now();
            match &*code(&verifier, &key.secret).await {
                "valid" => last.set(begun),
                _ => refused.set(Instant::now()),
            }
            refused.get() > cut
        })
        .await;
        assert!(last.get() < cut + LEASE + staleness, "{:?}", last.get() - cut);
        assert!(refused.get() > cut + staleness, "{:?}", refused.get() - cut);
        assert!(!verifier.is_trusting());
    }

    async fn many_questions_go_by_few_connections(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|builder| builder).await;
        let (connections, asked) = (stage.cable.connections(), stage.cable.count_carried(LOOKUP));
        for _ in 0..20 {
            let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
            assert_eq!(code(&verifier, &key.secret).await, "valid");
        }
        assert!(stage.cable.count_carried(LOOKUP) >= asked + 20);
        // Leases are asked for and uses told at the same time, and may each need one.
        assert!(stage.cable.connections() <= connections + 3);
    }

    async fn rule_16_a_waiting_revocation_counts_a_verifier_that_follows(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|builder| builder).await;
        for _ in 0..20 {
            let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
            assert_eq!(code(&verifier, &key.secret).await, "valid");
            let gone = stage.admin.delete(&format!("{}?wait=cluster", key.at(""))).await.expect(200);
            assert_eq!(code(&verifier, &key.secret).await, "unknown", "after {gone}");
            assert_eq!(gone.body["revocation"]["acknowledged"], 2, "{gone}");
        }
    }

    async fn the_server_learns_when_and_from_where_a_key_was_used(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|builder| builder).await;
        let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
        let from = Context { address: Some([192, 0, 2, 7].into()), ..Context::default() };
        for _ in 0..3 {
            assert_eq!(code_of(&verifier, &key.secret, &from).await, "valid");
        }
        let usage = async || stage.admin.get(&key.at("/usage")).await.expect(200).body;
        until("its use is written", async || usage().await["last_used_at"].is_string()).await;
        let usage = usage().await;
        assert_eq!(usage["last_address"], "192.0.2.7");
        assert_eq!(usage["data"][0]["allowed"], 1, "one in a minute: {usage}");
    }

    async fn uses_while_the_server_is_away_are_told_when_it_is_back(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|builder| builder).await;
        let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
        // Uses are gathered for two seconds; leases and the stream are tried again and again.
        assert_eq!(code(&verifier, &key.secret).await, "valid");
        stage.cable.cut();
        let before = stage.cable.connections();
        let tried = async || stage.cable.connections() >= before + 12;
        until("everything was tried in vain", tried).await;
        stage.cable.mend();
        let usage = async || stage.admin.get(&key.at("/usage")).await.expect(200).body;
        until("its use is written", async || usage().await["last_used_at"].is_string()).await;
    }

    async fn limits_are_counted_in_one_place(database: Database) {
        let stage = Stage::on(&database).await;
        let one = stage.trusting(|builder| builder).await;
        let other = stage.trusting(|builder| builder).await;
        let quota = json!({ "name": "q", "quota": { "limit": 3, "refill": "none" } });
        let quota = Key::made(&stage.admin, quota).await;
        let rates = json!([{ "limit": 2, "window_seconds": 600 }]);
        let rates = Key::made(&stage.admin, json!({ "name": "r", "rate_limits": rates })).await;
        for (key, uses, word) in [(&quota, 3, "quota"), (&rates, 2, "rate")] {
            for at in 0..uses {
                let verifier = if at % 2 == 0 { &one } else { &other };
                assert_eq!(code(verifier, &key.secret).await, "valid", "{word} {at}");
            }
            assert_eq!(code(&one, &key.secret).await, word);
            assert_eq!(code(&other, &key.secret).await, word);
        }
    }

    async fn a_verifier_whose_own_key_has_ended_lets_nobody_in(database: Database) {
        let stage = Stage::on(&database).await;
        let closed = stage.trusting(|builder| builder).await;
        // The server is there: nothing is left to go on with.
        let going_on = stage.trusting(|it| it.fail_static(Duration::from_secs(600))).await;
        let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
        for verifier in [&closed, &going_on] {
            stage.remembered(verifier, &key.secret).await;
        }
        stage.admin.delete(&stage.own.at("")).await;
        for verifier in [&closed, &going_on] {
            let fails = async || code(verifier, &key.secret).await == "unavailable";
            until("it is not told anything any more", fails).await;
        }
    }

    async fn keys_are_known_by_the_places_and_formats_of_their_providers(database: Database) {
        let stage = Stage::on(&database).await;
        let verifier = stage.trusting(|builder| builder).await;
        let provider = json!({
            "name": "Partners", "kind": "api_key", "prefix": "partner_", "header_name": "X-Partner",
        });
        let provider = stage.admin.post("/api/v1/providers", provider).await.expect(201);
        let new = json!({ "name": "p", "provider": provider.text_of("identifier") });
        let key = Key::made(&stage.admin, new).await;

        let knows = async || {
            verifier.chain().places().iter().any(|place| place.name() == "x-partner")
                && code(&verifier, &key.secret).await == "valid"
        };
        until("it has learnt of the provider", knows).await;

        let off = json!({ "enabled": false });
        let at = format!("/api/v1/providers/{}?wait=cluster", provider.text_of("id"));
        stage.admin.patch(&at, off).await.expect(200);
        assert_eq!(code(&verifier, &key.secret).await, "provider_enabled");
    }
}

fn sha256(text: &str) -> String {
    let secret = keystile_domain::Secret::parse(text).unwrap();
    secret.fingerprint().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
