ALTER TABLE secrets DROP COLUMN former_digest;
ALTER TABLE secrets DROP COLUMN pepper;
ALTER TABLE feed_head DROP COLUMN pepper;
DROP TABLE peppers;
