//! What has ended is as unknown as what never was, of whatever kind it is and however it ended.

use acceptance::{Caller, Database, on_each_database};
use reqwest::Method;
use serde_json::json;

use super::{
    holders::{Holder, Kind, key, traded},
    unauthenticated::{UNKNOWN, second, told, until_refused},
    world::{World, answer},
};

on_each_database! {
    async fn every_credential_that_has_ended_gets_one_and_the_same_401(database: Database) {
        let world = World::on(&database).await;
        world.take_everywhere().await;
        let unknown = world.admin.with(Caller::Bearer(UNKNOWN.to_owned()));
        let first = told(&unknown.get("/api/v1/me").await.expect(401));
        let mut ended = ended_by_time(&world).await;
        for kind in Kind::ALL {
            for end in End::ALL {
                let holder = kind.made(&world, &json!(1), &["**"]).await;
                if end.befall(&world, &holder).await {
                    ended.push((format!("{kind:?}, {end:?}"), holder));
                }
            }
        }
        assert!(ended.len() >= 35, "only {}", ended.len());
        for (why, holder) in &ended {
            for caller in holder.callers() {
                let api = world.admin.with(caller);
                for operation in world.guarded() {
                    let refusal = answer(world.request(&api, operation)).await;
                    assert_eq!(refusal.status, 401, "{why} on {}: {refusal}", operation.name);
                    assert_eq!(told(&refusal), first, "{why} on {}", operation.name);
                }
            }
        }
    }

    async fn with_its_provider_off_every_credential_gets_that_401_and_works_again(
        database: Database
    ) {
        let world = World::on(&database).await;
        let list = world.admin.get("/api/v1/providers?limit=100").await.expect(200);
        let unknown = world.admin.with(Caller::Bearer(UNKNOWN.to_owned()));
        let first = told(&unknown.get("/api/v1/me").await.expect(401));
        for (provider, by, kinds) in PROVIDERS {
            let mut holders = Vec::new();
            for kind in kinds {
                holders.push(kind.made(&world, &json!(1), &["**"]).await);
            }
            let by = if by == "root" { &world.root } else { &world.admin };
            let known = list.body["data"].as_array().unwrap().iter();
            let known = known.into_iter().find(|it| it["identifier"] == provider).unwrap();
            let path = format!("/api/v1/providers/{}", known["id"].as_str().unwrap());
            by.patch(&path, json!({ "enabled": false })).await.expect(200);
            for holder in &holders {
                for operation in world.guarded() {
                    let api = world.admin.with(holder.callers().remove(0));
                    let refusal = answer(world.request(&api, operation)).await;
                    let seen = format!("{:?} on {}: {refusal}", holder.kind, operation.name);
                    assert_eq!(refusal.status, 401, "{seen}");
                    assert_eq!(told(&refusal), first, "{seen}");
                }
            }
            by.patch(&path, json!({ "enabled": true })).await.expect(200);
            for holder in &holders {
                let api = world.admin.with(holder.callers().remove(0));
                let works = api.get("/api/v1/me").await;
                assert_eq!(works.status, 200, "{:?}: {works}", holder.kind);
            }
        }
    }
}

/// A way to end.
#[derive(Clone, Copy, Debug)]
enum End {
    AccountDeleted,
    AccountDisabled,
    Deleted,
    Disabled,
    PasswordReplaced,
    Revoked,
    SignedOut,
}

impl End {
    const ALL: [Self; 7] = [
        Self::AccountDeleted,
        Self::AccountDisabled,
        Self::Deleted,
        Self::Disabled,
        Self::PasswordReplaced,
        Self::Revoked,
        Self::SignedOut,
    ];

    /// Ends it so, if that can be.
    async fn befall(self, world: &World, holder: &Holder) -> bool {
        let (admin, account) = (&world.admin, holder.account.as_deref());
        let (credential, secret) = (holder.credential.as_deref(), &holder.secret);
        match (self, account, credential) {
            (Self::AccountDeleted, Some(account), _) => {
                admin.delete(&format!("{account}?tokens=revoke")).await.expect(204);
            }
            (Self::AccountDisabled, Some(account), _) => {
                admin.patch(account, json!({ "enabled": false })).await.expect(200);
            }
            (Self::Deleted, _, Some(credential)) => {
                admin.delete(credential).await.expect(204);
            }
            (Self::Disabled, None, Some(key)) => {
                admin.patch(key, json!({ "enabled": false })).await.expect(200);
            }
            (Self::PasswordReplaced, Some(account), None) => {
                let patch = json!({ "password": "quiet otters fold paper boats" });
                admin.patch(account, patch).await.expect(200);
            }
            (Self::Revoked, ..) => {
                // By itself, as whoever has it may.
                let own = admin.with(holder.callers().remove(0));
                let revoke = own.request(Method::POST, "/oauth2/revoke");
                let revoked = answer(revoke.form(&[("token", secret)])).await;
                assert_eq!(revoked.status, 200, "{:?}: {revoked}", holder.kind);
            }
            (Self::SignedOut, Some(_), None) => {
                let end = json!({ "refresh_token": holder.refresh_token });
                world.anonymous().post("/api/v1/auth/logout", end).await.expect(204);
            }
            _ => return false,
        }
        true
    }
}

/// A key that has just ended, and an access token for one.
async fn ended_by_time(world: &World) -> Vec<(String, Holder)> {
    let end = json!(second(world, 3).await);
    let soon = key(world, &json!(1), &end).await;
    let token = traded(world, soon.clone(), &[]).await;
    let token = Holder { kind: Kind::TradedKey, ..token };
    for holder in [&soon, &token] {
        until_refused(world, &holder.secret).await;
    }
    vec![("an ended key".to_owned(), soon), ("a token for an ended key".to_owned(), token)]
}

/// The providers that every server has, who can switch each off, and what comes by it.
const PROVIDERS: [(&str, &str, &[Kind]); 3] = [
    ("api-keys", "root", &[Kind::ApiKey, Kind::ClientToken, Kind::NarrowedTrade, Kind::TradedKey]),
    ("local", "admin", &[Kind::Session]),
    (
        "personal-access-tokens",
        "admin",
        &[Kind::NarrowedToken, Kind::PersonalToken, Kind::ProgramToken, Kind::TradedToken],
    ),
];
