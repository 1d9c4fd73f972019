//! An example of every answer, composed of the examples that stand at the members of its type: one
//! home for each, and none that a change of the type could leave behind.

use serde_json::{Value, json};
use utoipa::openapi::{OpenApi, RefOr};

use super::operations_mut;

/// Gives each answer with a body an example, unless it has one.
pub(super) fn add(document: &mut OpenApi) {
    let schemas = document.components.as_ref().map(|components| &components.schemas);
    let schemas = Schemas(serde_json::to_value(schemas).unwrap_or_default());
    let items = document.paths.paths.values_mut();
    let operations = items.flat_map(operations_mut).map(|(_, operation)| operation);
    let answers = operations.flat_map(|operation| operation.responses.responses.values_mut());
    let contents = answers.filter_map(own).flat_map(|answer| answer.content.values_mut());
    for content in contents.filter_map(own) {
        let schema = serde_json::to_value(&content.schema).unwrap_or_default();
        content.example.get_or_insert_with(|| schemas.example(&schema));
    }
}

/// What is described in this place, and not by a reference to another.
fn own<T>(part: &mut RefOr<T>) -> Option<&mut T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}

/// The schemas of the document, by name.
struct Schemas(Value);

impl Schemas {
    fn example(&self, schema: &Value) -> Value {
        let list = |name: &str| schema.get(name).and_then(Value::as_array).into_iter().flatten();
        if let Some(example) = schema.get("example") {
            return example.clone();
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let name = target.rsplit('/').next().unwrap_or_default();
            return self.0.get(name).map_or(Value::Null, |schema| self.example(schema));
        }
        if schema.get("allOf").is_some() {
            let parts = list("allOf").filter_map(|part| self.example(part).as_object().cloned());
            return Value::Object(parts.flatten().collect());
        }
        if let Some(choice) = list("oneOf").find(|choice| **choice != json!({"type": "null"})) {
            return self.example(choice);
        }
        match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => json!(ID),
            Some("date-time") => json!(TIME),
            _ => self.by_type(schema),
        }
    }

    fn by_type(&self, schema: &Value) -> Value {
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => schema.get("items").map(|item| json!([self.example(item)])),
            Some("boolean") => Some(json!(true)),
            Some("object") => {
                let members = schema.get("properties").and_then(Value::as_object);
                let members = members.into_iter().flatten();
                Some(members.map(|(name, member)| (name.clone(), self.example(member))).collect())
            }
            _ => None,
        }
        .unwrap_or_default()
    }
}

const ID: &str = "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10";
const TIME: &str = "2026-11-22T09:00:00Z";
