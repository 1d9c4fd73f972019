use super::*;
use crate::{Timestamp, Version};

fn role(id: i64, permissions: &[&str], endpoints: &[(&[&str], &str)]) -> Role {
    let rule = |(methods, path): &(&[&str], &str)| {
        let methods: Vec<_> = methods.iter().map(ToString::to_string).collect();
        EndpointRule::new(&methods, path).unwrap()
    };
    Role {
        id: RoleId(id),
        name: format!("role {id}").parse().unwrap(),
        description: None,
        permissions: permissions.iter().map(|text| text.parse().unwrap()).collect(),
        endpoints: endpoints.iter().map(rule).collect(),
        may_grant: BTreeSet::new(),
        built_in: false,
        version: Version::FIRST,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    }
}

fn excess(roles: &[Role], exercised: &[&str]) -> Option<Excess> {
    Excess::of(roles, exercised.iter().map(|text| Exercise::read(text)))
}

fn texts(permissions: &PermissionSet) -> Vec<&str> {
    permissions.iter().map(Permission::as_str).collect()
}

fn rules(rules: &[EndpointRule]) -> Vec<String> {
    rules.iter().map(|rule| format!("{} {}", rule.methods().join(","), rule.path())).collect()
}

fn ids(roles: &BTreeSet<RoleId>) -> Vec<i64> {
    roles.iter().map(|id| id.0).collect()
}

#[test]
fn who_needed_everything_has_nothing_in_excess() {
    let roles = [role(5, &["a.read", "a.write"], &[(&["GET"], "/a/**")])];
    assert_eq!(excess(&roles, &["a.read", "a.write", "GET /a/**"]), None);
    assert_eq!(excess(&roles, &["a.read", "a.write", "GET /a/**", ""]), None);
    assert_eq!(excess(&[role(5, &["**"], &[])], &["**"]), None);
}

#[test]
fn what_was_never_needed_is_named_and_the_rest_is_enough() {
    let excess = excess(&[role(5, &["a.read", "a.write", "b.*"], &[])], &["a.read"]).unwrap();
    assert_eq!(texts(&excess.unexercised_permissions), ["a.write", "b.*"]);
    assert_eq!(texts(&excess.sufficient_permissions), ["a.read"]);
    assert!(excess.spare_roles.is_empty() && !excess.may_need_more);
}

#[test]
fn a_pattern_of_which_a_part_was_needed_is_wider_than_enough_but_not_unexercised() {
    let excess = excess(&[role(5, &["a.**"], &[])], &["a.b.read", "a.b.*", "a.c"]).unwrap();
    assert!(excess.unexercised_permissions.is_empty());
    assert_eq!(texts(&excess.sufficient_permissions), ["a.b.*", "a.c"]);
}

#[test]
fn what_is_no_longer_held_is_not_proposed_again() {
    let excess = excess(&[role(5, &["a"], &[])], &["b", "GET /b"]).unwrap();
    assert!(excess.sufficient_permissions.is_empty() && excess.sufficient_endpoints.is_empty());
    assert_eq!(ids(&excess.spare_roles), [5]);
}

#[test]
fn endpoint_rules_shrink_to_the_methods_that_were_needed() {
    let roles = [role(5, &[], &[(&["*"], "/a/**"), (&["GET", "PUT"], "/b"), (&["GET"], "/c")])];
    let excess = excess(&roles, &["GET /a/**", "POST /a/**", "PUT /b"]).unwrap();
    assert_eq!(rules(&excess.unexercised_endpoints), ["GET /c"]);
    assert_eq!(rules(&excess.sufficient_endpoints), ["GET,POST /a/**", "PUT /b"]);
}

#[test]
fn rules_of_one_path_in_several_roles_are_needed_together() {
    let roles = [role(5, &[], &[(&["GET"], "/a")]), role(6, &[], &[(&["PUT"], "/a")])];
    assert_eq!(excess(&roles, &["GET /a", "PUT /a"]), None);
    assert_eq!(ids(&excess(&roles, &["GET /a"]).unwrap().spare_roles), [6]);
}

#[test]
fn a_method_that_no_rule_can_name_needs_the_rule_for_any() {
    assert_eq!(excess(&[role(5, &[], &[(&["*"], "/a")])], &["* /a", "GET /a"]), None);
}

#[test]
fn of_roles_that_are_each_enough_the_widest_is_spared() {
    let roles = [role(1, &["**"], &[(&["*"], "/**")]), role(7, &["a.read"], &[])];
    let excess = excess(&roles, &["a.read"]).unwrap();
    assert_eq!(ids(&excess.spare_roles), [1]);
    assert_eq!(texts(&excess.sufficient_permissions), ["a.read"]);
}

#[test]
fn a_role_whose_endpoints_alone_were_needed_is_kept() {
    let roles = [role(5, &["a"], &[(&["GET"], "/a")]), role(6, &["a"], &[])];
    let excess = excess(&roles, &["a", "GET /a"]).unwrap();
    assert_eq!(ids(&excess.spare_roles), [6]);
}

#[test]
fn two_roles_that_only_together_are_enough_are_both_kept() {
    let roles = [role(5, &["a"], &[]), role(6, &["b"], &[]), role(7, &["c"], &[])];
    assert_eq!(ids(&excess(&roles, &["a", "b"]).unwrap().spare_roles), [7]);
}

#[test]
fn what_nobody_told_is_owned_up_to() {
    assert!(excess(&[role(5, &["a", "b"], &[])], &["a", ""]).unwrap().may_need_more);
}
