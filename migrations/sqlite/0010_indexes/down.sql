DROP INDEX api_keys_external_id;
CREATE INDEX api_keys_external_id ON api_keys (external_id);

DROP INDEX api_keys_disabled;
CREATE INDEX api_keys_enabled ON api_keys (enabled, created_at, id);

CREATE UNIQUE INDEX events_id ON events (id);
