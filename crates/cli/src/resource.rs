//! The shape that all five resources share, so that each verb is written once.
//!
//! A resource says what its things look like and which calls change them ([`Resource`]); the
//! [verbs](crate::verbs) do the rest: finding things by id, name and pattern, what-if, questions,
//! pipelines, output.

use std::fmt::Display;
use std::str::FromStr;

use clap::Args;
use futures_util::stream::BoxStream;
use keystile_client::{Change, Client, Error};
use secrecy::SecretString;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Shown;
use crate::session::Session;

/// One kind of thing that can be listed, made, changed and removed.
pub trait Resource: Sized + 'static {
    /// The thing itself.
    type Thing: Shown + Clone;
    /// What it is found by.
    type Id: FromStr + Display + Clone;
    /// The flags that say whose things are meant.
    type Scope: Args;
    /// The flags of `list`.
    type Filter: Args;
    /// The arguments of `new`.
    type New: Args;
    /// What `new` asks for.
    type Body;
    /// The flags of `set`.
    type Set: Args;
    /// What `set` asks of each thing.
    type Patch: Serialize;
    /// The flags of `remove`.
    type Removal: Args;

    /// What one is called.
    const ONE: &'static str;
    /// What several are called.
    const MANY: &'static str;
    /// A line or two for each verb, as its help shows them.
    const EXAMPLES: Examples;
    /// The member that has the secret of a new one, if it has one.
    const SECRET: &'static str = "";

    /// Finds out whose things are meant.
    fn open(client: &Client, scope: Self::Scope) -> impl Future<Output = Result<Self, Failure>>;

    /// All that fit.
    fn list(
        &self,
        filter: &Self::Filter,
        sort: Option<&str>,
    ) -> impl Future<Output = Result<Things<Self::Thing>, Failure>>;

    /// All whose name fits a name or pattern, whatever the case.
    fn named(&self, pattern: &str) -> Things<Self::Thing>;

    /// The one with this id.
    fn show(&self, id: Self::Id) -> impl Future<Output = Result<Self::Thing, Error>>;

    /// What these arguments ask for.
    fn body(
        &self,
        new: Self::New,
        session: &Session,
    ) -> impl Future<Output = Result<Self::Body, Failure>>;

    /// Makes one.
    fn create(
        &self,
        body: &Self::Body,
        change: &Change,
    ) -> impl Future<Output = Result<Made<Self::Thing>, Error>>;

    /// What these flags ask of each thing.
    fn patch(
        &self,
        set: Self::Set,
        session: &Session,
    ) -> impl Future<Output = Result<Self::Patch, Failure>>;

    /// Changes one.
    fn update(
        &self,
        thing: &Self::Thing,
        patch: &Self::Patch,
        change: &Change,
    ) -> impl Future<Output = Result<Self::Thing, Error>>;

    /// Removes one.
    fn remove(
        &self,
        thing: &Self::Thing,
        removal: &Self::Removal,
        change: &Change,
    ) -> impl Future<Output = Result<(), Error>>;
}

/// Things as they come, part by part.
pub type Things<T> = BoxStream<'static, Result<T, Error>>;

/// Something that was just made.
pub struct Made<T> {
    /// The thing.
    pub thing: T,
    /// Its secret, if it has one and was really made.
    pub secret: Option<SecretString>,
}

/// Examples of each verb, one in a line, without the name of the program.
#[derive(Clone, Copy, Debug)]
pub struct Examples {
    pub get: &'static [&'static str],
    pub list: &'static [&'static str],
    pub new: &'static [&'static str],
    pub remove: &'static [&'static str],
    pub set: &'static [&'static str],
}

/// No flags at all.
#[derive(Args, Clone, Copy, Debug)]
#[group(skip)]
pub struct Nothing {}
