//! The Rust client in front of a real server: every call is made once, and what comes back is read.

mod questions;

use std::time::Duration;

use acceptance::{Api, Caller, Server, on_each_database, started};
use futures_util::TryStreamExt;
use keystile_client::api::api_keys::{ApiKeyPatch, NewApiKey, NewApiKeys, RotateApiKey};
use keystile_client::api::patch::Patch;
use keystile_client::api::problem::ErrorCode;
use keystile_client::api::rotation::ExtendRotation;
use keystile_client::api::verify::VerifyRequest;
use keystile_client::api_keys::ApiKeyFilter;
use keystile_client::usage::UsageFilter;
use keystile_client::{Change, Client, ExposeSecret, Paging};

on_each_database! {
    async fn a_key_lives_and_ends(database: acceptance::Database) {
        let (server, admin) = started(&database).await;
        let client = client(&server, &admin);
        let keys = client.api_keys();
        let new = NewApiKey { name: "CI".to_owned(), role_ids: vec![4], ..NewApiKey::default() };

        let tried = keys.create(&new, &Change::new().dry_run(true)).await.unwrap();
        assert!(tried.secret.is_none());
        let once = Change::new().idempotency_key("the-first");
        let made = keys.create(&new, &once).await.unwrap();
        let again = keys.create(&new, &once).await.unwrap();
        assert!(again.replayed && !made.replayed);
        assert_eq!(again.id, made.id);
        let [secret, same] =
            [made.secret.as_ref(), again.secret.as_ref()].map(|secret| secret.unwrap().expose_secret());
        assert_eq!(secret, same);

        let shown = keys.show(made.id).await.unwrap();
        let version = shown.version.clone().unwrap();
        let patch = ApiKeyPatch { name: Patch::Value("CI 2".to_owned()), ..ApiKeyPatch::default() };
        let change = Change::new().if_match(version);
        assert_eq!(keys.update(made.id, &patch, &change).await.unwrap().name, "CI 2");
        let stale = keys.update(made.id, &patch, &change).await.unwrap_err();
        assert_eq!(stale.refusal().unwrap().code, ErrorCode::PreconditionFailed);

        let overlap = RotateApiKey { overlap_seconds: 3600 };
        let rotated = keys.rotate(made.id, &overlap, &Change::new()).await.unwrap();
        assert_ne!(rotated.secret.as_ref().unwrap().expose_secret(), secret);
        assert!(keys.rotation(made.id).await.unwrap().old_secret_expires_at.is_some());
        let extend = ExtendRotation { overlap_seconds: 7200 };
        keys.extend_rotation(made.id, &extend, &Change::new()).await.unwrap();
        keys.finish_rotation(made.id, &Change::new()).await.unwrap();
        assert_eq!(check(&client, secret).await, "expired");
        assert!(keys.usage(made.id, &UsageFilter::default()).await.unwrap().data.len() <= 1);

        let reason = Change::new().reason("the project is over");
        let tried = keys.delete(made.id, &reason.clone().dry_run(true)).await.unwrap();
        assert_eq!(tried.value.unwrap().name, "CI 2");
        let deleted = keys.delete(made.id, &reason.wait_for_cluster(true)).await.unwrap();
        assert_eq!(deleted.revocation.unwrap().acknowledged, 1);
        assert!(keys.show(made.id).await.unwrap_err().is_not_found());
        assert_eq!(check(&client, rotated.secret.as_ref().unwrap().expose_secret()).await, "deleted");
    }

    async fn many_keys_are_made_listed_and_deleted_together(database: acceptance::Database) {
        let (server, admin) = started(&database).await;
        let keys = client(&server, &admin).api_keys();
        let new = |n: usize| NewApiKey {
            name: if n == 7 { String::new() } else { format!("batch {n}") },
            external_id: Some("tenant-1".to_owned()),
            ..NewApiKey::default()
        };
        let batch = NewApiKeys { api_keys: (0..8).map(new).collect() };
        let made = keys.create_batch(&batch, &Change::new()).await.unwrap();
        assert_eq!((made.created, made.refused), (7, 1));

        let filter = ApiKeyFilter {
            name: Some("BATCH*".to_owned()),
            paging: Paging { limit: Some(3), sort: Some("name".to_owned()), ..Paging::default() },
            ..ApiKeyFilter::default()
        };
        assert_eq!(keys.list(&filter).await.unwrap().total, Some(7));
        let listed: Vec<_> = keys.stream(filter).try_collect().await.unwrap();
        let names: Vec<_> = listed.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names, (0..7).map(|n| format!("batch {n}")).collect::<Vec<_>>());

        let change = Change::new().reason("the tenant has left");
        let deleted = keys.delete_by_external_id("tenant-1", &change).await.unwrap();
        assert_eq!(deleted.data.len(), 7);
    }
}

/// A client of this server with the credential of this caller.
fn client(server: &Server, api: &Api) -> Client {
    let (Caller::Bearer(key) | Caller::Header(key)) = api.caller() else { panic!("nobody") };
    let client = Client::builder(&server.url()).credential(key.as_str().into()).no_proxy();
    client.timeout(Duration::from_secs(60)).build().unwrap()
}

/// What the server says of a secret, in one word.
async fn check(client: &Client, secret: &str) -> String {
    let credential = Some(secret.to_owned());
    let asked = VerifyRequest { credential, ..VerifyRequest::default() };
    client.verify().check(&asked).await.unwrap().code.into_owned()
}
