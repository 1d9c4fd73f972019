//! The tables as diesel sees them: the column types that both databases have, and no others.

diesel::table! {
    api_key_roles (key_id, role_id) {
        key_id -> Text,
        role_id -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        name -> Text,
        name_folded -> Text,
        description -> Nullable<Text>,
        provider_id -> Text,
        key_prefix -> Text,
        expires_at -> BigInt,
        enabled -> Bool,
        allowed_ips -> Text,
        rate_limits -> Text,
        quota -> Nullable<Text>,
        external_id -> Nullable<Text>,
        metadata -> Text,
        created_by_kind -> Nullable<Text>,
        created_by_id -> Nullable<Text>,
        created_by_name -> Nullable<Text>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    nodes (incarnation) {
        incarnation -> Text,
        address -> Text,
        version -> Text,
        started_at -> BigInt,
        beat -> BigInt,
        position -> BigInt,
        settled -> BigInt,
        followers -> BigInt,
        unproven -> BigInt,
    }
}

diesel::table! {
    events (seq) {
        seq -> BigInt,
        id -> Text,
        at -> BigInt,
        actor_kind -> Nullable<Text>,
        actor_id -> Nullable<Text>,
        actor_name -> Nullable<Text>,
        credential_id -> Nullable<Text>,
        action -> Text,
        target_kind -> Text,
        target_id -> Text,
        target_name -> Text,
        before -> Nullable<Text>,
        before_salt -> Nullable<Binary>,
        before_digest -> Nullable<Binary>,
        after -> Nullable<Text>,
        after_salt -> Nullable<Binary>,
        after_digest -> Nullable<Binary>,
        address -> Nullable<Text>,
        address_salt -> Nullable<Binary>,
        address_digest -> Nullable<Binary>,
        reason -> Nullable<Text>,
        request_id -> Nullable<Text>,
        previous_hash -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    feed_head (id) {
        id -> Integer,
        seq -> BigInt,
        hash -> Binary,
        pepper -> Integer,
    }
}

diesel::table! {
    formats (prefix, encoding, key_length) {
        prefix -> Text,
        encoding -> Text,
        key_length -> Integer,
        counted -> Bool,
    }
}

diesel::table! {
    import_schemes (id) {
        id -> Text,
        sealed -> Binary,
    }
}

diesel::table! {
    imports (digest) {
        digest -> Binary,
        key_id -> Text,
        scheme_id -> Text,
        weight -> Integer,
        prefix_digest -> Nullable<Binary>,
        sealed -> Nullable<Binary>,
    }
}

diesel::table! {
    meta (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    peppers (id) {
        id -> Integer,
        sealed -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    providers (id) {
        id -> Text,
        identifier -> Text,
        name -> Text,
        kind -> Text,
        priority -> Integer,
        enabled -> Bool,
        is_default -> Bool,
        allow_insecure_http -> Bool,
        settings -> Text,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    quota_uses (key_id) {
        key_id -> Text,
        period -> BigInt,
        used -> BigInt,
    }
}

diesel::table! {
    replays (caller, key_hash) {
        caller -> Text,
        key_hash -> Binary,
        request_hash -> Binary,
        sealed -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    roles (id) {
        id -> BigInt,
        name -> Text,
        name_folded -> Text,
        description -> Nullable<Text>,
        permissions -> Text,
        endpoints -> Text,
        may_grant -> Text,
        built_in -> Bool,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    secrets (digest) {
        digest -> Binary,
        kind -> Text,
        credential_id -> Text,
        current -> Bool,
        ends_at -> BigInt,
        created_at -> BigInt,
        pepper -> Integer,
        former_digest -> Nullable<Binary>,
        format -> Nullable<Text>,
    }
}

diesel::table! {
    tombstones (digest) {
        digest -> Binary,
        kind -> Text,
        credential_id -> Text,
        name -> Text,
        key_prefix -> Text,
        deleted_at -> BigInt,
        deleted_by_kind -> Nullable<Text>,
        deleted_by_id -> Nullable<Text>,
        deleted_by_name -> Nullable<Text>,
        reason -> Nullable<Text>,
        seq -> BigInt,
    }
}

diesel::table! {
    user_roles (user_id, role_id) {
        user_id -> Text,
        role_id -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        username -> Text,
        username_folded -> Text,
        password_hash -> Nullable<Text>,
        enabled -> Bool,
        is_service_account -> Bool,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        display_name -> Nullable<Text>,
        email -> Nullable<Text>,
        external_id -> Nullable<Text>,
        metadata -> Text,
        rate_limits -> Text,
    }
}

diesel::table! {
    identities (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        user_id -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    tickets (digest) {
        digest -> Binary,
        sealed -> Binary,
        ends_at -> BigInt,
    }
}

diesel::table! {
    tokens (id) {
        id -> Text,
        owner_id -> Text,
        name -> Text,
        name_folded -> Text,
        description -> Nullable<Text>,
        provider_id -> Text,
        key_prefix -> Text,
        scopes -> Nullable<Text>,
        expires_at -> BigInt,
        created_by_kind -> Nullable<Text>,
        created_by_id -> Nullable<Text>,
        created_by_name -> Nullable<Text>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        user_id -> Nullable<Text>,
        workload -> Nullable<Text>,
        role_ids -> Nullable<Text>,
        provider_id -> Text,
        address -> Nullable<Text>,
        created_at -> BigInt,
        ends_at -> BigInt,
    }
}

diesel::table! {
    refresh_tokens (digest) {
        digest -> Binary,
        session_id -> Text,
        current -> Bool,
        ends_at -> BigInt,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        algorithm -> Text,
        public_key -> Text,
        sealed -> Binary,
        created_at -> BigInt,
        signs_from -> BigInt,
        retired_at -> BigInt,
    }
}

diesel::table! {
    spent_tokens (issuer, jti) {
        issuer -> Text,
        jti -> Text,
        ends_at -> BigInt,
    }
}

diesel::table! {
    sign_in_failures (subject) {
        subject -> Text,
        failures -> Integer,
        last_at -> BigInt,
    }
}

diesel::table! {
    usage_hours (credential_id, hour, outcome) {
        credential_id -> Text,
        hour -> BigInt,
        outcome -> Text,
        checks -> BigInt,
    }
}

diesel::table! {
    last_uses (credential_id) {
        credential_id -> Text,
        at -> BigInt,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    exercises (credential_id, exercise) {
        credential_id -> Text,
        exercise -> Text,
        last_at -> BigInt,
    }
}

diesel::table! {
    old_secret_uses (credential_id, address, user_agent) {
        credential_id -> Text,
        address -> Text,
        user_agent -> Text,
        checks -> BigInt,
        last_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    api_key_roles,
    api_keys,
    exercises,
    identities,
    import_schemes,
    imports,
    last_uses,
    providers,
    refresh_tokens,
    roles,
    secrets,
    sessions,
    tokens,
    user_roles,
    users,
);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use acceptance::{Database, on_each_database};
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;
    use tokio::runtime::Handle;

    use super::*;
    use crate::conn::on_conn;
    use crate::{Store, StoreError, StoreOptions, Url};

    macro_rules! select_all {
        ($conn:expr, $($table:ident)+) => {$(
            let select = $table::table.select($table::all_columns).limit(0);
            let read: Result<_, StoreError> =
                async { Ok(on_conn!($conn, |link| select.execute(link).await?)) }.await;
            assert!(read.is_ok(), "{}: {read:?}", stringify!($table));
        )+};
    }

    on_each_database! {
        async fn every_column_is_there(database: Database) {
            let directory = tempfile::tempdir().unwrap();
            let url = match database {
                Database::Postgres(address) => Url::Postgres(address.into()),
                Database::Sqlite => Url::Sqlite(directory.path().join("keystile.db")),
            };
            let acquire_timeout = Duration::from_secs(30);
            let options = StoreOptions { url, pool_size: 1, acquire_timeout };
            let store = Store::open(options, &Handle::current()).unwrap();
            store.migrate(None).await.unwrap();
            let mut conn = store.read().await.unwrap();
            select_all!(conn, api_key_roles api_keys events feed_head formats meta providers);
            select_all!(conn, replays roles secrets tombstones user_roles users identities tokens);
            select_all!(conn, sessions refresh_tokens signing_keys spent_tokens sign_in_failures);
            select_all!(conn, usage_hours last_uses quota_uses tickets);
            select_all!(conn, import_schemes imports);
            select_all!(conn, exercises old_secret_uses peppers);
        }
    }
}
