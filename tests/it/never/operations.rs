//! The operations of the running server, as its own document tells them.

use acceptance::Api;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// One method on one path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `GET /api/v1/me`.
    pub name: String,
    pub method: Method,
    /// The path, with names in braces where ids stand.
    pub path: String,
    /// Whether it needs no credential.
    pub is_public: bool,
    /// Whether a client may show its id and secret, as OAuth has it.
    pub knows_clients: bool,
    /// Whether a cache may keep what it answers.
    pub may_be_kept: bool,
    /// The schema of its JSON body, with nothing left to look up; none if it takes none.
    pub schema: Option<Value>,
    /// The same of a form.
    pub form: Option<Value>,
    parameters: Vec<Value>,
}

impl Operation {
    /// All of them.
    pub async fn all(api: &Api) -> Vec<Self> {
        let document = api.get("/openapi.json").await.expect(200).body;
        let paths = document["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, item)| {
            let item = item.as_object().unwrap();
            item.iter().map(|(method, told)| Self::read(&document, path, method, told))
        });
        all.collect()
    }

    fn read(document: &Value, path: &str, method: &str, told: &Value) -> Self {
        let method: Method = method.to_uppercase().parse().unwrap();
        let body = |media: &str| {
            let schema = &told["requestBody"]["content"][media]["schema"];
            (!schema.is_null()).then(|| resolved(document, schema))
        };
        let security = told["security"].as_array().map(Vec::as_slice).unwrap_or_default();
        Self {
            name: format!("{method} {path}"),
            path: path.to_owned(),
            is_public: security.is_empty(),
            knows_clients: security.iter().any(|scheme| scheme.get("client").is_some()),
            may_be_kept: !told["responses"]["200"]["headers"]["Cache-Control"].is_null(),
            schema: body("application/json"),
            form: body(FORM),
            parameters: told["parameters"].as_array().cloned().unwrap_or_default(),
            method,
        }
    }

    /// Whether it has this parameter.
    pub fn takes(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|told| told["name"] == parameter)
    }

    /// Whether it answers in the words of OAuth.
    pub fn is_oauth(&self) -> bool {
        self.path.starts_with("/oauth2/")
    }

    /// Whether gateways ask it.
    pub fn is_of_gateways(&self) -> bool {
        self.path.contains("/forward-auth/")
    }

    /// The part of the path before each id.
    pub fn places(&self) -> Vec<&str> {
        self.path.match_indices('{').map(|(at, _)| &self.path[..at]).collect()
    }

    /// The path and query about the things with these ids, one for each place, with everything that
    /// is required.
    pub fn target(&self, ids: &[&str]) -> String {
        let mut pieces = self.path.split(['{', '}']);
        let mut path = pieces.next().unwrap().to_owned();
        for id in ids {
            pieces.next().unwrap_or_else(|| panic!("no place for {id} in {}", self.path));
            path += id;
            path += pieces.next().unwrap();
        }
        assert_eq!(pieces.next(), None, "ids are missing in {}", self.path);
        let query = self.parameters.iter().filter(|told| told["in"] == "query");
        let required = query.filter(|told| told["required"] == true);
        let names = required.map(|told| format!("{}=a", told["name"].as_str().unwrap()));
        with_query(&path, &names.collect::<Vec<_>>().join("&"))
    }

    /// The same, so that it changes nothing where it could.
    pub fn dry_target(&self, ids: &[&str]) -> String {
        // Tokens that still work stand in the way of a deletion.
        let revoke = if self.takes("tokens") { "tokens=revoke" } else { "" };
        let dry = if self.takes("dry_run") { "dry_run=true" } else { "" };
        with_query(&with_query(&self.target(ids), revoke), dry)
    }

    /// The least JSON body that it takes.
    pub fn body(&self) -> Option<Value> {
        self.schema.as_ref().map(least)
    }

    /// The request with the least body that it takes.
    pub fn with_body(&self, request: RequestBuilder) -> RequestBuilder {
        match self.content() {
            Some((kind, body)) => request.header("content-type", kind).body(body),
            None => request,
        }
    }

    /// The least body that it takes, as bytes, and their type.
    pub fn content(&self) -> Option<(&'static str, String)> {
        let json = self.body().map(|body| ("application/json", body.to_string()));
        json.or_else(|| self.form.as_ref().map(|schema| (FORM, form(&least(schema)))))
    }
}

/// A form with these members, all of them texts of letters, digits and what needs no escape.
pub fn form(members: &Value) -> String {
    let members = members.as_object().unwrap().iter();
    let pairs = members.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
    pairs.collect::<Vec<_>>().join("&")
}

/// The least value that a schema with its example allows.
pub fn least(schema: &Value) -> Value {
    let example = &schema["example"];
    if let Some(required) = schema["required"].as_array() {
        let members = required.iter().map(|name| name.as_str().unwrap()).map(|name| {
            let value = match example.get(name) {
                Some(value) => value.clone(),
                None => least(&schema["properties"][name]),
            };
            (name.to_owned(), value)
        });
        return Value::Object(members.collect());
    }
    if !example.is_null() {
        return example.clone();
    }
    if let Some(first) = schema["oneOf"].get(0) {
        return least(first);
    }
    match kind(schema) {
        "array" => json!([least(&schema["items"])]),
        "boolean" => json!(true),
        "integer" => json!(1),
        "object" => json!({}),
        "string" => json!("a"),
        other => panic!("no value for {other} in {schema}"),
    }
}

/// The first type that a schema names.
pub fn kind(schema: &Value) -> &str {
    let named = &schema["type"];
    named.as_str().or_else(|| named[0].as_str()).unwrap_or_default()
}

/// A path and query with more in its query.
pub fn with_query(target: &str, more: &str) -> String {
    match (more.is_empty(), target.contains('?')) {
        (true, _) => target.to_owned(),
        (false, true) => format!("{target}&{more}"),
        (false, false) => format!("{target}?{more}"),
    }
}

fn resolved(document: &Value, schema: &Value) -> Value {
    match schema {
        Value::Object(members) => match members.get("$ref").and_then(Value::as_str) {
            Some(name) => resolved(document, document.pointer(&name[1..]).unwrap()),
            None => {
                let resolve =
                    |(name, value): (&String, _)| (name.clone(), resolved(document, value));
                Value::Object(members.iter().map(resolve).collect())
            }
        },
        Value::Array(items) => items.iter().map(|item| resolved(document, item)).collect(),
        other => other.clone(),
    }
}

pub const FORM: &str = "application/x-www-form-urlencoded";
