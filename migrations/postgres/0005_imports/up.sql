-- How other stores hashed the secrets that were imported from them; sealed, for it may hold their
-- peppers.
CREATE TABLE import_schemes (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL
);

-- Secrets that nobody has shown yet. Until then `secrets` has a digest of the old hash; it goes
-- when the secret does.
CREATE TABLE imports (
    digest BYTEA NOT NULL PRIMARY KEY
        REFERENCES secrets (digest) ON UPDATE CASCADE ON DELETE CASCADE,
    key_id TEXT COLLATE "C" NOT NULL,
    scheme_id TEXT COLLATE "C" NOT NULL REFERENCES import_schemes (id),
    -- What it costs to compare one, in parts of what a beginning may cost.
    weight INTEGER NOT NULL,
    -- Of those that are found by their beginning and then compared.
    prefix_digest BYTEA,
    sealed BYTEA
);

CREATE INDEX imports_key_id ON imports (key_id);
CREATE INDEX imports_scheme_id ON imports (scheme_id);
CREATE INDEX imports_prefix_digest ON imports (prefix_digest) WHERE prefix_digest IS NOT NULL;
