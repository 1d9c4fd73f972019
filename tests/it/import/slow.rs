//! Slow hashes: they are found by their beginnings, and slow down nobody else.

use acceptance::{Database, Server, on_each_database, started};
use serde_json::json;
use tokio::{join, select, task::JoinSet};

use super::{import, shown, unseen, with_hash};

on_each_database! {
    async fn keys_that_begin_alike_are_told_apart(database: Database) {
        let (_server, admin) = started(&database).await;
        let of = |name: &str, value: &str| {
            with_hash(name, json!({ "algorithm": "bcrypt", "value": value, "prefix": "bc12" }))
        };
        let one = "$2b$04$5BxbVOWAhZDbfQsGE3CWc.eBs592TQVXIkStTcGdj0mLv2LP0NsEO";
        let two = "$2b$04$a9azgZCGksnRXRIHSSDmNuozdnbN.2/3cwKPEa/ZdCVh.6VR4SkK2";
        import(&admin, vec![of("one", one), of("two", two)]).await;
        assert_eq!(shown(&admin, "bc12.aVeryRandomSecret0000").await, 401);
        assert_eq!(shown(&admin, "bc12").await, 401);
        assert_eq!(shown(&admin, "bc12.aVeryRandomSecret0002").await, 200);
        assert_eq!(unseen(&admin).await, ["one"]);
        assert_eq!(shown(&admin, "bc12.aVeryRandomSecret0001").await, 200);
        assert_eq!(unseen(&admin).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_guesses_slows_down_no_other_check() {
    let (server, admin) = started(&Database::Sqlite).await;
    // 64 MiB and two passes: each guess takes a part of a second.
    let dear = "$argon2id$v=19$m=65536,t=2,p=1$1gHy+b546sjzoiDvZkWJDQ$dCaBfRacAyJZNPMoSMxo5o9TJMtS\
                xuUy8GNHiS/NN5E";
    let cheap = "$2b$04$5BxbVOWAhZDbfQsGE3CWc.eBs592TQVXIkStTcGdj0mLv2LP0NsEO";
    let keys = vec![
        with_hash("dear", json!({ "algorithm": "argon2", "value": dear, "prefix": "dear." })),
        with_hash("cheap", json!({ "algorithm": "bcrypt", "value": cheap, "prefix": "bc12" })),
    ];
    import(&admin, keys).await;

    let mut flood = JoinSet::new();
    for n in 0..60 {
        let admin = admin.clone();
        flood.spawn(async move { shown(&admin, &format!("dear.guess{n}")).await });
    }
    let more = async {
        for n in 60.. {
            shown(&admin, &format!("dear.guess{n}")).await;
        }
    };
    let others = async {
        for _ in 0..200 {
            assert_eq!(shown(&admin, &server.admin_key()).await, 200);
        }
        assert_eq!(shown(&admin, "bc12.aVeryRandomSecret0001").await, 200, "another first use");
    };
    select! {
        () = more => unreachable!("it goes on meanwhile"),
        () = others => {}
    }
    let answers = flood.join_all().await;
    assert!(answers.iter().all(|status| [401, 503].contains(status)), "{answers:?}");
    assert!(answers.contains(&503), "nobody waits for ever: {answers:?}");
    assert_eq!(shown(&admin, "dear.aVeryRandomSecret0006").await, 200);
    assert_memory(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dearest_guess_keeps_nobody_from_a_first_use() {
    let (_server, admin) = started(&Database::Sqlite).await;
    // Of each beginning as much as may be, and of one guess sixteen times what may be slowest.
    let dear = |n: usize| {
        let value = format!("pbkdf2_sha512$2000000$salt{n}${}==", "A".repeat(86));
        let prefix = &"dear.guess"[..=n / 2];
        with_hash("dear", json!({ "algorithm": "pbkdf2", "value": value, "prefix": prefix }))
    };
    let cheap = "$2b$04$5BxbVOWAhZDbfQsGE3CWc.eBs592TQVXIkStTcGdj0mLv2LP0NsEO";
    let cheap = json!({ "algorithm": "bcrypt", "value": cheap, "prefix": "bc12" });
    import(&admin, (0..16).map(dear).chain([with_hash("cheap", cheap)]).collect()).await;
    let (guess, other) =
        join!(shown(&admin, "dear.guesses"), shown(&admin, "bc12.aVeryRandomSecret0001"));
    // Given up after a while, unless this machine is done with it before.
    assert!([401, 503].contains(&guess), "{guess}");
    assert_eq!(other, 200);
}

/// One guess at a time has 64 MiB.
fn assert_memory(server: &Server) {
    let bytes = server.resident_bytes();
    assert!(bytes < 512 * 1024 * 1024, "{bytes}");
}
