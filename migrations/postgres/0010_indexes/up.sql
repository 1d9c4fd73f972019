-- Every index is paid for by every key that is made. These serve no query, or serve it for rows
-- that hardly any key has.
DROP INDEX events_id;

DROP INDEX api_keys_enabled;
CREATE INDEX api_keys_disabled ON api_keys (created_at, id) WHERE NOT enabled;

DROP INDEX api_keys_external_id;
CREATE INDEX api_keys_external_id ON api_keys (external_id) WHERE external_id IS NOT NULL;
