//! What a scanner for TLS finds: nothing.

use acceptance::{Part, Server, languages};
use serde_json::Value;

use super::over_tls;

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_finds_no_old_protocol_no_weak_cipher_and_no_known_hole() {
    if !Part::Python.or_skip() {
        return;
    }
    let (options, _) = over_tls();
    let server = Server::start(&options).await;
    let program = include_str!("../../python/scan.py");
    let mut scan = languages::python(program);
    scan.arg(server.address().port().to_string()).kill_on_drop(true);
    let output = scan.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();

    for old in ["SSL_2_0", "SSL_3_0", "TLS_1_0", "TLS_1_1"] {
        assert_eq!(found["ciphers"][old], Value::Array(vec![]), "{found:#}");
    }
    for (version, sealed) in [("TLS_1_2", "TLS_ECDHE_"), ("TLS_1_3", "TLS_")] {
        let ciphers = found["ciphers"][version].as_array().unwrap();
        assert!(ciphers.len() > 1, "{found:#}");
        for cipher in ciphers.iter().filter_map(Value::as_str) {
            let is_sealed = cipher.contains("_GCM_") || cipher.contains("_CHACHA20_POLY1305_");
            assert!(cipher.starts_with(sealed) && is_sealed, "{cipher} in {found:#}");
        }
    }
    assert_eq!(found["holes"], Value::Array(vec![]), "{found:#}");
}
