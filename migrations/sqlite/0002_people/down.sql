DROP TABLE last_uses;
DROP TABLE usage_hours;
DROP TABLE sign_in_failures;
DROP TABLE spent_tokens;
DROP TABLE signing_keys;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE tokens;
DROP TABLE identities;

DROP INDEX users_external_id;
DROP INDEX users_created_at;

ALTER TABLE users DROP COLUMN metadata;
ALTER TABLE users DROP COLUMN external_id;
ALTER TABLE users DROP COLUMN email;
ALTER TABLE users DROP COLUMN display_name;
