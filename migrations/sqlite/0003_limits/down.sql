DROP TABLE quota_uses;
ALTER TABLE users DROP COLUMN rate_limits;
ALTER TABLE api_keys DROP COLUMN quota;
ALTER TABLE api_keys DROP COLUMN rate_limits;
