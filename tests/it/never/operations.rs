//! The operations of the running server, as its own document tells them.

use acceptance::Api;
use reqwest::Method;
use serde_json::{Value, json};

/// One method on one path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `GET /api/v1/me`.
    pub name: String,
    pub method: Method,
    /// Whether it needs no credential.
    pub is_public: bool,
    /// The schema of its body, with nothing left to look up; none if it takes no body.
    pub schema: Option<Value>,
    path: String,
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
        let schema = &told["requestBody"]["content"]["application/json"]["schema"];
        Self {
            name: format!("{method} {path}"),
            is_public: told["security"].as_array().is_none_or(Vec::is_empty),
            schema: (!schema.is_null()).then(|| resolved(document, schema)),
            path: path.to_owned(),
            parameters: told["parameters"].as_array().cloned().unwrap_or_default(),
            method,
        }
    }

    /// Whether it has this parameter.
    pub fn takes(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|told| told["name"] == parameter)
    }

    /// Whether it is about one thing, and so can miss it.
    pub fn is_about_one(&self) -> bool {
        self.path.contains("{id}")
    }

    /// Whether that thing is a role.
    pub fn is_about_role(&self) -> bool {
        self.parameters
            .iter()
            .any(|told| told["name"] == "id" && told["schema"]["type"] == "integer")
    }

    /// The path and query about the thing with this id, with everything that is required.
    pub fn target(&self, id: &str) -> String {
        let path = self.path.replace("{id}", id);
        let query = self.parameters.iter().filter(|told| told["in"] == "query");
        let required = query.filter(|told| told["required"] == true);
        let names = required.map(|told| format!("{}=a", told["name"].as_str().unwrap()));
        with_query(&path, &names.collect::<Vec<_>>().join("&"))
    }

    /// The same, so that it changes nothing where it could.
    pub fn dry_target(&self, id: &str) -> String {
        let query = if self.takes("dry_run") { "dry_run=true" } else { "" };
        with_query(&self.target(id), query)
    }

    /// The least body that it takes.
    pub fn body(&self) -> Option<Value> {
        self.schema.as_ref().map(least)
    }
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
