//! People who come with an access token of the company's own identity provider.

use acceptance::{Answer, Database, oidc::User, on_each_database, started};
use serde_json::{Value, json};

use super::{
    AUDIENCE, EVENTS, ME, PROVIDERS, Provider, SCOPE, USERS, bearing, idp, is_taken, jane, refusal,
    token_of_jane,
};

on_each_database! {
    async fn somebody_is_a_user_from_their_first_token_on(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        Provider::of(&admin, &idp, json!({})).await;
        let someone = jane().claim("name", "Jane Doe").claim("email", "jane@example.com");
        let token = idp.access_token(&someone, AUDIENCE, SCOPE).await;

        let me = bearing(&admin, &token).get(ME).await.expect(200);
        assert_eq!(me.body["principal"]["kind"], "user");
        assert_eq!(me.body["principal"]["name"], "jane");
        assert_eq!(me.body["permissions"], json!([]));
        let again = token_of_jane(&idp).await;
        let again = bearing(&admin, &again).get(ME).await.expect(200);
        assert_eq!(again.body["principal"], me.body["principal"]);

        let path = format!("{USERS}/{}", me.body["principal"]["id"].as_str().unwrap());
        let user = admin.get(&path).await.expect(200).body;
        assert_eq!(user["display_name"], "Jane Doe");
        assert_eq!(user["email"], "jane@example.com");
        let made = admin.get(&format!("{EVENTS}?action=user.created&sort=-seq")).await.expect(200);
        let made = &made.body["data"][0];
        assert_eq!(made["after"]["username"], "jane");
        assert_eq!(made["actor"], Value::Null, "Keystile itself");
    }

    async fn many_first_tokens_at_once_make_one_user(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        Provider::of(&admin, &idp, json!({})).await;
        let token = token_of_jane(&idp).await;
        let before = users(&admin.get(USERS).await);

        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let jane = bearing(&admin, &token);
            asking.spawn(async move { jane.get(ME).await.expect(200).body["principal"].clone() });
        }
        let known = asking.join_all().await;
        assert!(known.iter().all(|principal| *principal == known[0]), "{known:?}");
        assert_eq!(users(&admin.get(USERS).await), before + 1);
    }

    async fn without_first_sight_nobody_unknown_comes_in(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        let provider = Provider::of(&admin, &idp, json!({ "create_users": false })).await;
        let token = token_of_jane(&idp).await;
        assert!(!is_taken(&admin, &token).await);

        provider.change(&admin, json!({ "create_users": true })).await;
        assert!(is_taken(&admin, &token).await);
        provider.change(&admin, json!({ "create_users": false })).await;
        assert!(is_taken(&admin, &token).await, "who is known stays known");
    }

    async fn a_name_that_is_taken_links_to_nobody(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        Provider::of(&admin, &idp, json!({})).await;

        for (subject, name) in [("1", "admin"), ("2", "ADMIN"), ("3", "ａｄｍｉｎ")] {
            let user = User::new(subject).claim("preferred_username", name);
            let token = idp.access_token(&user, AUDIENCE, SCOPE).await;
            let me = bearing(&admin, &token).get(ME).await.expect(200);
            let given = me.body["principal"]["name"].as_str().unwrap().to_owned();
            assert!(given.contains("company"), "{me}");
            assert_eq!(me.body["roles"], json!([]), "{me}");
        }
    }

    async fn who_is_switched_off_stays_out_whatever_token_they_bring(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        Provider::of(&admin, &idp, json!({})).await;
        let token = token_of_jane(&idp).await;
        let me = bearing(&admin, &token).get(ME).await.expect(200);
        let path = format!("{USERS}/{}", me.body["principal"]["id"].as_str().unwrap());

        admin.patch(&path, json!({ "enabled": false })).await.expect(200);
        assert!(!is_taken(&admin, &token).await);
        assert!(!is_taken(&admin, &token_of_jane(&idp).await).await);
        assert_eq!(admin.get(&path).await.expect(200).body["enabled"], false);

        admin.patch(&path, json!({ "enabled": true })).await.expect(200);
        assert!(is_taken(&admin, &token).await);
    }

    async fn who_was_deleted_is_not_made_anew(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        Provider::of(&admin, &idp, json!({})).await;
        let jane = bearing(&admin, &token_of_jane(&idp).await);
        let id = |me: &Answer| me.body["principal"]["id"].as_str().unwrap().to_owned();
        let first = id(&jane.get(ME).await.expect(200));
        admin.delete(&format!("{USERS}/{first}")).await.expect(204);
        jane.get(ME).await.expect(401).problem("invalid_credential");
        let another = bearing(&admin, &token_of_jane(&idp).await);
        another.get(ME).await.expect(401).problem("invalid_credential");
    }

    async fn who_was_forgotten_is_somebody_new(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        Provider::of(&admin, &idp, json!({})).await;
        let jane = bearing(&admin, &token_of_jane(&idp).await);
        let id = |me: &Answer| me.body["principal"]["id"].as_str().unwrap().to_owned();
        let first = id(&jane.get(ME).await.expect(200));
        admin.delete(&format!("{USERS}/{first}?identities=forget")).await.expect(204);
        assert_ne!(id(&jane.get(ME).await.expect(200)), first);
    }

    async fn a_provider_that_is_switched_off_lets_nobody_in(database: Database) {
        let Some(idp) = idp().await else { return };
        let (_server, admin) = started(&database).await;
        let provider = Provider::of(&admin, &idp, json!({})).await;
        let token = token_of_jane(&idp).await;
        let jane = bearing(&admin, &token);
        jane.get(ME).await.expect(200);

        provider.change(&admin, json!({ "enabled": false })).await;
        let off = refusal(&jane.get(ME).await);
        let newcomer = idp.access_token(&User::new("new"), AUDIENCE, SCOPE).await;
        assert_eq!(refusal(&bearing(&admin, &newcomer).get(ME).await), off);
        assert_eq!(refusal(&bearing(&admin, "e30.e30.e30").get(ME).await), off);
        provider.change(&admin, json!({ "enabled": true })).await;
        jane.get(ME).await.expect(200);

        admin.delete(&provider.path()).await.expect(204);
        assert_eq!(refusal(&jane.get(ME).await), off);
    }
}

#[tokio::test]
async fn a_token_rides_as_a_bearer_and_nowhere_else() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({})).await;
    let token = token_of_jane(&idp).await;
    assert!(is_taken(&admin, &token).await);
    let header = admin.with(acceptance::Caller::Header(token.clone()));
    header.get(ME).await.expect(401).problem("invalid_credential");
    let anonymous = admin.with(acceptance::Caller::Anonymous);
    let query = anonymous.get(&format!("{ME}?access_token={token}")).await;
    assert!([400, 401].contains(&query.status.as_u16()), "{query}");
}

#[tokio::test]
async fn checking_a_token_for_a_service_says_whose_it_is() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({})).await;
    let token = token_of_jane(&idp).await;

    let verdict = verify(&admin, &token).await;
    assert_eq!(verdict["code"], "valid", "{verdict}");
    assert_eq!(verdict["principal"]["name"], "jane", "{verdict}");
    let (signed, _) = token.rsplit_once('.').unwrap();
    let unsigned = format!("{signed}.{}", "A".repeat(342));
    assert_eq!(verify(&admin, &unsigned).await["code"], "not_found");
    assert_eq!(admin.get(PROVIDERS).await.expect(200).body["total"], 4);
}

async fn verify(admin: &acceptance::Api, token: &str) -> Value {
    admin.post("/api/v1/verify", json!({ "credential": token })).await.expect(200).body
}

fn users(answer: &Answer) -> i64 {
    answer.body["total"].as_i64().unwrap_or_else(|| panic!("no list: {answer}"))
}
