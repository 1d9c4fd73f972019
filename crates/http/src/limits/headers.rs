//! The headers that tell a client how its limits stand: draft-ietf-httpapi-ratelimit-headers.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use keystile_service::limits::Standing;

/// Tells how limits stand, if there are any.
pub(crate) fn tell(headers: &mut HeaderMap, standings: &[Standing]) {
    if standings.is_empty() {
        return;
    }
    let (policies, states): (Vec<_>, Vec<_>) = standings.iter().map(item).unzip();
    for (name, items) in [(POLICY, policies), (STATE, states)] {
        // The names of limits are words that a header can carry, so it always can.
        if let Ok(value) = HeaderValue::try_from(items.join(", ")) {
            headers.insert(name, value);
        }
    }
}

/// Whole seconds, rounded up: a second early is too early.
pub(crate) fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// One limit, as both headers have it.
fn item(standing: &Standing) -> (String, String) {
    let Standing { name, limit, window, remaining, reset } = standing;
    let window = window.map(|window| format!(";w={}", seconds(window))).unwrap_or_default();
    let reset = reset.map(|reset| format!(";t={}", seconds(reset))).unwrap_or_default();
    (format!("\"{name}\";q={limit}{window}"), format!("\"{name}\";r={remaining}{reset}"))
}

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_its_place_in_both_headers() {
        let standing = |name: &str, window: Option<u64>, reset: Option<u64>| Standing {
            name: name.to_owned(),
            limit: 100,
            window: window.map(Duration::from_secs),
            remaining: 50,
            reset: reset.map(Duration::from_millis),
        };
        let standings =
            [standing("default", Some(60), Some(29_001)), standing("quota", None, None)];
        let mut headers = HeaderMap::new();
        tell(&mut headers, &standings);
        assert_eq!(headers.get(POLICY).unwrap(), r#""default";q=100;w=60, "quota";q=100"#);
        assert_eq!(headers.get(STATE).unwrap(), r#""default";r=50;t=30, "quota";r=50"#);
    }

    #[test]
    fn without_limits_there_is_nothing_to_tell() {
        let mut headers = HeaderMap::new();
        tell(&mut headers, &[]);
        assert!(headers.is_empty());
    }
}
