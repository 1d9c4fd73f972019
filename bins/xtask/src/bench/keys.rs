//! The keys that the load presents: stored ones, mistyped ones, and well-formed ones that the
//! server has never seen.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Scenario, target::Target};

/// Files with one key a line, and the key that asks about them.
pub struct Keys {
    valid: PathBuf,
    mistyped: PathBuf,
    unknown: PathBuf,
    admin: String,
}

impl Keys {
    /// Has `server` make `count` keys, and another server the unknown ones: what it makes has a
    /// right checksum and is stored nowhere else.
    pub fn prepare(server: &Target, directory: &Path, count: usize) -> Result<Self> {
        let valid = make(server, count)?;
        let mistyped: Vec<_> = valid.iter().map(|key| mistype(key)).collect();
        let unknown = make(&Target::keystile(&directory.join("another"))?, BATCH)?;
        let write = |name: &str, keys: &[String]| {
            let file = directory.join(name);
            fs::write(&file, keys.join("\n")).map(|()| file)
        };
        Ok(Self {
            valid: write("valid", &valid)?,
            mistyped: write("mistyped", &mistyped)?,
            unknown: write("unknown", &unknown)?,
            admin: server.admin.clone(),
        })
    }

    /// Everything that is measured.
    pub fn scenarios(&self) -> Vec<Scenario<'_>> {
        let me = |name, file, refused| Scenario {
            name,
            script: "me.lua",
            arguments: vec![text(file)],
            refused,
        };
        vec![
            me("/me, valid key", &self.valid, false),
            me("/me, wrong checksum", &self.mistyped, true),
            me("/me, unknown key", &self.unknown, true),
            Scenario {
                name: "/verify, valid key",
                script: "verify.lua",
                arguments: vec![text(&self.valid), &self.admin],
                refused: false,
            },
        ]
    }
}

/// Has the server make keys, as many in one request as it allows.
fn make(server: &Target, count: usize) -> Result<Vec<String>> {
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let first = keys.len();
        let asked = (first..count.min(first + BATCH))
            .map(|number| json!({ "name": format!("key-{number}") }));
        let answer = post(server, &json!({ "api_keys": asked.collect::<Vec<_>>() }))?;
        let made = answer.get("data").and_then(Value::as_array).into_iter().flatten();
        keys.extend(made.filter_map(|key| Some(key.get("key")?.as_str()?.to_owned())));
        ensure!(keys.len() > first, "no keys were made: {answer}");
    }
    Ok(keys)
}

fn post(server: &Target, body: &Value) -> Result<Value> {
    let mut curl = Command::new("curl")
        .args(["--silent", "--show-error", "--header", "Content-Type: application/json"])
        .args(["--header", &format!("X-API-Key: {}", server.admin), "--data-binary", "@-"])
        .arg(format!("{}/api/v1/api-keys/batch", server.url))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = curl.stdin.take().context("a pipe")?;
    input.write_all(body.to_string().as_bytes())?;
    drop(input);
    Ok(serde_json::from_slice(&curl.wait_with_output()?.stdout)?)
}

/// The key with another last character, which is a part of its checksum.
fn mistype(key: &str) -> String {
    let mut mistyped = key.to_owned();
    let last = mistyped.pop();
    mistyped.push(if last == Some('A') { 'B' } else { 'A' });
    mistyped
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// The most keys in one request.
const BATCH: usize = 10_000;
