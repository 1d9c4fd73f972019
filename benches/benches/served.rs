//! What a check costs the server, without its socket: extraction, checksum, digest, memory, rules,
//! limits, and the record of usage. Allocations are counted.

#![expect(clippy::unwrap_used, reason = "what cannot be prepared cannot be measured")]

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use divan::{AllocProfiler, Bencher, black_box};
use keystile_auth::{Chain, Clock, RequestView, SystemClock};
use keystile_domain::{EventId, Secret, Timestamp, Transport};
use keystile_service::first_start::{Bootstrap, initialise};
use keystile_service::sign_in::SignIn;
use keystile_service::{Keystile, MasterKey, Options, Origin};
use keystile_storage::{Store, StoreOptions, Url};
use secrecy::ExposeSecret;
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A key in a header, on one thread and on as many as there are cores.
#[divan::bench(threads = [1, 0])]
fn check_key(bencher: Bencher<'_, '_>) {
    check(bencher, &Request { name: "x-api-key", value: KEY.to_owned() });
}

/// A JWT that was seen before.
#[divan::bench(threads = [1, 0])]
fn check_jwt(bencher: Bencher<'_, '_>) {
    check(bencher, &Request { name: "authorization", value: format!("Bearer {}", SERVER.jwt) });
}

fn check(bencher: Bencher<'_, '_>, request: &Request) {
    let server = &*SERVER;
    // Once, to be remembered.
    server.runtime.block_on(server.check(request));
    bencher.bench(|| {
        let check = pin!(server.check(black_box(request)));
        let checked = check.poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(checked, Poll::Ready(true));
    });
}

struct Server {
    runtime: Runtime,
    keystile: Arc<Keystile>,
    chain: Arc<Chain>,
    origin: Origin,
    jwt: String,
    _directory: tempfile::TempDir,
}

impl Server {
    /// A server on an empty database, which follows the feed on a thread of its own.
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let url = Url::Sqlite(directory.path().join("keystile.db"));
        let options = StoreOptions { url, pool_size: 4, acquire_timeout: Duration::from_secs(30) };
        let store = Store::open(options, runtime.handle()).unwrap();
        let origin = Origin {
            address: Ipv4Addr::LOCALHOST.into(),
            transport: Transport::Secure,
            request_id: EventId::new(Timestamp::from_millis(0), [0; 10]).into(),
            user_agent: None,
        };
        let (keystile, jwt) = runtime.block_on(async {
            let keystile = first_started(&store).await;
            keystile.join().await.unwrap();
            let typed = SignIn { username: "admin".to_owned(), password: PASSWORD.into() };
            let signed_in = keystile.sign_in(typed, origin.clone()).await.unwrap();
            (Arc::new(keystile), signed_in.access_token.text.expose_secret().to_owned())
        });
        let (following, handle) = (Arc::clone(&keystile), runtime.handle().clone());
        let feed = store.feed(None).unwrap();
        let (trusted, trusting) = std::sync::mpsc::channel();
        thread::spawn(move || {
            handle.block_on(async {
                let mut following = following.follow_feed(feed);
                loop {
                    following.look().await.unwrap();
                    let _ = trusted.send(());
                    following.wait().await;
                }
            });
        });
        trusting.recv().unwrap();
        let chain = keystile.chain();
        Self { runtime, keystile, chain, origin, jwt, _directory: directory }
    }

    async fn check(&self, request: &Request) -> bool {
        let presented = self.chain.extract(request).unwrap().unwrap();
        let origin = self.origin.clone();
        self.keystile.authenticate(presented, || None, origin).await.is_ok()
    }
}

async fn first_started(store: &Store) -> Keystile {
    store.migrate(None).await.unwrap();
    let (master, clock) = (MasterKey::from_bytes([7; 32]), Arc::new(SystemClock));
    let clock: Arc<dyn Clock> = clock;
    let bootstrap = Bootstrap {
        admin_key: Some(Secret::parse(KEY).unwrap()),
        admin_password: Some(PASSWORD.into()),
        public_url: "http://keystile.test".to_owned(),
    };
    initialise(store, &master, &clock, bootstrap, |_| Ok(())).await.unwrap();
    // So long that no pause of a busy machine ends it.
    let options =
        Options { lease: Duration::from_secs(60).try_into().unwrap(), ..Options::default() };
    Keystile::open(store.clone(), &master, clock, options).await.unwrap()
}

/// A request with one header.
struct Request {
    name: &'static str,
    value: String,
}

impl RequestView for Request {
    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        (name == self.name).then_some(self.value.as_bytes()).into_iter()
    }

    fn query(&self) -> &str {
        ""
    }

    fn peer(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }

    fn is_tls(&self) -> bool {
        false
    }
}

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

const KEY: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";
const PASSWORD: &str = "correct-horse-battery-staple";
