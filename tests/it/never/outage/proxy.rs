//! A way to a database on which nothing moves while it is frozen: what a stopped process, a full
//! disk or a dead switch looks like from the other end.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

/// Passes bytes on between a port of its own and a database.
pub struct Proxy {
    url: String,
    frozen: watch::Sender<bool>,
}

impl Proxy {
    /// A way to the database at this address.
    pub async fn to(url: &str) -> Self {
        let (credentials, rest) = url.split_once('@').unwrap();
        let (host, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let (frozen, watched) = watch::channel(false);
        tokio::spawn(accept(listener, host.parse().unwrap(), watched));
        Self { url: format!("{credentials}@{here}/{database}"), frozen }
    }

    /// The address of the database on this way.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// From now on nothing moves. Connections are still accepted, as the kernel of a stopped
    /// process does.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    /// Everything moves again, what was held up first.
    pub fn thaw(&self) {
        self.frozen.send_replace(false);
    }
}

async fn accept(listener: TcpListener, database: SocketAddr, frozen: watch::Receiver<bool>) {
    while let Ok((near, _)) = listener.accept().await {
        let frozen = frozen.clone();
        tokio::spawn(async move {
            let far = TcpStream::connect(database).await?;
            let (near, far) = (near.into_split(), far.into_split());
            tokio::spawn(pass(near.0, far.1, frozen.clone()));
            pass(far.0, near.1, frozen).await
        });
    }
}

async fn pass(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut frozen: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if frozen.wait_for(|frozen| !frozen).await.is_err() || read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read]).await?;
    }
}
