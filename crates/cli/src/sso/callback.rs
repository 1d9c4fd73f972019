//! The address on this machine where the browser brings the code (RFC 8252, section 7.3).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::Url;

use crate::failure::Failure;
use crate::output::plain;

/// An open port that waits for one redirect.
pub struct Callback {
    listener: TcpListener,
    address: SocketAddr,
}

impl Callback {
    pub async fn listen() -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        Ok(Self { listener, address })
    }

    pub fn redirect_uri(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Waits for the redirect that carries this state. Whatever else comes is sent away: other
    /// programs can reach the port too.
    pub async fn code(self, state: &str) -> Result<SecretString, Failure> {
        loop {
            let (mut browser, _) = self.listener.accept().await.map_err(broken)?;
            // Browsers open connections that they may never use.
            let target = timeout(PATIENCE, target(&mut browser, self.address)).await;
            let Ok(Ok(Some(url))) = target else { continue };
            let value = |name: &str| {
                url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value)
            };
            if url.path() != PATH || value("state").as_deref() != Some(state) {
                let _ = tell(&mut browser, "404 Not Found", "There is nothing here.").await;
                continue;
            }
            let Some(code) = value("code") else {
                let why = value("error_description").or_else(|| value("error")).unwrap_or_default();
                let _ = tell(&mut browser, "200 OK", "The sign-in failed. Close this page.").await;
                let why = plain(&why);
                return Err(Failure::NotAllowed(format!("the identity provider refused: {why}")));
            };
            let code = SecretString::from(code.into_owned());
            let _ = tell(&mut browser, "200 OK", "You are signed in. Close this page.").await;
            return Ok(code);
        }
    }
}

/// The target of a request; its headers matter to nobody.
async fn target(browser: &mut TcpStream, address: SocketAddr) -> io::Result<Option<Url>> {
    let mut line = String::new();
    let mut lines = BufReader::new(browser.take(LONGEST));
    lines.read_line(&mut line).await?;
    let mut header = String::new();
    while lines.read_line(&mut header).await? > 2 {
        header.clear();
    }
    let target = line.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    Ok(target.and_then(|target| Url::parse(&format!("http://{address}{target}")).ok()))
}

async fn tell(browser: &mut TcpStream, status: &str, text: &str) -> io::Result<()> {
    let page = format!("<!doctype html><title>Keystile</title><p>{text}</p>\n");
    let length = page.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
    );
    browser.write_all((head + &page).as_bytes()).await?;
    browser.shutdown().await
}

fn broken(error: io::Error) -> Failure {
    Failure::System(format!("the port for the browser: {error}"))
}

const PATH: &str = "/callback";
/// How long a connection may take to ask.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many bytes of a request are read.
const LONGEST: u64 = 64 * 1024;
