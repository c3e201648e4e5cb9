CREATE TABLE users (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username      TEXT        NOT NULL UNIQUE CHECK (char_length(username) BETWEEN 1 AND 150),
    password_hash TEXT        NOT NULL,
    role          TEXT        NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    created       TIMESTAMPTZ NOT NULL DEFAULT now()
);
COMMENT ON TABLE users IS 'People who sign in.';
COMMENT ON COLUMN users.id IS 'Given out once.';
COMMENT ON COLUMN users.username IS 'What is typed to sign in.';
COMMENT ON COLUMN users.password_hash IS 'Argon2id in PHC form.';
COMMENT ON COLUMN users.role IS 'What they may do; each role includes the ones before it.';
COMMENT ON COLUMN users.created IS 'When the user was made.';

CREATE TABLE sessions (
    token_hash BYTEA       PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    user_id    BIGINT      NOT NULL REFERENCES users ON DELETE CASCADE,
    created    TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires    TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE sessions IS 'Browsers that are signed in.';
COMMENT ON COLUMN sessions.token_hash IS 'SHA-256 of the 256 random bits in the cookie.';
COMMENT ON COLUMN sessions.user_id IS 'Whose session it is.';
COMMENT ON COLUMN sessions.created IS 'When they signed in.';
COMMENT ON COLUMN sessions.expires IS 'When the session ends by itself.';
CREATE INDEX sessions_user_id ON sessions (user_id);

CREATE TABLE api_tokens (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    BIGINT      NOT NULL REFERENCES users ON DELETE CASCADE,
    name       TEXT        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    role       TEXT        NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    token_hash BYTEA       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created    TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires    TIMESTAMPTZ NOT NULL,
    last_used  TIMESTAMPTZ
);
COMMENT ON TABLE api_tokens IS 'What scripts sign in with.';
COMMENT ON COLUMN api_tokens.id IS 'Given out once.';
COMMENT ON COLUMN api_tokens.user_id IS 'Who made it; it goes with them.';
COMMENT ON COLUMN api_tokens.name IS 'What it is for.';
COMMENT ON COLUMN api_tokens.role IS 'What it may do; never more than its maker may at the time of use.';
COMMENT ON COLUMN api_tokens.token_hash IS 'SHA-256 of the 256 random bits shown once.';
COMMENT ON COLUMN api_tokens.created IS 'When it was made.';
COMMENT ON COLUMN api_tokens.expires IS 'When it stops working.';
COMMENT ON COLUMN api_tokens.last_used IS 'When it last worked, to the minute.';
CREATE INDEX api_tokens_user_id ON api_tokens (user_id);

CREATE TABLE login_failures (
    username TEXT        NOT NULL,
    at       TIMESTAMPTZ NOT NULL DEFAULT now()
);
COMMENT ON TABLE login_failures IS 'Wrong passwords of the last minutes, to slow down guessing.';
COMMENT ON COLUMN login_failures.username IS 'The name that was tried; it need not exist.';
COMMENT ON COLUMN login_failures.at IS 'When.';
CREATE INDEX login_failures_username_at ON login_failures (username, at);
