//! The ceiling, by sentences of the contract and by roles drawn at random.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::permission::samples::{names, permission, set};
use crate::{BuiltInRole, Timestamp, Version};

/// A role that opens no endpoint and grants no role.
fn role(id: i64, permissions: PermissionSet) -> Role {
    Role {
        id: RoleId(id),
        name: "a role".parse().unwrap(),
        description: None,
        permissions,
        endpoints: Vec::new(),
        may_grant: BTreeSet::new(),
        built_in: false,
        version: Version::FIRST,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    }
}

fn holding(id: i64, permissions: &[&str]) -> Role {
    role(id, permissions.iter().map(|text| permission(text)).collect())
}

fn built_in(built_in: BuiltInRole) -> Role {
    Role { endpoints: built_in.endpoints(), ..role(built_in.id().0, built_in.permissions()) }
}

fn ids(ids: &[i64]) -> BTreeSet<RoleId> {
    ids.iter().copied().map(RoleId).collect()
}

/// Whoever writes keys, and may hand out these roles alone.
fn writer(may_grant: &[i64]) -> Rights {
    let role = Role { may_grant: ids(may_grant), ..holding(99, &["keystile.api_keys.write"]) };
    Rights::of([&role])
}

fn power(text: &str) -> Result<(), CeilingBreach> {
    Err(CeilingBreach::Power(permission(text)))
}

fn no_grant(id: i64) -> Result<(), CeilingBreach> {
    Err(CeilingBreach::Role(RoleId(id)))
}

#[test]
fn scopes_leave_no_endpoint_and_no_right_to_grant_unless_they_are_everything() {
    let whole = Rights::of([&Role {
        endpoints: vec![EndpointRule::everything()],
        may_grant: ids(&[7]),
        ..holding(1, &["a.**", "keystile.roles.*"])
    }]);
    let everything = std::iter::once(Permission::everything()).collect();
    assert_eq!(whole.clone().narrowed(&everything), whole);

    let scopes = ["*.read", "keystile.roles.read", "b"].map(permission).into_iter().collect();
    let narrowed = whole.clone().narrowed(&scopes);
    let expected: PermissionSet =
        ["a.read", "keystile.roles.read"].map(permission).into_iter().collect();
    assert_eq!(narrowed, Rights { permissions: expected, ..Rights::default() });

    assert_eq!(whole.narrowed(&PermissionSet::default()), Rights::default());
}

#[test]
fn rights_are_the_sum_of_all_roles() {
    let granting = Role { may_grant: ids(&[7, 8]), ..holding(1, &["a.read", "a.write"]) };
    let opening = Role {
        endpoints: vec![EndpointRule::everything()],
        may_grant: ids(&[8, 9]),
        ..holding(2, &["a.read", "keystile.roles.*"])
    };
    let rights = Rights::of([&granting, &opening]);
    let all = holding(0, &["a.read", "a.write", "keystile.roles.*"]).permissions;
    assert_eq!(rights.permissions, all);
    assert_eq!(rights.endpoints, [EndpointRule::everything()]);
    assert_eq!(rights.may_grant, ids(&[7, 8, 9]));
    assert!(rights.hold(Power::RolesAssign) && !rights.hold(Power::ApiKeysRead));
}

#[test]
fn only_everything_is_unlimited() {
    assert!(Rights::everything().are_unlimited());
    assert!(Rights::of([&holding(1, &["a", "**"])]).are_unlimited());
    assert!(!Rights::of([&holding(1, &["*.**", "*", "keystile.**"])]).are_unlimited());
    assert!(!Rights::default().are_unlimited());
}

#[test]
fn power_hides_in_patterns_that_do_not_name_keystile() {
    let auditor = Rights::of([&built_in(BuiltInRole::Auditor)]);
    for (asked, lacking) in [
        ("**", "keystile.**"),
        ("*.**", "keystile.**"),
        ("*.*", "keystile.*"),
        ("*.read", "keystile.read"),
        ("*.roles.write", "keystile.roles.write"),
    ] {
        assert_eq!(auditor.reach(&holding(5, &[asked]).permissions), power(lacking), "{asked}");
    }
    assert_eq!(auditor.reach(&holding(5, &["*.roles.read", "*", "a.write"]).permissions), Ok(()));
}

#[test]
fn power_alone_is_handed_out_by_whoever_has_it() {
    let writer = writer(&[]);
    assert_eq!(writer.reach_role(&holding(5, &["keystile.api_keys.write"])), Ok(()));
    assert_eq!(
        writer.reach_role(&holding(5, &["keystile.api_keys.*"])),
        power("keystile.api_keys.*")
    );
}

#[test]
fn a_role_with_anything_but_power_is_handed_out_only_by_right() {
    let opening = Role {
        endpoints: vec![EndpointRule::everything()],
        ..holding(5, &["keystile.api_keys.write"])
    };
    let others =
        [holding(5, &[]), holding(5, &["a"]), holding(5, &["keystile.api_keys.write", "a"])];
    for role in others.iter().chain([&opening]) {
        assert_eq!(writer(&[6]).reach_role(role), no_grant(5), "{role:?}");
        assert_eq!(writer(&[5]).reach_role(role), Ok(()), "{role:?}");
    }
}

#[test]
fn a_pattern_over_keystile_and_the_services_is_not_power_alone() {
    let rights = Rights::of([&holding(99, &["keystile.*"])]);
    assert_eq!(rights.reach_role(&holding(5, &["keystile.read"])), Ok(()));
    assert_eq!(rights.reach_role(&holding(5, &["*.read"])), no_grant(5));
}

#[test]
fn the_right_to_hand_out_a_role_is_no_power_over_keystile() {
    assert_eq!(
        writer(&[5]).reach_role(&holding(5, &["a", "keystile.roles.write"])),
        power("keystile.roles.write")
    );
}

#[test]
fn a_role_hands_out_what_it_may_grant_too() {
    let granting = Role { may_grant: ids(&[6, 7]), ..holding(5, &["a"]) };
    assert_eq!(writer(&[5, 6]).reach_role(&granting), no_grant(7));
    assert_eq!(writer(&[5, 6, 7]).reach_role(&granting), Ok(()));
}

#[test]
fn a_key_manager_reaches_itself_and_the_verifier_alone_of_the_built_in_roles() {
    let manager = Rights::of([&built_in(BuiltInRole::KeyManager)]);
    assert_eq!(manager.reach_role(&built_in(BuiltInRole::KeyManager)), Ok(()));
    assert_eq!(manager.reach_role(&built_in(BuiltInRole::Verifier)), Ok(()));
    assert_eq!(manager.reach_role(&built_in(BuiltInRole::Administrator)), power("keystile.**"));
    assert_eq!(manager.reach_role(&built_in(BuiltInRole::Auditor)), power("keystile.*.read"));
}

proptest! {
    #[test]
    fn the_ceiling_is_to_have_every_keystile_permission_oneself(
        held in permissions(),
        asked in permissions(),
    ) {
        let rights = Rights { permissions: held, ..Rights::default() };
        let mut lacking = asked.iter().filter(|asked| {
            let names: Vec<_> = keystile_names().filter(|name| asked.covers(name)).collect();
            let has_all = |held: &Permission| names.iter().all(|name| held.covers(name));
            !names.is_empty() && !rights.permissions.iter().any(has_all)
        });
        match rights.reach(&asked) {
            Ok(()) => prop_assert_eq!(lacking.next(), None),
            Err(breach) => {
                let first = lacking.next().and_then(Permission::keystile_part);
                prop_assert_eq!(Some(breach), first.map(CeilingBreach::Power));
            }
        }
    }

    #[test]
    fn nobody_climbs_by_children_of_children(
        first in prop_oneof![
            any_role(0),
            Just(built_in(BuiltInRole::Administrator)),
            Just(built_in(BuiltInRole::KeyManager)),
        ],
        others in any_roles(),
        wishes in prop::collection::vec(any::<u8>(), 5),
    ) {
        let ancestor = Rights::of([&first]);
        let mut rights = ancestor.clone();
        for wish in wishes {
            let wished = others.iter().enumerate().filter(|(bit, _)| wish >> bit & 1 == 1);
            rights = Rights::of(
                wished.map(|(_, role)| role).filter(|role| rights.reach_role(role).is_ok()),
            );
            for name in keystile_names().filter(|name| rights.permissions.covers(name)) {
                prop_assert!(ancestor.permissions.covers(name), "{}", name);
            }
            for role in &others {
                let (child, ancestor) = (rights.reach_role(role), ancestor.reach_role(role));
                prop_assert!(child.is_err() || ancestor.is_ok(), "{:?}", role);
            }
        }
    }

    #[test]
    fn a_key_manager_hands_out_every_business_role(role in business_role()) {
        let manager = Rights::of([&built_in(BuiltInRole::KeyManager)]);
        prop_assert_eq!(manager.reach_role(&role), Ok(()));
    }

    #[test]
    fn a_key_manager_hands_out_no_role_with_a_power_that_it_lacks(
        role in business_role(),
        beyond in prop::sample::select(vec![
            "**",
            "*.**",
            "*.*",
            "*.read",
            "keystile.*.read",
            "keystile.**",
            "keystile.audit.read",
            "keystile.roles.write",
            "keystile.users.write",
        ]),
    ) {
        let beyond = holding(6, &[beyond]).permissions;
        let role = Role { permissions: role.permissions.union(beyond), ..role };
        let manager = Rights::of([&built_in(BuiltInRole::KeyManager)]);
        prop_assert!(matches!(manager.reach_role(&role), Err(CeilingBreach::Power(_))));
    }

    #[test]
    fn an_auditor_reaches_nothing_but_reads(asked in permissions()) {
        let auditor = Rights::of([&built_in(BuiltInRole::Auditor)]);
        let reaches = auditor.reach(&asked).is_ok();
        let powers = Power::ALL.map(Power::permission);
        let is_beyond = |power: &&Permission| !power.as_str().ends_with(".read");
        let beyond = powers.iter().filter(is_beyond).find(|power| asked.covers(power));
        prop_assert!(!reaches || beyond.is_none(), "{:?}", beyond);
    }

    #[test]
    fn an_auditor_hands_out_no_business_role(role in business_role()) {
        let auditor = Rights::of([&built_in(BuiltInRole::Auditor)]);
        prop_assert!(matches!(auditor.reach_role(&role), Err(CeilingBreach::Role(_))));
    }

    #[test]
    fn without_roles_assign_business_roles_are_those_one_may_grant(
        role in business_role(),
        may_grant in may_grant(),
    ) {
        let handed_out = [role.id].into_iter().chain(role.may_grant.iter().copied());
        let lacking = handed_out.into_iter().find(|id| !may_grant.contains(id));
        let writer = Rights { may_grant, ..writer(&[]) };
        prop_assert_eq!(writer.reach_role(&role).err(), lacking.map(CeilingBreach::Role));
    }

    #[test]
    fn an_administrator_reaches_everything(role in any_role(5)) {
        let administrator = Rights::of([&built_in(BuiltInRole::Administrator)]);
        for rights in [administrator, Rights::everything()] {
            prop_assert_eq!(rights.reach_role(&role), Ok(()));
        }
    }
}

/// Patterns of any kind, and powers as roles spell them.
fn permissions() -> impl Strategy<Value = PermissionSet> {
    let powers = prop::sample::subsequence(Power::ALL.as_slice(), 0..4);
    (set(), powers).prop_map(|(patterns, powers)| {
        patterns.union(powers.into_iter().map(Power::permission).collect())
    })
}

fn any_role(id: i64) -> impl Strategy<Value = Role> {
    (permissions(), any::<bool>(), may_grant()).prop_map(move |(permissions, opens, may_grant)| {
        let endpoints = if opens { vec![EndpointRule::everything()] } else { Vec::new() };
        Role { endpoints, may_grant, ..role(id, permissions) }
    })
}

/// Roles with the ids that [`may_grant`] knows: many without power, so that chains get long.
fn any_roles() -> impl Strategy<Value = Vec<Role>> {
    let weak = business_role().prop_map(|role| role.permissions);
    let permissions = prop_oneof![weak, permissions()];
    prop::collection::vec((permissions, may_grant()), 8).prop_map(|parts| {
        let roles = (1..).zip(parts);
        roles.map(|(id, (held, may_grant))| Role { may_grant, ..role(id, held) }).collect()
    })
}

/// A role without any power over Keystile.
fn business_role() -> impl Strategy<Value = Role> {
    let pattern = r"(a|keystiles|b-2)(\.(read|keystile|\*)){0,3}(\.\*\*)?|\*";
    (prop::collection::vec(pattern, 0..4), any::<bool>(), may_grant()).prop_map(
        |(texts, opens, may_grant)| {
            let endpoints = if opens { vec![EndpointRule::everything()] } else { Vec::new() };
            let permissions = texts.iter().map(|text| permission(text)).collect();
            Role { endpoints, may_grant, ..role(5, permissions) }
        },
    )
}

fn may_grant() -> impl Strategy<Value = BTreeSet<RoleId>> {
    prop::collection::btree_set((1..=8_i64).prop_map(RoleId), 0..8)
}

/// The names that the patterns of [`permissions`] stand for.
fn keystile_names() -> impl Iterator<Item = &'static Permission> {
    static NAMES: LazyLock<Vec<Permission>> = LazyLock::new(|| {
        let names = names().iter().filter(|name| name.as_str().starts_with("keystile."));
        names.cloned().chain(Power::ALL.map(Power::permission)).collect()
    });
    NAMES.iter()
}
