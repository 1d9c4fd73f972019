//! A file of keys, row by row. A row that cannot be read is refused alone.

use std::path::Path;

use clap::ValueEnum;
use csv::{ErrorKind, StringRecord};
use keystile_api::api_keys::NewApiKey;
use serde_json::{Map, Value, json};

use super::report::Refused;
use crate::failure::Failure;

/// How a file of keys is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Comma-separated values, with the names of the members in the first line
    Csv,
    /// One document with all keys, as the HTTP API takes it
    Json,
    /// One key in each line, as JSON
    Ndjson,
}

/// One row of a file.
pub struct Row {
    /// Its line in the file, counted from 1; of one document, its place in it.
    pub line: u64,
    /// The name in it, if it could be read.
    pub name: String,
    /// The key in it, or why it is none.
    pub key: Result<NewApiKey, String>,
}

impl Format {
    /// What the name of a file says.
    pub fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

impl Row {
    /// The key, if there is one.
    pub fn good(&self) -> Option<(&Self, &NewApiKey)> {
        Some((self, self.key.as_ref().ok()?))
    }

    /// The refusal, if there is none.
    pub fn refused(&self) -> Option<Refused> {
        Some(Refused::by_reader(self, self.key.as_ref().err()?))
    }

    /// Whether the server draws the secret of this key.
    pub fn has_its_secret_drawn(&self) -> bool {
        self.good().is_some_and(|(_, key)| key.key.is_none() && key.hash.is_none())
    }

    fn new(line: u64, value: Value) -> Self {
        let name = value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { line, name, key: key(value) }
    }

    fn broken(line: u64, why: impl Into<String>) -> Self {
        Self { line, name: String::new(), key: Err(why.into()) }
    }
}

/// Reads all rows of a file.
///
/// # Errors
/// There are none in it, or it is of another format.
pub fn read(format: Format, text: &[u8]) -> Result<Vec<Row>, Failure> {
    // As some editors and shells of Windows write it: every other byte of plain letters is nothing.
    if text.starts_with(b"\xff\xfe")
        || text.starts_with(b"\xfe\xff")
        || text.iter().take(2).any(|byte| *byte == 0)
    {
        return Err(Failure::Usage("the file is UTF-16: save it as UTF-8".into()));
    }
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let rows = match format {
        Format::Csv => csv(text)?,
        Format::Json => json(text)?,
        Format::Ndjson => ndjson(text),
    };
    if rows.is_empty() {
        return Err(Failure::Usage("there are no keys in the file".into()));
    }
    Ok(rows)
}

fn ndjson(text: &[u8]) -> Vec<Row> {
    let lines = (1..).zip(text.split(|byte| *byte == b'\n'));
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let row = |(number, line)| match serde_json::from_slice(line) {
        Ok(value) => Row::new(number, value),
        Err(_) => Row::broken(number, "is not JSON"),
    };
    lines.map(row).collect()
}

fn json(text: &[u8]) -> Result<Vec<Row>, Failure> {
    let none = || Failure::Usage("the file is not {\"api_keys\": […]}".into());
    let document: Value = serde_json::from_slice(text).or(Err(none()))?;
    let keys = document.get("api_keys").unwrap_or(&document).as_array().ok_or_else(none)?;
    Ok((1..).zip(keys).map(|(number, key)| Row::new(number, key.clone())).collect())
}

fn csv(text: &[u8]) -> Result<Vec<Row>, Failure> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let head = reader.headers().ok().filter(|head| head.iter().any(|name| name == "name")).cloned();
    let head = head.ok_or_else(|| {
        Failure::Usage("the first line must name the columns, `name` among them".into())
    })?;
    let row = |record: Result<StringRecord, csv::Error>| match record {
        Ok(record) => {
            let line = record.position().map_or(0, csv::Position::line);
            match value(&head, &record) {
                Ok(value) => Row::new(line, value),
                Err(why) => Row::broken(line, why),
            }
        }
        Err(error) => {
            let line = error.position().map_or(0, csv::Position::line);
            Row::broken(
                line,
                match error.kind() {
                    ErrorKind::UnequalLengths { expected_len, len, .. } => {
                        format!("has {len} fields, and not {expected_len}")
                    }
                    ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
                    _ => "cannot be read".to_owned(),
                },
            )
        }
    };
    Ok(reader.records().map(row).collect())
}

/// What a record says, as JSON. Empty fields say nothing.
fn value(head: &StringRecord, record: &StringRecord) -> Result<Value, String> {
    let mut members = Map::new();
    for (name, field) in head.iter().zip(record).filter(|(_, field)| !field.is_empty()) {
        let mut parts = name.split('.').peekable();
        let mut members = &mut members;
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                members.insert(part.to_owned(), typed(name, field)?);
                break;
            }
            let inner = members.entry(part).or_insert_with(|| json!({}));
            members = inner.as_object_mut().ok_or_else(|| format!("{name} is inside of a text"))?;
        }
    }
    Ok(Value::Object(members))
}

/// What a field says: JSON where it looks like it, otherwise as its member is written.
fn typed(name: &str, field: &str) -> Result<Value, String> {
    let json = field.starts_with(['{', '[']) || JSON.contains(&name);
    match name {
        _ if json => {
            serde_json::from_str(field).map_err(|_quotes_it| format!("{name} is not JSON"))
        }
        "role_ids" => serde_json::from_str(&format!("[{field}]"))
            .map_err(|_quotes_it| format!("{name} must be numbers, divided by commas")),
        "allowed_ips" => Ok(field.split(',').map(str::trim).collect()),
        "expires_at" if field == "null" => Ok(Value::Null),
        _ => Ok(field.into()),
    }
}

/// Reads a key. What stands in it is not told: it may be a secret.
fn key(value: Value) -> Result<NewApiKey, String> {
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    let key = serde_ignored::deserialize(tracked, |path| unknown.push(path.to_string()));
    let key: NewApiKey = key.map_err(|error: serde_json::Error| {
        let text = error.to_string();
        match track.path().to_string().as_str() {
            "." if text.starts_with("missing field") => text,
            "." => "is no key".to_owned(),
            path => format!("{path} is not what it should be"),
        }
    })?;
    if unknown.is_empty() { Ok(key) } else { Err(format!("{} is not known", unknown.join(", "))) }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The members that are neither texts nor lists.
const JSON: [&str; 5] = ["enabled", "hash.part.skip", "metadata", "quota.limit", "rate_limits"];

#[cfg(test)]
mod tests {
    use keystile_api::patch::Patch;

    use super::*;

    fn rows(format: Format, text: &str) -> Vec<(u64, Result<NewApiKey, String>)> {
        let rows = read(format, text.as_bytes()).unwrap();
        rows.into_iter().map(|row| (row.line, row.key)).collect()
    }

    #[test]
    fn a_row_of_csv_is_the_key_that_the_api_takes() {
        let text = "\u{feff}name,role_ids,enabled,expires_at,hash.algorithm,hash.part.skip,\
                    metadata.team,allowed_ips\n\
                    \"CI, nightly\",\"4,5\",false,null,sha256,3,billing,\"10.0.0.0/8, ::1\"\n\
                    plain,,,,,,,\n";
        let rows = rows(Format::Csv, text);
        let [(2, Err(hash)), (3, Ok(plain))] = &rows[..] else { panic!() };
        assert_eq!(hash, "hash is not what it should be");
        assert_eq!((plain.name.as_str(), plain.role_ids.len()), ("plain", 0));
        let text = text.replace("metadata.team", "hash.value");
        let rows = self::rows(Format::Csv, &text);
        let key = rows[0].1.as_ref().unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((key.name.as_str(), &key.role_ids[..]), ("CI, nightly", &[4, 5][..]));
        assert_eq!((key.enabled, &key.expires_at), (Some(false), &Patch::Null));
        assert_eq!(key.allowed_ips, ["10.0.0.0/8", "::1"]);
        assert_eq!(key.hash.as_ref().unwrap().part.as_ref().unwrap().skip, Some(3));
    }

    #[test]
    fn a_broken_row_is_refused_alone_and_shows_nothing_of_itself() {
        let text = "{\"name\": \"one\"}\n\n{\"name\": 7}\n{\"nome\": \"x\"}\n\
                    {\"name\": \"x\", \"colour\": 1}\n{\"key\": \"ks_secret\"\n\
                    {\"name\": \"x\", \"role_ids\": \"ks_secret\"}\n5";
        let told: Vec<_> = rows(Format::Ndjson, text)
            .into_iter()
            .map(|(line, key)| (line, key.err().unwrap_or_default()))
            .collect();
        assert_eq!(
            told,
            [
                (1, String::new()),
                (3, "name is not what it should be".to_owned()),
                (4, "missing field `name`".to_owned()),
                (5, "colour is not known".to_owned()),
                (6, "is not JSON".to_owned()),
                (7, "role_ids is not what it should be".to_owned()),
                (8, "is no key".to_owned()),
            ]
        );
    }

    #[test]
    fn a_record_with_too_few_fields_is_refused_alone() {
        let rows = rows(Format::Csv, "name,description\none\ntwo,2\n");
        assert_eq!(rows[0].1.as_ref().err().unwrap(), "has 1 fields, and not 2");
        assert_eq!(rows[1].1.as_ref().ok().unwrap().name, "two");
    }

    #[test]
    fn utf_16_is_called_by_its_name() {
        for text in [&b"\xff\xfen\0a\0"[..], b"\xfe\xff\0n\0a", b"n\0a\0", b"\0n\0a"] {
            let Err(failure) = read(Format::Csv, text) else { panic!("{text:?}") };
            assert!(failure.to_string().contains("UTF-8"), "{failure}");
        }
    }

    #[test]
    fn a_file_without_keys_is_none() {
        for (format, text) in [
            (Format::Csv, ""),
            (Format::Csv, "a,b\n1,2"),
            (Format::Json, "5"),
            (Format::Ndjson, "\n"),
        ] {
            assert!(read(format, text.as_bytes()).is_err(), "{text:?}");
        }
        for text in [r#"[{"name": "a"}]"#, r#"{"api_keys": [{"name": "a"}]}"#] {
            assert_eq!(read(Format::Json, text.as_bytes()).unwrap().len(), 1);
        }
    }
}
