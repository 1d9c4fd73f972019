//! The network between a verifier and its server: it can be cut, and remembers what went to the
//! server.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
};

/// A way to a server.
pub struct Cable {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
    heard: Arc<Mutex<Vec<u8>>>,
    connections: Arc<AtomicUsize>,
}

impl Cable {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_cut, heard) = (watch::Sender::new(false), Arc::default());
        let (cut, ears) = (is_cut.clone(), Arc::clone(&heard));
        let connections = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Relaxed);
                tokio::spawn(carry(client, server, cut.subscribe(), Arc::clone(&ears)));
            }
        });
        Self { address, is_cut, heard, connections }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends every connection, and takes no more.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    pub fn mend(&self) {
        self.is_cut.send_replace(false);
    }

    /// How many connections were made by it.
    pub fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    /// Whether a text went to the server.
    pub fn has_carried(&self, text: &str) -> bool {
        self.count_carried(text) > 0
    }

    /// How often a text went to the server.
    pub fn count_carried(&self, text: &str) -> usize {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).matches(text).count()
    }
}

async fn carry(
    mut client: TcpStream,
    server: SocketAddr,
    mut is_cut: watch::Receiver<bool>,
    heard: Arc<Mutex<Vec<u8>>>,
) {
    if *is_cut.borrow() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let forth = async {
        let mut bytes = [0; 4_096];
        while let Ok(read @ 1..) = from_client.read(&mut bytes).await {
            heard.lock().unwrap().extend_from_slice(&bytes[..read]);
            if to_server.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    };
    select! {
        () = forth => {}
        _ = copy(&mut from_server, &mut to_client) => {}
        _ = is_cut.wait_for(|is_cut| *is_cut) => {}
    }
}
