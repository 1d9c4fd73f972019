//! Who may do everything, and so must not be the last to go.

use acceptance::{Database, on_each_database};
use keystile_domain::{ApiKey, Expiry, Provider, ProviderId, RoleId, User};
use keystile_storage::{Except, StoreError, Tx};

use crate::samples::{
    api_key, at, digest, full_user, password_provider, provider, role, user, uuid,
};
use crate::stage::Stage;

fn key(number: u128, roles: &[RoleId]) -> ApiKey {
    ApiKey { roles: roles.iter().copied().collect(), ..api_key(number, "key") }
}

async fn insert_keys(tx: &mut Tx, keys: &[ApiKey]) -> Result<(), StoreError> {
    for (digits, key) in (1..).zip(keys) {
        tx.insert_api_key(key, &digest(digits)).await?;
    }
    Ok(())
}

async fn count(stage: &Stage, except: &Except<'_>) -> i64 {
    let mut conn = stage.store.read().await.unwrap();
    conn.count_administrators(at(0), except).await.unwrap()
}

const ADMIN: RoleId = RoleId(1);

on_each_database! {
    async fn only_live_keys_with_every_permission_count(database: Database) {
        let stage = Stage::furnished(database).await;
        let off = Provider { enabled: false, ..provider("off", 2) };
        let (all, most) = stage
            .change(async |tx| {
                tx.insert_provider(&off).await?;
                let all = tx.insert_role(&role("all", &["a.b", "**"])).await?;
                Ok((all, tx.insert_role(&role("most", &["*", "*.**", "keystile.**"])).await?))
            })
            .await;
        let keys = [
            key(1, &[ADMIN, all]),
            key(2, &[all, most]),
            ApiKey { expiry: Expiry::At(at(1)), ..key(3, &[ADMIN]) },
            ApiKey { expiry: Expiry::At(at(0)), ..key(4, &[ADMIN]) },
            ApiKey { enabled: false, ..key(5, &[ADMIN]) },
            ApiKey { provider: off.id, ..key(6, &[ADMIN]) },
            key(7, &[most]),
            key(8, &[]),
        ];
        stage.change(async |tx| insert_keys(tx, &keys).await).await;
        assert_eq!(count(&stage, &Except::default()).await, 3);
        let api_keys = &[keys[0].id, keys[1].id, keys[7].id];
        assert_eq!(count(&stage, &Except { api_keys, ..Except::default() }).await, 1);
    }

    async fn only_people_who_can_sign_in_with_a_password_count(database: Database) {
        let stage = Stage::furnished(database).await;
        let users = [
            user("ann", 1),
            User { roles: [ADMIN].into(), ..user("bob", 2) },
            User { enabled: false, ..user("off", 3) },
            User { enabled: true, ..full_user("program", 4) },
            User { roles: [RoleId(2), RoleId(3), RoleId(4)].into(), ..user("clerk", 5) },
        ];
        stage
            .change(async |tx| {
                tx.insert_provider(&password_provider("local", 2)).await?;
                for user in &users {
                    tx.insert_user(user, Some("hash")).await?;
                }
                tx.insert_user(&user("elsewhere", 6), None).await
            })
            .await;
        assert_eq!(count(&stage, &Except::default()).await, 2);
        let except = Except { users: &[users[1].id, users[4].id], ..Except::default() };
        assert_eq!(count(&stage, &except).await, 1);
    }

    async fn nobody_counts_who_comes_by_a_provider_that_is_off_or_left_out(database: Database) {
        let stage = Stage::furnished(database).await;
        let local = password_provider("local", 2);
        stage
            .change(async |tx| {
                tx.insert_provider(&local).await?;
                tx.insert_user(&user("ann", 1), Some("hash")).await?;
                insert_keys(tx, &[key(1, &[ADMIN])]).await
            })
            .await;
        let without =
            |number| Except { provider: Some(ProviderId::from(uuid(number))), ..Except::default() };
        assert_eq!(count(&stage, &without(9)).await, 2);
        assert_eq!(count(&stage, &without(1)).await, 1);
        assert_eq!(count(&stage, &without(2)).await, 1);

        let other = Provider { enabled: false, ..password_provider("other", 3) };
        stage.change(async |tx| tx.insert_provider(&other).await).await;
        let users = &[user("ann", 1).id];
        assert_eq!(count(&stage, &Except { users, ..without(1) }).await, 0);
        assert_eq!(count(&stage, &without(2)).await, 1);
        let other = Provider { enabled: true, ..other };
        stage.change(async |tx| tx.update_provider(&other).await).await;
        assert_eq!(count(&stage, &without(2)).await, 2);
    }
}
