//! An issuer that signs whatever a test wants: no honest one would.

use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// It answers every request with its one key, until it is dropped.
pub struct Issuer {
    /// Its `iss`.
    pub url: String,
    key: KeyPair,
    _server: JoinSet<()>,
}

impl Issuer {
    pub async fn start() -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let body = json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": KEY_ID,
            "x": Base64UrlUnpadded::encode_string(key.der_bytes()),
        }]});
        let mut server = JoinSet::new();
        server.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                answer(client, &body.to_string()).await;
            }
        });
        Self { url, key, _server: server }
    }

    /// A token of this type with these claims.
    pub fn sign(&self, typ: &str, claims: &Value) -> String {
        let header = Header {
            typ: Some(typ.to_owned()),
            kid: Some(KEY_ID.to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        encode(&header, claims, &EncodingKey::from_ed_der(&self.key.serialize_der())).unwrap()
    }

    /// A token that takes the public key for a secret of HMAC.
    pub fn sign_with_public_key(&self, claims: &Value) -> String {
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(KEY_ID.to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        encode(&header, claims, &EncodingKey::from_secret(self.key.der_bytes())).unwrap()
    }
}

/// The request has no body, so its first bytes are enough.
async fn answer(mut client: TcpStream, body: &str) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let _ = client.read(&mut [0; 4096]).await;
    let _ = client.write_all(answer.as_bytes()).await;
}

const KEY_ID: &str = "the-only-one";
