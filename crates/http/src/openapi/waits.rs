//! What `wait=cluster` adds to the answers of the operations that take it.

use std::collections::BTreeSet;

use keystile_api::verifiers::{InForce, Revocation};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Response};
use utoipa::{PartialSchema, ToSchema};

use super::operations_mut;

/// Adds the member `revocation` to whatever changes are answered with, and to those that have no
/// answer an answer. Examples are composed before: they are of changes that wait for nobody.
pub(super) fn describe(document: &mut OpenApi) {
    let mut answers = BTreeSet::new();
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations_mut(item).filter(|(_, operation)| waits(operation)) {
            let has_none = operation.responses.responses.contains_key(NO_CONTENT);
            for (status, answer) in &mut operation.responses.responses {
                let RefOr::T(answer) = answer else { continue };
                answers.extend(schemas(answer).filter_map(named).map(str::to_owned));
                if has_none && status == OK {
                    or_in_force(answer);
                }
            }
        }
    }
    let components = document.components.get_or_insert_with(Components::new);
    let schemas = components.schemas.iter_mut();
    schemas.filter(|(name, _)| answers.contains(*name)).for_each(|(_, schema)| add_member(schema));
    components.schemas.insert(Revocation::name().into_owned(), Revocation::schema());
    components.schemas.insert(InForce::name().into_owned(), InForce::schema());
}

fn waits(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.name == "wait",
        RefOr::Ref(_) => false,
    })
}

fn schemas(answer: &mut Response) -> impl Iterator<Item = &mut RefOr<Schema>> {
    answer.content.values_mut().filter_map(|content| match content {
        RefOr::T(content) => content.schema.as_mut(),
        RefOr::Ref(_) => None,
    })
}

/// The name of the schema that is referred to.
fn named(schema: &mut RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(schema) => schema.ref_location.rsplit('/').next(),
        RefOr::T(_) => None,
    }
}

/// An answer that is there in dry runs only: whoever waits is answered too, with less.
fn or_in_force(answer: &mut Response) {
    answer.description.push_str(OR_IN_FORCE);
    for schema in schemas(answer) {
        let in_force = Ref::from_schema_name(InForce::name());
        let either = AnyOfBuilder::new().item(schema.clone()).item(in_force).build();
        *schema = RefOr::T(either.into());
    }
}

fn add_member(schema: &mut RefOr<Schema>) {
    // What is composed of another has it from there.
    if let RefOr::T(Schema::Object(object)) = schema {
        let member = Ref::builder().ref_location_from_schema_name(Revocation::name());
        let member = member.description(Some(MEMBER)).build();
        object.properties.insert("revocation".to_owned(), member.into());
    }
}

const OK: &str = "200";
const NO_CONTENT: &str = "204";
const OR_IN_FORCE: &str = " Or, with `wait=cluster`, that it is in force everywhere.";
const MEMBER: &str = "That the change is in force everywhere: in the answer to a change with \
                      `wait=cluster`, and nowhere else.";
