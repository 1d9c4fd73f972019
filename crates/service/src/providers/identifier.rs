//! The name that a provider has in requests, made from the name that it has for people.

use keystile_domain::{Identifier, Name};

use crate::ServiceError;
use crate::change::Scope;

/// An identifier that no other provider has: the name's own, numbered if it is taken.
pub(super) async fn free(scope: &mut Scope, name: &Name) -> Result<Identifier, ServiceError> {
    let slug = slug(name.as_str());
    let providers = scope.tx.list_providers().await?;
    let taken = |text: &str| {
        text == super::sso::IDENTIFIER
            || providers.iter().any(|provider| provider.identifier.as_str() == text)
    };
    let numbered = (2_u32..).map(|number| format!("{slug}-{number}"));
    let mut candidates = std::iter::once(slug.clone()).chain(numbered);
    let free = candidates.find_map(|text| text.parse().ok().filter(|_| !taken(&text)));
    free.ok_or_else(|| ServiceError::broken("/name", "gives no identifier that is free"))
}

/// Lower-case letters and digits, with a hyphen for each run of anything else; short enough to have
/// a number behind it.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(LONGEST);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { FALLBACK.to_owned() } else { slug.to_owned() }
}

const LONGEST: usize = 50;
const FALLBACK: &str = "provider";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_the_letters_and_digits_of_the_name() {
        for (name, identifier) in [
            ("Partner keys", "partner-keys"),
            ("GitHub Actions (prod) #2", "github-actions-prod-2"),
            ("  --x--  ", "x"),
            ("ÄÖ", "provider"),
            ("日本", "provider"),
            ("Größe", "gr-e"),
        ] {
            assert_eq!(slug(name), identifier);
            assert!(identifier.parse::<Identifier>().is_ok());
        }
        let long = slug(&"ab ".repeat(60));
        assert!(long.len() <= LONGEST && long.parse::<Identifier>().is_ok(), "{long}");
    }
}
