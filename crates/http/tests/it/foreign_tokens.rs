//! Tokens of an OpenID provider as time goes by: new keys, keys that are gone, outages.

use acceptance::Database;
use acceptance::{
    Part,
    oidc::{OpenIdProvider, SigningAlgorithm},
};
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::stage::{NOW, Stage};

/// An application that takes the tokens of a real provider.
struct Scene {
    stage: Stage,
    idp: OpenIdProvider,
}

impl Scene {
    async fn new() -> Option<Self> {
        if !Part::OpenId.or_skip() {
            return None;
        }
        let idp = OpenIdProvider::start().await;
        let stage = Stage::new(Database::Sqlite).await;
        let provider = json!({
            "name": "Company",
            "kind": "oidc",
            "authority": idp.issuer(),
            "audience": AUDIENCE,
            "create_users": true,
        });
        stage.admin().post("/api/v1/providers", provider).await.expect(201);
        Some(Self { stage, idp })
    }

    /// A token that lives for two days from the first moment of the stage on.
    async fn token(&self) -> String {
        self.signed(json!({})).await
    }

    async fn signed(&self, other: Value) -> String {
        let mut claims = json!({
            "iss": self.idp.issuer(),
            "sub": "jane",
            "aud": AUDIENCE,
            "iat": NOW / 1_000,
            "exp": NOW / 1_000 + 2 * DAY,
        });
        claims.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        self.idp.sign(json!({ "typ": "at+jwt" }), claims).await
    }

    /// The answer to a token, so many seconds after the beginning.
    async fn asked(&self, seconds: i64, token: &str) -> Answer {
        self.stage.set_clock(seconds * 1_000);
        let request = TestRequest::get().uri("/api/v1/me");
        self.stage.answer(request.insert_header(("Authorization", format!("Bearer {token}")))).await
    }
}

#[tokio::test]
async fn a_new_key_works_as_soon_as_it_signs_and_costs_one_question() {
    let Some(scene) = Scene::new().await else { return };
    let old = scene.token().await;
    scene.asked(0, &old).await.expect(200);
    assert_eq!(scene.idp.key_fetches().await, 1);

    scene.idp.rotate_keys(SigningAlgorithm::Es256).await;
    let new = scene.token().await;
    scene.asked(31, &new).await.expect(200);
    scene.asked(31, &old).await.expect(200);
    scene.asked(32, &new).await.expect(200);
    assert_eq!(scene.idp.key_fetches().await, 2);
}

#[tokio::test]
async fn a_key_that_is_gone_is_refused_after_the_next_question() {
    let Some(scene) = Scene::new().await else { return };
    let old = scene.token().await;
    scene.asked(0, &old).await.expect(200);
    scene.idp.replace_keys(SigningAlgorithm::EdDsa).await;
    let new = scene.token().await;
    scene.asked(31, &new).await.expect(200);
    scene.asked(32, &old).await.expect(401);
    scene.asked(2 * 60 * 60, &new).await.expect(200);
    scene.asked(2 * 60 * 60, &old).await.expect(401);
}

#[tokio::test]
async fn random_key_ids_make_one_question_in_half_a_minute() {
    let Some(scene) = Scene::new().await else { return };
    scene.asked(0, &scene.token().await).await.expect(200);
    let claims = json!({ "iss": scene.idp.issuer(), "sub": "x", "aud": AUDIENCE, "exp": NOW });
    for second in 1..=60 {
        let header = json!({ "typ": "at+jwt", "kid": format!("random-{second}") });
        let token = scene.idp.sign(header, claims.clone()).await;
        scene.asked(second, &token).await.expect(401);
    }
    assert!(scene.idp.key_fetches().await <= 3, "{}", scene.idp.key_fetches().await);
}

#[tokio::test]
async fn an_outage_of_the_issuer_is_bridged_for_a_day_and_then_said_to_be_one() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.token().await;
    scene.asked(0, &token).await.expect(200);
    scene.idp.fail().await;
    for seconds in [60, 60 * 60, DAY - 60] {
        scene.asked(seconds, &token).await.expect(200);
    }
    let down = scene.asked(DAY + 60, &token).await.expect(503);
    assert_eq!(down.body["code"], "unavailable");
    assert!(down.headers.contains_key("Retry-After"));

    scene.idp.recover().await;
    scene.asked(DAY + 120, &token).await.expect(200);
}

#[tokio::test]
async fn an_issuer_that_never_answered_is_an_outage_and_no_verdict() {
    let Some(scene) = Scene::new().await else { return };
    let token = scene.token().await;
    scene.idp.fail().await;
    scene.asked(0, &token).await.expect(503);
    scene.asked(1, &token).await.expect(503);
    scene.idp.recover().await;
    scene.asked(31, &token).await.expect(200);
}

#[tokio::test]
async fn a_token_ends_at_its_end_and_may_begin_a_minute_early() {
    let Some(scene) = Scene::new().await else { return };
    let begin = NOW / 1_000 + 1_000;
    let times = json!({ "iat": begin, "nbf": begin, "exp": begin + 100 });
    let token = scene.signed(times).await;
    for (seconds, status) in [(939, 401), (940, 200), (1_000, 200), (1_099, 200), (1_100, 401)] {
        scene.asked(seconds, &token).await.expect(status);
    }
}

const AUDIENCE: &str = "api://keystile";
const DAY: i64 = 24 * 60 * 60;
