-- Public SSH keys of people, and who may log in to which machine.
CREATE TABLE user_ssh_keys (
    id          BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     BIGINT      NOT NULL REFERENCES users ON DELETE CASCADE,
    name        TEXT        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    algorithm   TEXT        NOT NULL CHECK (algorithm ~ '^[a-z0-9@.-]{1,64}$'),
    data        TEXT        NOT NULL CHECK (data ~ '^[A-Za-z0-9+/]+={0,2}$' AND length(data) <= 8000),
    comment     TEXT        NOT NULL CHECK (char_length(comment) <= 255),
    fingerprint TEXT        NOT NULL UNIQUE CHECK (fingerprint ~ '^SHA256:[A-Za-z0-9+/]{43}$'),
    created     TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX user_ssh_keys_user ON user_ssh_keys (user_id, id);
COMMENT ON TABLE user_ssh_keys IS 'Public SSH keys of users, with which they log in to machines if their role allows it.';
COMMENT ON COLUMN user_ssh_keys.id IS 'Given out once.';
COMMENT ON COLUMN user_ssh_keys.user_id IS 'The user who holds the private key.';
COMMENT ON COLUMN user_ssh_keys.name IS 'The name that the user gave the key.';
COMMENT ON COLUMN user_ssh_keys.algorithm IS 'The first word of the key in authorized_keys: ssh-ed25519.';
COMMENT ON COLUMN user_ssh_keys.data IS 'The key itself in Base64, the second word.';
COMMENT ON COLUMN user_ssh_keys.comment IS 'What stood behind the key; shown, and never written to a machine.';
COMMENT ON COLUMN user_ssh_keys.fingerprint IS 'SHA256: and the hash in Base64, as ssh-keygen -l prints it. No two users have the same key.';
COMMENT ON COLUMN user_ssh_keys.created IS 'When it was added.';

-- What is known of teams outside of this program, so that an outage there takes no access away.
CREATE TABLE ssh_teams (
    team     TEXT        PRIMARY KEY CHECK (char_length(team) BETWEEN 3 AND 201),
    members  JSONB       NOT NULL DEFAULT '[]',
    read_at  TIMESTAMPTZ,
    tried_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    trouble  TEXT
);
COMMENT ON TABLE ssh_teams IS 'Teams whose members may log in to the machines of instances that name the team, as they were last read.';
COMMENT ON COLUMN ssh_teams.team IS 'Organization and team, in lower case: acme/owners.';
COMMENT ON COLUMN ssh_teams.members IS 'The members with their public keys: [{"login": "ada", "keys": ["ssh-ed25519 AAAA…"]}].';
COMMENT ON COLUMN ssh_teams.read_at IS 'When the members were last read; null: never.';
COMMENT ON COLUMN ssh_teams.tried_at IS 'When a worker last began to read them.';
COMMENT ON COLUMN ssh_teams.trouble IS 'Why the last attempt failed; null: it did not.';

CREATE TABLE server_access (
    server_id     BIGINT      PRIMARY KEY REFERENCES servers ON DELETE CASCADE,
    digest        TEXT,
    installed_at  TIMESTAMPTZ,
    claimed_until TIMESTAMPTZ,
    failures      INTEGER     NOT NULL DEFAULT 0,
    next_try      TIMESTAMPTZ,
    trouble       TEXT
);
COMMENT ON TABLE server_access IS 'Which SSH keys of people a machine was last given, and what keeps it from getting newer ones.';
COMMENT ON COLUMN server_access.server_id IS 'The machine.';
COMMENT ON COLUMN server_access.digest IS 'SHA-256 of the lines that were last installed; null: none ever were.';
COMMENT ON COLUMN server_access.installed_at IS 'When the machine last confirmed them; null: never.';
COMMENT ON COLUMN server_access.claimed_until IS 'Until when a worker writes to the machine, and no other may; null: no worker does.';
COMMENT ON COLUMN server_access.failures IS 'How many attempts in a row have failed.';
COMMENT ON COLUMN server_access.next_try IS 'When the next attempt is made after a failed one; null: at once.';
COMMENT ON COLUMN server_access.trouble IS 'Why the last attempt failed; null: it did not.';

CREATE TABLE server_grants (
    id           BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id    BIGINT      NOT NULL REFERENCES servers ON DELETE CASCADE,
    person       TEXT        NOT NULL,
    origin       TEXT        NOT NULL CHECK (origin IN ('user', 'team')),
    user_id      BIGINT,
    key_name     TEXT        NOT NULL,
    fingerprint  TEXT        NOT NULL CHECK (fingerprint ~ '^SHA256:[A-Za-z0-9+/]{43}$'),
    granted_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    confirmed_at TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ
);
CREATE UNIQUE INDEX server_grants_open ON server_grants (server_id, fingerprint) WHERE revoked_at IS NULL;
CREATE INDEX server_grants_server ON server_grants (server_id, id DESC);
COMMENT ON TABLE server_grants IS 'Who could log in to a machine, with which key, from when to when.';
COMMENT ON COLUMN server_grants.id IS 'Given out once.';
COMMENT ON COLUMN server_grants.server_id IS 'The machine.';
COMMENT ON COLUMN server_grants.person IS 'The name of the user, or the login of the member of a team, at that time.';
COMMENT ON COLUMN server_grants.origin IS 'user: by their role here; team: as a member of the team that the instance names.';
COMMENT ON COLUMN server_grants.user_id IS 'The user, also after they were deleted; null: a member of a team.';
COMMENT ON COLUMN server_grants.key_name IS 'The name that the user gave the key, or the team of the member.';
COMMENT ON COLUMN server_grants.fingerprint IS 'The fingerprint of the key, as sshd logs it.';
COMMENT ON COLUMN server_grants.granted_at IS 'When the key was about to be installed: it cannot have let anybody in before.';
COMMENT ON COLUMN server_grants.confirmed_at IS 'When the machine confirmed that it has the key; null: it has not.';
COMMENT ON COLUMN server_grants.revoked_at IS 'When the machine confirmed that it has the key no more, or ended; null: the key lets in.';

-- The end of a machine ends all grants on it.
CREATE FUNCTION end_server_grants() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE server_grants SET revoked_at = now() WHERE server_id = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER servers_end_grants AFTER UPDATE OF status ON servers
    FOR EACH ROW WHEN (NEW.status = 'terminated' AND OLD.status <> 'terminated') EXECUTE FUNCTION end_server_grants();
