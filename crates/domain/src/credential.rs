//! A credential as a check sees it: everything that a decision depends on, and no secret.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    AllowedIps, Expiry, ExternalId, Limits, Metadata, Name, PermissionSet, Provider, Reason,
    Rights, Role, Seq, Timestamp,
};

/// What is known of a credential at the moment of a check.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "every store builds it field by field")]
pub struct Credential {
    /// Its name for programs.
    pub id: Uuid,
    /// Which kind it is.
    pub kind: CredentialKind,
    /// Its name for people.
    pub name: Name,
    /// The beginning of its secret, for people to recognise it.
    pub key_prefix: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// When it ends.
    pub expiry: Expiry,
    /// When the secret that was presented ends: earlier than the credential itself if it was
    /// rotated and this is the old one.
    pub secret_expiry: Expiry,
    /// Where it may be used from.
    pub allowed_ips: AllowedIps,
    /// What its uses are counted against.
    pub limits: Limits,
    /// What another system calls it.
    pub external_id: Option<ExternalId>,
    /// What the customer keeps beside it.
    pub metadata: Metadata,
    /// Whom it acts as.
    pub principal: Principal,
    /// Whether the owner that it acts as is switched on; `None`: it stands for itself.
    pub owner_enabled: Option<bool>,
    /// Whether somebody signed in with it: what they make does not end with it.
    pub signed_in: bool,
    /// The provider whose rules it follows.
    pub provider: Arc<Provider>,
    /// The roles that it holds, or its owner, as they are now.
    pub roles: Arc<[Role]>,
    /// What it is narrowed to; `None`: everything that the roles allow.
    pub scopes: Option<PermissionSet>,
    /// What the roles together allow, within the scopes.
    pub rights: Arc<Rights>,
}

impl Credential {
    /// The roles that it holds in full: one that is narrowed must not be taken for its role.
    #[must_use]
    pub fn whole_roles(&self) -> &[Role] {
        if self.scopes.is_none() { &self.roles } else { &[] }
    }

    /// The names of the things that it depends on: a change of one of them may change it.
    #[must_use]
    pub fn depends_on(&self) -> Vec<String> {
        let ids = [self.id, self.principal.id, self.limits.holder, self.provider.id.as_uuid()];
        let ids = ids.iter().map(ToString::to_string);
        ids.chain(self.roles.iter().map(|role| role.id.to_string())).collect()
    }

    /// How many bytes of memory it takes, roughly.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // Its provider is that of many, and so are its roles and its rights unless it is narrowed.
        let narrowed = self.scopes.as_ref().map_or(0, |scopes| {
            let roles = self.roles.iter().map(|role| size_of::<Role>() + role.permissions.bytes());
            scopes.bytes() + self.rights.permissions.bytes() + roles.sum::<usize>()
        });
        let texts = [self.name.as_str(), &self.key_prefix, self.principal.name.as_str()];
        size_of::<Self>()
            + texts.iter().map(|text| text.len() + TEXT_BYTES).sum::<usize>()
            + self.metadata.bytes()
            + size_of_val(self.allowed_ips.iter().as_slice())
            + size_of_val(self.limits.rates.iter().as_slice())
            + narrowed
    }

    /// When the presented secret stops working, by itself or with its credential.
    #[must_use]
    pub fn end(&self) -> Expiry {
        self.expiry.min(self.secret_expiry)
    }
}

/// What is left of a deleted credential, so that "why did it stop?" has an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "every store builds it field by field")]
pub struct Tombstone {
    /// The id that it had.
    pub id: Uuid,
    /// Which kind it was.
    pub kind: CredentialKind,
    /// The name that it had.
    pub name: Name,
    /// The beginning of its secret.
    pub key_prefix: String,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// Who deleted it.
    pub deleted_by: Option<Principal>,
    /// Why, if they said so.
    pub reason: Option<Reason>,
    /// Where the audit log tells of it.
    pub seq: Seq,
}

/// Who a request acts as.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a plain reference")]
pub struct Principal {
    /// Which kind of principal.
    pub kind: PrincipalKind,
    /// Its name for programs.
    pub id: Uuid,
    /// Its name for people.
    pub name: Name,
}

macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$variant_doc])* $variant,)+ }

        impl $type {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word for it, in requests, answers and rows.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> Result<Self, $crate::IdError> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::IdError),
                }
            }
        }
    };
}
pub(crate) use words;

words!(
    /// The kinds of credential.
    #[non_exhaustive]
    CredentialKind {
        /// A JWT: ours, or that of an OpenID provider.
        AccessToken = "access_token",
        /// Has roles of its own.
        ApiKey = "api_key",
        /// Acts as its owner.
        PersonalAccessToken = "personal_access_token",
    }
);

words!(
    /// The kinds of principal.
    #[non_exhaustive]
    PrincipalKind {
        /// A key that stands for itself.
        ApiKey = "api_key",
        /// A program with an account of its own.
        ServiceAccount = "service_account",
        /// A person.
        User = "user",
        /// A program that another issuer vouches for.
        Workload = "workload",
    }
);

words!(
    /// Where in a request a credential rode.
    #[non_exhaustive]
    Carrier {
        /// In the header that its provider names.
        Header = "header",
        /// In `Authorization`, with the scheme `Bearer` (RFC 6750, section 2.1).
        Bearer = "bearer",
        /// In the query string, where its provider allows it.
        Query = "query",
        /// In the query string, as a ticket that was made with it.
        Ticket = "ticket",
    }
);

/// What a text takes beside its characters.
const TEXT_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        HashAlgorithm, HashEncoding, IdError, JwtAlgorithm, ProviderKind, Refill, Rule,
        SaltPosition, TargetKind, Transport,
    };

    macro_rules! every_word_reads_back {
        ($($type:ident),+) => {$(
            let words = $type::ALL.iter().map(|value| value.as_str()).collect::<BTreeSet<_>>();
            assert_eq!(words.len(), $type::ALL.len(), "one word each");
            for value in $type::ALL {
                assert_eq!(value.as_str().parse(), Ok(*value));
                assert_eq!(value.to_string(), value.as_str());
            }
        )+};
    }

    #[test]
    fn every_word_reads_back_as_what_it_stands_for() {
        every_word_reads_back!(
            Carrier,
            CredentialKind,
            HashAlgorithm,
            HashEncoding,
            JwtAlgorithm,
            PrincipalKind,
            ProviderKind,
            Refill,
            Rule,
            SaltPosition,
            TargetKind,
            Transport
        );
    }

    #[test]
    fn a_word_has_one_spelling() {
        for text in ["", "Header", "HEADER", " header", "header ", "head", "header\0", "secure"] {
            assert_eq!(text.parse::<Carrier>(), Err(IdError), "{text:?}");
        }
    }
}
