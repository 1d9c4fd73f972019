-- Times are milliseconds since 1970 in UTC; what never ends, ends at 9223372036854775807.
-- Uniqueness that a person can run into is an index with a name, the same in every database.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- The one row that every change updates first: it gives each event its place.
CREATE TABLE feed_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

INSERT INTO feed_head (id, seq, hash) VALUES (1, 0, zeroblob(32));

CREATE TABLE events (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor_kind TEXT,
    actor_id TEXT,
    actor_name TEXT,
    credential_id TEXT,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target_name TEXT NOT NULL,
    before TEXT,
    before_salt BLOB,
    before_digest BLOB,
    after TEXT,
    after_salt BLOB,
    after_digest BLOB,
    address TEXT,
    address_salt BLOB,
    address_digest BLOB,
    reason TEXT,
    request_id TEXT,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_id ON events (id);
CREATE UNIQUE INDEX events_previous_hash ON events (previous_hash);
CREATE INDEX events_at ON events (at);
CREATE INDEX events_actor_id ON events (actor_id, seq);
CREATE INDEX events_credential_id ON events (credential_id, seq);
CREATE INDEX events_action ON events (action, seq);
CREATE INDEX events_target_id ON events (target_id, seq);
CREATE INDEX events_target_kind ON events (target_kind, seq);
CREATE INDEX events_request_id ON events (request_id, seq);

-- AUTOINCREMENT never gives an id twice; the first four belong to the built-in roles.
CREATE TABLE roles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    description TEXT,
    permissions TEXT NOT NULL,
    endpoints TEXT NOT NULL,
    may_grant TEXT NOT NULL,
    built_in INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

INSERT INTO sqlite_sequence (name, seq) VALUES ('roles', 4);

CREATE UNIQUE INDEX roles_name_folded ON roles (name_folded);
CREATE INDEX roles_created_at ON roles (created_at, id);

CREATE TABLE providers (
    id TEXT NOT NULL PRIMARY KEY,
    identifier TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    priority INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    is_default INTEGER NOT NULL,
    allow_insecure_http INTEGER NOT NULL,
    settings TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX providers_identifier ON providers (identifier);
CREATE UNIQUE INDEX providers_default ON providers (kind) WHERE is_default;

CREATE TABLE formats (
    prefix TEXT NOT NULL,
    encoding TEXT NOT NULL,
    key_length INTEGER NOT NULL,
    PRIMARY KEY (prefix, encoding, key_length)
) STRICT;

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    username_folded TEXT NOT NULL,
    password_hash TEXT,
    enabled INTEGER NOT NULL,
    is_service_account INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX users_username_folded ON users (username_folded);

CREATE TABLE user_roles (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id INTEGER NOT NULL REFERENCES roles (id),
    PRIMARY KEY (user_id, role_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_roles_role_id ON user_roles (role_id);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    description TEXT,
    provider_id TEXT NOT NULL REFERENCES providers (id),
    key_prefix TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    allowed_ips TEXT NOT NULL,
    external_id TEXT,
    metadata TEXT NOT NULL,
    created_by_kind TEXT,
    created_by_id TEXT,
    created_by_name TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX api_keys_created_at ON api_keys (created_at, id);
CREATE INDEX api_keys_name_folded ON api_keys (name_folded, id);
CREATE INDEX api_keys_expires_at ON api_keys (expires_at, id);
CREATE INDEX api_keys_enabled ON api_keys (enabled, created_at, id);
CREATE INDEX api_keys_provider_id ON api_keys (provider_id, created_at, id);
CREATE INDEX api_keys_external_id ON api_keys (external_id);

CREATE TABLE api_key_roles (
    key_id TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    role_id INTEGER NOT NULL REFERENCES roles (id),
    PRIMARY KEY (key_id, role_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_roles_role_id ON api_key_roles (role_id);

-- The hot table: keyed by digest, no sequence, no foreign key.
CREATE TABLE secrets (
    digest BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    current INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX secrets_credential_id ON secrets (credential_id);

CREATE TABLE tombstones (
    digest BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    name TEXT NOT NULL,
    key_prefix TEXT NOT NULL,
    deleted_at INTEGER NOT NULL,
    deleted_by_kind TEXT,
    deleted_by_id TEXT,
    deleted_by_name TEXT,
    reason TEXT,
    seq INTEGER NOT NULL
) STRICT;

CREATE INDEX tombstones_deleted_at ON tombstones (deleted_at);

CREATE TABLE replays (
    caller TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    sealed BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (caller, key_hash)
) STRICT;

CREATE INDEX replays_expires_at ON replays (expires_at);
