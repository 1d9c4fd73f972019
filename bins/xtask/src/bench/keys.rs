//! The keys that the load presents: stored ones, mistyped ones, ones of no format, and well-formed
//! ones that the server has never seen.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::target::Target;

/// Files with one key a line, and the key that asks about them.
pub struct Keys {
    directory: PathBuf,
    pub admin: String,
}

impl Keys {
    /// Has `server` make `stored` keys, of which `shown` are used, and another server the unknown
    /// ones: what it makes has a right checksum and is stored nowhere else.
    ///
    /// The keys have a role that opens every endpoint, as a gateway needs it.
    pub fn prepare(server: &Target, directory: &Path, stored: usize, shown: usize) -> Result<Self> {
        let keys = Self { directory: directory.to_owned(), admin: server.admin.clone() };
        let mut valid = make(server, stored)?;
        valid.truncate(shown);
        let mistyped: Vec<_> = valid.iter().map(|key| mistype(key)).collect();
        let malformed: Vec<_> = (0..BATCH).map(|number| format!("no-key-{number}")).collect();
        let unknown = make(&Target::keystile(&directory.join("another"))?, shown.min(BATCH))?;
        for (name, texts) in [
            ("valid", valid),
            ("mistyped", mistyped),
            ("malformed", malformed),
            ("unknown", unknown),
        ] {
            fs::write(keys.directory.join(name), texts.join("\n"))?;
        }
        Ok(keys)
    }

    /// The path of the file with this kind of keys.
    pub fn file(&self, kind: &str) -> String {
        self.directory.join(kind).display().to_string()
    }

    /// One that is stored.
    pub fn first(&self) -> Result<String> {
        let text = fs::read_to_string(self.directory.join("valid"))?;
        Ok(text.lines().next().context("a key")?.to_owned())
    }
}

/// Has the server make keys, as many in one request as it allows.
fn make(server: &Target, count: usize) -> Result<Vec<String>> {
    let role = server.post(
        "/api/v1/roles",
        &json!({
            "name": "shown",
            "permissions": ["invoices.read"],
            "endpoints": [{ "methods": ["*"], "path": "/**" }],
        }),
    )?;
    let role = role.get("id").with_context(|| format!("no role was made: {role}"))?;
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let first = keys.len();
        let asked = (first..count.min(first + BATCH))
            .map(|number| json!({ "name": format!("key-{number}"), "role_ids": [role] }));
        let body = json!({ "api_keys": asked.collect::<Vec<_>>() });
        let answer = server.post("/api/v1/api-keys/batch", &body)?;
        let made = answer.get("data").and_then(Value::as_array).into_iter().flatten();
        keys.extend(made.filter_map(|key| Some(key.get("key")?.as_str()?.to_owned())));
        ensure!(keys.len() > first, "no keys were made: {answer}");
    }
    Ok(keys)
}

/// The key with another last character, which is a part of its checksum.
fn mistype(key: &str) -> String {
    let mut mistyped = key.to_owned();
    let last = mistyped.pop();
    mistyped.push(if last == Some('A') { 'B' } else { 'A' });
    mistyped
}

/// The most keys in one request.
const BATCH: usize = 10_000;
