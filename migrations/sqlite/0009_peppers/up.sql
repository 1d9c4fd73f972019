-- Without a row there is one pepper, number 1, which comes from the root key. Each is sealed under
-- the root key; the highest number is the present one.
CREATE TABLE peppers (
    id INTEGER NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Whoever takes the head learns which pepper new secrets stand under.
ALTER TABLE feed_head ADD COLUMN pepper INTEGER NOT NULL DEFAULT 1;

-- Which pepper the digest is under, and what the digest was before its secret came under this one.
ALTER TABLE secrets ADD COLUMN pepper INTEGER NOT NULL DEFAULT 1;
ALTER TABLE secrets ADD COLUMN former_digest BLOB;
