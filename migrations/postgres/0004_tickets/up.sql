-- Good for one request each, and for minutes. What a ticket opens, and for whom, is sealed under the
-- master key.
CREATE TABLE tickets (
    digest BYTEA NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL,
    ends_at BIGINT NOT NULL
);

CREATE INDEX tickets_ends_at ON tickets (ends_at);
