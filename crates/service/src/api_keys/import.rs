//! Taking keys over from another store, of which only hashes are left: what a transaction needs to
//! know for that, read once however many it takes.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use keystile_domain::{
    ApiKeyId, Digest, Formats, HashScheme, ImportedHash, Jwt, KeyPrefix, Malformed, Secret,
    SecretFormat,
};
use keystile_storage::{Import, ImportScheme, NewSecret, PrefixedImport};

use crate::change::{Changed, Scope};
use crate::first_start::FREE_FORMATS;
use crate::imports::SlowHash;
use crate::keys::Keys;
use crate::{Caller, Conflict, Keystile, ServiceError};

/// A secret that its holder has already.
#[derive(Debug)]
pub struct ApiKeyImport {
    /// What is known of it.
    pub secret: ImportedSecret,
    /// What is shown of it.
    pub key_prefix: Option<KeyPrefix>,
}

/// What is known of a secret that its holder has already.
#[derive(Debug)]
pub enum ImportedSecret {
    /// The hash that another store kept of it.
    Hash(Box<ImportedHash>),
    /// All of it.
    Key(Secret),
}

/// Takes keys over within one transaction.
#[derive(Default)]
pub(super) struct Arrivals {
    /// What stands for secrets that belong to a key already, or belonged to one.
    known: HashSet<[u8; 32]>,
    /// What the unseen keys of each beginning weigh.
    crowds: BTreeMap<[u8; 32], i64>,
    /// How they are hashed, and how those are that come now.
    schemes: BTreeMap<String, HashScheme>,
    new_schemes: BTreeMap<String, ImportScheme>,
    imports: Vec<Import>,
    /// Whether a key came that may have any format.
    any_format: bool,
}

impl ApiKeyImport {
    /// What is shown of the secret: a few characters, and of a short one fewer.
    pub(super) fn key_prefix(&self) -> String {
        match (&self.key_prefix, &self.secret) {
            (Some(prefix), _) => prefix.as_str().to_owned(),
            (None, ImportedSecret::Hash(hash)) => {
                hash.prefix().map(|prefix| prefix.as_str().to_owned()).unwrap_or_default()
            }
            (None, ImportedSecret::Key(key)) => {
                let text = key.expose();
                text.chars().take((text.len() / 4).min(MOST_SHOWN)).collect()
            }
        }
    }
}

impl Arrivals {
    /// Reads what the rules for these secrets depend on.
    pub(super) async fn expecting<'i>(
        scope: &mut Scope,
        imports: impl Iterator<Item = &'i ApiKeyImport> + Send,
    ) -> Result<Self, ServiceError> {
        let secrets: Vec<_> = imports.map(|import| &import.secret).collect();
        if secrets.is_empty() {
            return Ok(Self::default());
        }
        let schemes = scope.keys.import_schemes(&mut scope.tx).await?.into_iter().collect();
        let names = secrets.into_iter().map(|secret| Names::of(&scope.keys, &schemes, secret));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let digests: Vec<_> = names.iter().flat_map(|names| names.digests.clone()).collect();
        let prefixes: Vec<_> = names.iter().filter_map(|names| names.prefix).collect();
        let known = scope.tx.list_known_digests(&digests).await?;
        Ok(Self {
            known: known.iter().map(|digest| *digest.as_bytes()).collect(),
            crowds: scope.tx.weigh_imports_by_prefix(&prefixes).await?,
            schemes,
            ..Self::default()
        })
    }

    /// Takes a secret for a key, and gives what stands for it.
    pub(super) fn admit(
        &mut self,
        scope: &Scope,
        formats: &Formats,
        key: ApiKeyId,
        secret: &ImportedSecret,
    ) -> Result<NewSecret, ServiceError> {
        let format = match secret {
            ImportedSecret::Key(text) => fitting(text, formats)?,
            ImportedSecret::Hash(_) => None,
        };
        self.any_format |= format.is_none();
        let names = Names::of(&scope.keys, &self.schemes, secret)?;
        if names.digests.iter().any(|digest| self.known.contains(digest.as_bytes())) {
            return Err(Conflict::SecretKnown.into());
        }
        if let ImportedSecret::Hash(hash) = secret {
            self.expect(scope, key, hash, &names)?;
        }
        self.known.extend(names.digests.iter().map(|digest| *digest.as_bytes()));
        Ok(NewSecret::new(names.digest, format))
    }

    /// Writes what is needed to find the secrets, which must be written already.
    pub(super) async fn write(self, scope: &mut Scope) -> Result<(), ServiceError> {
        for scheme in self.new_schemes.values() {
            scope.tx.remember_import_scheme(scheme).await?;
        }
        scope.tx.insert_imports(&self.imports).await?;
        if self.any_format {
            scope.tx.set_meta(FREE_FORMATS, "yes").await?;
        }
        Ok(())
    }

    /// Makes sure that a secret is found when it is shown, and that it does not take too long.
    fn expect(
        &mut self,
        scope: &Scope,
        key: ApiKeyId,
        hash: &ImportedHash,
        names: &Names,
    ) -> Result<(), ServiceError> {
        let weight = weigh(hash)?;
        let crowd = names.prefix.map(|prefix| self.crowds.entry(*prefix.as_bytes()).or_default());
        if crowd.as_ref().is_some_and(|crowd| **crowd + i64::from(weight) > MOST_OF_A_PREFIX) {
            return Err(ServiceError::broken("/hash/prefix", TOO_MANY_OF_A_PREFIX));
        }
        if !self.schemes.contains_key(&names.scheme) && self.schemes.len() == MOST_SCHEMES {
            return Err(ServiceError::broken("/hash", TOO_MANY_SCHEMES));
        }
        if let Some(crowd) = crowd {
            *crowd += i64::from(weight);
        }
        self.schemes.insert(names.scheme.clone(), hash.scheme().clone());
        if let Entry::Vacant(entry) = self.new_schemes.entry(names.scheme.clone()) {
            entry.insert(scope.keys.seal_scheme(&names.scheme, hash.scheme())?);
        }
        let prefixed = |prefix_digest| {
            let sealed = scope.keys.seal_hash(hash.kept())?;
            Ok::<_, ServiceError>(PrefixedImport { prefix_digest, sealed })
        };
        let prefixed = names.prefix.map(prefixed).transpose()?;
        let (digest, scheme_id) = (names.digest, names.scheme.clone());
        self.imports.push(Import { digest, key, scheme_id, weight, prefixed });
        Ok(())
    }
}

impl Keystile {
    /// Lets this node know at once that keys may have any format.
    pub(super) async fn follow_import<T>(&self, caller: &Caller, changed: &Changed<T>) {
        if matches!(changed, Changed::Done(_))
            && let Err(error) = self.learn_providers().await
        {
            // The keys are made all the same; what other nodes wait for reaches this one too.
            let request = &caller.origin().request_id;
            tracing::warn!(%error, request.id = %request, "imported keys are not followed at once");
        }
    }
}

/// What a secret is called here.
struct Names {
    /// What stands for it.
    digest: Digest,
    /// That, and what would stand for the same secret if it were imported in plain, or by one of
    /// the hashes that others wait by.
    digests: Vec<Digest>,
    /// Where it is looked for, if not by the hash alone.
    prefix: Option<Digest>,
    scheme: String,
}

impl Names {
    fn of(
        keys: &Keys,
        schemes: &BTreeMap<String, HashScheme>,
        secret: &ImportedSecret,
    ) -> Result<Self, ServiceError> {
        let peppers = keys.peppers();
        match secret {
            ImportedSecret::Key(key) => {
                let fingerprint = key.fingerprint();
                let digests = peppers.all().flat_map(|pepper| {
                    let hashed = schemes.values().filter_map(|of| of.digest_of(pepper, key));
                    [pepper.digest(&fingerprint)].into_iter().chain(hashed)
                });
                let (digest, digests) = (keys.digest(&fingerprint), digests.collect());
                Ok(Self { digest, digests, prefix: None, scheme: String::new() })
            }
            ImportedSecret::Hash(hash) => {
                let scheme = keys.name_scheme(hash.scheme())?;
                let digests = peppers.all().flat_map(|pepper| {
                    let plain = hash.fingerprint().map(|fingerprint| pepper.digest(&fingerprint));
                    [hash.digest(pepper)].into_iter().chain(plain)
                });
                let (present, digests) = (peppers.present(), digests.collect());
                let (digest, prefix) = (hash.digest(present), hash.place(present));
                Ok(Self { digest, digests, prefix, scheme })
            }
        }
    }
}

/// The format that a key in plain fits, if it fits one that is remembered; one that could never be
/// presented is refused.
fn fitting<'f>(
    key: &Secret,
    formats: &'f Formats,
) -> Result<Option<&'f SecretFormat>, ServiceError> {
    if Jwt::is_shaped(key.expose()) {
        return Err(ServiceError::broken(
            "/key",
            "has the shape of a JWT, and would be taken for one",
        ));
    }
    match formats.recognise(key) {
        Err(Malformed::Checksum) => {
            Err(ServiceError::broken("/key", "looks like a mistyped key of Keystile's own"))
        }
        _ => Ok(formats.fitting(key.expose())),
    }
}

/// What it costs to compare a secret with the hash, which must be affordable.
fn weigh(hash: &ImportedHash) -> Result<i32, ServiceError> {
    let algorithm = hash.scheme().algorithm();
    if algorithm.length().is_some() {
        return Ok(1);
    }
    let text = str::from_utf8(hash.kept().value().as_slice()).unwrap_or_default();
    let read = SlowHash::read(algorithm, text);
    read.map(|hash| hash.weight()).map_err(|error| ServiceError::broken("/hash/value", error))
}

/// What is shown of a key at most.
const MOST_SHOWN: usize = 6;

/// Each costs a look-up whenever somebody shows what nobody knows.
const MOST_SCHEMES: usize = 16;
const TOO_MANY_SCHEMES: &str = "unseen keys may be hashed in at most 16 ways, each with its algorithm, part, salt, key and \
     length of prefix";

/// They are all compared whenever somebody guesses at one of them: two of the heaviest.
const MOST_OF_A_PREFIX: i64 = 8;
const TOO_MANY_OF_A_PREFIX: &str = "at most 8 unseen keys may begin so, and fewer if their hashes are slow: the slowest \
     counts as 4";
