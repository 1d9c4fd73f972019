//! Handing out roles: `keystile.roles.assign`, and `may_grant` of a role of one's own.

use acceptance::{Api, Database, Key, on_each_database, started};
use serde_json::{Value, json};

use super::too_high;
use crate::lifecycle::{ADMINISTRATOR, KEYS, ROLES, VERIFIER, everything, role, role_made};

on_each_database! {
    async fn without_either_no_business_role_is_handed_out(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let key = Key::holding(&admin, "billing", &[billing]).await;
        let writer = writer(&admin, &[]).await;
        let before = everything(&admin).await;

        too_high(issue(&writer, &[billing]).await);
        too_high(issue(&writer, &[VERIFIER, billing]).await);
        // The answer would be a working secret with a role that it may not give.
        too_high(writer.post(&key.at("/rotate"), json!({})).await);
        assert_eq!(everything(&admin).await, before);

        let plain = Key::of(&issue(&writer, &[]).await.expect(201));
        too_high(writer.patch(&plain.at(""), json!({ "role_ids": [billing] })).await);
        // What the key holds already is not handed out by changing something else, or less of it.
        writer.patch(&key.at(""), json!({ "name": "new" })).await.expect(200);
        writer.patch(&key.at(""), json!({ "role_ids": [] })).await.expect(200);
    }

    async fn may_grant_opens_exactly_the_roles_that_it_names(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let orders = role(&admin, "orders", &["orders.read"]).await;
        let writer = writer(&admin, &[billing]).await;

        let key = Key::of(&issue(&writer, &[billing]).await.expect(201));
        writer.post(&key.at("/rotate"), json!({})).await.expect(200);
        too_high(issue(&writer, &[orders]).await);
        too_high(issue(&writer, &[billing, orders]).await);
        too_high(writer.patch(&key.at(""), json!({ "role_ids": [billing, orders] })).await);
    }

    async fn may_grant_gives_no_power_over_keystile(database: Database) {
        let (_server, admin) = started(&database).await;
        let mixed = role(&admin, "mixed", &["invoices.read", "keystile.audit.read"]).await;
        let writer = writer(&admin, &[ADMINISTRATOR, mixed]).await;
        let before = everything(&admin).await;

        for role in [ADMINISTRATOR, mixed] {
            too_high(issue(&writer, &[role]).await);
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn a_role_that_became_powerful_is_no_longer_handed_out(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let writer = writer(&admin, &[billing]).await;
        let key = Key::of(&issue(&writer, &[billing]).await.expect(201));

        let more = json!({ "permissions": ["invoices.read", "keystile.users.write"] });
        admin.patch(&format!("{ROLES}/{billing}"), more).await.expect(200);

        too_high(issue(&writer, &[billing]).await);
        too_high(writer.post(&key.at("/rotate"), json!({})).await);
        too_high(writer.patch(&key.at(""), json!({ "role_ids": [] })).await);
        too_high(writer.delete(&key.at("")).await);
    }

    async fn nobody_lets_others_grant_what_they_cannot_grant_themselves(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let orders = role(&admin, "orders", &["orders.read"]).await;
        let own = json!({
            "name": "own",
            "permissions": ["keystile.api_keys.*", "keystile.roles.*"],
            "may_grant": [billing],
        });
        // `keystile.roles.*` has `assign` in it; without that one, the rest.
        let mut narrow = own.clone();
        narrow["permissions"] =
            json!(["keystile.api_keys.*", "keystile.roles.read", "keystile.roles.write"]);
        let narrow = role_made(&admin, narrow).await;
        let climber = Key::holding(&admin, "climber", &[narrow]).await.api(&admin);
        let before = everything(&admin).await;

        for wanted in [orders, ADMINISTRATOR, narrow] {
            let grants = json!({ "may_grant": [billing, wanted] });
            too_high(climber.patch(&format!("{ROLES}/{narrow}"), grants.clone()).await);
            let new = json!({ "name": "new", "may_grant": [wanted] });
            too_high(climber.post(ROLES, new).await);
        }
        assert_eq!(everything(&admin).await, before);

        let passed_on = role_made(&climber, json!({ "name": "new", "may_grant": [billing] })).await;
        // A role of its own making, which it may still not hand out.
        too_high(issue(&climber, &[passed_on]).await);
    }

    async fn nobody_widens_a_role_of_their_own_that_they_could_not_hand_out(database: Database) {
        let (_server, admin) = started(&database).await;
        let own = json!({ "name": "own", "permissions": ["keystile.roles.write"] });
        let own = role_made(&admin, own).await;
        let other = role(&admin, "other", &[]).await;
        let climber = Key::holding(&admin, "climber", &[own]).await.api(&admin);
        let before = everything(&admin).await;

        for wider in [
            json!({ "permissions": ["keystile.roles.write", "billing.**"] }),
            json!({ "endpoints": [{ "methods": ["*"], "path": "/**" }] }),
        ] {
            too_high(climber.patch(&format!("{ROLES}/{own}"), wider).await);
        }

        assert_eq!(everything(&admin).await, before);
        let billing = json!({ "permissions": ["billing.**"] });
        climber.patch(&format!("{ROLES}/{other}"), billing).await.expect(200);
    }

    async fn a_role_that_grants_more_is_not_handed_out(database: Database) {
        let (_server, admin) = started(&database).await;
        let orders = role(&admin, "orders", &["orders.read"]).await;
        let granter = json!({ "name": "granter", "may_grant": [orders] });
        let granter = role_made(&admin, granter).await;
        let writer = writer(&admin, &[granter]).await;

        too_high(issue(&writer, &[granter]).await);
    }

    async fn children_of_children_never_outrank_their_parents(database: Database) {
        let (_server, admin) = started(&database).await;
        let powers = ["keystile.api_keys.*", "keystile.roles.assign", "keystile.keys.verify"];
        let (mut parent, mut above) = (admin.clone(), vec![ADMINISTRATOR]);
        for kept in (1..=powers.len()).rev() {
            let role = role(&admin, &format!("{kept} powers"), &powers[..kept]).await;
            parent = Key::of(&issue(&parent, &[role]).await.expect(201)).api(&admin);

            for above in &above {
                too_high(issue(&parent, &[*above]).await);
            }
            above.push(role);
        }
    }
}

/// Somebody who writes keys and may grant these roles, without `keystile.roles.assign`.
async fn writer(admin: &Api, may_grant: &[i64]) -> Api {
    let new = json!({
        "name": "writer",
        "permissions": ["keystile.api_keys.*", "keystile.keys.verify"],
        "may_grant": may_grant,
    });
    Key::holding(admin, "writer", &[role_made(admin, new).await]).await.api(admin)
}

async fn issue(api: &Api, roles: &[i64]) -> acceptance::Answer {
    let roles: Value = json!(roles);
    api.post(KEYS, json!({ "name": "issued", "role_ids": roles })).await
}
