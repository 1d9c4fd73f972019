//! The ceiling: nobody gives, takes or touches power over Keystile that they do not hold.

mod delegation;
mod lifetime;
mod races;

use acceptance::{Answer, Api, Database, Key, on_each_database, started};
use serde_json::json;

use super::{
    ADMINISTRATOR, AUDITOR, KEY_MANAGER, KEYS, ME, ROLES, VERIFIER, everything, role, role_made,
    without_the_person,
};

on_each_database! {
    async fn a_key_manager_issues_keys_for_any_business_role(database: Database) {
        let (_server, admin) = started(&database).await;
        let manager = manager(&admin).await;
        let endpoints = json!([{ "methods": ["*"], "path": "/**" }]);
        let business = [
            role(&admin, "reader", &["invoices.read"]).await,
            role(&admin, "owner", &["invoices.**", "orders.*.read", "keystiles.write", "x"]).await,
            role_made(&admin, json!({ "name": "gate", "endpoints": endpoints })).await,
            role(&admin, "nothing", &[]).await,
        ];

        for role in business.into_iter().chain([KEY_MANAGER, VERIFIER]) {
            let key = Key::holding(&manager, "business", &[role]).await;
            manager.patch(&key.at(""), json!({ "description": "new" })).await.expect(200);
            manager.patch(&key.at(""), json!({ "enabled": false })).await.expect(200);
            manager.patch(&key.at(""), json!({ "enabled": true })).await.expect(200);
            manager.post(&key.at("/rotate"), json!({ "overlap_seconds": 60 })).await.expect(200);
            let extend = json!({ "overlap_seconds": 90 });
            manager.post(&key.at("/rotation/extend"), extend).await.expect(200);
            manager.post(&key.at("/rotation/finish"), json!({})).await.expect(200);
            manager.patch(&key.at(""), json!({ "role_ids": business })).await.expect(200);
            manager.delete(&key.at("")).await.expect(204);
        }
    }

    async fn a_key_manager_hands_out_no_power_that_it_lacks(database: Database) {
        let (_server, admin) = started(&database).await;
        let manager = manager(&admin).await;
        let key = Key::holding(&manager, "plain", &[VERIFIER]).await;
        let roles = beyond(&admin).await;
        let before = everything(&admin).await;

        for role in roles {
            let new = json!({ "name": "climb", "role_ids": [VERIFIER, role] });
            too_high(manager.post(KEYS, new.clone()).await);
            too_high(manager.patch(&key.at(""), json!({ "role_ids": [VERIFIER, role] })).await);
            let batch = json!({ "api_keys": [new] });
            let batch = manager.post(&format!("{KEYS}/batch"), batch).await.expect(200);
            assert_eq!(batch.body["data"][0]["code"], "ceiling_exceeded", "{batch}");
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn a_key_manager_never_touches_a_key_above_it(database: Database) {
        let (_server, admin) = started(&database).await;
        let manager = manager(&admin).await;
        for role in beyond(&admin).await {
            // The business role beside it changes nothing.
            let new =
                json!({ "name": "high", "role_ids": [VERIFIER, role], "external_id": "high" });
            let old = Key::made(&admin, new).await;
            let overlap = json!({ "overlap_seconds": 600 });
            let rotated = admin.post(&old.at("/rotate"), overlap.clone()).await.expect(200);
            let key = Key::of(&rotated);
            let off = json!({ "name": "off", "role_ids": [role], "enabled": false });
            let off = Key::made(&admin, off).await;
            let before = everything(&admin).await;

            for patch in [
                json!({ "name": "mine" }),
                json!({ "description": "mine" }),
                json!({ "enabled": false }),
                json!({ "role_ids": [] }),
                json!({ "role_ids": [VERIFIER] }),
                json!({ "expires_at": "2099-01-01T00:00:00Z" }),
                json!({ "allowed_ips": ["192.0.2.1"] }),
                json!({ "external_id": "mine" }),
                json!({ "metadata": { "a": 1 } }),
                json!({}),
            ] {
                too_high(manager.patch(&key.at(""), patch).await);
            }
            too_high(manager.patch(&off.at(""), json!({ "enabled": true })).await);
            too_high(manager.post(&key.at("/rotate"), overlap.clone()).await);
            too_high(manager.post(&key.at("/rotation/extend"), overlap).await);
            too_high(manager.post(&key.at("/rotation/finish"), json!({})).await);
            too_high(manager.delete(&key.at("")).await);
            too_high(manager.delete(&format!("{KEYS}?external_id=high")).await);

            assert_eq!(everything(&admin).await, before, "role {role}");
            for key in [&old, &key] {
                key.api(&admin).get(ME).await.expect(200);
            }
            admin.delete(&key.at("")).await.expect(204);
        }
    }

    async fn one_key_above_spares_all_of_its_external_id(database: Database) {
        let (_server, admin) = started(&database).await;
        let manager = manager(&admin).await;
        for (name, role) in [("low", VERIFIER), ("high", AUDITOR), ("low too", VERIFIER)] {
            let new = json!({ "name": name, "role_ids": [role], "external_id": "crm-1" });
            Key::made(&admin, new).await;
        }
        let before = everything(&admin).await;

        too_high(manager.delete(&format!("{KEYS}?external_id=crm-1")).await);

        assert_eq!(everything(&admin).await, before);
    }

    async fn nobody_climbs_through_a_role(database: Database) {
        let (_server, admin) = started(&database).await;
        let powers = ["keystile.roles.*", "keystile.api_keys.*"];
        let own = role(&admin, "own", &powers).await;
        let climber = Key::holding(&admin, "climber", &[own]).await.api(&admin);
        let high = role(&admin, "high", &["keystile.audit.read"]).await;
        let path = format!("{ROLES}/{own}");
        let before = everything(&admin).await;

        for permission in HIGH {
            let new = json!({ "name": "new", "permissions": [permission] });
            too_high(climber.post(ROLES, new.clone()).await);
            too_high(climber.patch(&path, json!({ "permissions": [powers[0], permission] })).await);
            let dry = climber.post(&format!("{ROLES}?dry_run=true"), new).await;
            too_high(dry);
        }
        // What is above is neither lowered, renamed nor deleted.
        let high = format!("{ROLES}/{high}");
        for patch in
            [json!({ "permissions": [] }), json!({ "name": "low" }), json!({ "may_grant": [] })]
        {
            too_high(climber.patch(&high, patch).await);
        }
        too_high(climber.delete(&high).await);
        assert_eq!(everything(&admin).await, before);

        // What it holds, and what is no power over Keystile, it may write.
        let new = json!({ "name": "new", "permissions": ["invoices.**", "keystile.roles.read"] });
        role_made(&climber, new).await;
    }

    async fn the_last_administrator_stays(database: Database) {
        let (_server, admin) = started(&database).await;
        without_the_person(&admin).await;
        let me = admin.get(ME).await.expect(200);
        let path = format!("{KEYS}/{}", me.body["credential"]["id"].as_str().unwrap());
        admin.patch(&path, json!({ "external_id": "last" })).await.expect(200);
        let root = role(&admin, "root", &["**"]).await;
        let only_root = json!({ "role_ids": [root] });
        // A key that is off, or that ends, is nobody's way back in.
        let off = json!({ "name": "off", "role_ids": [ADMINISTRATOR], "enabled": false });
        Key::made(&admin, off).await;
        let stays = async || {
            let before = everything(&admin).await;
            for patch in [
                json!({ "enabled": false }),
                json!({ "role_ids": [] }),
                json!({ "role_ids": null }),
                json!({ "role_ids": [KEY_MANAGER, AUDITOR, VERIFIER] }),
                json!({ "expires_at": "2099-01-01T00:00:00Z" }),
            ] {
                let refused = admin.patch(&path, patch.clone()).await;
                assert_eq!(refused.status, 409, "{patch}: {refused}");
                refused.problem("conflict");
            }
            admin.delete(&path).await.expect(409).problem("conflict");
            admin.delete(&format!("{KEYS}?external_id=last")).await.expect(409).problem("conflict");
            assert_eq!(everything(&admin).await, before);
        };
        stays().await;

        // A role of one's own making is no way round.
        admin.patch(&path, only_root.clone()).await.expect(200);
        stays().await;
        let root = format!("{ROLES}/{root}");
        for permissions in [json!([]), json!(["keystile.**"]), json!(null)] {
            let refused = admin.patch(&root, json!({ "permissions": permissions })).await;
            refused.expect(409).problem("conflict");
        }
        admin.delete(&root).await.expect(409).problem("conflict");

        // With a second one, the first may go.
        let second = Key::holding(&admin, "second", &[ADMINISTRATOR]).await;
        admin.delete(&path).await.expect(204);
        second.api(&admin).patch(&root, json!({ "permissions": [] })).await.expect(200);
        second.api(&admin).delete(&second.at("")).await.expect(409).problem("conflict");
    }

    async fn what_an_administrator_does_has_no_ceiling(database: Database) {
        let (_server, admin) = started(&database).await;
        let second = Key::holding(&admin, "second", &[ADMINISTRATOR]).await;

        for role in beyond(&admin).await {
            let key = Key::holding(&second.api(&admin), "high", &[role]).await;
            second.api(&admin).post(&key.at("/rotate"), json!({})).await.expect(200);
            second.api(&admin).delete(&key.at("")).await.expect(204);
        }
    }
}

async fn manager(admin: &Api) -> Api {
    Key::holding(admin, "manager", &[KEY_MANAGER]).await.api(admin)
}

/// Roles with some power over Keystile that a key-manager lacks.
async fn beyond(admin: &Api) -> Vec<i64> {
    let mut roles = vec![ADMINISTRATOR, AUDITOR];
    for permission in HIGH {
        roles.push(role(admin, &format!("high {permission}"), &[permission]).await);
    }
    roles
}

#[track_caller]
fn too_high(answer: Answer) {
    answer.expect(403).problem("ceiling_exceeded");
}

/// Each covers something of Keystile's that neither a key-manager nor a writer of roles holds.
const HIGH: [&str; 8] = [
    "**",
    "*.**",
    "*.*.read",
    "keystile.**",
    "keystile.*.*",
    "keystile.audit.read",
    "keystile.users.write",
    "keystile.not_yet.known",
];
