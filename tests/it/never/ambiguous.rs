//! One request has one credential, in a place where credentials stand.

use acceptance::{Answer, Api, Caller, Database, on_each_database};

use super::{
    operations::{Operation, with_query},
    problem::{assert_oauth_shape, assert_problem},
    world::{World, answer},
};

on_each_database! {
    async fn two_credentials_at_once_are_refused_even_if_they_are_equal(database: Database) {
        let world = World::on(&database).await;
        let admin = world.server.admin_key();
        let bearer = format!("Bearer {admin}");
        for operation in world.guarded() {
            let twice: [&[(&str, &str)]; 10] = [
                &[("x-api-key", &admin), ("authorization", &bearer)],
                &[("x-api-key", &admin), ("x-api-key", &admin)],
                &[("x-api-key", &admin), ("X-API-KEY", "other")],
                &[("x-api-key", "other"), ("x-api-key", &admin)],
                &[("x-api-key", ""), ("x-api-key", &admin)],
                &[("x-api-key", "nonsense"), ("authorization", &bearer)],
                &[("x-api-key", &admin), ("authorization", "bearer nonsense")],
                &[("authorization", &bearer), ("authorization", &bearer)],
                &[("authorization", &bearer), ("authorization", "Basic YTpi")],
                &[("x-api-key", &admin), ("x-api-key", &admin), ("authorization", &bearer)],
            ];
            for headers in twice {
                let refusal = ask(&world, operation, headers).await;
                assert_eq!(refusal.status, 400, "{headers:?} on {}", operation.name);
                assert_problem(&refusal);
                let refusal = refusal.problem("ambiguous_credentials");
                let challenge = refusal.header("www-authenticate");
                assert!(challenge.contains(r#"error="invalid_request""#), "{refusal}");
            }
        }
    }

    async fn a_bad_credential_never_falls_through_to_a_good_one(database: Database) {
        let world = World::on(&database).await;
        let admin = world.server.admin_key();
        let joined = format!("{admin}, {admin}");
        let joined_bearer = format!("Bearer {admin}, Bearer {admin}");
        let two_tokens = format!("Bearer {admin} {admin}");
        let tab = format!("Bearer\t{admin}");
        for operation in world.guarded() {
            for headers in [
                ("x-api-key", ""),
                ("x-api-key", joined.as_str()),
                ("authorization", joined_bearer.as_str()),
                ("authorization", two_tokens.as_str()),
                ("authorization", tab.as_str()),
                ("authorization", "Bearer"),
            ] {
                let refusal = ask(&world, operation, &[headers]).await;
                assert_eq!(refusal.status, 401, "{headers:?} on {}: {refusal}", operation.name);
                refusal.problem("invalid_credential");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_anywhere_else_is_none() {
    let world = World::on(&Database::Sqlite).await;
    let admin = world.server.admin_key();
    let cookie = format!("X-API-Key={admin}; token={admin}");
    let (basic, digest) = (format!("Basic {admin}"), format!("Digest username=\"{admin}\""));
    for operation in world.guarded() {
        for (header, value) in [
            ("x_api_key", &admin),
            ("api-key", &admin),
            ("x-api-token", &admin),
            ("x-auth-token", &admin),
            ("proxy-authorization", &admin),
            ("x-forwarded-authorization", &admin),
            ("cookie", &cookie),
            ("authorization", &basic),
            ("authorization", &digest),
        ] {
            let refusal = ask(&world, operation, &[(header, value)]).await;
            assert_eq!(refusal.status, 401, "{header} on {}: {refusal}", operation.name);
            if operation.knows_clients && *value == basic {
                assert_oauth_shape(&refusal.body, &refusal.to_string());
                assert_eq!(refusal.body["error"], "invalid_client", "{refusal}");
            } else {
                refusal.problem("missing_credential");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_the_query_is_not_accepted() {
    let world = World::on(&Database::Sqlite).await;
    let admin = world.server.admin_key();
    for operation in world.guarded() {
        for name in ["apiKey", "api_key", "key", "token", "access_token", "ticket", "X-API-Key"] {
            let target = with_query(&world.target(operation), &format!("{name}={admin}"));
            let ask = async |api: &Api| {
                let request = api.request(operation.method.clone(), &target);
                answer(operation.with_body(request)).await
            };
            ask(&world.anonymous()).await.expect(401);
            let refusal = ask(&world.root).await.expect(400);
            assert!(!refusal.text.contains(&admin), "{refusal}");
        }
    }
}

/// An operation with these headers, by somebody without any other credential.
async fn ask(world: &World, operation: &Operation, headers: &[(&str, &str)]) -> Answer {
    let anonymous = world.admin.with(Caller::Anonymous);
    let request = anonymous.request(operation.method.clone(), &world.target(operation));
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    answer(operation.with_body(request)).await
}
