-- The format that a secret was drawn in; nothing for one that came from elsewhere.
ALTER TABLE secrets ADD COLUMN format TEXT;

-- Whether every secret of the format says so. Older ones do not, so theirs stay for ever.
ALTER TABLE formats ADD COLUMN counted BOOLEAN NOT NULL DEFAULT FALSE;
