//! What is told of keys that come from another store.

use keystile_api::imports::{HashKey, HashSalt as SaltMember, HashedPart, KeyHash};
use keystile_domain::{
    HashAlgorithm, HashBytes, HashEncoding, HashParts, HashSalt, ImportedHash, KeyPart, KeyPrefix,
    SaltPosition, Secret,
};
use keystile_service::api_keys::{ApiKeyImport, ImportedSecret};

use crate::fields::{Fields, word};

/// The secret that a key is to have; nothing if a new one is to be drawn, or a member was refused.
pub(super) fn import(
    fields: &mut Fields,
    key: Option<String>,
    hash: Option<KeyHash>,
    key_prefix: Option<String>,
) -> Option<ApiKeyImport> {
    let shown = fields.optional("/key_prefix", key_prefix, KeyPrefix::try_from);
    if shown.is_some() && hash.is_none() {
        fields.refuse("/key_prefix", "is only for keys that are imported by their hash");
    }
    if key.is_some() && hash.is_some() {
        fields.refuse("/hash", "is not needed beside the key itself");
        return None;
    }
    let secret = match hash {
        Some(hash) => ImportedSecret::Hash(Box::new(read(fields, hash)?)),
        None => ImportedSecret::Key(fields.optional("/key", key, Secret::new)?),
    };
    Some(ApiKeyImport { secret, key_prefix: shown })
}

fn read(fields: &mut Fields, hash: KeyHash) -> Option<ImportedHash> {
    let algorithm = fields.read("/hash/algorithm", word(&hash.algorithm, HashAlgorithm::ALL));
    let part = hash.part.map_or(Some(KeyPart::default()), |part| read_part(fields, part));
    let salt = given(hash.salt, |salt| read_salt(fields, salt));
    let key = given(hash.key, |key| read_key(fields, key));
    let prefix = given(hash.prefix, |text| fields.read("/hash/prefix", KeyPrefix::try_from(text)));
    let algorithm = algorithm?;
    let value = read_value(fields, algorithm, &hash.value, hash.encoding.as_deref())?;
    let (part, salt, key, prefix) = (part?, salt?, key?, prefix?);
    match ImportedHash::new(HashParts { algorithm, value, part, salt, key, prefix }) {
        Ok(hash) => Some(hash),
        Err(rule) => {
            fields.refuse(&format!("/hash/{}", rule.member()), rule);
            None
        }
    }
}

/// A member that may be left out; nothing if it was refused, which is something else.
fn given<W, T>(member: Option<W>, read: impl FnOnce(W) -> Option<T>) -> Option<Option<T>> {
    member.map_or(Some(None), |member| read(member).map(Some))
}

fn read_value(
    fields: &mut Fields,
    algorithm: HashAlgorithm,
    value: &str,
    encoding: Option<&str>,
) -> Option<HashBytes> {
    let encoding = match (algorithm.length(), encoding) {
        (Some(_), encoding) => {
            let encoding = encoding.unwrap_or(HashEncoding::Hex.as_str());
            fields.read("/hash/encoding", word(encoding, OF_HASHES))?
        }
        (None, None) => HashEncoding::Text,
        (None, Some(_)) => {
            let rule = format_args!("is not for {algorithm}, whose text says it all");
            fields.refuse("/hash/encoding", rule);
            return None;
        }
    };
    fields.read("/hash/value", HashBytes::read(value, encoding))
}

fn read_part(fields: &mut Fields, part: HashedPart) -> Option<KeyPart> {
    match (part.after_first, part.after_last, part.skip) {
        (Some(mark), None, None) => {
            fields.read("/hash/part/after_first", KeyPart::after_first(mark))
        }
        (None, Some(mark), None) => fields.read("/hash/part/after_last", KeyPart::after_last(mark)),
        (None, None, Some(count)) => fields.read("/hash/part/skip", KeyPart::skip(count)),
        _ => {
            fields.refuse("/hash/part", "must have one of `after_first`, `after_last` and `skip`");
            None
        }
    }
}

fn read_salt(fields: &mut Fields, salt: SaltMember) -> Option<HashSalt> {
    let value = read_bytes(fields, "/hash/salt", &salt.value, salt.encoding.as_deref());
    let position = salt.position.as_deref().unwrap_or(SaltPosition::Before.as_str());
    let position = fields.read("/hash/salt/position", word(position, SaltPosition::ALL));
    Some(HashSalt { value: value?, position: position? })
}

fn read_key(fields: &mut Fields, key: HashKey) -> Option<HashBytes> {
    read_bytes(fields, "/hash/key", &key.value, key.encoding.as_deref())
}

fn read_bytes(
    fields: &mut Fields,
    at: &str,
    value: &str,
    encoding: Option<&str>,
) -> Option<HashBytes> {
    let named = encoding.unwrap_or(HashEncoding::Text.as_str());
    let encoding = fields.read(&format!("{at}/encoding"), word(named, HashEncoding::ALL))?;
    fields.read(&format!("{at}/value"), HashBytes::read(value, encoding))
}

const OF_HASHES: &[HashEncoding] =
    &[HashEncoding::Hex, HashEncoding::Base64, HashEncoding::Base64Url];
