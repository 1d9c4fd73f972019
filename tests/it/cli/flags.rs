//! The flags of lists, beside the parameters that the server takes.

use serde_json::Value;

use super::Person;

#[tokio::test]
async fn a_list_has_a_flag_for_every_parameter_of_the_api() {
    let person = Person::new();
    let document: Value = serde_json::from_str(&person.prints(&["openapi"]).await).unwrap();
    let mut seen = 0;
    for (command, path) in [
        (["keys", "list"], "/api/v1/api-keys"),
        (["tokens", "list"], "/api/v1/me/tokens"),
        (["tokens", "list"], "/api/v1/users/{id}/tokens"),
        (["users", "list"], "/api/v1/users"),
        (["roles", "list"], "/api/v1/roles"),
        (["providers", "list"], "/api/v1/providers"),
        (["audit", "list"], "/api/v1/audit-events"),
        (["keys", "usage"], "/api/v1/api-keys/{id}/usage"),
        (["tokens", "usage"], "/api/v1/me/tokens/{id}/usage"),
        (["insights", "--help"], "/api/v1/insights"),
    ] {
        let help = person.prints(&[&command[..], &["--help"]].concat()).await;
        let flags: Vec<_> = help.split([' ', ',', '\n']).collect();
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            for flag in flags_for(name) {
                assert!(flags.contains(&flag.as_str()), "{command:?} has no {flag} for {name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "only {seen} were looked for");
}

#[tokio::test]
async fn what_other_programs_call_a_verb_is_understood() {
    let person = Person::new();
    for resource in ["keys", "tokens", "users", "roles", "providers"] {
        for (alias, verb) in [
            ("add", "new"),
            ("create", "new"),
            ("delete", "remove"),
            ("ls", "list"),
            ("rm", "remove"),
            ("show", "get"),
            ("update", "set"),
        ] {
            let help = person.prints(&[resource, alias, "--help"]).await;
            assert!(help.contains(&format!("keystile {resource} {verb}")), "{resource} {alias}");
        }
    }
}

/// What a parameter is called on the command line.
fn flags_for(parameter: &str) -> Vec<String> {
    let flags: &[_] = match parameter {
        // A list is given whole.
        "cursor" | "page" => &[],
        "enabled" => &["--enabled", "--disabled"],
        "expired" => &["--expired", "--unexpired"],
        "expires" => &["--with-expiry", "--without-expiry"],
        "is_service_account" => &["--service-accounts", "--people"],
        "request_id" => &["--request"],
        "role_id" => &["--role"],
        "target_kind" | "target_id" => &["--target"],
        "username" => &["--name"],
        "used" => &["--used", "--unused"],
        other => return vec![format!("--{}", other.replace('_', "-"))],
    };
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}
