//! Users.

use acceptance::{Database, on_each_database};
use keystile_domain::{Metadata, NamePattern, RoleId, User, UserFilter, UserId, UserSort, Version};
use keystile_storage::{Conflict, StoreError};

use crate::raw::on_raw;
use crate::samples::{at, digest, full_user, token, token_provider, user, uuid};
use crate::stage::Stage;

on_each_database! {
    async fn a_user_comes_back_as_it_was_stored(database: Database) {
        let stage = Stage::furnished(database).await;
        let (person, program) = (user("Ädmin", 1), full_user("CI", 2));
        stage
            .change(async |tx| {
                tx.insert_user(&person, Some("$argon2id$…")).await?;
                tx.insert_user(&program, None).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_user(person.id).await.unwrap().as_ref(), Some(&person));
        assert_eq!(conn.find_user(program.id).await.unwrap(), Some(program));
        assert_eq!(conn.find_user(UserId::from(uuid(9))).await.unwrap(), None);
        assert_eq!(conn.find_user_by_name("ädmin").await.unwrap(), Some(person));
        for key in ["Ädmin", "admin", "", "ä\0dmin"] {
            assert_eq!(conn.find_user_by_name(key).await.unwrap(), None, "{key}");
        }
    }

    async fn a_user_is_found_by_what_tells_names_apart(database: Database) {
        let stage = Stage::furnished(database).await;
        let wide = user("Ｊohn", 1);
        stage.change(async |tx| tx.insert_user(&wide, None).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_user_by_name("john").await.unwrap(), Some(wide));
    }

    async fn two_users_never_share_a_name(database: Database) {
        let stage = Stage::furnished(database).await;
        stage
            .change(async |tx| {
                tx.insert_user(&user("Admin", 1), None).await?;
                tx.insert_user(&user("other", 2), None).await
            })
            .await;
        let refused =
            stage.refused(async |tx| tx.insert_user(&user("ＡDMIN", 3), None).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Username)));
        let refused = stage.refused(async |tx| tx.update_user(&user("ADMIN", 2)).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Username)));
    }

    async fn a_user_holds_only_roles_that_exist(database: Database) {
        let stage = Stage::furnished(database).await;
        let mut user = user("admin", 1);
        stage.change(async |tx| tx.insert_user(&user, None).await).await;
        user.roles.insert(RoleId(99));
        let refused = stage.refused(async |tx| tx.update_user(&user).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
        user.id = UserId::from(uuid(2));
        user.username = "climber".parse().unwrap();
        let refused = stage.refused(async |tx| tx.insert_user(&user, None).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
    }

    async fn a_user_comes_with_the_roles_of_the_same_moment(database: Database) {
        let stage = Stage::furnished(database).await;
        let (some, none) = (user("some", 1), User { roles: [].into(), ..full_user("none", 2) });
        stage
            .change(async |tx| {
                tx.insert_user(&some, None).await?;
                tx.insert_user(&none, None).await
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        let roles = conn.list_roles_by_id(&some.roles).await.unwrap();
        assert_eq!(roles.len(), 2);
        assert_eq!(conn.find_user_with_roles(some.id).await.unwrap(), Some((some, roles)));
        assert_eq!(conn.find_user_with_roles(none.id).await.unwrap(), Some((none, Vec::new())));
        assert_eq!(conn.find_user_with_roles(UserId::from(uuid(9))).await.unwrap(), None);
    }

    async fn everything_about_a_user_changes_but_what_they_are(database: Database) {
        let stage = Stage::furnished(database).await;
        let old = full_user("old", 1);
        stage.change(async |tx| tx.insert_user(&old, Some("hash")).await).await;
        let new = User {
            username: "New".parse().unwrap(),
            display_name: None,
            email: None,
            enabled: true,
            roles: [RoleId(4)].into(),
            external_id: None,
            metadata: Metadata::default(),
            version: Version(4),
            updated_at: at(9),
            ..old.clone()
        };
        let sent = User { is_service_account: false, created_at: at(99), ..new.clone() };
        stage.change(async |tx| tx.update_user(&sent).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_user_by_name("new").await.unwrap(), Some(new));
        assert_eq!(conn.find_user_by_name("old").await.unwrap(), None);
        assert_eq!(conn.find_password_hash(old.id).await.unwrap().as_deref(), Some("hash"));
    }

    async fn a_password_is_set_and_taken_away_on_its_own(database: Database) {
        let stage = Stage::furnished(database).await;
        let user = user("ann", 1);
        stage.change(async |tx| tx.insert_user(&user, None).await).await;
        for hash in [Some("one"), Some("two"), None] {
            stage.change(async |tx| tx.set_password_hash(user.id, hash).await).await;
            let mut conn = stage.store.read().await.unwrap();
            assert_eq!(conn.find_password_hash(user.id).await.unwrap().as_deref(), hash);
            assert_eq!(conn.find_user(user.id).await.unwrap().as_ref(), Some(&user));
        }
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_password_hash(UserId::from(uuid(9))).await.unwrap(), None);
    }

    async fn a_user_that_is_gone_cannot_be_changed_or_removed(database: Database) {
        let stage = Stage::furnished(database).await;
        let user = user("ann", 1);
        stage.change(async |tx| tx.insert_user(&user, None).await).await;
        stage.change(async |tx| tx.remove_user(user.id).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_user(user.id).await.unwrap(), None);
        assert_eq!(conn.count_role_use(RoleId(1)).await.unwrap().users, 0);
        let refused = stage.refused(async |tx| tx.update_user(&user).await).await;
        assert!(matches!(refused, StoreError::NotFound));
        let refused = stage.refused(async |tx| tx.set_password_hash(user.id, None).await).await;
        assert!(matches!(refused, StoreError::NotFound));
        let refused = stage.refused(async |tx| tx.remove_user(user.id).await).await;
        assert!(matches!(refused, StoreError::NotFound));
    }

    async fn a_user_who_owns_a_token_is_not_removed(database: Database) {
        let stage = Stage::furnished(database).await;
        let user = user("ann", 1);
        stage
            .change(async |tx| {
                tx.insert_provider(&token_provider("tokens", 2)).await?;
                tx.insert_user(&user, None).await?;
                tx.insert_token(&token(1, &user, "one"), &digest(1)).await
            })
            .await;
        let refused = stage.refused(async |tx| tx.remove_user(user.id).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)));
    }

    async fn users_are_listed_by_each_filter(database: Database) {
        let stage = Stage::furnished(database).await;
        let users = [
            user("Ann", 1),
            User { roles: [RoleId(4)].into(), created_at: at(-1), ..user("bob", 2) },
            full_user("ci-1", 3),
            User { external_id: None, enabled: true, ..full_user("CI-2", 4) },
        ];
        stage
            .change(async |tx| {
                for user in &users {
                    tx.insert_user(user, None).await?;
                }
                Ok(())
            })
            .await;
        let mut conn = stage.store.read().await.unwrap();
        let any = UserFilter::default;
        for (filter, expected) in [
            (any(), vec!["Ann", "bob", "ci-1", "CI-2"]),
            (
                UserFilter { username: Some(NamePattern::parse("Ci-*").unwrap()), ..any() },
                vec!["ci-1", "CI-2"],
            ),
            (UserFilter { enabled: Some(false), ..any() }, vec!["ci-1"]),
            (UserFilter { is_service_account: Some(false), ..any() }, vec!["Ann", "bob"]),
            (UserFilter { role: Some(RoleId(4)), ..any() }, vec!["bob"]),
            (UserFilter { external_id: Some("hr:4711".parse().unwrap()), ..any() }, vec!["ci-1"]),
            (UserFilter { external_id: Some("HR:4711".parse().unwrap()), ..any() }, vec![]),
        ] {
            let page = crate::lists::first(UserSort::Username);
            let listed = conn.list_users(&filter, &page).await.unwrap();
            let names: Vec<_> = listed.items.iter().map(|user| user.username.as_str()).collect();
            assert_eq!(names, expected, "{filter:?}");
            assert_eq!(listed.total, i64::try_from(names.len()).ok());
            assert!(listed.items.iter().all(|user| users.contains(user)));
        }
    }

    async fn a_user_that_cannot_be_read_is_no_answer(database: Database) {
        let stage = Stage::furnished(database).await;
        let user = full_user("ann", 1);
        stage.change(async |tx| tx.insert_user(&user, None).await).await;
        let mut conn = stage.store.read().await.unwrap();
        // From what is read last to what is read first: each is met before those above it.
        for place in ["users.external_id", "users.email", "users.display_name", "users.metadata"] {
            let spoil = format!("UPDATE users SET {} = ''", place.split_once('.').unwrap().1);
            on_raw(&stage, move |raw| raw.execute(&spoil)).await;
            let refused = conn.find_user(user.id).await;
            assert!(matches!(refused, Err(StoreError::Corrupt(told)) if told == place), "{place}");
        }
    }
}
