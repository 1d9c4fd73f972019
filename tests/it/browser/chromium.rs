//! A headless Chromium, driven by its chromedriver.

use std::{ops::Deref, process::Stdio, sync::Arc, time::Duration};

use acceptance::scratch;
use thirtyfour::{
    ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver,
    extensions::query::ElementPollerWithTimeout,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// A browser with an empty profile. Dropped, it is ended with its driver.
pub struct Chromium {
    session: WebDriver,
    _chromedriver: Chromedriver,
}

impl Chromium {
    pub async fn start() -> Self {
        let chromedriver = Chromedriver::start().await;
        let mut capabilities = DesiredCapabilities::chrome();
        let profile = format!("--user-data-dir={}", scratch::directory("chromium").display());
        for argument in ARGUMENTS.iter().copied().chain([profile.as_str()]) {
            capabilities.add_arg(argument).unwrap();
        }
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let poller = ElementPollerWithTimeout::new(WAIT, POLL);
        let session = WebDriver::builder(&chromedriver.url, capabilities);
        let session = session.client(client).poller(Arc::new(poller)).connect().await.unwrap();
        Self { session, _chromedriver: chromedriver }
    }

    /// What the console shows as errors since it was asked last: requests that failed, too.
    pub async fn errors(&self) -> Vec<String> {
        let lines = self.session.get_log("browser").await.unwrap();
        let errors = lines.into_iter().filter(|line| line.level == "SEVERE");
        errors.map(|line| line.message).collect()
    }

    pub async fn quit(self) {
        self.session.quit().await.unwrap();
    }
}

impl Deref for Chromium {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.session
    }
}

struct Chromedriver {
    url: String,
    _process: Child,
    /// Kept open: a program whose output nobody reads is killed when it writes.
    _stdout: Lines<BufReader<ChildStdout>>,
    _watched: scratch::Watched,
}

impl Chromedriver {
    /// On a port of its own choice, which it tells.
    async fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let watched = scratch::watch(process.id().unwrap(), "KILL");
        let mut stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = timeout(START, port(&mut stdout)).await.expect("chromedriver is ready");
        let url = format!("http://127.0.0.1:{port}");
        Self { url, _process: process, _stdout: stdout, _watched: watched }
    }
}

/// From the line `ChromeDriver was started successfully on port 34567.`
async fn port(stdout: &mut Lines<BufReader<ChildStdout>>) -> u16 {
    while let Some(line) = stdout.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim_end_matches('.').parse().unwrap();
        }
    }
    panic!("chromedriver ended");
}

/// With a pipe to its driver, the browser ends when the driver does, however that happens.
const ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,2000",
];
const POLL: Duration = Duration::from_millis(20);
const START: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_secs(60);
