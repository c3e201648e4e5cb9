-- Deploy keys and tokens of private repositories. Their secrets are rows of `secrets`, as those of instances are, so that a
-- rotation of the keys covers both.
CREATE TABLE source_credentials (
    id          BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      TEXT        NOT NULL UNIQUE CHECK (length(source) BETWEEN 1 AND 500),
    kind        TEXT        NOT NULL CHECK (kind IN ('deploy_key', 'token')),
    username    TEXT        CHECK (length(username) BETWEEN 1 AND 100),
    known_hosts TEXT        CHECK (length(known_hosts) BETWEEN 1 AND 20000),
    created_by  TEXT        NOT NULL,
    created     TIMESTAMPTZ NOT NULL DEFAULT now(),
    CHECK ((kind = 'deploy_key') = (known_hosts IS NOT NULL)),
    CHECK ((kind = 'token') = (username IS NOT NULL))
);
COMMENT ON TABLE source_credentials IS 'What proves to a git server that this program may read private repositories.';
COMMENT ON COLUMN source_credentials.id IS 'Given out once.';
COMMENT ON COLUMN source_credentials.source IS 'The repositories that it is for, in canonical form: one server, and a path that may end with /*.';
COMMENT ON COLUMN source_credentials.kind IS 'deploy_key (for ssh) or token (for https).';
COMMENT ON COLUMN source_credentials.username IS 'The login name sent with a token; null: a deploy key.';
COMMENT ON COLUMN source_credentials.known_hosts IS 'The host keys of the server of a deploy key, as in a known_hosts file; null: a token.';
COMMENT ON COLUMN source_credentials.created_by IS 'The name of the user who added it.';
COMMENT ON COLUMN source_credentials.created IS 'When it was added.';

ALTER TABLE secrets
    ALTER COLUMN instance_id DROP NOT NULL,
    ADD COLUMN source_credential_id BIGINT UNIQUE REFERENCES source_credentials ON DELETE CASCADE,
    ADD CONSTRAINT secrets_owner CHECK (num_nonnulls(instance_id, source_credential_id) = 1);
COMMENT ON COLUMN secrets.instance_id IS 'The instance whose secret it is, or whose app server''s; null if a source credential owns it.';
COMMENT ON COLUMN secrets.source_credential_id IS 'The source credential whose key or token it is; null: it is of an instance.';
