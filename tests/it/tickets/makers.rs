//! Whoever has a credential has tickets, and they stand for just that credential.

use acceptance::{
    Answer, Api, Caller, Database, Part,
    oidc::{OpenIdProvider, User},
    on_each_database, started,
};
use reqwest::Method;
use serde_json::json;

use super::{AUDITOR, KEYS, ME, TICKETS, USERS, key, me, open, ticket};

on_each_database! {
    async fn a_ticket_of_each_kind_of_credential_is_that_credential(database: Database) {
        let (server, admin) = started(&database).await;
        let (_, auditor) = key(&admin, &[AUDITOR]).await;
        let session = admin.with(admin.sign_in("admin", &server.admin_password()).await);
        let scoped = json!({ "scopes": ["keystile.users.read"], "expires_in_days": 1 });
        let token = session.post("/api/v1/me/tokens", scoped).await.expect(201);
        let token = admin.with(Caller::Bearer(token.text_of("token").to_owned()));
        let traded = traded(&auditor, "keystile.users.read").await;
        let mut makers = vec![auditor, session, token, traded];
        // Its provider lives for as long as its token is used.
        let company = company(&admin).await;
        makers.extend(company.iter().map(|(_, jane)| jane.clone()));
        for maker in makers {
            let url = ticket(&maker, "GET", ME).await;
            assert_eq!(open(&admin, &url).await.expect(200).body, me(&maker).await);
            let may = maker.get(USERS).await.status;
            let url = ticket(&maker, "GET", USERS).await;
            assert_eq!(open(&admin, &url).await.status, may);
            let may = maker.get(KEYS).await.status;
            let url = ticket(&maker, "GET", KEYS).await;
            assert_eq!(open(&admin, &url).await.status, may);
        }
    }

    async fn a_ticket_never_outlives_what_it_was_made_with(database: Database) {
        let (_server, admin) = started(&database).await;
        let (path, holder) = key(&admin, &[]).await;
        let new = json!({ "method": "GET", "path": ME, "expires_in_seconds": 300 });
        let whole = holder.post(TICKETS, new.clone()).await.expect(201);
        let overlap = json!({ "overlap_seconds": 60 });
        admin.post(&format!("{path}/rotate"), overlap).await.expect(200);
        let rotation = admin.get(&format!("{path}/rotation")).await.expect(200);
        let old = holder.post(TICKETS, new).await.expect(201);
        assert_eq!(old.text_of("expires_at"), rotation.text_of("old_secret_expires_at"));
        assert!(old.text_of("expires_at") < whole.text_of("expires_at"), "{old} {whole}");
    }
}

/// An identity provider, if this machine has one, and Jane with her token of it: she may do there
/// what an auditor may.
async fn company(admin: &Api) -> Option<(OpenIdProvider, Api)> {
    if !Part::OpenId.or_skip() {
        return None;
    }
    let idp = OpenIdProvider::start().await;
    let new = json!({
        "name": "Company",
        "kind": "oidc",
        "authority": idp.issuer(),
        "audience": "api://keystile",
        "create_users": true,
        "role_claim": "groups",
        "role_mapping": { "audit": [AUDITOR] },
    });
    admin.post("/api/v1/providers", new).await.expect(201);
    let jane = User::new("jane-1").claim("groups", json!(["audit"]));
    let token = idp.access_token(&jane, "api://keystile", "keys.read").await;
    Some((idp, admin.with(Caller::Bearer(token))))
}

/// Somebody with an access token for a key, narrowed to this scope.
async fn traded(holder: &Api, scope: &str) -> Api {
    let Caller::Header(key) = holder.caller() else { panic!("it has a header") };
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token", key),
        ("scope", scope),
    ];
    let trade = holder.with(Caller::Anonymous).request(Method::POST, "/oauth2/token").form(&form);
    let token = Answer::to(trade).await.unwrap().expect(200);
    holder.with(Caller::Bearer(token.text_of("access_token").to_owned()))
}
