ALTER TABLE api_keys ADD COLUMN rate_limits TEXT NOT NULL DEFAULT '[]';
ALTER TABLE api_keys ADD COLUMN quota TEXT;
ALTER TABLE users ADD COLUMN rate_limits TEXT NOT NULL DEFAULT '[]';

-- How much of a key's quota is used, or held by a node that may use it.
CREATE TABLE quota_uses (
    key_id TEXT NOT NULL PRIMARY KEY REFERENCES api_keys (id) ON DELETE CASCADE,
    period BIGINT NOT NULL,
    used BIGINT NOT NULL
);
