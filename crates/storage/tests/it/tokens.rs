//! Personal access tokens.

use acceptance::{Database, on_each_database};
use keystile_domain::{
    Expiry, NamePattern, ProviderId, Token, TokenFilter, TokenId, TokenSort, UserId, Version,
};
use keystile_storage::{Conflict, LastUse, StoreError, TombstoneDraft, Tx};

use crate::books::keep;
use crate::lists::first;
use crate::raw::on_raw;
use crate::samples::{at, digest, full_token, token, token_provider, user, uuid};
use crate::stage::Stage;

/// Stores what tokens need: their provider, and two users with the numbers 1 and 2.
pub async fn furnish(tx: &mut Tx) -> Result<(), StoreError> {
    tx.insert_provider(&token_provider("tokens", 2)).await?;
    tx.insert_user(&user("ann", 1), None).await?;
    tx.insert_user(&user("bob", 2), None).await
}

fn tombstone() -> TombstoneDraft {
    let seq = keystile_domain::Seq(1);
    TombstoneDraft { deleted_at: at(0), deleted_by: None, reason: None, seq }
}

async fn store(stage: &Stage, tokens: &[Token]) {
    stage
        .change(async |tx| {
            for (digits, token) in (1..).zip(tokens) {
                tx.insert_token(token, &digest(digits)).await?;
            }
            Ok(())
        })
        .await;
}

on_each_database! {
    async fn a_token_comes_back_as_it_was_stored(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(furnish).await;
        let ann = user("ann", 1);
        let powerless = Token { scopes: Some(Default::default()), ..token(3, &ann, "powerless") };
        let tokens = [token(1, &ann, "bare"), full_token(2, &ann, "Voll"), powerless];
        store(&stage, &tokens).await;
        let mut conn = stage.store.read().await.unwrap();
        for token in tokens {
            assert_eq!(conn.find_token(token.id).await.unwrap(), Some(token));
        }
        assert_eq!(conn.find_token(TokenId::from(uuid(9))).await.unwrap(), None);
    }

    async fn everything_about_a_token_changes_but_where_it_comes_from(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(furnish).await;
        let old = full_token(1, &user("ann", 1), "old");
        store(&stage, std::slice::from_ref(&old)).await;
        let new = Token {
            name: "new".parse().unwrap(),
            description: None,
            key_prefix: "ks_pat_uvwxyz".to_owned(),
            scopes: None,
            expiry: Expiry::Never,
            version: Version(4),
            updated_at: at(7),
            ..old.clone()
        };
        let sent = Token {
            owner: UserId::from(uuid(2)),
            provider: ProviderId::from(uuid(99)),
            created_by: None,
            created_at: at(99),
            ..new.clone()
        };
        stage.change(async |tx| tx.update_token(&sent).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_token(old.id).await.unwrap(), Some(new));
    }

    async fn a_token_needs_an_owner_and_a_provider_that_exist(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(furnish).await;
        let ann = user("ann", 1);
        let stray = Token { provider: ProviderId::from(uuid(9)), ..token(1, &ann, "stray") };
        let orphan = token(1, &user("nobody", 9), "orphan");
        for token in [stray, orphan] {
            let refused = stage.refused(async |tx| tx.insert_token(&token, &digest(1)).await).await;
            assert!(matches!(refused, StoreError::Conflict(Conflict::Reference)), "{refused:?}");
        }
    }

    async fn a_secret_belongs_to_one_token(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(furnish).await;
        let ann = user("ann", 1);
        store(&stage, &[token(1, &ann, "one")]).await;
        let two = token(2, &ann, "two");
        let refused = stage.refused(async |tx| tx.insert_token(&two, &digest(1)).await).await;
        assert!(matches!(refused, StoreError::Conflict(Conflict::SecretDigest)));
    }

    async fn a_token_that_is_gone_cannot_be_changed_or_removed(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(furnish).await;
        let token = token(1, &user("ann", 1), "one");
        store(&stage, std::slice::from_ref(&token)).await;
        stage.change(async |tx| tx.remove_token(&token, &tombstone()).await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_token(token.id).await.unwrap(), None);
        let refused = stage.refused(async |tx| tx.update_token(&token).await).await;
        assert!(matches!(refused, StoreError::NotFound));
        let refused = stage.refused(async |tx| tx.remove_token(&token, &tombstone()).await).await;
        assert!(matches!(refused, StoreError::NotFound));
    }

    async fn the_live_tokens_of_a_user_are_listed_as_they_were_made(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(furnish).await;
        let (ann, bob) = (user("ann", 1), user("bob", 2));
        let tokens = [
            Token { created_at: at(1), ..token(1, &ann, "late") },
            Token { expiry: Expiry::At(at(0)), ..token(2, &ann, "over") },
            Token { expiry: Expiry::At(at(1)), ..token(3, &ann, "soon") },
            token(4, &bob, "other"),
        ];
        store(&stage, &tokens).await;
        let mut conn = stage.store.read().await.unwrap();
        let live = conn.list_live_tokens(ann.id, at(0)).await.unwrap();
        assert_eq!(live, [tokens[2].clone(), tokens[0].clone()]);
    }

    async fn tokens_are_listed_by_each_filter_in_each_order(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(furnish).await;
        let (ann, bob) = (user("ann", 1), user("bob", 2));
        let tokens = [
            Token { expiry: Expiry::At(at(0)), ..token(1, &ann, "CI over") },
            Token { expiry: Expiry::At(at(1)), ..token(2, &ann, "ci soon") },
            Token { created_at: at(-1), ..token(3, &ann, "B") },
            token(4, &bob, "a"),
        ];
        store(&stage, &tokens).await;
        let used = tokens[1].id.as_uuid();
        let used = LastUse { credential: used, at: at(5), address: None, user_agent: None };
        keep(&stage.store, async |books| books.add_usage(&[], &[used]).await).await;
        let any = TokenFilter::default;
        let by_name = TokenSort::Name;
        let mut conn = stage.store.read().await.unwrap();
        for (filter, sort, expected) in [
            (any(), by_name, vec!["a", "B", "CI over", "ci soon"]),
            (any(), TokenSort::CreatedAt, vec!["B", "CI over", "ci soon", "a"]),
            (any(), TokenSort::ExpiresAt, vec!["CI over", "ci soon", "B", "a"]),
            (TokenFilter { owner: Some(bob.id), ..any() }, by_name, vec!["a"]),
            (TokenFilter { owner: Some(UserId::from(uuid(9))), ..any() }, by_name, vec![]),
            (TokenFilter { expired: Some(true), ..any() }, by_name, vec!["CI over"]),
            (TokenFilter { unused_since: Some(at(0)), ..any() }, by_name, vec!["B"]),
            (
                TokenFilter { unused_since: Some(at(5)), ..any() },
                by_name,
                vec!["a", "B", "CI over"],
            ),
            (TokenFilter { expired: Some(false), ..any() }, by_name, vec!["a", "B", "ci soon"]),
            (
                TokenFilter { name: Some(NamePattern::parse("ci*").unwrap()), ..any() },
                by_name,
                vec!["CI over", "ci soon"],
            ),
        ] {
            let listed = conn.list_tokens(&filter, &first(sort), at(0)).await.unwrap();
            let names: Vec<_> = listed.items.iter().map(|token| token.name.as_str()).collect();
            assert_eq!(names, expected, "{filter:?}");
            assert_eq!(listed.total, i64::try_from(names.len()).ok());
        }
    }

    async fn scopes_that_cannot_be_read_are_never_none_at_all(database: Database) {
        let stage = Stage::furnished(database).await;
        stage.change(furnish).await;
        let token = full_token(1, &user("ann", 1), "one");
        store(&stage, std::slice::from_ref(&token)).await;
        on_raw(&stage, |raw| raw.execute("UPDATE tokens SET scopes = '[\"**.a\"]'")).await;
        let mut conn = stage.store.read().await.unwrap();
        let refused = conn.find_token(token.id).await;
        assert!(matches!(refused, Err(StoreError::Corrupt("tokens.scopes"))));
        let refused = conn.find_credential(&digest(1)).await;
        assert!(matches!(refused, Err(StoreError::Corrupt("tokens.scopes"))));
    }
}
