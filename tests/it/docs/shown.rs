//! Whether an answer is what a page shows of it.

use serde_json::Value;

/// Panics unless `printed` has every member that the page shows. In texts, `…` stands for anything.
pub fn assert_json(page: &str, shown: &str, printed: &str) {
    let [shown, printed] = [shown, printed].map(|text| {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{page}: {error} in {text}"))
    });
    assert!(is_shown(&shown, &printed), "{page} shows {shown:#}\nbut it is {printed:#}");
}

fn is_shown(shown: &Value, printed: &Value) -> bool {
    match (shown, printed) {
        (Value::Object(shown), Value::Object(printed)) => shown.iter().all(|(name, member)| {
            printed.get(name).is_some_and(|printed| is_shown(member, printed))
        }),
        (Value::Array(shown), Value::Array(printed)) => {
            shown.len() == printed.len()
                && shown.iter().zip(printed).all(|(shown, printed)| is_shown(shown, printed))
        }
        (Value::String(shown), Value::String(printed)) => match shown.split_once('…') {
            Some((begin, end)) => printed.starts_with(begin) && printed.ends_with(end),
            None => shown == printed,
        },
        _ => shown == printed,
    }
}
