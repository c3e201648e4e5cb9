CREATE TABLE log_counters (
    app_server_id BIGINT PRIMARY KEY REFERENCES app_servers,
    last_seq      BIGINT NOT NULL DEFAULT 0
);
COMMENT ON TABLE log_counters IS 'Numbers the log of each app server. Its row lock makes the numbers gapless in commit order.';
COMMENT ON COLUMN log_counters.app_server_id IS 'Whose log.';
COMMENT ON COLUMN log_counters.last_seq IS 'The highest number given.';

CREATE TABLE log_entries (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created       TIMESTAMPTZ NOT NULL DEFAULT now(),
    level         TEXT        NOT NULL CHECK (level IN ('INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    text          TEXT        NOT NULL,
    task          TEXT,
    instance_id   BIGINT      REFERENCES instances,
    app_server_id BIGINT      REFERENCES app_servers,
    server_id     BIGINT      REFERENCES servers,
    seq           BIGINT,
    CHECK ((app_server_id IS NULL) = (seq IS NULL)),
    UNIQUE (app_server_id, seq)
);
COMMENT ON TABLE log_entries IS 'What happened, for people. An app server''s log holds its machine''s entries too.';
COMMENT ON COLUMN log_entries.id IS 'Given out once.';
COMMENT ON COLUMN log_entries.created IS 'When it happened.';
COMMENT ON COLUMN log_entries.level IS 'How much it matters.';
COMMENT ON COLUMN log_entries.text IS 'The line.';
COMMENT ON COLUMN log_entries.task IS 'The Ansible task it came from.';
COMMENT ON COLUMN log_entries.instance_id IS 'The instance it is about.';
COMMENT ON COLUMN log_entries.app_server_id IS 'The app server it is about.';
COMMENT ON COLUMN log_entries.server_id IS 'The machine it is about.';
COMMENT ON COLUMN log_entries.seq IS '1, 2, 3, … within the app server''s log, without a gap.';
CREATE INDEX log_entries_instance ON log_entries (instance_id, id) WHERE app_server_id IS NULL;

CREATE TABLE events (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          TEXT        NOT NULL,
    created       TIMESTAMPTZ NOT NULL DEFAULT now(),
    instance_id   BIGINT,
    app_server_id BIGINT,
    server_id     BIGINT
);
COMMENT ON TABLE events IS 'What changed, as hints: whoever misses one reads the tables.';
COMMENT ON COLUMN events.id IS 'Given out once, in the order of writing.';
COMMENT ON COLUMN events.kind IS 'What happened.';
COMMENT ON COLUMN events.created IS 'When.';
COMMENT ON COLUMN events.instance_id IS 'The instance it is about.';
COMMENT ON COLUMN events.app_server_id IS 'The app server it is about.';
COMMENT ON COLUMN events.server_id IS 'The machine it is about.';

CREATE FUNCTION notify_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ocim_events', json_build_object('id', NEW.id, 'type', NEW.kind, 'created', NEW.created,
        'instance_id', NEW.instance_id, 'app_server_id', NEW.app_server_id, 'server_id', NEW.server_id)::text);
    RETURN NEW;
END $$;
CREATE TRIGGER events_are_told AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION notify_event();

CREATE TABLE audit_log (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    actor       TEXT        NOT NULL,
    action      TEXT        NOT NULL,
    instance_id BIGINT,
    app_server_id BIGINT,
    detail      JSONB       NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE audit_log IS 'Who did what. Rows are added, never changed or removed: a trigger sees to it.';
COMMENT ON COLUMN audit_log.id IS 'Given out once.';
COMMENT ON COLUMN audit_log.at IS 'When.';
COMMENT ON COLUMN audit_log.actor IS 'Who, by name.';
COMMENT ON COLUMN audit_log.action IS 'What, as the operation is called in the API.';
COMMENT ON COLUMN audit_log.instance_id IS 'The instance it was done to.';
COMMENT ON COLUMN audit_log.app_server_id IS 'The app server it was done to.';
COMMENT ON COLUMN audit_log.detail IS 'What else there is to know; no secret.';

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
