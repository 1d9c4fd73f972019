//! The same rights are the same rights, whatever the credential is and wherever it stands.

use acceptance::{Database, on_each_database};
use serde_json::json;

use super::{
    holders::{Holder, Kind},
    needs::{Need, permissions},
    operations::Operation,
    world::{World, answer},
};

on_each_database! {
    async fn every_kind_of_credential_may_do_what_its_rights_say_and_nothing_else(
        database: Database
    ) {
        let world = World::on(&database).await;
        world.take_everywhere().await;
        world.end_soon().await;
        let all = permissions();
        let holdings = all.iter().map(std::slice::from_ref).chain([&[][..], &all[..]]);
        for held in holdings {
            let role = world.role_with(held).await;
            for kind in Kind::ALL {
                // Whoever holds everything is narrowed to what the others are given.
                let role = if kind.is_narrowed() { &json!(1) } else { &role };
                let holder = kind.made(&world, role, held).await;
                for operation in by_permission(&world) {
                    let status = if Need::of(operation).is_met_by(held) { 200 } else { 403 };
                    assert_all(&world, &holder, operation, status, &format!("with {held:?}")).await;
                }
            }
        }
    }

    async fn what_is_taken_from_a_role_is_gone_at_once_for_every_kind(database: Database) {
        let world = World::on(&database).await;
        world.take_everywhere().await;
        world.end_soon().await;
        let all = permissions();
        let role = world.role_with(&all).await;
        let mut holders = Vec::new();
        for kind in Kind::ALL {
            holders.push(kind.made(&world, &role, &all).await);
        }
        let path = format!("/api/v1/roles/{role}");
        for (permissions, status) in [(&all[..], 200), (&[], 403), (&all[..], 200)] {
            let patch = json!({ "permissions": permissions });
            world.admin.patch(&path, patch).await.expect(200);
            for holder in &holders {
                for operation in by_permission(&world) {
                    assert_all(&world, holder, operation, status, "by its role").await;
                }
            }
        }
    }

    async fn whose_role_is_taken_keeps_nothing_of_it_whatever_the_kind(database: Database) {
        let world = World::on(&database).await;
        world.take_everywhere().await;
        for kind in Kind::ALL {
            let holder = kind.made(&world, &json!(1), &["**"]).await;
            let on = holder.account.as_ref().or(holder.credential.as_ref()).unwrap();
            world.admin.patch(on, json!({ "role_ids": [] })).await.expect(200);
            for operation in by_permission(&world) {
                assert_all(&world, &holder, operation, 403, "without its role").await;
            }
        }
    }
}

/// The operations that a permission decides on.
fn by_permission(world: &World) -> impl Iterator<Item = &Operation> {
    world.guarded().into_iter().filter(|it| !Need::of(it).permissions().is_empty())
}

async fn assert_all(
    world: &World,
    holder: &Holder,
    operation: &Operation,
    status: u16,
    seen: &str,
) {
    for caller in holder.callers() {
        let api = world.admin.with(caller);
        let answer = answer(world.request(&api, operation)).await;
        let seen = format!("{} by {:?} {seen}: {answer}", operation.name, holder.kind);
        assert_eq!(answer.status, status, "{seen}");
        if status == 403 {
            assert_eq!(answer.body["code"], "insufficient_permissions", "{seen}");
        }
    }
}
