//! Users.

use acceptance::{Database, on_each_database};
use keystile_domain::RoleId;
use keystile_storage::{Conflict, StoreError};

use crate::samples::user;
use crate::stage::Stage;

on_each_database! {
    async fn a_user_comes_back_as_it_was_stored(database: Database) {
        let stage = Stage::furnished(database).await;
        let stored = user("Ädmin", 1);
        stage.change(async |tx| tx.insert_user(&stored, Some("$argon2id$…")).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_user_by_name("ädmin").await.unwrap(), Some(stored));
        for name in ["Ädmin", "admin", "", "ä\0dmin"] {
            assert_eq!(conn.find_user_by_name(name).await.unwrap(), None, "{name}");
        }
    }

    async fn two_users_never_share_a_name(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(async |tx| tx.insert_user(&user("Admin", 1), None).await).await;
        let refused = stage.refused(async |tx| tx.insert_user(&user("ADMIN", 2), None).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Username)));
    }

    async fn a_user_holds_only_roles_that_exist(database: Database) {
        let stage = Stage::furnished(database).await;
        let mut user = user("admin", 1);
        user.roles.insert(RoleId(99));
        let refused = stage.refused(async |tx| tx.insert_user(&user, None).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
    }
}
