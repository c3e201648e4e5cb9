-- Accounts and databases that an instance has outside its machines. One shape for all kinds.
CREATE TABLE resources (
    id            BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id   BIGINT      NOT NULL REFERENCES instances,
    kind          TEXT        NOT NULL CHECK (kind IN ('mysql', 'postgresql', 'redis', 'mongodb')),
    part          TEXT        NOT NULL CHECK (part IN ('account', 'database')),
    name          TEXT        NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,31}$'),
    class         TEXT        NOT NULL CHECK (class IN ('made', 'given')),
    server        TEXT        CHECK (server ~ '^[a-z][a-z0-9-]{0,31}$'),
    place         JSONB,
    remote_name   TEXT        NOT NULL CHECK (char_length(remote_name) BETWEEN 1 AND 128),
    secret        JSONB       NOT NULL DEFAULT '{}',
    state         TEXT        NOT NULL DEFAULT 'wanted'
                  CHECK (state IN ('wanted', 'creating', 'present', 'failed', 'deleting', 'deleted')),
    password_due  BOOLEAN     NOT NULL DEFAULT false,
    trouble       TEXT        CHECK (char_length(trouble) <= 2000),
    size_bytes    BIGINT      CHECK (size_bytes >= 0),
    measured_at   TIMESTAMPTZ,
    claimed_until TIMESTAMPTZ,
    failures      INTEGER     NOT NULL DEFAULT 0 CHECK (failures >= 0),
    next_try      TIMESTAMPTZ,
    created       TIMESTAMPTZ NOT NULL DEFAULT now(),
    modified      TIMESTAMPTZ NOT NULL DEFAULT now(),
    CHECK ((part = 'account') = (name = 'account')),
    CHECK ((class = 'made') = (server IS NOT NULL)),
    CHECK ((class = 'given' AND part = 'account') = (place IS NOT NULL)),
    CHECK (kind <> 'mongodb' OR class = 'given'),
    CHECK (NOT password_due OR (part = 'account' AND class = 'made'))
);
-- Two launches at once make one set; two instances never share what ocim makes.
CREATE UNIQUE INDEX resources_live ON resources (instance_id, kind, name) WHERE state <> 'deleted';
CREATE UNIQUE INDEX resources_at_server ON resources (server, part, remote_name) WHERE state <> 'deleted' AND class = 'made';
CREATE INDEX resources_due ON resources (id) WHERE state = 'deleting' OR password_due;
COMMENT ON TABLE resources IS 'What instances have outside their machines. A row is written before its server is first asked, and stays after the deletion.';
COMMENT ON COLUMN resources.id IS 'Given out once.';
COMMENT ON COLUMN resources.instance_id IS 'The instance whose app servers use it.';
COMMENT ON COLUMN resources.kind IS 'The kind of its server.';
COMMENT ON COLUMN resources.part IS 'account: the user that app servers log in as, one of each kind; database: one that this user may use.';
COMMENT ON COLUMN resources.name IS 'The name that the application knows it by; account for an account.';
COMMENT ON COLUMN resources.class IS 'made: ocim makes and deletes it; given: the operator entered where it is.';
COMMENT ON COLUMN resources.server IS 'The name of the server in the settings; null: it is given.';
COMMENT ON COLUMN resources.place IS 'Host, port, TLS and options of a given account; null: of all others, the settings or the account say it.';
COMMENT ON COLUMN resources.remote_name IS 'Its name at the server; of a database of Redis, the number. Changes only while the state is wanted.';
COMMENT ON COLUMN resources.secret IS 'The password of an account, as a reference to a row of secrets; an empty document for databases, and after the deletion.';
COMMENT ON COLUMN resources.state IS 'How far it has come; moves are guarded below.';
COMMENT ON COLUMN resources.password_due IS 'Whether the server must still be told the password, which was replaced.';
COMMENT ON COLUMN resources.trouble IS 'Why the last attempt to make, find or delete it failed, without secrets; null: it did not.';
COMMENT ON COLUMN resources.size_bytes IS 'Its size when it was last measured; null: not known.';
COMMENT ON COLUMN resources.measured_at IS 'When its size was last measured; null: never.';
COMMENT ON COLUMN resources.claimed_until IS 'Until when one worker works on the account and its databases, and no other may; null: none does. Of accounts only.';
COMMENT ON COLUMN resources.failures IS 'How many attempts in a row to delete it, or to tell its server the password, have failed.';
COMMENT ON COLUMN resources.next_try IS 'When the next such attempt is made; null: at once.';
COMMENT ON COLUMN resources.created IS 'When it was first wanted.';
COMMENT ON COLUMN resources.modified IS 'When the state last changed.';

CREATE FUNCTION refuse_resource_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT (OLD.state, NEW.state) IN (
        ('wanted', 'creating'), ('wanted', 'deleted'),
        ('creating', 'wanted'), ('creating', 'present'), ('creating', 'failed'), ('creating', 'deleting'),
        ('present', 'deleting'),
        ('failed', 'creating'), ('failed', 'deleting'),
        ('deleting', 'deleted')) THEN
        RAISE EXCEPTION 'resource % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    -- What its server may have under a name is found again by that name only.
    IF (NEW.server, NEW.remote_name) IS DISTINCT FROM (OLD.server, OLD.remote_name)
        AND NOT (NEW.state = 'wanted' AND OLD.state IN ('wanted', 'creating')) THEN
        RAISE EXCEPTION 'resource % is at its server as %', OLD.id, OLD.remote_name
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION refuse_resource_move() IS 'Which state of a resource may follow which, and when its name may change.';
CREATE TRIGGER resources_move_in_order BEFORE UPDATE ON resources
    FOR EACH ROW EXECUTE FUNCTION refuse_resource_move();

ALTER TABLE app_servers ADD COLUMN resources JSONB NOT NULL DEFAULT '[]';
COMMENT ON COLUMN app_servers.resources IS 'The resources that its variables name, decided at launch: id, and the name at the server.';

ALTER TABLE builds DROP CONSTRAINT builds_step_check, ADD CONSTRAINT builds_step_check
    CHECK (step IN ('pin', 'checkout', 'resources', 'server', 'playbooks', 'reboot', 'checks'));
ALTER TABLE build_steps DROP CONSTRAINT build_steps_step_check, ADD CONSTRAINT build_steps_step_check
    CHECK (step IN ('pin', 'checkout', 'resources', 'server', 'playbooks', 'reboot', 'checks'));
