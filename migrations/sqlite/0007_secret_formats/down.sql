ALTER TABLE formats DROP COLUMN counted;
ALTER TABLE secrets DROP COLUMN format;
