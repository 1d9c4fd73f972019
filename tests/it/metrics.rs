//! The metrics: what they count, who may see them, and that the page about them is whole.

mod listener;

use std::collections::BTreeSet;
use std::time::Duration;

use acceptance::{
    Answer, Api, Caller, Connection, Database, Key, Options, Proxy, Server, free_address,
    on_each_database, started, until,
};
use reqwest::Method;
use serde_json::json;

use crate::docs::Page;

on_each_database! {
    async fn requests_and_checks_are_counted_as_they_end(database: Database) {
        let (server, admin) = started(&database).await;
        let key = Key::holding(&admin, "k", &[1]).await;
        let before = metrics(&admin).await;
        for (credential, code) in [(&*key.secret, "valid"), ("nonsense", "malformed")] {
            let verdict = admin.post(VERIFY, json!({ "credential": credential })).await;
            assert_eq!(verdict.expect(200).text_of("code"), code);
        }
        let shown = [("x-api-key", &*key.secret)];
        admin.ask_at_gateway(Method::GET, "/reports", &shown).await.expect(200);
        let disable = json!({ "enabled": false });
        admin.patch(&key.at(""), disable).await.expect(200);
        key.api(&admin).get(ME).await.expect(401);
        server.api(Caller::Anonymous).get("/nowhere/at/all").await.expect(404);
        let mut connection = Connection::to(&server).await;
        connection.send("what is no request\r\n\r\n").await;
        connection.read_to_end(Duration::from_secs(30)).await.expect("it hangs up");

        let after = metrics(&admin).await;
        let more = |series: &str| after.value(series) - before.value(series);
        for (series, count) in [
            (r#"keystile_checks_total{way="verify",outcome="valid"}"#, 1.0),
            (r#"keystile_checks_total{way="verify",outcome="malformed"}"#, 1.0),
            (r#"keystile_checks_total{way="forward_auth",outcome="valid"}"#, 1.0),
            (r#"keystile_checks_total{way="request",outcome="disabled"}"#, 1.0),
            (r#"keystile_http_errors_total{code="invalid_credential"}"#, 1.0),
            (r#"keystile_http_errors_total{code="not_found"}"#, 1.0),
            (r#"keystile_http_errors_total{code="bad_request"}"#, 1.0),
            (r#"{route="/api/v1/verify",method="POST",status="2xx"}"#, 2.0),
            (r#"{route="/api/v1/api-keys/{id}",method="PATCH",status="2xx"}"#, 1.0),
            (r#"{route="/api/v1/forward-auth/{gateway}",method="GET",status="2xx"}"#, 1.0),
            (r#"{route="/api/v1/me",method="GET",status="4xx"}"#, 1.0),
            (r#"{route="unknown",method="GET",status="4xx"}"#, 1.0),
        ] {
            let series = match series.strip_prefix('{') {
                Some(_) => format!("keystile_http_request_duration_seconds_count{series}"),
                None => series.to_owned(),
            };
            assert_eq!(more(&series), count, "{series} in {}", after.0);
        }
        assert!(!after.0.contains("nowhere"), "{}", after.0);
        assert!(!after.0.contains(&key.id), "{}", after.0);
    }

    async fn the_parts_of_the_server_say_how_they_do(database: Database) {
        let (_server, admin) = started(&database).await;
        let metrics = metrics(&admin).await;
        for (series, least) in [
            (r#"keystile_database_connections{state="idle"}"#, 1.0),
            ("keystile_database_connections_max", 2.0),
            ("keystile_registered", 1.0),
            ("keystile_feed_position", 1.0),
            ("keystile_http_requests_in_progress", 1.0),
            ("process_resident_memory_bytes", 1e6),
            ("process_open_fds", 3.0),
            ("process_cpu_seconds_total", 0.001),
            ("process_start_time_seconds", 1.7e9),
        ] {
            assert!(metrics.value(series) >= least, "{series} in {}", metrics.0);
        }
        assert_eq!(metrics.value("keystile_limits_degraded"), 0.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_says_what_it_could_answer() {
    let (server, admin) = started(&Database::Sqlite).await;
    let keys =
        [Key::made(&admin, json!({ "name": "one" })), Key::made(&admin, json!({ "name": "two" }))];
    let keys = futures_util::future::join_all(keys).await;
    let use_them = async |times: u32| {
        for _ in 0..times {
            for key in &keys {
                server.api(key.caller()).get(ME).await.expect(200);
            }
        }
    };
    let fresh = metrics(&admin).await;
    use_them(1).await;
    let known = async || {
        let before = metrics(&admin).await;
        use_them(1).await;
        metrics(&admin).await.more(&before, "keystile_cache_misses_total") == 0.0
    };
    until("both are remembered", known).await;
    let before = metrics(&admin).await;
    use_them(10).await;
    let after = metrics(&admin).await;
    // Two keys ten times, and who asks for the metrics.
    assert!(after.more(&before, "keystile_cache_hits_total") >= 21.0, "{}", after.0);
    assert_eq!(after.more(&before, "keystile_cache_misses_total"), 0.0, "{}", after.0);
    for series in ["keystile_cache_entries", "keystile_cache_bytes"] {
        assert!(after.more(&fresh, series) >= 2.0, "{series} in {}", after.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_cut_off_says_how_old_its_news_are() {
    let Some(Database::Postgres(url)) = Database::postgres().await else { return };
    let proxy = Proxy::to(&url).await;
    let options = Options::on(&Database::Postgres(proxy.url()));
    let listen = options.env("KEYSTILE_METRICS_LISTEN", "127.0.0.1:0");
    let server = Server::start(&listen.env("KEYSTILE_LEASE", "2s")).await;
    let url = format!("{}/metrics", listener::url(&server).await);
    let state = async || {
        let text = reqwest::get(&url).await.unwrap().text().await.unwrap();
        let metrics = Metrics(text);
        ["keystile_feed_lag_seconds", "keystile_lease_remaining_seconds"]
            .map(|it| metrics.value(it))
    };
    let [lag, left] = state().await;
    assert!((0.0..2.0).contains(&lag) && left > 0.0 && left <= 2.0, "{lag} {left}");
    proxy.freeze();
    until("the lease is over", async || state().await[1] == 0.0).await;
    assert!(state().await[0] >= 2.0);
    proxy.thaw();
    until("it looks again", async || state().await[0] < 2.0 && state().await[1] > 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_permission_sees_them() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let nobody = admin.with(Caller::Anonymous).get(METRICS).await.expect(401);
    assert_eq!(nobody.text_of("code"), "missing_credential");
    let powerless = Key::holding(&admin, "powerless", &[4]).await.api(&admin);
    let refused = powerless.get(METRICS).await.expect(403);
    assert!(refused.text_of("detail").contains("keystile.metrics.read"), "{refused}");
    let role = json!({ "name": "scraper", "permissions": ["keystile.metrics.read"] });
    let role = admin.post("/api/v1/roles", role).await.expect(201).body["id"].as_i64().unwrap();
    let key = Key::holding(&admin, "scraper", &[role]).await;
    let scraper = admin.with(Caller::Bearer(key.secret));
    assert!(scraper.get(METRICS).await.expect(200).text.contains("keystile_build_info"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_format_is_the_one_that_the_scraper_asks_for() {
    let (server, admin) = started(&Database::Sqlite).await;
    let key = server.admin_key();
    let asking = async |accept: &str| {
        let headers = [("x-api-key", &*key), ("accept", accept)];
        admin.send(Method::GET, METRICS, &headers).await.expect(200)
    };
    let open = asking("application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), kind);
    assert!(open.text.contains("# TYPE keystile_checks counter\n"), "{}", open.text);
    assert!(open.text.ends_with("# EOF\n"), "{}", open.text);
    let plain = asking("text/plain;version=0.0.4").await;
    assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(plain.text.contains("# TYPE keystile_checks_total counter\n"), "{}", plain.text);
    assert!(!plain.text.contains("# EOF"), "{}", plain.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_does_not_answer_is_seen() {
    let closed = free_address();
    let options = Options::on(&Database::Sqlite);
    let options = options.env("KEYSTILE_REDIS_URL", format!("redis://{closed}"));
    let server = Server::start(&options).await;
    assert_eq!(metrics(&server.admin()).await.value("keystile_limits_degraded"), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_every_family_that_the_server_shows_and_no_other() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let page = Page::find("docs/metrics.md").unwrap();
    let documented: BTreeSet<Vec<String>> = page
        .rows()
        .map(|mut row| {
            row[0] = row[0].trim_matches('`').to_owned();
            row
        })
        .collect();
    // Before the first request there is none to show the labels of.
    metrics(&admin).await;
    let shown = metrics(&admin).await;
    let shown: BTreeSet<Vec<String>> = shown.families().collect();
    assert_eq!(shown, documented);
}

/// What the server shows, in the older format.
struct Metrics(String);

async fn metrics(api: &Api) -> Metrics {
    let answer: Answer = api.get(METRICS).await.expect(200);
    Metrics(answer.text)
}

impl Metrics {
    /// The value of a series; zero if nothing was counted yet.
    fn value(&self, series: &str) -> f64 {
        let mut lines = self.0.lines();
        let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// By how much a series is more than it was.
    fn more(&self, before: &Self, series: &str) -> f64 {
        self.value(series) - before.value(series)
    }

    /// The name of each family, its type, its labels and what is said of it.
    fn families(&self) -> impl Iterator<Item = Vec<String>> {
        self.0.split("# HELP ").skip(1).map(|family| {
            let mut lines = family.lines();
            let (name, help) = lines.next().unwrap().split_once(' ').unwrap();
            let kind = lines.next().unwrap().rsplit(' ').next().unwrap();
            let labels = lines.next().and_then(|sample| sample.split_once('{'));
            let labels = labels.map_or("", |(_, labels)| labels);
            let labels = labels.split("\",").filter_map(|label| label.split_once("=\""));
            let labels: Vec<_> =
                labels.map(|(name, _)| name).filter(|name| *name != "le").collect();
            vec![name.to_owned(), kind.to_owned(), labels.join(", "), help.to_owned()]
        })
    }
}

const METRICS: &str = "/metrics";
const VERIFY: &str = "/api/v1/verify";
const ME: &str = "/api/v1/me";
