//! A ticket works once, for everybody and on every node.

use acceptance::{Api, Caller, Database, Server, on_each_database, started};
use tokio::task::JoinSet;

use super::{AUDITOR, KEYS, ME, key, me, open, ticket};

on_each_database! {
    async fn a_ticket_lets_one_request_in_as_its_maker(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, holder) = key(&admin, &[AUDITOR]).await;
        let url = ticket(&holder, "GET", ME).await;
        assert!(url.starts_with(&format!("{ME}?ticket=ks_tk_")), "{url}");
        assert_eq!(open(&admin, &url).await.expect(200).body, me(&holder).await);
        open(&admin, &url).await.refused();
    }

    async fn of_200_who_use_a_ticket_at_once_one_succeeds(database: Database) {
        let (server, admin) = started(&database).await;
        let url = ticket(&admin, "GET", ME).await;
        assert_eq!(successes(&[&server], &admin, &url).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_who_use_a_ticket_at_several_nodes_one_succeeds() {
    let Some(database) = Database::postgres().await else { return };
    let (first, admin) = started(&database).await;
    let second = Server::start(&first.options().clone().with_own_data()).await;
    let url = ticket(&admin, "GET", ME).await;
    assert_eq!(successes(&[&first, &second], &admin, &url).await, 1);
    let made_elsewhere = ticket(&admin, "GET", KEYS).await;
    open(&second.api(Caller::Anonymous), &made_elsewhere).await.expect(200);
    open(&admin, &made_elsewhere).await.refused();
}

/// How many of 200 are let in; all others are refused as with any unknown credential.
async fn successes(servers: &[&Server], admin: &Api, url: &str) -> usize {
    let mut opening = JoinSet::new();
    for server in servers.iter().cycle().take(200) {
        let (api, url) = (server.api(admin.caller().clone()), url.to_owned());
        opening.spawn(async move { open(&api, &url).await });
    }
    let answers = opening.join_all().await;
    let (let_in, others): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    for other in others {
        other.refused();
    }
    let_in.len()
}
