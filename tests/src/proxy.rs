//! A way to a database on which nothing moves while it is frozen: what a stopped process, a full
//! disk or a dead switch looks like from the other end. It may also lead elsewhere from some moment
//! on, as the address of a primary does after a failover.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

/// Passes bytes on between a port of its own and a database.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    way: watch::Sender<Way>,
}

/// What is done with connections.
#[derive(Clone, Copy, Debug)]
struct Way {
    to: SocketAddr,
    is_frozen: bool,
    /// How often all connections were closed.
    cuts: u32,
}

impl Proxy {
    /// A way to the database at this address.
    pub async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("a bound port");
        let (credentials, rest) = url.split_once('@').expect("an address with a password");
        let (_, database) = rest.split_once('/').expect("an address of a database");
        let way = Way { to: host_of(url), is_frozen: false, cuts: 0 };
        let (way, watched) = watch::channel(way);
        tokio::spawn(accept(listener, watched));
        Self { url: format!("{credentials}@{here}/{database}"), way }
    }

    /// The address of the database on this way.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// From now on nothing moves. Connections are still accepted, as the kernel of a stopped
    /// process does.
    pub fn freeze(&self) {
        self.way.send_modify(|way| way.is_frozen = true);
    }

    /// Everything moves again, what was held up first.
    pub fn thaw(&self) {
        self.way.send_modify(|way| way.is_frozen = false);
    }

    /// Closes every connection; new ones are taken.
    pub fn cut(&self) {
        self.way.send_modify(|way| way.cuts += 1);
    }

    /// Closes every connection; new ones lead to the server of this address.
    pub fn lead_to(&self, url: &str) {
        self.way.send_modify(|way| *way = Way { to: host_of(url), cuts: way.cuts + 1, ..*way });
    }
}

fn host_of(url: &str) -> SocketAddr {
    let (_, rest) = url.split_once('@').expect("an address with a password");
    let (host, _) = rest.split_once('/').expect("an address of a database");
    host.parse().expect("an address in numbers")
}

async fn accept(listener: TcpListener, way: watch::Receiver<Way>) {
    while let Ok((near, _)) = listener.accept().await {
        let mut way = way.clone();
        tokio::spawn(async move {
            let Way { to, cuts, .. } = *way.borrow_and_update();
            let far = TcpStream::connect(to).await?;
            let (near, far) = (near.into_split(), far.into_split());
            tokio::select! {
                passed = pass(near.0, far.1, way.clone()) => passed,
                passed = pass(far.0, near.1, way.clone()) => passed,
                _ = way.wait_for(|way| way.cuts != cuts) => Ok(()),
            }
        });
    }
}

async fn pass(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if way.wait_for(|way| !way.is_frozen).await.is_err() || read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read]).await?;
    }
}
