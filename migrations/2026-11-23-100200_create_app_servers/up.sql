CREATE TABLE servers (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         TEXT        NOT NULL,
    provider     TEXT        NOT NULL,
    provider_id  TEXT,
    status       TEXT        NOT NULL DEFAULT 'pending'
                 CHECK (status IN ('pending', 'building', 'booting', 'ready', 'terminated', 'unknown', 'failed')),
    public_ip    TEXT,
    ssh_address  TEXT,
    http_address TEXT,
    host_key     TEXT,
    boot_marker  TEXT,
    created      TIMESTAMPTZ NOT NULL DEFAULT now(),
    modified     TIMESTAMPTZ NOT NULL DEFAULT now(),
    CHECK (status <> 'ready' OR (provider_id IS NOT NULL AND ssh_address IS NOT NULL AND http_address IS NOT NULL))
);
COMMENT ON TABLE servers IS 'Machines. Each belongs to one app server.';
COMMENT ON COLUMN servers.id IS 'Given out once; kept in the machine''s metadata, so that it is found again.';
COMMENT ON COLUMN servers.name IS 'Its host name.';
COMMENT ON COLUMN servers.provider IS 'Who makes it.';
COMMENT ON COLUMN servers.provider_id IS 'What the provider calls it.';
COMMENT ON COLUMN servers.status IS 'Its life; moves are guarded below.';
COMMENT ON COLUMN servers.public_ip IS 'The address people are shown.';
COMMENT ON COLUMN servers.ssh_address IS 'Where sshd answers, address:port.';
COMMENT ON COLUMN servers.http_address IS 'Where the web server answers, address:port.';
COMMENT ON COLUMN servers.host_key IS 'The SSH host key to insist on, where it is known.';
COMMENT ON COLUMN servers.boot_marker IS 'What told the boot before a reboot from the one after.';
COMMENT ON COLUMN servers.created IS 'When it was wanted.';
COMMENT ON COLUMN servers.modified IS 'When it last changed.';

CREATE TABLE app_servers (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id  BIGINT      NOT NULL REFERENCES instances,
    server_id    BIGINT      NOT NULL UNIQUE REFERENCES servers,
    number       INTEGER     NOT NULL CHECK (number > 0),
    name         TEXT        NOT NULL,
    settings     JSONB       NOT NULL,
    variables    JSONB       NOT NULL,
    playbooks    JSONB       NOT NULL,
    variable_references JSONB NOT NULL,
    requested_by TEXT        NOT NULL,
    reason       TEXT        CHECK (char_length(reason) <= 500),
    created      TIMESTAMPTZ NOT NULL DEFAULT now(),
    status       TEXT        NOT NULL DEFAULT 'new'
                 CHECK (status IN ('new', 'waiting', 'configuring', 'running', 'failed', 'error', 'terminated', 'stopped')),
    failure      TEXT,
    modified     TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (instance_id, number),
    UNIQUE (instance_id, id),
    CHECK (failure IS NULL OR status IN ('failed', 'error'))
);
COMMENT ON TABLE app_servers IS 'Builds of an instance. All but status, failure and modified never changes: a trigger sees to it.';
COMMENT ON COLUMN app_servers.id IS 'Given out once.';
COMMENT ON COLUMN app_servers.instance_id IS 'Whose build it is.';
COMMENT ON COLUMN app_servers.server_id IS 'The machine it owns.';
COMMENT ON COLUMN app_servers.number IS 'Counts within the instance; never repeats.';
COMMENT ON COLUMN app_servers.name IS '«AppServer {number}».';
COMMENT ON COLUMN app_servers.settings IS 'The instance''s settings when it was launched.';
COMMENT ON COLUMN app_servers.variables IS 'The merged variables for Ansible.';
COMMENT ON COLUMN app_servers.playbooks IS 'What to run, in order.';
COMMENT ON COLUMN app_servers.variable_references IS 'Git references that the variables name.';
COMMENT ON COLUMN app_servers.requested_by IS 'Who or what launched it.';
COMMENT ON COLUMN app_servers.reason IS 'Why, in their words.';
COMMENT ON COLUMN app_servers.created IS 'When it was launched.';
COMMENT ON COLUMN app_servers.status IS 'How far the build has come; moves are guarded below.';
COMMENT ON COLUMN app_servers.failure IS 'Why it failed.';
COMMENT ON COLUMN app_servers.modified IS 'When the status last changed.';
CREATE INDEX app_servers_instance_newest ON app_servers (instance_id, id DESC);
CREATE INDEX app_servers_building ON app_servers (id) WHERE status IN ('new', 'waiting', 'configuring');

ALTER TABLE instances
    ADD FOREIGN KEY (id, active_app_server_id) REFERENCES app_servers (instance_id, id),
    ADD FOREIGN KEY (id, fallback_app_server_id) REFERENCES app_servers (instance_id, id);

CREATE TABLE app_server_pins (
    app_server_id BIGINT NOT NULL REFERENCES app_servers,
    repository    TEXT   NOT NULL,
    version       TEXT   NOT NULL,
    commit        TEXT   CHECK (commit ~ '^[0-9a-f]{40,64}$'),
    PRIMARY KEY (app_server_id, repository, version)
);
COMMENT ON TABLE app_server_pins IS 'Which commit a git reference was when the build began. Written once.';
COMMENT ON COLUMN app_server_pins.app_server_id IS 'Whose configuration names it.';
COMMENT ON COLUMN app_server_pins.repository IS 'URL or path.';
COMMENT ON COLUMN app_server_pins.version IS 'The branch, tag or commit that was asked for.';
COMMENT ON COLUMN app_server_pins.commit IS 'What it was; null before the build began, or where the repository could not be asked.';

CREATE TABLE builds (
    app_server_id  BIGINT      PRIMARY KEY REFERENCES app_servers,
    step           TEXT        CHECK (step IN ('pin', 'server', 'checkout', 'playbooks', 'reboot', 'checks')),
    playbook       INTEGER     NOT NULL DEFAULT 0,
    run            INTEGER     NOT NULL DEFAULT 0,
    spool_events   BIGINT      NOT NULL DEFAULT 0,
    spool_errors   BIGINT      NOT NULL DEFAULT 0,
    tasks_before   INTEGER     NOT NULL DEFAULT 0,
    tasks_done     INTEGER     NOT NULL DEFAULT 0,
    tasks_total    INTEGER     NOT NULL DEFAULT 0,
    task           TEXT,
    deadline       TIMESTAMPTZ,
    lease_holder   TEXT,
    lease_token    BIGINT      NOT NULL DEFAULT 0,
    lease_until    TIMESTAMPTZ,
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
);
COMMENT ON TABLE builds IS 'How far the making of an app server has come, and who is at it.';
COMMENT ON COLUMN builds.app_server_id IS 'What is made.';
COMMENT ON COLUMN builds.step IS 'The step under way; null before the first and after the last.';
COMMENT ON COLUMN builds.playbook IS 'Index of the playbook under way.';
COMMENT ON COLUMN builds.run IS 'Counts runs of playbooks, a repeated one too.';
COMMENT ON COLUMN builds.spool_events IS 'Bytes of the run''s event file that are in the log.';
COMMENT ON COLUMN builds.spool_errors IS 'Bytes of the run''s error file that are in the log.';
COMMENT ON COLUMN builds.tasks_before IS 'Ansible tasks that had ended when the playbook under way began.';
COMMENT ON COLUMN builds.tasks_done IS 'Ansible tasks that have ended.';
COMMENT ON COLUMN builds.tasks_total IS 'Ansible tasks known beforehand; 0 while unknown.';
COMMENT ON COLUMN builds.task IS 'The Ansible task under way.';
COMMENT ON COLUMN builds.deadline IS 'When the step under way is given up.';
COMMENT ON COLUMN builds.lease_holder IS 'The process that is at it: host/pid/start time.';
COMMENT ON COLUMN builds.lease_token IS 'Fences: counts holders; what an earlier holder writes is refused.';
COMMENT ON COLUMN builds.lease_until IS 'When others may take over, by this database''s clock.';

CREATE TABLE build_steps (
    app_server_id BIGINT      NOT NULL REFERENCES app_servers,
    step          TEXT        NOT NULL CHECK (step IN ('pin', 'server', 'checkout', 'playbooks', 'reboot', 'checks')),
    started       TIMESTAMPTZ NOT NULL DEFAULT now(),
    ended         TIMESTAMPTZ,
    is_ok         BOOLEAN,
    PRIMARY KEY (app_server_id, step),
    CHECK ((ended IS NULL) = (is_ok IS NULL))
);
COMMENT ON TABLE build_steps IS 'The timeline of a build.';
COMMENT ON COLUMN build_steps.app_server_id IS 'Whose build.';
COMMENT ON COLUMN build_steps.step IS 'Which step.';
COMMENT ON COLUMN build_steps.started IS 'When it first began.';
COMMENT ON COLUMN build_steps.ended IS 'When it ended.';
COMMENT ON COLUMN build_steps.is_ok IS 'Whether it did what it should.';

CREATE TABLE app_server_checks (
    app_server_id BIGINT      NOT NULL REFERENCES app_servers,
    position      INTEGER     NOT NULL,
    name          TEXT        NOT NULL,
    is_ok         BOOLEAN     NOT NULL,
    detail        TEXT        NOT NULL,
    checked_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (app_server_id, position)
);
COMMENT ON TABLE app_server_checks IS 'The last time the application was asked whether it works.';
COMMENT ON COLUMN app_server_checks.app_server_id IS 'Who was asked.';
COMMENT ON COLUMN app_server_checks.position IS 'Its place in the application''s list.';
COMMENT ON COLUMN app_server_checks.name IS 'What was asked.';
COMMENT ON COLUMN app_server_checks.is_ok IS 'Whether it answered as it should.';
COMMENT ON COLUMN app_server_checks.detail IS 'What it answered.';
COMMENT ON COLUMN app_server_checks.checked_at IS 'When.';

CREATE TABLE activations (
    id                     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id            BIGINT      NOT NULL,
    app_server_id          BIGINT      NOT NULL,
    replaced_app_server_id BIGINT,
    generation             BIGINT      NOT NULL,
    activated_by           TEXT        NOT NULL,
    reason                 TEXT        CHECK (char_length(reason) <= 500),
    activated_at           TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_at             TIMESTAMPTZ,
    UNIQUE (instance_id, generation),
    FOREIGN KEY (instance_id, app_server_id) REFERENCES app_servers (instance_id, id),
    FOREIGN KEY (instance_id, replaced_app_server_id) REFERENCES app_servers (instance_id, id)
);
COMMENT ON TABLE activations IS 'Every switch of an instance''s traffic.';
COMMENT ON COLUMN activations.id IS 'Given out once.';
COMMENT ON COLUMN activations.instance_id IS 'Whose traffic.';
COMMENT ON COLUMN activations.app_server_id IS 'Who got it.';
COMMENT ON COLUMN activations.replaced_app_server_id IS 'Who had it before.';
COMMENT ON COLUMN activations.generation IS 'The instance''s routing generation that it made.';
COMMENT ON COLUMN activations.activated_by IS 'Who asked.';
COMMENT ON COLUMN activations.reason IS 'Why, in their words.';
COMMENT ON COLUMN activations.activated_at IS 'When it was decided.';
COMMENT ON COLUMN activations.applied_at IS 'When the gateway had it.';

CREATE FUNCTION refuse_app_server_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - '{status,failure,modified}'::text[]) <> (to_jsonb(OLD) - '{status,failure,modified}'::text[]) THEN
        RAISE EXCEPTION 'app server % is immutable', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> OLD.status AND NOT (OLD.status, NEW.status) IN (
        ('new', 'waiting'), ('new', 'error'), ('new', 'stopped'),
        ('waiting', 'configuring'), ('waiting', 'error'), ('waiting', 'stopped'),
        ('configuring', 'running'), ('configuring', 'failed'), ('configuring', 'stopped'),
        ('running', 'terminated')) THEN
        RAISE EXCEPTION 'app server % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'terminated' AND EXISTS (SELECT 1 FROM instances WHERE active_app_server_id = OLD.id) THEN
        RAISE EXCEPTION 'app server % is active', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER app_servers_are_immutable BEFORE UPDATE ON app_servers
    FOR EACH ROW EXECUTE FUNCTION refuse_app_server_change();

CREATE FUNCTION refuse_server_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND NEW.status <> 'terminated' AND NOT (OLD.status, NEW.status) IN (
        ('pending', 'building'), ('building', 'booting'), ('building', 'failed'), ('booting', 'ready'), ('ready', 'booting'),
        ('building', 'unknown'), ('booting', 'unknown'), ('ready', 'unknown'),
        ('unknown', 'building'), ('unknown', 'booting'), ('unknown', 'ready')) THEN
        RAISE EXCEPTION 'server % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status = 'terminated' AND NEW.status <> 'terminated' THEN
        RAISE EXCEPTION 'server % is terminated', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER servers_move_as_they_may BEFORE UPDATE ON servers
    FOR EACH ROW EXECUTE FUNCTION refuse_server_move();

CREATE FUNCTION refuse_second_pin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.commit IS NOT NULL OR (to_jsonb(NEW) - 'commit') <> (to_jsonb(OLD) - 'commit') THEN
        RAISE EXCEPTION 'a pin of app server % is written once', OLD.app_server_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pins_are_written_once BEFORE UPDATE ON app_server_pins
    FOR EACH ROW EXECUTE FUNCTION refuse_second_pin();

CREATE FUNCTION refuse_activation_of_unbuilt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active_app_server_id IS DISTINCT FROM OLD.active_app_server_id AND NEW.active_app_server_id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM app_servers WHERE id = NEW.active_app_server_id AND status = 'running') THEN
        RAISE EXCEPTION 'app server % is not running', NEW.active_app_server_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_running_ones_are_active BEFORE UPDATE ON instances
    FOR EACH ROW EXECUTE FUNCTION refuse_activation_of_unbuilt();
