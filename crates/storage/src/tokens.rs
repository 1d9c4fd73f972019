//! Personal access tokens. Their secrets are in `secrets.rs`; the roles that they live by are their
//! owner's.

mod row;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    Listing, PageRequest, Start, Timestamp, Token, TokenFilter, TokenId, TokenSort, UserId,
};

pub(crate) use self::row::TokenRow;
use crate::conn::on_conn;
use crate::listing::{cut, named, number, part, text, text_id, unused};
use crate::schema::tokens;
use crate::{Conn, NewSecret, StoreError, TombstoneDraft, Tx};

impl Conn {
    /// Finds a token.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_token(&mut self, id: TokenId) -> Result<Option<Token>, StoreError> {
        let query = tokens::table.find(id.to_string());
        let row = on_conn!(self, |link| query
            .select(TokenRow::as_select())
            .get_result(link)
            .await
            .optional()?);
        row.as_ref().map(TokenRow::read).transpose()
    }

    /// Lists every token of a user that has not ended, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_live_tokens(
        &mut self,
        owner: UserId,
        now: Timestamp,
    ) -> Result<Vec<Token>, StoreError> {
        let query = tokens::table
            .filter(tokens::owner_id.eq(owner.to_string()))
            .filter(tokens::expires_at.gt(now.as_millis()))
            .order((tokens::created_at, tokens::id));
        let rows = on_conn!(self, |link| query.select(TokenRow::as_select()).load(link).await?);
        rows.iter().map(TokenRow::read).collect()
    }

    /// Lists tokens; `now` tells which have ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::ForeignMark`] if the page begins behind a mark of a list in another order.
    pub async fn list_tokens(
        &mut self,
        filter: &TokenFilter,
        page: &PageRequest<TokenSort>,
        now: Timestamp,
    ) -> Result<Listing<Token>, StoreError> {
        let now = now.as_millis();
        let (mut rows, total) = on_conn!(self, |link| {
            let matching = || {
                let mut query = tokens::table.into_boxed();
                if let Some(owner) = filter.owner {
                    query = query.filter(tokens::owner_id.eq(owner.to_string()));
                }
                if let Some(pattern) = &filter.name {
                    query = named!(query, tokens::name_folded, pattern);
                }
                if let Some(moment) = filter.unused_since {
                    query = unused!(query, moment.as_millis(), tokens);
                }
                match filter.expired {
                    Some(true) => query.filter(tokens::expires_at.le(now)),
                    Some(false) => query.filter(tokens::expires_at.gt(now)),
                    None => query,
                }
            };
            let total = match &page.start {
                Start::Page(_) => Some(matching().count().get_result(link).await?),
                Start::After(_) => None,
            };
            let query = matching().select(TokenRow::as_select());
            let query = match page.sort {
                TokenSort::ExpiresAt => {
                    part!(query, page, tokens::expires_at, number, tokens::id, text_id)
                }
                TokenSort::Name => {
                    part!(query, page, tokens::name_folded, text, tokens::id, text_id)
                }
                _ => part!(query, page, tokens::created_at, number, tokens::id, text_id),
            };
            (query.load(link).await?, total)
        });
        let next = cut(&mut rows, page.limit, |row: &TokenRow| row.mark(page.sort));
        let items = rows.iter().map(TokenRow::read).collect::<Result<_, _>>()?;
        Ok(Listing { items, total, next })
    }
}

impl Tx {
    /// Stores a new token with its secret.
    ///
    /// # Errors
    ///
    /// [`Conflict::Reference`](crate::Conflict::Reference) if the owner or the provider does not
    /// exist, [`Conflict::SecretDigest`](crate::Conflict::SecretDigest) if the secret is taken.
    pub async fn insert_token(
        &mut self,
        token: &Token,
        secret: impl Into<NewSecret>,
    ) -> Result<(), StoreError> {
        let insert = diesel::insert_into(tokens::table).values(TokenRow::new(token)?);
        on_conn!(self, |link| insert.execute(link).await?);
        self.insert_secrets([(token.into(), secret.into(), token.created_at)]).await
    }

    /// Stores what a token has become: everything but its owner, its provider, who made it, and
    /// when.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such token.
    pub async fn update_token(&mut self, token: &Token) -> Result<(), StoreError> {
        let row = tokens::table.find(token.id.to_string());
        let put = diesel::update(row).set(TokenRow::new(token)?.changes());
        match on_conn!(self, |link| put.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Removes a token for ever; its secrets become tombstones.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such token.
    pub async fn remove_token(
        &mut self,
        token: &Token,
        draft: &TombstoneDraft,
    ) -> Result<(), StoreError> {
        self.bury_secrets(token, (&token.name, &token.key_prefix), draft).await?;
        let remove = diesel::delete(tokens::table.find(token.id.to_string()));
        match on_conn!(self, |link| remove.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }
}
