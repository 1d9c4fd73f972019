//! Connections to PostgreSQL: where they lead, and the task that drives each of them.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::ConnectionResult;
use diesel::result::ConnectionError;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::tls::{MakeTlsConnect, TlsStream};
use tokio_postgres::{AsyncMessage, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::tls::Tls;
use crate::{OpenError, StoreError};

/// Makes connections to one database.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    unproven: Unproven,
    /// Told whenever a notice says that something was changed.
    news: Arc<Notify>,
}

/// Counts the commits of which the server said that no standby may have them: somebody cancelled
/// the wait for it. PostgreSQL tells so in a warning, and reports success all the same.
#[derive(Clone, Default)]
pub(crate) struct Unproven(Arc<AtomicU64>);

impl Connector {
    /// Reads an address, and the root certificates that it names.
    pub(crate) fn new(address: &SecretString, unproven: Unproven) -> Result<Self, OpenError> {
        let address = address.expose_secret();
        if !["postgres://", "postgresql://"].iter().any(|scheme| address.starts_with(scheme)) {
            return Err(OpenError::Address("must begin with postgres://"));
        }
        let (address, tls) = Tls::split_off(address)?;
        let address = SecretString::from(address);
        let mut config: Config =
            address.expose_secret().parse().map_err(OpenError::AddressSyntax)?;
        config.ssl_mode(tls.mode);
        // What a standby says may be older than a revocation, and an address may lead to one.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("keystile");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        // Otherwise a query to a server that vanished would wait for a quarter of an hour.
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED);
        }
        let tls = match tls.mode {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(tls.config()?)),
        };
        Ok(Self { config, tls, unproven, news: Arc::default() })
    }

    /// Connections to another address, which count with those of this one.
    pub(crate) fn to(&self, address: &SecretString) -> Result<Self, OpenError> {
        Self::new(address, self.unproven.clone())
    }

    /// Connections that tell when a notice says that something was changed.
    pub(crate) fn noticing(self, news: Arc<Notify>) -> Self {
        Self { news, ..self }
    }

    /// Makes the pool's connections, each driven by the main runtime: one driven by a web worker
    /// waits whenever that worker is busy, and ends with it.
    pub(crate) fn manager(
        self,
        handle: &Handle,
    ) -> AsyncDieselConnectionManager<AsyncPgConnection> {
        let handle = handle.clone();
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let connector = self.clone();
            let connecting = handle.spawn(async move { connector.connect().await });
            Box::pin(async move {
                match connecting.await {
                    Ok(link) => Ok(link?),
                    Err(error) => Err(ConnectionError::BadConnection(error.to_string())),
                }
            })
        });
        AsyncDieselConnectionManager::new_with_config("", config)
    }

    /// Makes one connection, driven by the runtime that this runs on.
    pub(crate) async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        match &self.tls {
            None => self.connect_by(NoTls).await,
            Some(tls) => self.connect_by(tls.clone()).await,
        }
    }

    async fn connect_by<T>(&self, tls: T) -> ConnectionResult<AsyncPgConnection>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let (client, connection) = self.config.connect(tls).await.map_err(refusal)?;
        tokio::spawn(drive(connection, self.unproven.clone(), Arc::clone(&self.news)));
        AsyncPgConnection::try_from(client).await
    }
}

impl Unproven {
    /// How many there were so far.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Fails if there was one since `before`: it may be another's, but then nobody can tell.
    pub(crate) fn none_since(&self, before: u64) -> Result<(), StoreError> {
        if self.count() == before {
            Ok(())
        } else {
            Err(StoreError::unavailable("a commit did not wait for its synchronous standby"))
        }
    }
}

/// Moves messages until the connection ends. Whoever waits for one then gets an error.
async fn drive<S>(mut connection: Connection<Socket, S>, unproven: Unproven, news: Arc<Notify>)
where
    S: TlsStream + Unpin,
{
    while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
        match message {
            // By the routine that speaks, since its words depend on the server's language.
            Ok(AsyncMessage::Notice(notice)) if notice.routine() == Some(STANDBY_WAIT) => {
                unproven.0.fetch_add(1, Ordering::Release);
            }
            Ok(AsyncMessage::Notification(_)) => news.notify_one(),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
                break;
            }
        }
    }
}

/// The driver's errors name the step that failed, and their sources why.
fn refusal(error: tokio_postgres::Error) -> ConnectionError {
    let error: &dyn std::error::Error = &error;
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    ConnectionError::BadConnection(causes.join(": "))
}

const CONNECT: Duration = Duration::from_secs(5);
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
const STANDBY_WAIT: &str = "SyncRepWaitForLSN";
