//! What a client says of itself and of where it goes is not believed behind a gateway either.

use super::stage::Stage;

impl Stage {
    pub async fn what_a_client_says_of_itself_does_not_come_through(&self) {
        let key = ("X-API-Key", self.reader.secret.as_str());
        let mut client = self.client().await;
        for name in [
            "X-Keystile-Principal",
            "x-keystile-principal-name",
            "X-KEYSTILE-CREDENTIAL-ID",
            "X-Keystile-Roles",
            "X-Keystile-Permissions",
            "X-Keystile-Uri",
            "X_Keystile_Principal",
            "X-Keystile_Principal",
            "x_keystile-roles",
            "X_KEYSTILE_PERMISSIONS",
        ] {
            let reply = client.get("/open", &[key, (name, "somebody-else")]).await.expect(200);
            assert!(!reply.body.contains("somebody-else"), "{name}: {reply}");
            assert_eq!(reply.seen("X-Keystile-Principal"), self.reader.id, "{name}: {reply}");
        }
        // What other gateways are believed about.
        for name in ["X-Original-URI", "X-Forwarded-Uri", "X-Original-Method", "X-Keystile-Ask"] {
            let lie = if name.ends_with("Method") { "GET" } else { "/open" };
            self.refused("/secret", &[key, (name, lie)], 403).await;
            client.get("/open", &[key, (name, "/secret")]).await.expect(200);
        }
        self.refused("/permission/invoices.read/secret", &[key], 403).await;
    }

    /// What `Connection` names is for the next hop alone (RFC 9110, section 7.6.1).
    pub async fn no_header_is_taken_away_by_its_name(&self) {
        let key = ("X-API-Key", self.reader.secret.as_str());
        for named in [
            "X-Keystile-Principal",
            "close, X-KEYSTILE-ROLES",
            "Upgrade, x-keystile-permissions",
            "keep-alive,x-keystile-credential-id",
        ] {
            let reply = self.client().await.get("/open", &[key, ("Connection", named)]).await;
            if reply.status() == 200 {
                assert_eq!(reply.seen("X-Keystile-Principal"), self.reader.id, "{named}: {reply}");
                for name in ["Roles", "Permissions", "Credential-Id"] {
                    assert!(
                        reply
                            .body
                            .to_lowercase()
                            .contains(&format!("x-keystile-{name}").to_lowercase()),
                        "{named}: {reply}"
                    );
                }
                assert!(!reply.seen("Connection").to_lowercase().contains("keystile"), "{reply}");
            } else {
                assert_eq!(reply.status(), 400, "{named}: {reply}");
            }
        }
    }

    pub async fn a_client_cannot_lie_about_where_it_is(&self) {
        let key = ("X-API-Key", self.elsewhere.secret.as_str());
        for (name, value) in [
            ("X-Forwarded-For", "203.0.113.9"),
            ("Forwarded", "for=203.0.113.9;proto=https"),
            ("X-Real-IP", "203.0.113.9"),
            ("X_Forwarded_For", "203.0.113.9"),
        ] {
            let reply = self.client().await.get("/open", &[key, (name, value)]).await;
            assert!([400, 403].contains(&reply.status()), "{reply}");
        }
    }

    pub async fn no_trick_in_a_path_slips_past(&self) {
        let key = ("X-API-Key", self.reader.secret.as_str());
        for target in TRICKS {
            let before = self.service.requests();
            let reply = self.client().await.get(target, &[key]).await;
            if reply.status() == 200 {
                // The gateway has read the path itself, and passes on what it read.
                assert_eq!(reply.seen_line(), "GET /open/secret HTTP/1.1", "{reply}");
            } else {
                assert!([400, 403, 307].contains(&reply.status()), "{reply}");
                assert_eq!(self.service.requests(), before, "it came through: {reply}");
            }
        }
        // A list, to whoever reads the values of headers as one.
        let list = "/open/a,/secret?b=c,/secret";
        let reply = self.client().await.get(list, &[key]).await.expect(200);
        assert_eq!(reply.seen_line(), format!("GET {list} HTTP/1.1"), "{reply}");
    }
}

/// What may be read as `/secret`, though it begins like what is open.
const TRICKS: [&str; 22] = [
    "/open/../secret",
    "/open/./../secret",
    "/open/x/../../secret",
    "/open//../secret",
    "/open/%2e%2e/secret",
    "/open/%2E./secret",
    "/open/.%2e/secret",
    "/open/..%2fsecret",
    "/open/..%2Fsecret",
    "/open%2f..%2fsecret",
    "/open/%2e%2e%2fsecret",
    "/open/..;/secret",
    "/open/..;a=b/secret",
    "/open/..%3b/secret",
    "/open/%252e%252e/secret",
    "/open/..%252fsecret",
    "/open/..%5csecret",
    "/open/..%00/secret",
    "/open/%c0%ae%c0%ae/secret",
    "//secret",
    "/open/..//secret",
    "/OPEN/../secret",
];
