-- Good for one request each, and for minutes. What a ticket opens, and for whom, is sealed under the
-- master key.
CREATE TABLE tickets (
    digest BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;

CREATE INDEX tickets_ends_at ON tickets (ends_at);
