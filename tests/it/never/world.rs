//! A server, and one of each thing in it.

use acceptance::{Answer, Api, Caller, Database, Options, Server};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::operations::Operation;

/// A server with one key and one role that any caller with the permission for it may touch.
pub struct World {
    pub server: Server,
    pub admin: Api,
    pub operations: Vec<Operation>,
    /// The id of a key without roles, whose old secret still works.
    pub key: String,
    /// The id of a role that is no power over Keystile.
    pub role: String,
}

impl World {
    pub async fn on(database: &Database) -> Self {
        Self::with(&Options::on(database)).await
    }

    pub async fn with(options: &Options) -> Self {
        let server = Server::start(options).await;
        let admin = server.admin();
        let role = json!({ "name": "the role", "permissions": ["billing.read"] });
        let role = admin.post("/api/v1/roles", role).await.expect(201).body["id"].to_string();
        let key = admin.post("/api/v1/api-keys", json!({ "name": "the key" })).await.expect(201);
        let key = key.text_of("id").to_owned();
        let overlap = json!({ "overlap_seconds": 86_400 });
        admin.post(&format!("/api/v1/api-keys/{key}/rotate"), overlap).await.expect(200);
        let operations = Operation::all(&admin).await;
        Self { server, admin, operations, key, role }
    }

    /// The operations that need a credential.
    pub fn guarded(&self) -> Vec<&Operation> {
        let guarded: Vec<_> = self.operations.iter().filter(|it| !it.is_public).collect();
        assert!(guarded.len() >= 20, "only {}", guarded.len());
        guarded
    }

    /// The id of the thing that an operation is about.
    pub fn id(&self, operation: &Operation) -> &str {
        if operation.is_about_role() { &self.role } else { &self.key }
    }

    /// The path and query of an operation that changes nothing.
    pub fn target(&self, operation: &Operation) -> String {
        operation.dry_target(self.id(operation))
    }

    /// An operation with the least body, asked by `api` so that nothing changes.
    pub fn request(&self, api: &Api, operation: &Operation) -> RequestBuilder {
        let request = api.request(operation.method.clone(), &self.target(operation));
        match operation.body() {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    /// Somebody without a credential.
    pub fn anonymous(&self) -> Api {
        self.admin.with(Caller::Anonymous)
    }

    /// A new key with these roles.
    pub async fn key_with_roles(&self, role_ids: Value) -> String {
        let new = json!({ "name": "caller", "role_ids": role_ids });
        self.admin.post("/api/v1/api-keys", new).await.expect(201).text_of("key").to_owned()
    }

    /// A new key with one role, which has these permissions.
    pub async fn key_with(&self, permissions: &[&str]) -> String {
        let new = json!({ "name": permissions.join(" and "), "permissions": permissions });
        let role = self.admin.post("/api/v1/roles", new).await.expect(201);
        self.key_with_roles(json!([role.body["id"]])).await
    }

    /// The last event of the audit log, once its seals are checked.
    pub async fn head(&self) -> Value {
        let chain = self.admin.get("/api/v1/audit-events/verify").await.expect(200);
        assert_eq!(chain.body["valid"], true, "{chain}");
        chain.body["head"].clone()
    }
}

/// The answer to a request.
pub async fn answer(request: RequestBuilder) -> Answer {
    Answer::to(request).await.expect("the server answers")
}

/// The body but for the name of the request, in which alone two refusals may differ.
pub fn without_request_id(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap_or_else(|| panic!("no document in {answer}")).remove("request_id");
    body
}
