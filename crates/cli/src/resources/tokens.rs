//! Personal access tokens: one's own, or with `--user` those of somebody else.

use clap::Args;
use futures_util::StreamExt;
use jiff::Timestamp;
use keystile_api::patch::Patch;
use keystile_api::rotation::{ExtendRotation, Rotation};
use keystile_api::tokens::{NewToken, RotateToken, Token, TokenPatch};
use keystile_client::tokens::{OwnTokens, TokenFilter, UserTokens};
use keystile_client::{Change, Client, Error, Paging};
use uuid::Uuid;

use super::api_keys::Removal;
use super::users::user_id;
use super::{either, state, text, texts, without_empty};
use crate::expiry::{Expiry, has_ended};
use crate::failure::Failure;
use crate::moments::ago;
use crate::output::{Column, Shown, moment};
use crate::resource::{Examples, Made, Resource, Things};
use crate::rotate::{Rotating, StepExamples};
use crate::session::Session;

/// The tokens of one owner.
pub enum Tokens {
    /// Of whoever is signed in.
    Own(OwnTokens),
    /// Of a user or service account.
    Of(UserTokens),
}

/// Whose tokens are meant.
#[derive(Args, Clone)]
pub struct Owner {
    /// Whose tokens: a user or service account, by id or name; otherwise one's own
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

#[derive(Args)]
pub struct Filter {
    /// Names, with * and ? as wildcards
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
    /// Only those that have ended
    #[arg(long, conflicts_with = "unexpired")]
    expired: bool,
    /// Only those that have not ended
    #[arg(long)]
    unexpired: bool,
    /// Only those that were not used since this time, or for so long, as in 30d
    #[arg(long, value_name = "TIME", value_parser = ago)]
    unused_since: Option<Timestamp>,
}

#[derive(Args)]
pub struct New {
    /// Its name; left out: "Token of" and the day
    name: Option<String>,
    #[command(flatten)]
    members: Members,
    /// Whose rules it follows: the identifier or id of a provider
    #[arg(long)]
    provider: Option<String>,
}

#[derive(Args)]
pub struct Set {
    /// Its new name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    members: Members,
}

/// What `new` and `set` have in common.
#[derive(Args)]
pub struct Members {
    /// What it is for; '' removes it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    expiry: Expiry,
    /// All permissions that it is narrowed to, divided by commas; '' is none at all
    #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',')]
    scope: Option<Vec<String>>,
}

impl Shown for Token {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "ID", cell: |token, _| token.id.to_string().into(), from: 0 },
        Column { head: "NAME", cell: |token, _| token.name.as_str().into(), from: 0 },
        Column { head: "PREFIX", cell: |token, _| token.key_prefix.as_str().into(), from: 120 },
        Column {
            head: "SCOPES",
            cell: |token, _| match &token.scopes {
                None => "all".into(),
                Some(scopes) => scopes.join(", ").into(),
            },
            from: 110,
        },
        Column {
            head: "STATE",
            cell: |token, look| state(true, has_ended(token.expires_at.as_deref(), look.now)),
            from: 0,
        },
        Column {
            head: "EXPIRES",
            cell: |token, look| moment(token.expires_at.as_deref(), "never", look).into(),
            from: 80,
        },
        Column {
            head: "LAST USED",
            cell: |token, look| moment(token.last_used_at.as_deref(), "never", look).into(),
            from: 100,
        },
    ];

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Resource for Tokens {
    type Thing = Token;
    type Id = Uuid;
    type Scope = Owner;
    type Filter = Filter;
    type New = New;
    type Body = NewToken;
    type Set = Set;
    type Patch = TokenPatch;
    type Removal = Removal;

    const ONE: &'static str = "token";
    const MANY: &'static str = "tokens";
    const SECRET: &'static str = "token";
    const EXAMPLES: Examples = Examples {
        get: &["tokens get nightly", "tokens get nightly --user deploy-bot -o json"],
        list: &["tokens list", "tokens list --user deploy-bot --expired -o id"],
        new: &["tokens new nightly --user deploy-bot --expires-in 30d -q > token"],
        remove: &["tokens remove nightly --reason 'nobody needs it'"],
        set: &["tokens set nightly --scope invoices.read --what-if"],
    };

    async fn open(client: &Client, owner: Owner) -> Result<Self, Failure> {
        Ok(match owner.user {
            None => Self::Own(client.own_tokens()),
            Some(named) => Self::Of(client.user_tokens(user_id(client, &named).await?)),
        })
    }

    async fn list(&self, filter: &Filter, sort: Option<&str>) -> Result<Things<Token>, Failure> {
        Ok(self.stream(TokenFilter {
            name: filter.name.clone(),
            expired: either(filter.expired, filter.unexpired),
            unused_since: filter.unused_since.map(|at| at.to_string()),
            paging: Paging { sort: sort.map(str::to_owned), ..Paging::default() },
        }))
    }

    fn named(&self, pattern: &str) -> Things<Token> {
        self.stream(TokenFilter { name: Some(pattern.to_owned()), ..TokenFilter::default() })
    }

    async fn show(&self, id: Uuid) -> Result<Token, Error> {
        Ok(match self {
            Self::Own(tokens) => tokens.show(id).await?.value,
            Self::Of(tokens) => tokens.show(id).await?.value,
        })
    }

    async fn body(&self, new: New, session: &Session) -> Result<NewToken, Failure> {
        let New { name, members, provider } = new;
        Ok(NewToken {
            name,
            description: members.description,
            provider,
            expires_at: members.expiry.patch(session.look.now)?,
            scopes: members.scope.map(without_empty),
            ..NewToken::default()
        })
    }

    async fn create(&self, new: &NewToken, change: &Change) -> Result<Made<Token>, Error> {
        let made = match self {
            Self::Own(tokens) => tokens.create(new, change).await?.value,
            Self::Of(tokens) => tokens.create(new, change).await?.value,
        };
        Ok(Made { thing: made.shown, secret: made.secret })
    }

    async fn patch(&self, set: Set, session: &Session) -> Result<TokenPatch, Failure> {
        let Self::Own(_) = self else {
            return Err(Failure::Usage("a token is changed by its owner alone".into()));
        };
        let Set { name, members } = set;
        Ok(TokenPatch {
            name: name.map_or(Patch::Absent, Patch::Value),
            description: text(members.description),
            expires_at: members.expiry.patch(session.look.now)?,
            scopes: texts(members.scope),
        })
    }

    async fn update(
        &self,
        token: &Token,
        patch: &TokenPatch,
        change: &Change,
    ) -> Result<Token, Error> {
        match self {
            Self::Own(tokens) => Ok(tokens.update(token.id, patch, change).await?.value),
            // No patch was made for these.
            Self::Of(_) => Ok(token.clone()),
        }
    }

    async fn remove(&self, token: &Token, removal: &Removal, change: &Change) -> Result<(), Error> {
        let change = removal.explain(change);
        match self {
            Self::Own(tokens) => tokens.delete(token.id, &change).await.map(drop),
            Self::Of(tokens) => tokens.delete(token.id, &change).await.map(drop),
        }
    }
}

impl Rotating for Tokens {
    const STEPS: StepExamples = StepExamples {
        rotate: &[
            "tokens rotate nightly -q > token",
            "tokens rotate nightly --user deploy-bot --overlap 1d --watch",
        ],
        extend: &["tokens rotate extend nightly --overlap 12h"],
        finish: &["tokens rotate finish nightly --what-if"],
        status: &["tokens rotate status nightly --watch"],
    };

    async fn rotate(
        &self,
        token: &Token,
        overlap_seconds: i64,
        change: &Change,
    ) -> Result<Made<Token>, Error> {
        let rotate = RotateToken { overlap_seconds };
        let made = match self {
            Self::Own(tokens) => tokens.rotate(token.id, &rotate, change).await?.value,
            Self::Of(tokens) => tokens.rotate(token.id, &rotate, change).await?.value,
        };
        Ok(Made { thing: made.shown, secret: made.secret })
    }

    async fn rotation(&self, token: &Token) -> Result<Rotation, Error> {
        match self {
            Self::Own(tokens) => tokens.rotation(token.id).await,
            Self::Of(tokens) => tokens.rotation(token.id).await,
        }
    }

    async fn extend_rotation(
        &self,
        token: &Token,
        extend: &ExtendRotation,
        change: &Change,
    ) -> Result<Rotation, Error> {
        Ok(match self {
            Self::Own(tokens) => tokens.extend_rotation(token.id, extend, change).await?.value,
            Self::Of(tokens) => tokens.extend_rotation(token.id, extend, change).await?.value,
        })
    }

    async fn finish_rotation(&self, token: &Token, change: &Change) -> Result<Rotation, Error> {
        Ok(match self {
            Self::Own(tokens) => tokens.finish_rotation(token.id, change).await?.value,
            Self::Of(tokens) => tokens.finish_rotation(token.id, change).await?.value,
        })
    }
}

impl Tokens {
    fn stream(&self, filter: TokenFilter) -> Things<Token> {
        match self {
            Self::Own(tokens) => tokens.stream(filter).boxed(),
            Self::Of(tokens) => tokens.stream(filter).boxed(),
        }
    }
}
