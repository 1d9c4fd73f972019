ALTER TABLE users ADD COLUMN display_name TEXT;
ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN external_id TEXT;
ALTER TABLE users ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';

CREATE INDEX users_created_at ON users (created_at, id);
CREATE INDEX users_external_id ON users (external_id);

-- Who somebody is to an OpenID provider: never their name, never their mail. Without a user: who
-- was deleted, and is not to be made anew.
CREATE TABLE identities (
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" REFERENCES users (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX identities_user_id ON identities (user_id);

CREATE TABLE tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    description TEXT,
    provider_id TEXT COLLATE "C" NOT NULL REFERENCES providers (id),
    key_prefix TEXT NOT NULL,
    scopes TEXT,
    expires_at BIGINT NOT NULL,
    created_by_kind TEXT,
    created_by_id TEXT,
    created_by_name TEXT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX tokens_owner_id ON tokens (owner_id, created_at, id);
CREATE INDEX tokens_provider_id ON tokens (provider_id, created_at, id);

-- A session without a user is that of a machine, which another issuer vouched for.
CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" REFERENCES users (id) ON DELETE CASCADE,
    workload TEXT,
    role_ids TEXT,
    provider_id TEXT COLLATE "C" NOT NULL REFERENCES providers (id),
    address TEXT,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);

CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_provider_id ON sessions (provider_id);
CREATE INDEX sessions_ends_at ON sessions (ends_at);

-- One of each session is current; the others were used, and using one again ends the session.
CREATE TABLE refresh_tokens (
    digest BYTEA NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    current BOOLEAN NOT NULL,
    ends_at BIGINT NOT NULL
);

CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);

-- The private half is sealed under the master key.
CREATE TABLE signing_keys (
    kid TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    public_key TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    retired_at BIGINT NOT NULL
);

-- What of one issuer is not accepted again: our own tokens that were revoked, and foreign ones that
-- were traded.
CREATE TABLE spent_tokens (
    issuer TEXT COLLATE "C" NOT NULL,
    jti TEXT COLLATE "C" NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, jti)
);

CREATE INDEX spent_tokens_ends_at ON spent_tokens (ends_at);

-- Failed sign-ins in a row, by a digest of the name or by the address.
CREATE TABLE sign_in_failures (
    subject TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at BIGINT NOT NULL
);

CREATE INDEX sign_in_failures_last_at ON sign_in_failures (last_at);

-- How often a credential was checked in each hour, by how it went.
CREATE TABLE usage_hours (
    credential_id TEXT COLLATE "C" NOT NULL,
    hour BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    checks BIGINT NOT NULL,
    PRIMARY KEY (credential_id, hour, outcome)
);

CREATE INDEX usage_hours_hour ON usage_hours (hour);

CREATE TABLE last_uses (
    credential_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    address TEXT,
    user_agent TEXT
);
