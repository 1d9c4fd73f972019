//! Passwords, as far as somebody else sets them.

use acceptance::{Database, on_each_database, started};
use serde_json::json;

use super::{
    AUDITOR, Account, EVENTS, ME, PASSWORD, TOKENS, Token, USERS, actions, first_admin, head, key,
    pointers, program, role, sign_in, signed_in, too_high,
};

on_each_database! {
    async fn a_weak_password_is_refused_with_its_reason(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann.smithson", &[]).await;
        let before = head(&admin).await;

        for weak in ["", "too short", "password1234567", "ann.smithson 2026", "aaaaaaaaaaaaaaaaaaaa"] {
            let new = json!({ "username": "Ann.Smithson the 2nd", "password": weak });
            let refused = admin.post(USERS, new).await.expect(422);
            assert_eq!(pointers(&refused), ["/password"], "{weak}");
            assert!(weak.is_empty() || !refused.text.contains(weak), "{refused}");
            let refused = admin.patch(&user.at(""), json!({ "password": weak })).await.expect(422);
            assert_eq!(pointers(&refused), ["/password"], "{weak}");
        }

        assert_eq!(head(&admin).await, before);
        sign_in(&admin, "ann.smithson", PASSWORD).await.expect(200);
    }

    async fn a_service_account_has_none(database: Database) {
        let (_server, admin) = started(&database).await;
        let account = Account::service(&admin, "bot", &[]).await;
        let before = head(&admin).await;

        let new = json!({ "username": "b2", "is_service_account": true, "password": PASSWORD });
        assert_eq!(pointers(&admin.post(USERS, new).await.expect(422)), ["/password"]);
        for password in [json!(PASSWORD), json!(null)] {
            let refused = admin.patch(&account.at(""), json!({ "password": password })).await;
            assert_eq!(pointers(&refused.expect(422)), ["/password"]);
        }

        assert_eq!(head(&admin).await, before);
    }

    async fn a_new_password_ends_sessions_and_spares_tokens(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[]).await;
        let ann = signed_in(&admin, "ann").await;
        let token = Token::own(&ann, json!({})).await;
        let new = "saffron bicycle lighthouse forty-two";

        let patched = admin.patch(&user.at(""), json!({ "password": new })).await.expect(200);

        assert_eq!(patched.header("etag"), "\"2\"");
        assert!(!patched.text.contains(new));
        ann.get(ME).await.expect(401);
        sign_in(&admin, "ann", PASSWORD).await.expect(401);
        sign_in(&admin, "ann", new).await.expect(200);
        token.api(&admin).get(ME).await.expect(200);
        let log = admin.get(&format!("{EVENTS}?action=password.changed")).await.expect(200);
        assert_eq!(log.body["data"][0]["target"]["id"], user.id);
        assert!(!log.text.contains(new));
        assert_eq!(actions(&admin, "action=session.ended").await.len(), 1);
    }

    async fn without_a_password_nobody_signs_in(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[]).await;
        let ann = signed_in(&admin, "ann").await;

        admin.patch(&user.at(""), json!({ "password": null })).await.expect(200);

        ann.get(ME).await.expect(401);
        sign_in(&admin, "ann", PASSWORD).await.expect(401);
    }

    async fn whoever_sets_a_password_could_hand_out_every_role(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let writer = role(&admin, "writer", &["keystile.users.*"]).await;
        let writer = key(&admin, &[writer]).await;
        let set = json!({ "password": "saffron bicycle lighthouse forty-two" });
        let low = Account::person(&admin, "low", &[]).await;
        let business = Account::person(&admin, "business", &[billing]).await;
        let high = Account::person(&admin, "high", &[AUDITOR]).await;

        writer.patch(&low.at(""), set.clone()).await.expect(200);
        let before = head(&admin).await;
        too_high(writer.patch(&business.at(""), set.clone()).await);
        too_high(writer.patch(&high.at(""), set.clone()).await);
        too_high(writer.patch(&first_admin(&admin).await.at(""), set.clone()).await);
        assert_eq!(head(&admin).await, before);

        // Without the role that it cannot hand out, it may.
        let both = json!({ "role_ids": [], "password": set["password"] });
        writer.patch(&business.at(""), both).await.expect(200);
    }

    async fn nobody_changes_their_own_without_the_present_one(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[super::ADMINISTRATOR]).await;
        let ann = signed_in(&admin, "ann").await;
        let token = Token::own(&ann, json!({})).await.api(&admin);
        let before = head(&admin).await;

        for password in [json!("saffron bicycle lighthouse forty-two"), json!(null)] {
            for api in [&ann, &token] {
                too_high(api.patch(&user.at(""), json!({ "password": password })).await);
            }
        }

        assert_eq!(head(&admin).await, before);
        // Everything else of oneself is within one's rights.
        token.patch(&user.at(""), json!({ "display_name": "Ann" })).await.expect(200);
    }

    async fn a_key_sets_one_and_a_token_that_ends_does_not(database: Database) {
        let (_server, admin) = started(&database).await;
        let (_, bot) = program(&admin, "bot", &[super::ADMINISTRATOR]).await;
        let ann = Account::person(&admin, "ann", &[]).await;
        // The password would still work when the token has ended.
        let typed = json!({ "password": "seven moons over a green umbrella" });
        bot.patch(&ann.at(""), typed).await.expect(403).problem("ceiling_exceeded");

        let ann_signed_in = signed_in(&admin, "ann").await;
        let me = ann_signed_in.get(ME).await.expect(200);
        assert_eq!(me.body["principal"]["id"], ann.id);
        ann_signed_in.get(TOKENS).await.expect(200);
    }
}
