-- People: some sign in elsewhere only, some may not sign in any more.
ALTER TABLE users
    ALTER COLUMN password_hash DROP NOT NULL,
    ADD COLUMN version     BIGINT      NOT NULL DEFAULT 1,
    ADD COLUMN disabled_at TIMESTAMPTZ,
    ADD COLUMN last_login  TIMESTAMPTZ;
COMMENT ON COLUMN users.password_hash IS 'Argon2id in PHC form; null: signs in elsewhere only.';
COMMENT ON COLUMN users.version IS 'Counts changes; the ETag.';
COMMENT ON COLUMN users.disabled_at IS 'Since when the user may not sign in; null: may.';
COMMENT ON COLUMN users.last_login IS 'When they last signed in.';

CREATE TABLE user_identities (
    provider TEXT        NOT NULL CHECK (provider IN ('oidc', 'github')),
    subject  TEXT        NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
    user_id  BIGINT      NOT NULL REFERENCES users ON DELETE CASCADE,
    created  TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, subject)
);
COMMENT ON TABLE user_identities IS 'Who signs in elsewhere is which user here.';
COMMENT ON COLUMN user_identities.provider IS 'Where: OpenID Connect or GitHub.';
COMMENT ON COLUMN user_identities.subject IS 'Who they are there, for ever: never the mail address or the name.';
COMMENT ON COLUMN user_identities.user_id IS 'Who they are here.';
COMMENT ON COLUMN user_identities.created IS 'When they first came.';
CREATE INDEX user_identities_user_id ON user_identities (user_id);

ALTER TABLE sessions
    ADD COLUMN id         BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN last_seen  TIMESTAMPTZ NOT NULL DEFAULT now(),
    ADD COLUMN address    TEXT        CHECK (char_length(address) <= 45),
    ADD COLUMN user_agent TEXT        CHECK (char_length(user_agent) <= 300);
COMMENT ON COLUMN sessions.id IS 'What the owner calls it by.';
COMMENT ON COLUMN sessions.last_seen IS 'When it was last used, to the minute.';
COMMENT ON COLUMN sessions.address IS 'Where it was last used from.';
COMMENT ON COLUMN sessions.user_agent IS 'What the browser said it was when they signed in.';
CREATE INDEX sessions_expires ON sessions (expires);

ALTER TABLE api_tokens
    ADD COLUMN scopes TEXT[] NOT NULL DEFAULT '{read,deploy,activate,admin}'
        CHECK (scopes <@ ARRAY['read', 'deploy', 'activate', 'admin'] AND cardinality(scopes) BETWEEN 1 AND 4);
ALTER TABLE api_tokens ALTER COLUMN scopes DROP DEFAULT;
COMMENT ON COLUMN api_tokens.scopes IS 'What it is for, within what its role may.';

ALTER TABLE login_failures ADD COLUMN address TEXT CHECK (char_length(address) <= 45);
COMMENT ON COLUMN login_failures.address IS 'Where it was tried from.';
CREATE INDEX login_failures_address_at ON login_failures (address, at);

-- Whoever has a stream open is told at once when what they came with ends, in every process and however it ends.
CREATE FUNCTION tell_of_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ocim_access', to_jsonb(OLD) ->> TG_ARGV[0]);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION tell_of_access() IS 'Tells listeners whose rights have changed.';
CREATE TRIGGER sessions_tell AFTER DELETE OR UPDATE OF token_hash, expires ON sessions
    FOR EACH ROW EXECUTE FUNCTION tell_of_access('user_id');
CREATE TRIGGER api_tokens_tell AFTER DELETE OR UPDATE OF role, scopes, expires ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION tell_of_access('user_id');
CREATE TRIGGER users_tell AFTER UPDATE OF role, disabled_at, password_hash ON users
    FOR EACH ROW EXECUTE FUNCTION tell_of_access('id');

-- The audit log says from where, what it was before and after, and what was refused.
ALTER TABLE audit_log
    ADD COLUMN user_id    BIGINT,
    ADD COLUMN token_id   BIGINT,
    ADD COLUMN address    TEXT,
    ADD COLUMN request_id TEXT,
    ADD COLUMN outcome    TEXT NOT NULL DEFAULT 'done' CHECK (outcome IN ('done', 'refused')),
    ADD COLUMN before     JSONB,
    ADD COLUMN after      JSONB,
    ADD COLUMN reason     TEXT;
COMMENT ON COLUMN audit_log.user_id IS 'Who, by id; null: nobody who is signed in.';
COMMENT ON COLUMN audit_log.token_id IS 'The API token that was used; null: a browser, or the program itself.';
COMMENT ON COLUMN audit_log.address IS 'Where the request came from.';
COMMENT ON COLUMN audit_log.request_id IS 'The request, as in the log.';
COMMENT ON COLUMN audit_log.outcome IS 'Whether it was done or refused.';
COMMENT ON COLUMN audit_log.before IS 'What was changed, as it was; secrets hidden.';
COMMENT ON COLUMN audit_log.after IS 'The same as it is since; secrets hidden.';
COMMENT ON COLUMN audit_log.reason IS 'Why, in their words; of a refusal, the problem''s.';
CREATE INDEX audit_log_at ON audit_log (at);
CREATE INDEX audit_log_actor ON audit_log (actor, id DESC);
CREATE INDEX audit_log_action ON audit_log (action, id DESC);
CREATE INDEX audit_log_instance ON audit_log (instance_id, id DESC) WHERE instance_id IS NOT NULL;
CREATE INDEX audit_log_app_server ON audit_log (app_server_id, id DESC) WHERE app_server_id IS NOT NULL;
CREATE INDEX audit_log_refused ON audit_log (id DESC) WHERE outcome = 'refused';

CREATE TABLE idempotency_keys (
    user_id  BIGINT      NOT NULL REFERENCES users ON DELETE CASCADE,
    key      TEXT        NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    request  BYTEA       NOT NULL CHECK (octet_length(request) = 32),
    created  TIMESTAMPTZ NOT NULL DEFAULT now(),
    status   SMALLINT,
    location TEXT,
    etag     TEXT,
    body     BYTEA,
    PRIMARY KEY (user_id, key)
);
COMMENT ON TABLE idempotency_keys IS 'Answers that are given again when a request comes again.';
COMMENT ON COLUMN idempotency_keys.user_id IS 'Whose request.';
COMMENT ON COLUMN idempotency_keys.key IS 'What they called it (Idempotency-Key).';
COMMENT ON COLUMN idempotency_keys.request IS 'SHA-256 of method, path and body: the same key is for the same request.';
COMMENT ON COLUMN idempotency_keys.created IS 'When it first came.';
COMMENT ON COLUMN idempotency_keys.status IS 'The answer''s status; null while it is worked at.';
COMMENT ON COLUMN idempotency_keys.location IS 'The answer''s Location.';
COMMENT ON COLUMN idempotency_keys.etag IS 'The answer''s ETag.';
COMMENT ON COLUMN idempotency_keys.body IS 'The answer''s body.';
CREATE INDEX idempotency_keys_created ON idempotency_keys (created);

CREATE TABLE secrets (
    id          TEXT        PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
    instance_id BIGINT      NOT NULL REFERENCES instances,
    key_id      TEXT        NOT NULL,
    sealed      BYTEA       NOT NULL CHECK (octet_length(sealed) >= 40),
    created     TIMESTAMPTZ NOT NULL DEFAULT now()
);
COMMENT ON TABLE secrets IS 'Secret values of settings and variables, which hold only their ids.';
COMMENT ON COLUMN secrets.id IS '128 random bits; a document names it as {"$secret": id}.';
COMMENT ON COLUMN secrets.instance_id IS 'Whose secret it is, or whose app server''s.';
COMMENT ON COLUMN secrets.key_id IS 'The key that it is encrypted with.';
COMMENT ON COLUMN secrets.sealed IS '24 bytes of nonce, then XChaCha20-Poly1305 of the value as JSON; the id is authenticated with it.';
COMMENT ON COLUMN secrets.created IS 'When it was stored.';
CREATE INDEX secrets_key_id ON secrets (key_id);
CREATE INDEX secrets_instance_id ON secrets (instance_id);

-- What lists sort and filter by.
CREATE INDEX instances_name ON instances (name, id);
CREATE INDEX instances_domain ON instances (domain, id);
CREATE INDEX instances_created ON instances (created, id);
CREATE INDEX instances_modified ON instances (modified, id);
CREATE INDEX instances_archived ON instances (id) WHERE archived_at IS NOT NULL;
CREATE FUNCTION search_words(VARIADIC texts TEXT[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT to_tsvector('simple'::regconfig, translate(array_to_string(texts, ' '), '.-_/@:', '      ')) $$;
COMMENT ON FUNCTION search_words IS 'The words of texts, as ?q= looks for them.';
CREATE INDEX instances_words ON instances USING gin (search_words(name, domain));
CREATE INDEX app_servers_status ON app_servers (status, id DESC);
CREATE INDEX log_entries_of_instance ON log_entries (instance_id, id DESC);
CREATE INDEX servers_status ON servers (status, id DESC);
