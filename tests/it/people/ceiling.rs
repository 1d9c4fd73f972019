//! The ceiling over people: nobody makes, touches or acts as somebody above them.

use acceptance::{Database, on_each_database, started};
use serde_json::{Value, json};

use super::{
    ADMINISTRATOR, AUDITOR, Account, KEY_MANAGER, ME, Token, USERS, VERIFIER, first_admin, head,
    key, program, role, signed_in, too_high,
};

on_each_database! {
    async fn each_pair_of_roles_is_judged_by_what_they_hold(database: Database) {
        let (_server, admin) = started(&database).await;
        let writer = role(&admin, "writer", &["keystile.users.*", "keystile.keys.verify"]).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let assigning = ["keystile.users.*", "keystile.keys.verify", "keystile.roles.assign"];
        let assigner = role(&admin, "assigner", &assigning).await;
        // Who may give the role to somebody, and who may touch somebody that has it.
        for (by, gives, touches) in [
            (ADMINISTRATOR, &[ADMINISTRATOR, AUDITOR, VERIFIER, writer, billing][..], &[][..]),
            (assigner, &[VERIFIER, writer, billing], &[]),
            (writer, &[VERIFIER, writer], &[billing]),
        ] {
            let (_, api) = program(&admin, &format!("by-{by}"), &[by]).await;
            for target in [ADMINISTRATOR, AUDITOR, VERIFIER, writer, billing, KEY_MANAGER] {
                let (may_give, may_touch) = match by {
                    ADMINISTRATOR => (true, true),
                    _ => (gives.contains(&target), [gives, touches].concat().contains(&target)),
                };
                let name = format!("{by}-{target}");
                let user = Account::service(&admin, &name, &[target]).await;
                let plain = Account::service(&admin, &format!("{name}-plain"), &[]).await;
                let new = json!({ "username": format!("{name}-new"), "role_ids": [target] });
                for (answer, may) in [
                    (api.post(USERS, new).await, may_give),
                    (api.patch(&plain.at(""), json!({ "role_ids": [target] })).await, may_give),
                    (api.patch(&user.at(""), json!({ "enabled": false })).await, may_touch),
                    (api.patch(&user.at(""), json!({ "display_name": "x" })).await, may_touch),
                    (api.patch(&user.at(""), json!({})).await, may_touch),
                    (api.patch(&user.at(""), json!({ "role_ids": [] })).await, may_touch),
                ] {
                    if may {
                        assert!(answer.status.is_success(), "{by} on {target}: {answer}");
                    } else {
                        too_high(answer);
                    }
                }
                let high = Account::service(&admin, &format!("{name}-high"), &[target]).await;
                let deleted = api.delete(&high.at("")).await;
                if may_touch {
                    deleted.expect(204);
                } else {
                    too_high(deleted);
                }
            }
        }
    }

    async fn whoever_makes_a_token_could_hand_out_every_role_of_its_owner(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let bare = role(&admin, "bare", &["keystile.service_accounts.tokens"]).await;
        let (bare, manager) = (key(&admin, &[bare]).await, key(&admin, &[KEY_MANAGER]).await);
        for (roles, bare_may, manager_may) in [
            (&[][..], true, true),
            (&[billing], false, true),
            (&[VERIFIER], false, true),
            (&[AUDITOR], false, false),
            (&[ADMINISTRATOR], false, false),
            (&[billing, AUDITOR], false, false),
        ] {
            let name = format!("bot-{roles:?}");
            let account = Account::service(&admin, &name, roles).await;
            let token = account.token(&admin, json!({})).await;
            let rotate = account.at(&format!("/tokens/{}/rotate", token.id));
            // Not even a token that is worth nothing: its owner could change that.
            let nothing = json!({ "scopes": [] });
            for (api, may) in [(&bare, bare_may), (&manager, manager_may)] {
                for (path, status) in [(&account.at("/tokens"), 201), (&rotate, 200)] {
                    let body = if *path == rotate { json!({}) } else { nothing.clone() };
                    let answer = api.post(path, body).await;
                    if may {
                        answer.expect(status);
                    } else {
                        too_high(answer);
                    }
                }
                api.get(&account.at("/tokens")).await.expect(200);
            }
        }
    }

    async fn the_tokens_of_people_are_theirs(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[]).await;
        let ann = signed_in(&admin, "ann").await;
        let token = Token::own(&ann, json!({ "name": "mine" })).await;
        let of_ann = user.at(&format!("/tokens/{}", token.id));
        let before = head(&admin).await;

        // An administrator sees and revokes them, and gets no secret of them.
        admin.get(&user.at("/tokens")).await.expect(200);
        admin.get(&of_ann).await.expect(200);
        too_high(admin.post(&user.at("/tokens"), json!({})).await);
        too_high(admin.post(&format!("{of_ann}/rotate"), json!({})).await);
        // A key-manager sees them, an auditor too; neither revokes them.
        for role in [KEY_MANAGER, AUDITOR] {
            let api = key(&admin, &[role]).await;
            api.get(&user.at("/tokens")).await.expect(200);
            api.get(&of_ann).await.expect(200);
            api.delete(&of_ann).await.expect(403).problem("insufficient_permissions");
            api.post(&user.at("/tokens"), json!({})).await.expect(403);
        }
        assert_ne!(head(&admin).await, before, "two keys were made");
        token.api(&admin).get(ME).await.expect(200);

        admin.delete(&of_ann).await.expect(204);
        token.api(&admin).get(ME).await.expect(401);
    }

    async fn where_the_provider_allows_it_an_administrator_hands_a_token_over(database: Database) {
        let (_server, admin) = started(&database).await;
        let user = Account::person(&admin, "ann", &[]).await;
        let high = Account::person(&admin, "high", &[AUDITOR]).await;
        let providers = "/api/v1/providers";
        let list = admin.get(&format!("{providers}?kind=personal_access_token")).await.expect(200);
        let id = list.body["data"][0]["id"].as_str().unwrap();
        let allow = json!({ "admin_may_create": true });
        admin.patch(&format!("{providers}/{id}"), allow).await.expect(200);
        let writer = role(&admin, "writer", &["keystile.users.*"]).await;
        let writer = key(&admin, &[writer]).await;

        let token = user.token(&writer, json!({ "name": "handed over" })).await;

        let me = token.api(&admin).get(ME).await.expect(200);
        assert_eq!(me.body["principal"]["id"], user.id);
        writer.post(&user.at(&format!("/tokens/{}/rotate", token.id)), json!({})).await.expect(200);
        too_high(writer.post(&high.at("/tokens"), json!({})).await);
        let manager = key(&admin, &[KEY_MANAGER]).await;
        manager.post(&user.at("/tokens"), json!({})).await.expect(403);
    }

    async fn the_last_administrator_stays(database: Database) {
        let (server, admin) = started(&database).await;
        let user = first_admin(&admin).await;
        let list = admin.get(&format!("{}?role_id=1", super::KEYS)).await.expect(200);
        let first_key = format!("{}/{}", super::KEYS, list.body["data"][0]["id"].as_str().unwrap());
        // Somebody who only has a token is nobody's way back in.
        let (_, bot) = program(&admin, "bot", &[ADMINISTRATOR]).await;
        // While there is the person, the key may go.
        bot.delete(&format!("{first_key}?dry_run=true")).await.expect(200);
        bot.patch(&first_key, json!({ "enabled": false })).await.expect(200);
        let before = head(&bot).await;

        for patch in [
            json!({ "enabled": false }),
            json!({ "role_ids": [] }),
            json!({ "role_ids": [AUDITOR, KEY_MANAGER] }),
            json!({ "password": null }),
        ] {
            let refused = bot.patch(&user.at(""), patch.clone()).await;
            assert_eq!(refused.status, 409, "{patch}: {refused}");
            refused.problem("conflict");
        }
        bot.delete(&user.at("")).await.expect(409).problem("conflict");
        bot.delete(&user.at("?tokens=revoke")).await.expect(409).problem("conflict");
        assert_eq!(head(&bot).await, before);

        // With the key on again the person may go, and then the key stays.
        bot.patch(&first_key, json!({ "enabled": true })).await.expect(200);
        admin.delete(&user.at("")).await.expect(204);
        bot.patch(&first_key, json!({ "enabled": false })).await.expect(409).problem("conflict");
        server.restart().await.admin().get(ME).await.expect(200);
    }

    async fn reading_needs_the_power_to_read(database: Database) {
        let (_server, admin) = started(&database).await;
        let account = Account::service(&admin, "bot", &[]).await;
        let person = Account::person(&admin, "ann", &[]).await;
        let made = account.token(&admin, json!({})).await;
        for (permission, users, of_bot, of_ann, makes) in [
            ("keystile.users.read", 200, 403, 403, 403),
            ("keystile.users.write", 403, 403, 200, 403),
            ("keystile.tokens.read", 403, 200, 200, 403),
            ("keystile.service_accounts.tokens", 403, 200, 403, 201),
            ("invoices.**", 403, 403, 403, 403),
        ] {
            let api = key(&admin, &[role(&admin, permission, &[permission]).await]).await;
            for (path, status) in [
                (USERS.to_owned(), users),
                (person.at(""), users),
                (account.at("/tokens"), of_bot),
                (account.at(&format!("/tokens/{}", made.id)), of_bot),
                (person.at("/tokens"), of_ann),
            ] {
                let answer = api.get(&path).await;
                assert_eq!(answer.status, status, "{permission}: {path}: {answer}");
            }
            let answer = api.post(&account.at("/tokens"), json!({})).await;
            assert_eq!(answer.status, makes, "{permission}: {answer}");
        }
    }

    async fn nobody_climbs_by_changing_themselves(database: Database) {
        let (_server, admin) = started(&database).await;
        let writer = role(&admin, "writer", &["keystile.users.*"]).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let (account, api) = program(&admin, "bot", &[writer]).await;
        let before = head(&admin).await;

        for role in [ADMINISTRATOR, KEY_MANAGER, billing] {
            too_high(api.patch(&account.at(""), json!({ "role_ids": [writer, role] })).await);
        }

        assert_eq!(head(&admin).await, before);
        assert_eq!(admin.get(&account.at("")).await.body["role_ids"], Value::from(vec![writer]));
    }
}
