//! PostgreSQL that demands TLS.

use std::time::Duration;

use acceptance::{Part, Postgres, Setup};
use keystile_storage::{Store, StoreError, StoreOptions, Url};
use tokio::runtime::Handle;

#[tokio::test(flavor = "multi_thread")]
async fn each_sslmode_trusts_as_much_as_its_name_says() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let postgres = Postgres::make(Setup::DemandsTls);
    let ours = format!("sslrootcert={}", postgres.certificates().authority.display());
    // Another authority: the server's own certificate is by none that it vouches for.
    let other = Postgres::make(Setup::DemandsTls);
    let other = format!("sslrootcert={}", other.certificates().authority.display());
    // The certificate is for localhost alone.
    let (right, wrong) = ("localhost", "127.0.0.1");
    for (host, query, trusted) in [
        (wrong, "sslmode=disable".to_owned(), false),
        (wrong, "sslmode=prefer".to_owned(), true),
        (wrong, "application_name=any".to_owned(), true),
        (wrong, "sslmode=require".to_owned(), true),
        (wrong, format!("sslmode=require&{ours}"), true),
        (wrong, format!("sslmode=require&{other}"), false),
        (wrong, format!("sslmode=verify-ca&{ours}"), true),
        (wrong, format!("sslmode=verify-ca&{other}"), false),
        (right, format!("sslmode=verify-full&{ours}"), true),
        (wrong, format!("sslmode=verify-full&{ours}"), false),
        (right, format!("sslmode=verify-full&{other}"), false),
    ] {
        let address = format!("{}?{query}", postgres.fresh_database_at(host).await);
        let url = Url::Postgres(address.into());
        let options = StoreOptions { url, pool_size: 1, acquire_timeout: Duration::from_secs(30) };
        let store = Store::open(options, &Handle::current()).unwrap();
        match store.ping().await {
            Ok(()) => assert!(trusted, "{host} {query}"),
            Err(StoreError::Unavailable(error)) => assert!(!trusted, "{host} {query}: {error}"),
            Err(error) => panic!("{host} {query}: {error}"),
        }
    }
}
