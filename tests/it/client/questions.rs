//! Everything but keys: each call once, and what it answers.

use std::pin::pin;

use acceptance::{Database, started};
use futures_util::TryStreamExt;
use keystile_client::api::auth::PasswordChange;
use keystile_client::api::leases::LeaseRequest;
use keystile_client::api::lookups::LookupRequest;
use keystile_client::api::oauth::{TokenForm, TokenRequest};
use keystile_client::api::patch::Patch;
use keystile_client::api::providers::{NewProvider, ProviderPatch};
use keystile_client::api::roles::{NewRole, RolePatch};
use keystile_client::api::rotation::ExtendRotation;
use keystile_client::api::tickets::NewTicket;
use keystile_client::api::tokens::{NewToken, RotateToken, TokenPatch};
use keystile_client::api::users::{NewUser, UserPatch};
use keystile_client::api::verify::{VerifyBatch, VerifyRequest};
use keystile_client::audit_events::AuditEventFilter;
use keystile_client::insights::{InsightFilter, OverGrantedFilter};
use keystile_client::providers::ProviderFilter;
use keystile_client::roles::RoleFilter;
use keystile_client::tokens::TokenFilter;
use keystile_client::usage::UsageFilter;
use keystile_client::users::{UserFilter, UserRemoval};
use keystile_client::{Change, ExposeSecret, SecretString};

#[tokio::test(flavor = "multi_thread")]
async fn people_and_their_tokens_are_kept() {
    let (server, admin) = started(&Database::Sqlite).await;
    let (client, change) = (super::client(&server, &admin), Change::new());
    let password = SecretString::from("correct horse battery staple");
    let users = client.users();
    let person = NewUser {
        username: "ada".to_owned(),
        password: Some(password.expose_secret().to_owned()),
        role_ids: vec![1],
        ..NewUser::default()
    };
    let ada = users.create(&person, &change).await.unwrap();
    assert_eq!(users.show(ada.id).await.unwrap().username, "ada");
    let patch =
        UserPatch { email: Patch::Value("ada@example.com".to_owned()), ..UserPatch::default() };
    let changed = users.update(ada.id, &patch, &change).await.unwrap();
    assert_eq!(changed.email.as_deref(), Some("ada@example.com"));
    let filter = UserFilter { is_service_account: Some(false), ..UserFilter::default() };
    assert_eq!(users.list(&filter).await.unwrap().total, Some(2));
    assert_eq!(users.stream(filter).try_collect::<Vec<_>>().await.unwrap().len(), 2);

    assert!(!client.auth().providers().await.unwrap().data.is_empty());
    let session = client.auth().login("ada", &password).await.unwrap();
    let session = client.auth().refresh(&session.refresh_token).await.unwrap();
    let hers = client.with_credential(&session.access_token).unwrap();
    assert_eq!(hers.me().show().await.unwrap().principal.name, "ada");

    let new = NewToken { name: Some("laptop".to_owned()), ..NewToken::default() };
    let token = hers.own_tokens().create(&new, &change).await.unwrap();
    let patch = TokenPatch { name: Patch::Value("desktop".to_owned()), ..TokenPatch::default() };
    assert_eq!(hers.own_tokens().update(token.id, &patch, &change).await.unwrap().name, "desktop");
    assert_eq!(hers.own_tokens().show(token.id).await.unwrap().name, "desktop");
    let overlap = RotateToken { overlap_seconds: 3600 };
    let extend = ExtendRotation { overlap_seconds: 7200 };
    let rotated = hers.own_tokens().rotate(token.id, &overlap, &change).await;
    assert!(rotated.unwrap().secret.is_some());
    hers.own_tokens().extend_rotation(token.id, &extend, &change).await.unwrap();
    let finished = hers.own_tokens().finish_rotation(token.id, &change).await.unwrap();
    assert_eq!(hers.own_tokens().rotation(token.id).await.unwrap(), *finished);
    let filter = TokenFilter::default();
    assert_eq!(hers.own_tokens().list(&filter).await.unwrap().total, Some(1));
    let all = hers.own_tokens().stream(filter.clone());
    assert_eq!(all.try_collect::<Vec<_>>().await.unwrap().len(), 1);
    hers.own_tokens().usage(token.id, &UsageFilter::default()).await.unwrap();
    hers.own_tokens().delete(token.id, &change).await.unwrap();

    let new = PasswordChange {
        current_password: password.expose_secret().to_owned(),
        new_password: "a tin of paint and a ladder".to_owned(),
        revoke_tokens: false,
    };
    assert!(hers.me().change_password(&new, &change).await.unwrap().tokens_left.is_empty());
    client.auth().logout(&session.refresh_token).await.unwrap();

    let robot =
        NewUser { username: "robot".to_owned(), is_service_account: true, ..NewUser::default() };
    let robot = users.create(&robot, &change).await.unwrap();
    let theirs = client.user_tokens(robot.id);
    let token = theirs.create(&NewToken::default(), &change).await.unwrap();
    assert_eq!(theirs.show(token.id).await.unwrap().owner_id, robot.id);
    assert!(theirs.rotate(token.id, &overlap, &change).await.unwrap().secret.is_some());
    theirs.extend_rotation(token.id, &extend, &change).await.unwrap();
    let finished = theirs.finish_rotation(token.id, &change).await.unwrap();
    assert_eq!(theirs.rotation(token.id).await.unwrap(), *finished);
    theirs.usage(token.id, &UsageFilter::default()).await.unwrap();
    assert_eq!(theirs.list(&filter).await.unwrap().total, Some(1));
    assert_eq!(theirs.stream(filter).try_collect::<Vec<_>>().await.unwrap().len(), 1);
    let stays = users.delete(robot.id, UserRemoval::default(), &change).await.unwrap_err();
    assert_eq!(stays.refusal().unwrap().tokens[0].id, token.id);
    theirs.delete(token.id, &change).await.unwrap();
    let removal = UserRemoval { revoke_tokens: true, forget_identities: true };
    users.delete(robot.id, removal, &change).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_providers_are_kept() {
    let (server, admin) = started(&Database::Sqlite).await;
    let (client, change) = (super::client(&server, &admin), Change::new());
    let (roles, providers) = (client.roles(), client.providers());
    let new = NewRole { name: "billing".to_owned(), ..NewRole::default() };
    let role = roles.create(&new, &change).await.unwrap();
    let patch = RolePatch {
        permissions: Patch::Value(vec!["invoices.read".to_owned()]),
        ..RolePatch::default()
    };
    assert_eq!(roles.update(role.id, &patch, &change).await.unwrap().permissions.len(), 1);
    assert_eq!(roles.show(role.id).await.unwrap().name, "billing");
    assert_eq!(roles.list(&RoleFilter::default()).await.unwrap().total, Some(5));
    let all: Vec<_> = roles.stream(RoleFilter::default()).try_collect().await.unwrap();
    assert_eq!(all.len(), 5);
    roles.delete(role.id, &change).await.unwrap();

    let new = NewProvider {
        name: "Partner keys".to_owned(),
        kind: "api_key".to_owned(),
        prefix: Patch::Value("acme_".to_owned()),
        ..NewProvider::default()
    };
    let provider = providers.create(&new, &change).await.unwrap();
    let patch = ProviderPatch { priority: Patch::Value(9), ..ProviderPatch::default() };
    assert_eq!(providers.update(provider.id, &patch, &change).await.unwrap().priority, 9);
    assert_eq!(providers.show(provider.id).await.unwrap().identifier, "partner-keys");
    let filter = ProviderFilter { kind: Some("api_key".to_owned()), ..ProviderFilter::default() };
    assert_eq!(providers.list(&filter).await.unwrap().total, Some(2));
    assert_eq!(providers.stream(filter).try_collect::<Vec<_>>().await.unwrap().len(), 2);
    providers.delete(provider.id, &change).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_about_credentials_is_answered() {
    let (server, admin) = started(&Database::Sqlite).await;
    let (client, change) = (super::client(&server, &admin), Change::new());
    let (acceptance::Caller::Bearer(key) | acceptance::Caller::Header(key)) = admin.caller() else {
        panic!("nobody")
    };
    let credential = || Some(key.clone());
    let asked = VerifyRequest { credential: credential(), ..VerifyRequest::default() };
    let batch =
        VerifyBatch { checks: vec![asked.clone(), VerifyRequest { explain: true, ..asked }] };
    let verdicts = client.verify().check_batch(&batch).await.unwrap();
    assert!(verdicts.data.iter().all(|verdict| verdict.valid));
    let asked = LookupRequest { credential: credential(), ..LookupRequest::default() };
    assert_eq!(client.lookups().look_up(&asked).await.unwrap().code, "found");

    let new = NewTicket {
        method: "GET".to_owned(),
        path: "/api/v1/me".to_owned(),
        expires_in_seconds: None,
    };
    assert!(client.tickets().create(&new, &change).await.unwrap().ticket.is_some());
    let gateway = client.forward_auth();
    let passage = gateway.by_endpoint("GET", "/billing/v1/invoices").await.unwrap();
    assert_eq!(passage.uri, "/billing/v1/invoices");
    let asked = gateway.by_permission("invoices.read", "GET", "/billing/v1/invoices").await;
    assert_eq!(asked.unwrap().principal, passage.principal);

    let trade = TokenRequest {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange".to_owned(),
        subject_token: credential(),
        subject_token_type: Some("urn:ietf:params:oauth:token-type:access_token".to_owned()),
        ..TokenRequest::default()
    };
    let token = client.oauth().token(&trade).await.unwrap().access_token;
    let token = TokenForm { token, token_type_hint: None };
    assert!(client.oauth().introspect(&token).await.unwrap().active);
    client.oauth().revoke(&token).await.unwrap();
    let wrong = TokenRequest { grant_type: "magic".to_owned(), ..TokenRequest::default() };
    let refused = client.oauth().token(&wrong).await.err().unwrap();
    assert_eq!(refused.refusal().unwrap().code.as_str(), "unsupported_grant_type");

    assert!(!client.well_known().signing_keys().await.unwrap().keys.is_empty());
    let metadata = client.well_known().server_metadata().await.unwrap();
    assert!(metadata.token_endpoint.ends_with("/oauth2/token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_about_the_server_is_answered() {
    let (server, admin) = started(&Database::Sqlite).await;
    let (client, change) = (super::client(&server, &admin), Change::new());
    assert_eq!(client.health().live().await.unwrap().status, "alive");
    assert_eq!(client.health().ready().await.unwrap().status, "ready");
    assert!(client.health().metrics().await.unwrap().contains("keystile_"));
    assert_eq!(client.verifiers().list().await.unwrap().data.len(), 1);
    assert!(!client.verifiers().settings().await.unwrap().formats.is_empty());
    let lease = client.verifiers().extend_lease(&LeaseRequest::default()).await.unwrap();
    assert!(!lease.lease.is_empty());
    client.insights().show(&InsightFilter::default()).await.unwrap();
    let filter = OverGrantedFilter::default();
    assert!(client.insights().over_granted(&filter).await.unwrap().data.is_empty());
    let all = client.insights().stream_over_granted(filter);
    assert!(all.try_collect::<Vec<_>>().await.unwrap().is_empty());

    let position = client.changes().list(None).await.unwrap().position;
    let mut feed = pin!(client.changes().follow(Some(position)));
    let new = NewRole { name: "followed".to_owned(), ..NewRole::default() };
    let role = client.roles().create(&new, &change).await.unwrap();
    let seen = feed.try_next().await.unwrap().unwrap();
    assert_eq!((seen.seq, seen.target_id), (position + 1, role.id.to_string()));

    let events = client.audit_events();
    let filter = AuditEventFilter {
        target_kind: Some("role".to_owned()),
        action: Some(seen.action),
        ..AuditEventFilter::default()
    };
    assert_eq!(events.list(&filter).await.unwrap().data[0].seq, seen.seq);
    let all: Vec<_> = events.stream(AuditEventFilter::default()).try_collect().await.unwrap();
    let report = events.verify().await.unwrap();
    assert!(report.valid);
    assert_eq!(i64::try_from(all.len()).unwrap(), report.checked);
}
