//! What a node believes out of its memory, and what ends that.

use std::time::Duration;

use acceptance::{Database, on_each_database};
use keystile_auth::Clock;
use keystile_domain::{Expiry, Rule};
use keystile_service::Refused;

use super::stage::{LEASE, Stage};

on_each_database! {
    async fn rule_3_what_a_node_changes_itself_it_does_not_wait_for_the_feed_to_believe(database: Database) {
        let stage = Stage::on(database).await;
        let node = stage.node().await;
        let mut following = node.follow();
        following.look().await.unwrap();
        let key = stage.key(&node).await;
        assert!(node.lets_in(&key).await);
        let position = node.keystile.position();

        stage.revoke(&node, &key).await;

        assert!(!node.lets_in(&key).await);
        assert_eq!(node.keystile.position(), position, "only the feed moves that");
        following.look().await.unwrap();
        assert_eq!(node.keystile.position(), node.head().await);
    }

    async fn rule_6_a_lease_lasts_from_before_the_look_on(database: Database) {
        let stage = Stage::on(database).await;
        let (node, other) = (stage.node().await, stage.stranger(LEASE).await);
        let mut following = node.follow();
        following.look().await.unwrap();
        assert_eq!(node.keystile.lease_left(), LEASE);
        let key = stage.key(&node).await;
        following.look().await.unwrap();
        assert!(node.lets_in(&key).await);
        stage.revoke(&other, &key).await;

        node.clock.advance(LEASE - Duration::from_millis(1));
        assert!(node.lets_in(&key).await, "out of its memory, as it may");
        node.clock.advance(Duration::from_millis(1));
        assert!(!node.lets_in(&key).await, "the database knows better");
    }

    async fn rule_6_what_happened_is_known_before_the_lease_is_longer(database: Database) {
        let stage = Stage::on(database).await;
        let (node, other) = (stage.node().await, stage.stranger(LEASE).await);
        let mut following = node.follow();
        let key = stage.key(&node).await;
        following.look().await.unwrap();
        assert!(node.lets_in(&key).await);
        for _ in 0..3 {
            node.clock.advance(LEASE / 2);
            following.look().await.unwrap();
            assert_eq!(node.keystile.lease_left(), LEASE);
            assert!(node.lets_in(&key).await);
        }
        stage.revoke(&other, &key).await;
        following.look().await.unwrap();
        assert!(!node.lets_in(&key).await);
    }

    async fn rule_7_after_a_fork_the_other_history_is_forgotten(database: Database) {
        let stage = Stage::on(database).await;
        let node = stage.node().await;
        let mut following = node.follow();
        following.look().await.unwrap();
        let key = stage.key(&node).await;
        stage.revoke(&node, &key).await;
        following.look().await.unwrap();
        assert!(!node.lets_in(&key).await);
        let before = node.head().await;
        // As a copy from before the revocation has it.
        stage
            .tamper(
                "DELETE FROM events WHERE seq = (SELECT seq FROM feed_head);
                 UPDATE feed_head SET seq = seq - 1, hash = (
                     SELECT hash FROM events ORDER BY seq DESC LIMIT 1
                 );
                 UPDATE api_keys SET enabled = true",
            )
            .await;

        following.look().await.unwrap();
        assert_eq!(node.keystile.lease_left(), Duration::ZERO);
        following.look().await.unwrap();
        assert_eq!(node.keystile.lease_left(), LEASE);
        assert_eq!(node.keystile.position().next(), before);
        assert!(node.lets_in(&key).await, "what was lost lives again, as the alarm says");
    }

    async fn rule_8_after_an_event_that_it_does_not_know_a_node_believes_nothing(database: Database) {
        let stage = Stage::on(database).await;
        let (node, other) = (stage.node().await, stage.stranger(LEASE).await);
        let mut following = node.follow();
        let (key, another) = (stage.key(&node).await, stage.key(&node).await);
        following.look().await.unwrap();
        assert!(node.lets_in(&key).await);
        // A newer version has done something to the key, and told of it in its own words.
        stage.revoke(&other, &another).await;
        stage.tamper("UPDATE api_keys SET enabled = false").await;
        stage
            .tamper(
                "UPDATE events SET action = 'moon.eclipsed' WHERE seq = (SELECT max(seq) FROM events)",
            )
            .await;
        assert!(node.lets_in(&key).await, "nobody has told it");

        following.look().await.unwrap();

        assert!(!node.lets_in(&key).await);
    }

    async fn rule_8_whoever_begins_to_follow_half_way_misses_nothing(database: Database) {
        let stage = Stage::on(database).await;
        let (node, other) = (stage.node().await, stage.stranger(LEASE).await);
        let key = stage.key(&node).await;
        let mut following = node.follow();
        following.look().await.unwrap();
        assert!(node.lets_in(&key).await);
        drop(following);
        stage.revoke(&other, &key).await;

        node.follow().look().await.unwrap();

        assert!(!node.lets_in(&key).await, "it remembers nothing of before");
    }

    async fn rule_20_a_node_that_is_not_registered_lets_nobody_in(database: Database) {
        let stage = Stage::on(database).await;
        let node = stage.node().await;
        let key = stage.key(&node).await;
        node.follow().look().await.unwrap();
        assert!(node.lets_in(&key).await);
        node.keystile.leave().await.unwrap();
        assert!(!node.lets_in(&key).await);
        assert_eq!(node.nodes().await, 0);
        node.follow().look().await.unwrap();
        assert!(node.lets_in(&key).await);
    }

    async fn rule_6_a_look_that_was_cut_extends_nothing(database: Database) {
        let stage = Stage::on(database.clone()).await;
        let node = stage.node().await;
        let mut following = node.follow();
        following.look().await.unwrap();
        let before = node.head().await;
        node.clock.advance(LEASE / 2);
        stage.tamper(&many_events(&database)).await;

        following.look().await.unwrap();
        assert_eq!(node.keystile.lease_left(), LEASE / 2);
        assert!(before < node.keystile.position() && node.keystile.position() < node.head().await);
        following.look().await.unwrap();
        assert_eq!(node.keystile.lease_left(), LEASE);
        assert_eq!(node.keystile.position(), node.head().await);
    }

    async fn a_key_ends_in_the_memory_of_a_node_at_the_moment_that_it_says(database: Database) {
        let stage = Stage::on(database).await;
        let node = stage.node().await;
        let mut following = node.follow();
        following.look().await.unwrap();
        let end = node.clock.now().after(LEASE / 2);
        let key = stage.key_until(&node, Some(Expiry::At(end))).await;
        following.look().await.unwrap();
        assert!(node.lets_in(&key).await);
        // Nobody can read it again.
        stage.tamper("ALTER TABLE secrets RENAME TO elsewhere").await;

        node.clock.advance(LEASE / 2 - Duration::from_millis(1));
        assert!(node.lets_in(&key).await);
        node.clock.advance(Duration::from_millis(1));
        let refused = node.judge(&key).await;
        let Err(Refused::Denied(denial)) = &refused else { panic!("{refused:?}") };
        assert_eq!(denial.rule(), Rule::NotExpired);
        assert!(node.keystile.lease_left() > Duration::ZERO);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_6_a_look_that_fails_extends_nothing() {
    let Some(stage) = Stage::new().await else { return };
    let node = stage.node().await;
    let mut following = node.follow();
    following.look().await.unwrap();
    node.clock.advance(LEASE / 2);
    stage.tamper("ALTER TABLE nodes RENAME TO elsewhere").await;
    following.look().await.unwrap_err();
    assert_eq!(node.keystile.lease_left(), LEASE / 2);
    stage.tamper("ALTER TABLE elsewhere RENAME TO nodes").await;
    following.look().await.unwrap();
    assert_eq!(node.keystile.lease_left(), LEASE);
}

/// More events than are seen at once, of a key that nobody has.
fn many_events(database: &Database) -> String {
    let (text, blob) = match database {
        Database::Sqlite => ("printf('%032d', n)", "CAST(printf('%032d', n) AS BLOB)"),
        Database::Postgres(_) => {
            ("lpad(n::text, 32, '0')", "decode(lpad(n::text, 64, '0'), 'hex')")
        }
    };
    format!(
        "CREATE TABLE more AS WITH RECURSIVE numbers (n) AS (
             SELECT seq + 1 FROM feed_head UNION ALL SELECT n + 1 FROM numbers WHERE n < 12000
         ) SELECT n, {text} AS id, {blob} AS hash FROM numbers;
         INSERT INTO events
             (seq, id, at, action, target_kind, target_id, target_name, previous_hash, hash)
         SELECT n, id, 0, 'api_key.created', 'api_key', id, 'k', coalesce(
             (SELECT hash FROM more AS last WHERE last.n = more.n - 1), (SELECT hash FROM feed_head)
         ), hash FROM more;
         UPDATE feed_head SET seq = 12000, hash = (SELECT hash FROM more WHERE n = 12000)"
    )
}
