-- Who follows the feed and may believe what it remembers. Only a cluster has rows here: the server
-- of a file is alone.
CREATE TABLE nodes (
    incarnation TEXT NOT NULL PRIMARY KEY,
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    -- Goes up with each look: a row whose beat stands still for a lease may be removed.
    beat BIGINT NOT NULL,
    position BIGINT NOT NULL,
    settled BIGINT NOT NULL,
    followers BIGINT NOT NULL,
    unproven BIGINT NOT NULL
);

-- Every look writes its row: room for that beside it spares the index.
ALTER TABLE nodes SET (fillfactor = 20);
