-- Who follows the feed and may believe what it remembers. Only a cluster has rows here: the server
-- of a file is alone.
CREATE TABLE nodes (
    incarnation TEXT NOT NULL PRIMARY KEY,
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    -- Goes up with each look: a row whose beat stands still for a lease may be removed.
    beat INTEGER NOT NULL,
    position INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    followers INTEGER NOT NULL,
    unproven INTEGER NOT NULL
) STRICT;
