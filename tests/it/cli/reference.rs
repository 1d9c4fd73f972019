//! Every example of the reference's page on its key cmdlets, with what does the same here.

use acceptance::{Caller, Database, on_each_database};
use serde_json::json;

use super::administrator;

on_each_database! {
    async fn every_example_of_the_reference_has_its_counterpart(database: Database) {
        let (server, admin) = administrator(&database).await;
        let names = |listed: String| listed.lines().map(str::to_owned).collect::<Vec<_>>();

        // New-JIMApiKey -Name … -Description … -RoleIds @(1, 3) -ExpiresAt (Get-Date).AddDays(90)
        let description = "Read-only monitoring";
        let monitoring = ["keys", "new", "Monitoring Service", "--description", description];
        let roles = ["--role", "1,3", "--expires-in", "90d", "-q"];
        let key = admin.prints(&[&monitoring[..], &roles].concat()).await;
        let me = server.api(Caller::Header(key.trim().to_owned())).get("/api/v1/me").await;
        assert_eq!(me.expect(200).body["principal"]["name"], "Monitoring Service");

        // $key = New-JIMApiKey -Name "Deployment Automation" -PassThru; $key.Key
        let made = admin.shows(&["keys", "new", "Deployment Automation", "--pass-thru"]).await;
        assert!(made["key"].as_str().unwrap().starts_with("ks_"), "{made}");
        assert_eq!((&made["role_ids"], &made["expires_at"]), (&json!([]), &json!(null)));

        // Get-JIMApiKey; -Name "CI*"; -Id …
        let listed = names(admin.prints(&["keys", "list", "-o", "name"]).await);
        assert_eq!(listed, ["Deployment Automation", "Monitoring Service", "First administrator"]);
        let listed = names(admin.prints(&["keys", "list", "--name", "mon*", "-o", "name"]).await);
        assert_eq!(listed, ["Monitoring Service"]);
        let id = made["id"].as_str().unwrap();
        let shown = admin.shows(&["keys", "get", id]).await;
        assert_eq!((&shown["id"], shown.get("key")), (&made["id"], None));

        // Set-JIMApiKey -Id … -Name "CI Pipeline v2"
        assert_eq!(admin.prints(&["keys", "set", id, "--name", "CI Pipeline v2"]).await, "");
        // Set-JIMApiKey -Id … -Enable -ExpiresAt (Get-Date).AddDays(30), and -PassThru
        let set = ["keys", "set", id, "--enable", "--expires-in", "30d", "--pass-thru"];
        let changed = admin.shows(&set).await;
        assert_eq!(changed["name"], "CI Pipeline v2");
        assert!(changed["expires_at"].is_string(), "{changed}");
        // -ExpiresAt $null
        let changed = admin.shows(&["keys", "set", id, "--no-expiry", "--pass-thru"]).await;
        assert_eq!(changed["expires_at"], json!(null));
        // -RoleIds replaces all
        let changed = admin.shows(&["keys", "set", id, "--role", "verifier,3", "--pass-thru"]).await;
        assert_eq!(changed["role_ids"], json!([3, 4]));
        // -Enable and -Disable are mutually exclusive
        let both = admin.run(&["keys", "set", id, "--enable", "--disable"]).await;
        assert_eq!(both.status.code(), Some(2), "{both:#?}");

        // -WhatIf
        let told = admin.prints(&["keys", "remove", id, "--what-if"]).await;
        assert_eq!(told, format!("What if: would remove API key \"CI Pipeline v2\" {id}\n"));
        let told = admin.prints(&["keys", "set", id, "--disable", "--what-if"]).await;
        assert!(told.contains("enabled: true becomes false"), "{told}");
        let told = admin.prints(&["keys", "new", "never", "--what-if"]).await;
        assert!(told.starts_with("What if: would make API key \"never\"\n"), "{told}");
        assert!(told.contains("enabled") && !told.contains("key prefix"), "{told}");
        assert_eq!(admin.shows(&["keys", "get", id]).await["enabled"], true);
        assert_eq!(admin.prints(&["keys", "list", "--name", "never", "-o", "id"]).await, "");

        // Remove-JIMApiKey -Id … -Force -PassThru
        let removed = admin.shows(&["keys", "remove", id, "--force", "--pass-thru"]).await;
        assert_eq!(removed["id"], id);
        assert!(admin.fails(&["keys", "get", id], 3).await.contains(id));
    }
}
