//! Lines of comma-separated values (RFC 4180), with a head.
//!
//! Spreadsheets run a field that begins like a formula, and names are other people's: such a text
//! gets an apostrophe in front, as OWASP's page on CSV injection has it. What is no text, a number
//! say, stays as it is.

use serde_json::Value;

use super::{Look, document};
use crate::failure::Failure;

/// Prints each thing as one line. A list of plain values stands in one field, divided by commas;
/// what is deeper is JSON.
pub fn print(things: &[Value], look: &Look) -> Result<(), Failure> {
    write(things, true, look)
}

/// Prints things of the same members behind those that are printed.
pub fn print_more(things: &[Value], look: &Look) -> Result<(), Failure> {
    write(things, false, look)
}

fn write(things: &[Value], with_head: bool, look: &Look) -> Result<(), Failure> {
    let mut head: Vec<&str> = Vec::new();
    for name in things.iter().filter_map(Value::as_object).flat_map(|members| members.keys()) {
        if !head.contains(&name.as_str()) {
            head.push(name);
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_head && !head.is_empty() {
        writer.write_record(&head)?;
    }
    for thing in things {
        writer.write_record(head.iter().map(|name| field(thing.get(name))))?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::Form(error.to_string()))?;
    document(String::from_utf8_lossy(&bytes).into_owned(), look)
}

fn field(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(FORMULA) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) if values.iter().all(is_plain) => {
            values.iter().map(|value| field(Some(value))).collect::<Vec<_>>().join(",")
        }
        Some(value) => value.to_string(),
    }
}

fn is_plain(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

/// What a field begins with that a spreadsheet computes.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_no_formula_and_a_number_stays_one() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=x", "\n=x"] {
            assert_eq!(field(Some(&json!(text))), format!("'{text}"));
            assert_eq!(field(Some(&json!([text, "b"]))), format!("'{text},b"));
        }
        assert_eq!(field(Some(&json!(-3))), "-3");
        assert_eq!(field(Some(&json!([-3, 4]))), "-3,4");
        assert_eq!(field(Some(&json!("a=b"))), "a=b");
    }

    #[test]
    fn a_field_is_a_text_a_list_or_json() {
        assert_eq!(field(Some(&json!(null))), "");
        assert_eq!(field(Some(&json!("a, b"))), "a, b");
        assert_eq!(field(Some(&json!([1, 3]))), "1,3");
        assert_eq!(field(Some(&json!({"team": "billing"}))), r#"{"team":"billing"}"#);
        assert_eq!(field(None), "");
    }
}
