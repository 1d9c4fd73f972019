//! What is traded for a credential never becomes more than it was.

use acceptance::{Database, Key, on_each_database, started};
use reqwest::Method;
use serde_json::json;

use super::{KEYS, ME, ROLES, as_bearer, permitted, refusal, sent, token_of, traded};

on_each_database! {
    async fn a_narrowed_token_does_not_become_its_whole_key(database: Database) {
        let (_server, admin) = started(&database).await;
        let role = |name: &str, permission: &str| json!({ "name": name, "permissions": [permission] });
        let writes = admin.post(ROLES, role("writes", "keystile.api_keys.write")).await.expect(201);
        let bills = admin.post(ROLES, role("bills", "billing.**")).await.expect(201);
        let roles = [writes.body["id"].clone(), bills.body["id"].clone()];
        let key = Key::made(&admin, json!({ "name": "both", "role_ids": roles })).await;
        let wish = [("scope", "keystile.api_keys.write")];
        let token = traded(&admin, &key.secret, &wish).await.expect(200);
        let narrowed = as_bearer(&admin, token.text_of("access_token"));
        narrowed.post(&key.at("/rotate"), json!({})).await.expect(403);
        as_bearer(&admin, &key.secret).get(ME).await.expect(200);
        // The key itself may.
        let itself = as_bearer(&admin, &key.secret);
        itself.post(&key.at("/rotate"), json!({})).await.expect(200);
    }

    async fn what_ends_soon_makes_no_secret_that_does_not(database: Database) {
        let (_server, admin) = started(&database).await;
        let manager = Key::made(&admin, json!({ "name": "manager", "role_ids": [1] })).await;
        let other = permitted(&admin, &["a"]).await;
        let token = as_bearer(&admin, &token_of(&admin, &manager.secret).await);
        token.post(&other.at("/rotate"), json!({})).await.expect(403);
        token.post(&manager.at("/rotate"), json!({})).await.expect(403);
        let user = json!({ "username": "mallory", "is_service_account": false, "enabled": true,
            "role_ids": [1], "password": "a green umbrella under seven moons" });
        token.post("/api/v1/users", user).await.expect(403);
    }

    async fn an_old_secret_stays_old_when_it_is_traded(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::made(&admin, json!({ "name": "leaked", "role_ids": [2] })).await;
        let overlap = json!({ "overlap_seconds": 600 });
        admin.post(&key.at("/rotate"), overlap).await.expect(200);
        let old = as_bearer(&admin, &token_of(&admin, &key.secret).await);
        old.get(KEYS).await.expect(200);
        let longer = json!({ "overlap_seconds": 2_592_000 });
        old.post(&key.at("/rotation/extend"), longer).await.expect(403);
        old.post(&key.at("/rotate"), json!({})).await.expect(403);
    }

    async fn a_scope_that_is_too_long_is_refused_before_it_is_read(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = permitted(&admin, &["a.**"]).await;
        let many: Vec<_> = (0..201).map(|at| format!("a.b{at}")).collect();
        for scope in [many.join(" "), format!("a.{}", "b".repeat(60_000))] {
            refusal(&traded(&admin, &key.secret, &[("scope", &scope)]).await, 400, "invalid_scope");
        }
        let most = many[..200].join(" ");
        traded(&admin, &key.secret, &[("scope", &most)]).await.expect(200);
    }

    async fn a_refresh_token_is_never_told_of_as_an_access_token(database: Database) {
        let (server, admin) = started(&database).await;
        let login = json!({ "username": "admin", "password": server.admin_password() });
        let session = admin.post("/api/v1/auth/login", login).await.expect(200);
        let refresh = session.text_of("refresh_token");
        let ask = |fields: &[(&str, &str)]| {
            sent(admin.request(Method::POST, "/oauth2/introspect").form(fields))
        };
        let told = ask(&[("token", refresh)]).await.expect(200);
        assert_eq!(told.body, json!({ "active": false }));
        let hint = ("token_type_hint", "refresh_token");
        let told = ask(&[("token", refresh), hint]).await.expect(200);
        assert_eq!((&told.body["active"], &told.body["username"]), (&json!(true), &json!("admin")));
        assert!(told.body.get("scope").is_none() && told.body.get("token_type").is_none(), "{told}");
    }

    async fn a_role_that_somebody_holds_is_widened_only_by_who_may_hand_it_out(database: Database) {
        let (_server, admin) = started(&database).await;
        let role = json!({ "name": "reader", "permissions": ["billing.read"] });
        let reader = admin.post(ROLES, role).await.expect(201).body["id"].clone();
        let held = Key::made(&admin, json!({ "name": "held", "role_ids": [reader] })).await;
        let writer = permitted(&admin, &["keystile.roles.write"]).await;
        let writer = as_bearer(&admin, &writer.secret);
        let wider = json!({ "permissions": ["billing.**"] });
        writer.patch(&format!("{ROLES}/{reader}"), wider.clone()).await.expect(403).problem("ceiling_exceeded");
        admin.delete(&held.at("")).await.expect(204);
        writer.patch(&format!("{ROLES}/{reader}"), wider).await.expect(200);
    }
}
