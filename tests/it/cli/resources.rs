//! The verbs that every resource has, and what is particular to each.

use acceptance::{Caller, Database, on_each_database, until};
use serde_json::json;

use super::{Failing, Person, administrator};

on_each_database! {
    async fn roles_are_named_by_what_they_allow(database: Database) {
        let (_server, admin) = administrator(&database).await;
        let new = ["roles", "new", "billing reader", "--permission", "invoices.read,invoices.list"];
        let endpoint = ["--endpoint", "get,POST /billing/**", "--may-grant", "verifier"];
        let made = admin.shows(&[&new[..], &endpoint, &["--pass-thru"]].concat()).await;
        let rule = json!({"methods": ["GET", "POST"], "path": "/billing/**"});
        assert_eq!((&made["endpoints"], &made["may_grant"]), (&json!([rule]), &json!([4])));
        let set = ["roles", "set", "Billing Reader", "--permission", "", "--pass-thru"];
        assert_eq!(admin.shows(&set).await["permissions"], json!([]));
        admin.prints(&["keys", "new", "reader", "--role", "billing reader", "-q"]).await;
        let held = admin.prints(&["keys", "list", "--role", "billing reader", "-o", "name"]).await;
        assert_eq!(held, "reader\n");
        let in_use = admin.fails(&["roles", "remove", "billing reader", "--force"], 1).await;
        assert!(in_use.contains("conflict"), "{in_use}");
        admin.prints(&["keys", "remove", "reader", "--force"]).await;
        admin.prints(&["roles", "remove", "5", "--force"]).await;
        assert_eq!(admin.prints(&["roles", "list", "--name", "billing*", "-o", "id"]).await, "");
    }

    async fn users_and_their_tokens_are_named_by_name(database: Database) {
        let (_server, admin) = administrator(&database).await;
        let bot = ["users", "new", "deploy-bot", "--service-account", "--role", "auditor"];
        admin.prints(&bot).await;
        let new = ["users", "new", "ann", "--email", "ann@example.com", "--password"];
        let ann = admin.run_with(&new, "quiet otters fold paper boats\n").await;
        assert!(ann.status.success(), "{ann:#?}");
        ann.assert_silent(["quiet otters"]);
        let people = admin.prints(&["users", "list", "--people", "--sort", "username", "-o", "name"]);
        assert_eq!(people.await, "admin\nann\n");
        let changed = admin.shows(&["users", "set", "ann", "--email", "", "--pass-thru"]).await;
        assert_eq!(changed["email"], json!(null));

        let own = ["tokens", "list", "--user", "deploy-bot", "-o", "name"];
        let new = ["tokens", "new", "nightly", "--user", "deploy-bot", "--expires-in", "30d", "-q"];
        let token = admin.prints(&new).await;
        assert!(token.starts_with("ks_pat_"), "{token}");
        assert_eq!(admin.prints(&own).await, "nightly\n");
        let rotate = ["tokens", "rotate", "nightly", "--user", "deploy-bot", "--overlap", "1h", "-q"];
        assert_ne!(admin.prints(&rotate).await, token);
        let set = ["tokens", "set", "nightly", "--user", "deploy-bot", "--name", "x"];
        assert!(admin.fails(&set, 2).await.contains("owner"));
        assert!(admin.fails(&["tokens", "list"], 4).await.contains("account_required"));

        let owning = admin.fails(&["users", "remove", "deploy-bot", "--force"], 1).await;
        assert!(owning.contains("conflict"), "{owning}");
        let remove = ["users", "remove", "deploy-bot", "ann", "--force", "--revoke-tokens"];
        admin.prints(&[&remove[..], &["--reason", "the project is over"]].concat()).await;
        assert_eq!(admin.prints(&["users", "list", "-o", "name"]).await, "admin\n");
    }

    async fn ones_own_tokens_have_every_verb(database: Database) {
        let (server, admin) = administrator(&database).await;
        admin.prints(&["users", "new", "bot", "--service-account", "--role", "auditor"]).await;
        let new = ["tokens", "new", "first", "--user", "bot", "--expires-in", "30d", "-q"];
        let first = admin.prints(&new).await;
        let bot = Person::new().at(&server).env("KEYSTILE_TOKEN", first.trim());
        let set = ["tokens", "set", "first", "--name", "renamed", "--pass-thru"];
        assert_eq!(bot.shows(&set).await["name"], "renamed");
        let second = bot.prints(&["tokens", "new", "second", "--expires-in", "1d", "-q"]).await;
        let second = Person::new().at(&server).env("KEYSTILE_TOKEN", second.trim());
        second.prints(&["whoami"]).await;
        assert_eq!(bot.shows(&["tokens", "get", "second"]).await["name"], "second");
        let usage = bot.prints(&["tokens", "usage", "second"]).await;
        assert!(usage.starts_with("last used"), "{usage}");
        assert_eq!(bot.prints(&["tokens", "list", "--sort", "name", "-o", "name"]).await, "renamed\nsecond\n");
        bot.prints(&["tokens", "remove", "second", "--force"]).await;
        second.fails(&["whoami"], 4).await;
        assert_eq!(bot.prints(&["tokens", "list", "-o", "name"]).await, "renamed\n");

        assert_eq!(admin.shows(&["users", "get", "bot"]).await["is_service_account"], true);
        assert_eq!(admin.shows(&["roles", "get", "auditor"]).await["built_in"], true);
    }

    async fn providers_take_every_setting_of_their_kind(database: Database) {
        let (_server, admin) = administrator(&database).await;
        let new = ["providers", "new", "Partner keys", "--kind", "api_key", "--priority", "-3"];
        let settings = ["--setting", "prefix=acme_", "--setting", "default_expiry_minutes=60"];
        let made = admin.shows(&[&new[..], &settings, &["--pass-thru"]].concat()).await;
        assert_eq!((&made["prefix"], &made["priority"]), (&json!("acme_"), &json!(-3)));
        let key = admin.prints(&["keys", "new", "theirs", "--provider", "partner-keys", "-q"]).await;
        assert!(key.starts_with("acme_"), "{key}");
        let set = ["providers", "set", "partner-keys", "--setting", "default_expiry_minutes=null"];
        let changed = admin.shows(&[&set[..], &["--disable", "--pass-thru"]].concat()).await;
        assert_eq!((&changed["default_expiry_minutes"], &changed["enabled"]), (&json!(null), &json!(false)));
        let in_use = admin.run(&["providers", "remove", "Partner keys", "--force"]).await;
        assert!(in_use.fails(1).contains("conflict"), "{in_use:#?}");
        admin.prints(&["keys", "remove", "theirs", "--force"]).await;
        admin.prints(&["providers", "remove", "Partner keys", "--force"]).await;
        assert!(admin.fails(&["providers", "get", "partner-keys"], 3).await.contains("partner-keys"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_resource_is_printed_in_every_form_and_found_by_ids_that_are_piped() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["users", "new", "bot", "--service-account"]).await;
    let new = ["tokens", "new", "nightly", "--user", "bot", "--expires-in", "1d", "-q"];
    let token = admin.prints(&new).await;
    for resource in
        [&["keys"][..], &["tokens", "--user", "bot"], &["users"], &["roles"], &["providers"]]
    {
        let (group, scope) = (resource[0], &resource[1..]);
        let list = |form: &'static str| {
            let line = [&[group, "list"], scope, &["-o", form]].concat();
            let admin = &admin;
            async move { admin.prints(&line).await }
        };
        let ids = list("id").await;
        let count = ids.lines().count();
        assert!(count > 0, "{group}");
        for form in ["table", "json", "yaml", "csv", "name"] {
            let shown = list(form).await;
            assert!(shown.lines().count() >= count, "{group} {form}: {shown}");
            assert!(!shown.contains(token.trim()), "{group} {form}: {shown}");
        }
        let get = [&[group, "get", "-"], scope, &["-o", "id"]].concat();
        let got = admin.run_with(&get, &ids).await;
        assert_eq!(got.stdout, ids, "{group}: {got:#?}");
    }
    admin.prints(&["users", "set", "bot", "--disable"]).await;
    assert_eq!(admin.shows(&["users", "get", "bot"]).await["enabled"], false);
    admin.prints(&["users", "set", "bot", "--enable", "--wait"]).await;
    assert_eq!(admin.shows(&["users", "get", "bot"]).await["enabled"], true);
    let both = admin.run(&["users", "set", "bot", "--enable", "--disable"]).await;
    assert_eq!(both.status.code(), Some(2), "{both:#?}");
    let set = ["keys", "set", "--expires-at", "2099-01-31T12:00:00Z"];
    admin.prints(&["keys", "new", "CI", "-q"]).await;
    admin.prints(&[&set[..2], &["CI"], &set[2..]].concat()).await;
    let key = admin.shows(&["keys", "get", "CI"]).await;
    assert_eq!(key["expires_at"], "2099-01-31T12:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_of_keys_finds_what_it_says() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["keys", "new", "off", "--external-id", "customer-1", "-q"]).await;
    admin.prints(&["keys", "set", "off", "--disable"]).await;
    let used = admin.prints(&["keys", "new", "used", "--expires-in", "1d", "-q"]).await;
    admin.prints(&["keys", "new", "ended", "--expires-in", "1s", "-q"]).await;
    server.api(Caller::Bearer(used.trim().to_owned())).get("/api/v1/me").await.expect(200);
    const ALL: &str = "ended used off First administrator";
    for (filter, names) in [
        (&["--expired"][..], "ended"),
        (&["--unexpired"], "used off First administrator"),
        (&["--with-expiry"], "ended used"),
        (&["--without-expiry"], "off First administrator"),
        (&["--expires-before", "2d"], "ended used"),
        (&["--used"], "used First administrator"),
        (&["--unused"], "ended off"),
        (&["--unused-since", "1d"], ""),
        (&["--enabled"], "ended used First administrator"),
        (&["--disabled"], "off"),
        (&["--external-id", "customer-1"], "off"),
        (&["--role", "administrator"], "First administrator"),
        (&["--provider", "api-keys"], ALL),
        (&["--name", "*e*"], "ended used"),
        (&["--created-before", "2020-01-01"], ""),
    ] {
        let list = [&["keys", "list", "-o", "name"], filter].concat();
        let finds = async || {
            let found = admin.prints(&list).await;
            found.lines().collect::<Vec<_>>().join(" ") == names
        };
        // Uses are written after some seconds, and what ends soon ends in a second.
        until(&format!("{filter:?} finds {names}"), finds).await;
    }
    admin.prints(&["users", "new", "bot", "--service-account"]).await;
    let bots = ["users", "list", "--service-accounts", "-o", "name"];
    assert_eq!(admin.prints(&bots).await, "bot\n");
    let made = admin.shows(&["audit", "list", "--action", "user.created"]).await;
    let made = made.as_array().unwrap();
    assert!(!made.is_empty() && made.iter().all(|it| it["action"] == "user.created"), "{made:?}");
}
