-- A browser that has signed in before is not kept out by the wrong passwords of others.
CREATE TABLE known_browsers (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    BIGINT      NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash BYTEA       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created    TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_seen  TIMESTAMPTZ NOT NULL DEFAULT now()
);
COMMENT ON TABLE known_browsers IS 'Browsers in which a user has signed in with a password: their wrong passwords are counted apart from those of others.';
COMMENT ON COLUMN known_browsers.id IS 'Given out once.';
COMMENT ON COLUMN known_browsers.user_id IS 'The user who signed in.';
COMMENT ON COLUMN known_browsers.token_hash IS 'SHA-256 of the secret in the browser''s cookie.';
COMMENT ON COLUMN known_browsers.created IS 'When the user first signed in there.';
COMMENT ON COLUMN known_browsers.last_seen IS 'When the user last signed in there.';
CREATE INDEX known_browsers_user_id ON known_browsers (user_id, last_seen);
CREATE INDEX known_browsers_last_seen ON known_browsers (last_seen);

ALTER TABLE login_failures ADD COLUMN browser TEXT CHECK (char_length(browser) <= 40);
COMMENT ON COLUMN login_failures.browser IS 'The known browser or the session that tried it, as kind/id; null: an unknown browser.';
COMMENT ON COLUMN login_failures.address IS 'The address that tried it; of IPv6, its network of 64 bits.';
CREATE INDEX login_failures_browser_at ON login_failures (browser, at) WHERE browser IS NOT NULL;
CREATE INDEX login_failures_at ON login_failures (at);

-- A name at GitHub may pass to another organization or team; its id does not.
CREATE TABLE sign_in_groups (
    provider   TEXT        NOT NULL CHECK (provider IN ('oidc', 'github')),
    name       TEXT        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 300),
    group_id   TEXT        NOT NULL CHECK (char_length(group_id) BETWEEN 1 AND 100),
    created    TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, name)
);
COMMENT ON TABLE sign_in_groups IS 'The permanent ids of groups that give a role, so that another group with the same name gives none.';
COMMENT ON COLUMN sign_in_groups.provider IS 'Where the group is.';
COMMENT ON COLUMN sign_in_groups.name IS 'The name as in OCIM_SIGN_IN_ROLES, in lower case.';
COMMENT ON COLUMN sign_in_groups.group_id IS 'The ids of organization and team at the first sign-in of a member.';
COMMENT ON COLUMN sign_in_groups.created IS 'When a member first signed in.';

-- Ids are given out before commit: a transaction that began earlier may commit after an event with a higher id was sent.
ALTER TABLE events
    ADD COLUMN transaction BIGINT,
    ADD COLUMN earliest    BIGINT;
ALTER TABLE events
    ALTER COLUMN transaction SET DEFAULT pg_current_xact_id()::text::bigint,
    ALTER COLUMN earliest    SET DEFAULT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
COMMENT ON COLUMN events.transaction IS 'The id of the transaction that wrote it; null: an earlier version did.';
COMMENT ON COLUMN events.earliest IS 'The earliest transaction that had not ended when it was written: events of this and later ones may have been committed after it.';
