//! A server, and one of each thing in it.

use acceptance::{Answer, Api, Caller, Database, Options, Server};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::operations::Operation;

/// A server with one of each thing, which any caller with the permission for it may touch.
pub struct World {
    pub server: Server,
    /// An administrator's key.
    pub admin: Api,
    /// The user `admin`, signed in: the one caller who may do everything, and has tokens and a
    /// password of its own.
    pub root: Api,
    pub operations: Vec<Operation>,
    /// What there is: the path before its id, and the id.
    pub things: Vec<(&'static str, String)>,
}

impl World {
    pub async fn on(database: &Database) -> Self {
        Self::with(&Options::on(database)).await
    }

    pub async fn with(options: &Options) -> Self {
        let server = Server::start(options).await;
        let (admin, password) = (server.admin(), server.admin_password());
        let root = admin.with(admin.sign_in("admin", &password).await);
        let mut operations = Operation::all(&admin).await;
        // What a gateway asks is about endpoints of others, and in its own words.
        operations.retain(|operation| !operation.is_of_gateways());
        operations.iter_mut().for_each(|operation| teach(operation, &password));
        let things = furnish(&admin, &root).await;
        Self { server, admin, root, operations, things }
    }

    /// The operations that need a credential.
    pub fn guarded(&self) -> Vec<&Operation> {
        let guarded: Vec<_> = self.operations.iter().filter(|it| !it.is_public).collect();
        assert!(guarded.len() >= 40, "only {}", guarded.len());
        guarded
    }

    /// The ids of the things that an operation is about.
    pub fn ids(&self, operation: &Operation) -> Vec<&str> {
        operation.places().iter().map(|place| self.id(place)).collect()
    }

    /// The id of the thing at a place.
    pub fn id(&self, place: &str) -> &str {
        let thing = self.things.iter().find(|(known, _)| *known == place);
        &thing.unwrap_or_else(|| panic!("there is nothing at {place}")).1
    }

    /// The path and query of an operation in earnest.
    pub fn earnest_target(&self, operation: &Operation) -> String {
        operation.target(&self.ids(operation))
    }

    /// The path and query of an operation that changes nothing.
    pub fn target(&self, operation: &Operation) -> String {
        operation.dry_target(&self.ids(operation))
    }

    /// An operation with the least body, asked by `api` so that nothing changes.
    pub fn request(&self, api: &Api, operation: &Operation) -> RequestBuilder {
        operation.with_body(api.request(operation.method.clone(), &self.target(operation)))
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
        self.key_with_roles(json!([self.role_with(permissions).await])).await
    }

    /// A new role, which has these permissions.
    pub async fn role_with(&self, permissions: &[&str]) -> Value {
        let new = json!({ "name": self.fresh_name().await, "permissions": permissions });
        self.admin.post("/api/v1/roles", new).await.expect(201).body["id"].clone()
    }

    /// A name that nothing has.
    pub async fn fresh_name(&self) -> String {
        format!("after {}", self.head().await["seq"])
    }

    /// Lets the key end so soon that whoever rotates it lives longer.
    pub async fn end_soon(&self) {
        let key = format!("/api/v1/api-keys/{}", self.id("/api/v1/api-keys/"));
        let rotation = json!({ "overlap_seconds": 300 });
        self.admin.post(&format!("{key}/rotate"), rotation).await.expect(200);
        let rotation = self.admin.get(&format!("{key}/rotation")).await.expect(200);
        let end = json!({ "expires_at": rotation.text_of("old_secret_expires_at") });
        self.admin.patch(&key, end).await.expect(200);
    }

    /// Lets keys and tokens stand at every place of a request.
    pub async fn take_everywhere(&self) {
        for kind in ["api_key", "personal_access_token"] {
            let path = format!("/api/v1/providers?kind={kind}");
            let found = self.admin.get(&path).await.expect(200);
            let id = found.body["data"][0]["id"].as_str().unwrap();
            let path = format!("/api/v1/providers/{id}");
            self.admin.patch(&path, json!({ "allow_query_string": true })).await.expect(200);
        }
    }

    /// The last event of the audit log, once its seals are checked.
    pub async fn head(&self) -> Value {
        let chain = self.admin.get("/api/v1/audit-events/verify").await.expect(200);
        assert_eq!(chain.body["valid"], true, "{chain}");
        chain.body["head"].clone()
    }
}

/// Makes one of each thing, and gives the path before its id, and the id.
async fn furnish(admin: &Api, root: &Api) -> Vec<(&'static str, String)> {
    let role = json!({ "name": "the role", "permissions": ["billing.read"] });
    let role = make(admin, "/api/v1/roles", role).await;
    let key = make(admin, "/api/v1/api-keys", json!({ "name": "the key" })).await;
    let provider = json!({ "name": "the provider", "kind": "api_key" });
    let provider = make(admin, "/api/v1/providers", provider).await;
    let program = json!({ "username": "the program", "is_service_account": true });
    let program = make(admin, "/api/v1/users", program).await;
    let (own, theirs) = ("/api/v1/me/tokens", format!("/api/v1/users/{program}/tokens"));
    // What ends so soon may be rotated even by whoever has little time.
    let soon = json!({ "expires_in_minutes": 10 });
    // Two of each, so that there is a next page.
    make(root, own, json!({ "name": "another" })).await;
    make(admin, &theirs, json!({ "name": "another" })).await;
    let (mine, its) = (make(root, own, json!({})).await, make(admin, &theirs, soon).await);
    for (by, path) in [
        (admin, format!("/api/v1/api-keys/{key}")),
        (root, format!("{own}/{mine}")),
        (admin, format!("{theirs}/{its}")),
    ] {
        let overlap = json!({ "overlap_seconds": 86_400 });
        by.post(&format!("{path}/rotate"), overlap).await.expect(200);
    }
    vec![
        ("/api/v1/api-keys/", key),
        ("/api/v1/me/tokens/", mine),
        ("/api/v1/providers/", provider),
        ("/api/v1/roles/", role),
        ("/api/v1/users/", program),
        ("/api/v1/users/{id}/tokens/", its),
    ]
}

/// Makes a thing, and gives its id.
async fn make(api: &Api, path: &str, new: Value) -> String {
    id(&api.post(path, new).await.expect(201).body)
}

/// Replaces the examples of the document by what the user `admin` of this server would send.
fn teach(operation: &mut Operation, password: &str) {
    let example = operation.schema.as_mut().and_then(|schema| schema["example"].as_object_mut());
    let Some(example) = example else { return };
    if example.contains_key("password") && example.contains_key("username") {
        example.insert("username".to_owned(), json!("admin"));
    }
    // Even what somebody makes whose own time is short.
    if example.remove("expires_in_days").is_some() {
        example.insert("expires_in_minutes".to_owned(), json!(1));
    }
    for name in ["password", "current_password"] {
        example.entry(name).and_modify(|known| *known = json!(password));
    }
}

/// The id of a thing as text.
pub fn id(thing: &Value) -> String {
    thing["id"].to_string().trim_matches('"').to_owned()
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
