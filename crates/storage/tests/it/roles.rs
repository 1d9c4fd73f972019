//! Roles.

use acceptance::{Database, on_each_database};
use keystile_domain::{Role, RoleId, RoleUse, Version};
use keystile_storage::{Conflict, StoreError};

use crate::samples::{api_key, at, digest, oidc_provider, provider, role, user};
use crate::stage::Stage;

on_each_database! {
    async fn a_role_comes_back_as_it_was_stored(database: Database) {
        let stage = Stage::furnished(database).await;
        let stored = role("Büro", &["invoices.*", "**"]);
        let id = stage.change(async |tx| tx.insert_role(&stored).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_role(id).await.unwrap(), Some(Role { id, ..stored }));
        assert_eq!(conn.find_role(RoleId(99)).await.unwrap(), None);
    }

    async fn the_first_role_of_ones_own_is_the_fifth_and_no_id_is_given_twice(database: Database) {
        let stage = Stage::new(database).await;
        let first = stage.change(async |tx| tx.insert_role(&role("one", &[])).await).await;
        let second = stage.change(async |tx| tx.insert_role(&role("two", &[])).await).await;
        stage.change(async |tx| tx.remove_role(second).await).await;
        let third = stage.change(async |tx| tx.insert_role(&role("three", &[])).await).await;
        assert_eq!([first, second, third], [RoleId(5), RoleId(6), RoleId(7)]);
    }

    async fn a_role_changes_as_a_whole(database: Database) {
        let stage = Stage::furnished(database).await;
        let id = stage.change(async |tx| tx.insert_role(&role("one", &["a"])).await).await;
        let changed = Role {
            id,
            description: None,
            endpoints: Vec::new(),
            version: Version(2),
            updated_at: at(9),
            ..role("uno", &["b.c"])
        };
        stage.change(async |tx| tx.update_role(&changed).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_role(id).await.unwrap(), Some(changed));
    }

    async fn a_role_that_is_not_there_cannot_be_changed_or_removed(database: Database) {
        let stage = Stage::new(database).await;
        let ghost = Role { id: RoleId(42), ..role("ghost", &[]) };
        let refused = stage.refused(async |tx| tx.update_role(&ghost).await).await;
        assert!(matches!(refused, StoreError::NotFound));
        let refused = stage.refused(async |tx| tx.remove_role(ghost.id).await).await;
        assert!(matches!(refused, StoreError::NotFound));
    }

    async fn two_roles_never_share_a_name(database: Database) {
        let stage = Stage::furnished(database).await;
        let clash = role("Administrator", &[]);
        let refused = stage.refused(async |tx| tx.insert_role(&clash).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::RoleName)));
        let clash = Role { id: RoleId(2), ..clash };
        let refused = stage.refused(async |tx| tx.update_role(&clash).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::RoleName)));
    }

    async fn several_roles_come_sorted_and_missing_ones_are_missing(database: Database) {
        let stage = Stage::furnished(database).await;
        let mut conn = stage.store.read().await.unwrap();
        let roles = conn.list_roles_by_id(&[4, 99, 1].map(RoleId).into()).await.unwrap();
        assert_eq!(roles.iter().map(|role| role.id.0).collect::<Vec<_>>(), [1, 4]);
        assert!(conn.list_roles_by_id(&[].into()).await.unwrap().is_empty());
    }

    async fn what_names_a_role_is_counted_and_keeps_it(database: Database) {
        let stage = Stage::furnished(database).await;
        let mut key = api_key(1, "one");
        key.roles = [RoleId(3)].into();
        stage
            .change(async |tx| {
                tx.insert_api_key(&key, &digest(1)).await?;
                tx.insert_user(&user("admin", 1), None).await?;
                tx.insert_provider(&oidc_provider("sso", 2)).await?;
                tx.insert_provider(&oidc_provider("ci", 3)).await?;
                tx.insert_provider(&provider("keys", 4)).await?;
                tx.insert_role(&role("one", &[])).await?;
                tx.insert_role(&role("two", &[])).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        let used =
            |api_keys, users, roles, providers| RoleUse { api_keys, users, roles, providers };
        assert_eq!(conn.count_role_use(RoleId(3)).await.unwrap(), used(1, 1, 2, 0));
        assert_eq!(conn.count_role_use(RoleId(1)).await.unwrap(), used(0, 1, 0, 0));
        assert_eq!(conn.count_role_use(RoleId(2)).await.unwrap(), used(0, 0, 0, 2));
        assert_eq!(conn.count_role_use(RoleId(4)).await.unwrap(), used(0, 0, 2, 2));
        assert_eq!(conn.count_role_use(RoleId(5)).await.unwrap(), RoleUse::default());
        let refused = stage.refused(async |tx| tx.remove_role(RoleId(3)).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
    }
}
