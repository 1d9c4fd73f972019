-- What checks that let a credential in rested on: a permission, the method and path of an endpoint
-- rule, or an empty text where nobody knows. `last_at` is right to the day.
CREATE TABLE exercises (
    credential_id TEXT COLLATE "C" NOT NULL,
    exercise TEXT COLLATE "C" NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (credential_id, exercise)
);

CREATE INDEX exercises_last_at ON exercises (last_at);

-- Who still shows the old secret of a rotated key. What nobody told is an empty text.
CREATE TABLE old_secret_uses (
    credential_id TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    user_agent TEXT COLLATE "C" NOT NULL,
    checks BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (credential_id, address, user_agent)
);

CREATE INDEX old_secret_uses_last_at ON old_secret_uses (last_at);
