//! A ticket behind a gateway: a URL that lets one request through to the service, where the gateway
//! can take the ticket out of it.

use acceptance::{Caller, GatewayKind};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::stage::Stage;

impl Stage {
    pub async fn a_ticket_lets_one_request_through_and_stays_outside(&self) {
        match self.kind {
            GatewayKind::Envoy | GatewayKind::Haproxy | GatewayKind::Nginx => {
                self.one_request_comes_through().await;
                self.of_many_requests_at_once_one_comes_through().await;
            }
            GatewayKind::Caddy => {
                let url = self.ticket("/open/a").await;
                self.refused(&url, &[], 400).await;
                assert!(!self.is_good(&url).await, "it was asked about, and so used up");
            }
            GatewayKind::Traefik => {
                let url = self.ticket("/open/a").await;
                self.refused(&url, &[], 404).await;
                assert!(self.is_good(&url).await, "nobody was asked about it");
            }
        }
    }

    async fn one_request_comes_through(&self) {
        let url = self.ticket("/open/a").await;
        let ticket = url.split_once('?').unwrap().1;
        self.client().await.send("POST", &url, &[], "").await.expect(401);
        self.refused(&format!("/open/b?{ticket}"), &[], 401).await;
        let key = ("X-API-Key", self.reader.secret.as_str());
        self.refused(&url, &[key], 400).await;

        let url = format!("{url}&b=%2F");
        let reply = self.client().await.get(&url, &[]).await.expect(200);
        assert_eq!(reply.seen_line(), "GET /open/a?b=%2F HTTP/1.1", "{reply}");
        assert!(!reply.body.contains("ks_tk_"), "{reply}");
        assert_eq!(reply.seen("X-Keystile-Principal"), self.reader.id, "{reply}");
        assert_eq!(reply.seen("X-Keystile-Credential-Id"), self.reader.id, "{reply}");
        self.refused(&url, &[], 401).await;
    }

    async fn of_many_requests_at_once_one_comes_through(&self) {
        let url = self.ticket("/open/a").await;
        let before = self.service.requests();
        let open = async || self.client().await.get(&url, &[]).await.status();
        let mut statuses = join_all((0..AT_ONCE).map(|_| open())).await;
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200);
        assert_eq!(statuses[1..], [401; AT_ONCE - 1]);
        assert_eq!(self.service.requests(), before + 1);
    }

    /// The URL of a new ticket of the reader's for this path.
    async fn ticket(&self, path: &str) -> String {
        let holder = self.reader.api(&self.keystile.admin());
        let new = json!({ "method": "GET", "path": path });
        holder.post("/api/v1/tickets", new).await.expect(201).text_of("url").to_owned()
    }

    /// Whether a ticket is still worth something, which it is not afterwards.
    async fn is_good(&self, url: &str) -> bool {
        let anybody = self.keystile.api(Caller::Anonymous);
        let answer = anybody.ask_at_gateway(Method::GET, url, &[]).await;
        assert!([200, 401].contains(&answer.status.as_u16()), "{answer}");
        answer.status == 200
    }
}

const AT_ONCE: usize = 20;
