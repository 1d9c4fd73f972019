//! Lists of users: filters, orders and cursors.

use acceptance::{Database, on_each_database, started};
use serde_json::{Value, json};

use crate::people::{Account, USERS, each, role};

on_each_database! {
    async fn filters_keep_what_they_say(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        for (username, is_service_account, enabled, roles, external_id) in [
            ("deploy-1", true, true, json!([billing]), Value::Null),
            ("Deploy-2", true, false, json!([]), json!("crm-1")),
            ("ann", false, true, json!([billing]), json!("crm-2")),
        ] {
            let new = json!({
                "username": username,
                "is_service_account": is_service_account,
                "enabled": enabled,
                "role_ids": roles,
                "external_id": external_id,
            });
            Account::made(&admin, new).await;
        }
        let names = async |filter: &str| {
            let list = admin.get(&format!("{USERS}?sort=username&{filter}")).await.expect(200);
            assert_eq!(list.body["total"], each(&list, "username").len());
            each(&list, "username")
        };

        assert_eq!(names("").await, ["admin", "ann", "deploy-1", "Deploy-2"]);
        assert_eq!(names("username=DEPLOY-*").await, ["deploy-1", "Deploy-2"]);
        assert_eq!(names("username=a?n").await, ["ann"]);
        assert_eq!(names("username=a%25").await, [""; 0], "no wildcard of the database's");
        assert_eq!(names("is_service_account=true").await, ["deploy-1", "Deploy-2"]);
        assert_eq!(names("is_service_account=false").await, ["admin", "ann"]);
        assert_eq!(names("enabled=false").await, ["Deploy-2"]);
        assert_eq!(names(&format!("role_id={billing}")).await, ["ann", "deploy-1"]);
        assert_eq!(names("external_id=crm-1").await, ["Deploy-2"]);
        assert_eq!(names("enabled=true&is_service_account=true").await, ["deploy-1"]);
        let mut newest = each(&admin.get(USERS).await.expect(200), "username");
        newest.reverse();
        assert_eq!(newest, ["admin", "deploy-1", "Deploy-2", "ann"]);
        admin.get(&format!("{USERS}?role_id=0")).await.expect(422);
        admin.get(&format!("{USERS}?password=x")).await.expect(400).problem("unknown_fields");
    }

    async fn a_cursor_leads_through_the_whole_list(database: Database) {
        let (_server, admin) = started(&database).await;
        for at in 0..7 {
            Account::made(&admin, json!({ "username": format!("user-{at}") })).await;
        }
        for sort in ["username", "-username", "created_at", "-created_at"] {
            let list = format!("{USERS}?sort={sort}");
            let all = each(&admin.get(&format!("{list}&limit=100")).await.expect(200), "id");
            assert_eq!(all.len(), 8);
            let mut seen = Vec::new();
            let mut path = format!("{list}&limit=3");
            loop {
                let page = admin.get(&path).await.expect(200);
                seen.extend(each(&page, "id"));
                let Some(cursor) = page.body["next_cursor"].as_str() else { break };
                path = format!("{list}&limit=3&cursor={cursor}");
            }
            assert_eq!(seen, all, "{sort}");
        }
    }
}
