//! Many at once: what may happen once happens once.

use std::collections::BTreeMap;

use acceptance::{Answer, Database, on_each_database};
use tokio::task::JoinSet;

use super::{Session, count, login, started};

on_each_database! {
    async fn of_two_hundred_refreshes_with_one_token_one_succeeds(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;

        let answers = at_once(|| {
            let session = session.clone();
            async move { session.refresh().await }
        })
        .await;

        assert_eq!(statuses(&answers), BTreeMap::from([(200, 1), (401, 199)]));
        // The others showed a token that was used: the session is over.
        session.is_over().await;
        assert_eq!(count(&admin, "session.replayed").await, 1);
    }

    async fn of_two_hundred_wrong_passwords_five_are_looked_at(database: Database) {
        let (_server, admin) = started(&database).await;

        let answers = at_once(|| {
            let admin = admin.clone();
            async move { login(&admin, "ann", "wrong horse battery staple").await }
        })
        .await;

        let statuses = statuses(&answers);
        // A second may pass meanwhile, and then one more is due.
        let looked_at = statuses.get(&401).copied().unwrap_or(0);
        assert!((5..=8).contains(&looked_at), "{statuses:?}");
        assert_eq!(statuses.get(&429), Some(&(200 - looked_at)), "{statuses:?}");
        let delayed = answers.iter().find(|answer| answer.status == 429).unwrap();
        assert_eq!(delayed.body["code"], "too_many_attempts", "{delayed}");
        let wait: u64 = delayed.header("retry-after").parse().unwrap();
        assert!((1..=8).contains(&wait), "{delayed}");
    }

    async fn of_many_who_sign_out_at_once_one_ends_the_session(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        let mut all = JoinSet::new();
        for _ in 0..20 {
            let session = session.clone();
            all.spawn(async move { session.log_out().await });
        }
        all.join_all().await;
        assert_eq!(count(&admin, "session.ended").await, 1);
    }
}

async fn at_once<F: Future<Output = Answer> + Send + 'static>(
    request: impl Fn() -> F,
) -> Vec<Answer> {
    let mut all = JoinSet::new();
    for _ in 0..200 {
        all.spawn(request());
    }
    all.join_all().await
}

fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for answer in answers {
        *statuses.entry(answer.status.as_u16()).or_default() += 1;
    }
    statuses
}
