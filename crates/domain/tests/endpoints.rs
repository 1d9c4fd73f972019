//! Tricks in the targets of requests: each is refused, or read as its plain form.

#![cfg(test)]

use keystile_domain::{Endpoint, EndpointRule};

#[test]
fn every_trick_is_refused_or_read_as_its_plain_form() {
    let mut seen = 0;
    for line in CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["none", target] => assert!(Endpoint::new("GET", target).is_err(), "{line}"),
            ["same", target, plain] => assert_eq!(read(target), read(plain), "{line}"),
            ["other", target, plain] => {
                assert_ne!(read(target), read(plain), "{line}");
                assert!(!rule(plain).allows(&read(target)), "{line}");
                assert!(!rule(target).allows(&read(plain)), "{line}");
            }
            _ => panic!("what is {line}?"),
        }
        seen += 1;
    }
    assert!(seen > 100, "only {seen}");
}

#[test]
fn a_plain_form_is_opened_by_the_rule_of_its_own_words() {
    for line in CORPUS.lines().filter(|line| line.starts_with("same ")) {
        let (_, plain) = line.rsplit_once(' ').unwrap();
        assert!(rule(plain).allows(&read(plain)), "{line}");
    }
}

#[test]
fn another_case_of_a_method_is_another_method() {
    let get = EndpointRule::new(&["GET".to_owned()], "/open").unwrap();
    for method in ["get", "Get", "gET", "POST", "GETX"] {
        assert!(!get.allows(&Endpoint::new(method, "/open").unwrap()), "{method}");
    }
    for method in ["GET ", " GET", "GET\t", "GET\0", ""] {
        assert!(Endpoint::new(method, "/open").is_err(), "{method:?}");
    }
}

fn read(target: &str) -> Endpoint {
    Endpoint::new("GET", target).unwrap_or_else(|error| panic!("{target}: {error}"))
}

/// The rule for one path; a star in it is itself.
fn rule(target: &str) -> EndpointRule {
    let path = target.split('?').next().unwrap_or_default().replace('*', "%2A");
    EndpointRule::new(&["GET".to_owned()], &path).unwrap()
}

const CORPUS: &str = include_str!("endpoints.txt");
