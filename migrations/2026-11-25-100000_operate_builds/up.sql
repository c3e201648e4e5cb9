-- Instances: put away, held, ranked in the queue, and for how long what is not needed stays.
ALTER TABLE instances
    ADD COLUMN archived_at     TIMESTAMPTZ,
    ADD COLUMN archived_by     TEXT,
    ADD COLUMN tier            TEXT    NOT NULL DEFAULT 'production' CHECK (tier IN ('production', 'preview')),
    ADD COLUMN max_builds      INTEGER NOT NULL DEFAULT 1 CHECK (max_builds BETWEEN 1 AND 20),
    ADD COLUMN retention_hours INTEGER CHECK (retention_hours BETWEEN 1 AND 8760),
    ADD COLUMN hold_at         TIMESTAMPTZ,
    ADD COLUMN hold_by         TEXT,
    ADD COLUMN hold_reason     TEXT    CHECK (char_length(hold_reason) <= 500),
    ADD CHECK ((archived_at IS NULL) = (archived_by IS NULL)),
    ADD CHECK (archived_at IS NULL OR active_app_server_id IS NULL),
    ADD CHECK ((hold_at IS NULL) = (hold_by IS NULL));
COMMENT ON COLUMN instances.archived_at IS 'When it was put away; null while it is in use.';
COMMENT ON COLUMN instances.archived_by IS 'Who put it away.';
COMMENT ON COLUMN instances.tier IS 'Builds of production begin before those of previews.';
COMMENT ON COLUMN instances.max_builds IS 'How many of its app servers may be built at once.';
COMMENT ON COLUMN instances.retention_hours IS 'How long an app server that is not needed any more keeps its machine; null: the setting.';
COMMENT ON COLUMN instances.hold_at IS 'Since when automation may not activate; null while it may.';
COMMENT ON COLUMN instances.hold_by IS 'Who set the hold.';
COMMENT ON COLUMN instances.hold_reason IS 'Why, in their words.';

-- App servers: what caused them.
ALTER TABLE app_servers
    ADD COLUMN trigger      TEXT    NOT NULL DEFAULT 'user'
               CHECK (trigger IN ('user', 'token', 'pull_request', 'schedule', 'retry')),
    ADD COLUMN attempt      INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN num_attempts INTEGER NOT NULL DEFAULT 1 CHECK (num_attempts BETWEEN 1 AND 10),
    ADD COLUMN retry_of     BIGINT  UNIQUE REFERENCES app_servers,
    ADD CHECK (attempt BETWEEN 1 AND num_attempts),
    ADD CHECK ((trigger = 'retry') = (retry_of IS NOT NULL));
COMMENT ON COLUMN app_servers.trigger IS 'What caused the launch.';
COMMENT ON COLUMN app_servers.attempt IS 'Which try this is, from 1.';
COMMENT ON COLUMN app_servers.num_attempts IS 'How many tries there are at most.';
COMMENT ON COLUMN app_servers.retry_of IS 'The try before, which failed.';

-- Builds: begun, to be stopped, to be activated, expected to end.
ALTER TABLE builds
    ADD COLUMN begun_at              TIMESTAMPTZ,
    ADD COLUMN estimated_end         TIMESTAMPTZ,
    ADD COLUMN stop_requested_at     TIMESTAMPTZ,
    ADD COLUMN stop_requested_by     TEXT,
    ADD COLUMN stop_reason           TEXT    CHECK (char_length(stop_reason) <= 500),
    ADD COLUMN activate_when_running BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN activate_requested_by TEXT,
    ADD COLUMN activate_reason       TEXT    CHECK (char_length(activate_reason) <= 500),
    ADD COLUMN activate_drain_limit_seconds INTEGER CHECK (activate_drain_limit_seconds BETWEEN 0 AND 3600),
    ADD COLUMN mail_owed             BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN mail_tries            INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN mail_due              TIMESTAMPTZ,
    ADD CHECK ((stop_requested_at IS NULL) = (stop_requested_by IS NULL));
UPDATE builds SET begun_at = now() WHERE step IS NOT NULL;
COMMENT ON COLUMN builds.begun_at IS 'When a worker first took it up; null while it is queued.';
COMMENT ON COLUMN builds.estimated_end IS 'When it should end, by earlier builds; null while nobody knows.';
COMMENT ON COLUMN builds.stop_requested_at IS 'When somebody asked for its stop.';
COMMENT ON COLUMN builds.stop_requested_by IS 'Who asked.';
COMMENT ON COLUMN builds.stop_reason IS 'Why, in their words.';
COMMENT ON COLUMN builds.activate_when_running IS 'Whether automation is still to activate it.';
COMMENT ON COLUMN builds.activate_requested_by IS 'Who wanted that.';
COMMENT ON COLUMN builds.activate_reason IS 'Why, in their words.';
COMMENT ON COLUMN builds.activate_drain_limit_seconds IS 'How long the one it replaces may drain then; null: the setting.';
COMMENT ON COLUMN builds.mail_owed IS 'Whether the mail about its failure is still to be sent.';
COMMENT ON COLUMN builds.mail_tries IS 'How often that was tried.';
COMMENT ON COLUMN builds.mail_due IS 'When it may be tried again; null: now. In the future also while somebody tries.';
CREATE INDEX builds_held ON builds (app_server_id) WHERE lease_holder IS NOT NULL;
CREATE INDEX builds_to_activate ON builds (app_server_id) WHERE activate_when_running;
CREATE INDEX builds_mail_owed ON builds (app_server_id) WHERE mail_owed;

-- Machines: to be taken away, or gone by themselves.
ALTER TABLE servers
    ADD COLUMN termination_requested_at TIMESTAMPTZ,
    ADD COLUMN termination_requested_by TEXT,
    ADD COLUMN missing_since            TIMESTAMPTZ,
    ADD CHECK ((termination_requested_at IS NULL) = (termination_requested_by IS NULL));
COMMENT ON COLUMN servers.termination_requested_at IS 'When its end was decided; null while it may stay.';
COMMENT ON COLUMN servers.termination_requested_by IS 'Who decided it.';
COMMENT ON COLUMN servers.missing_since IS 'Since when its provider does not know it; null while it does.';
CREATE INDEX servers_to_terminate ON servers (id) WHERE termination_requested_at IS NOT NULL AND status <> 'terminated';
CREATE INDEX servers_alive ON servers (id) WHERE status <> 'terminated';

CREATE TABLE app_server_retention (
    app_server_id  BIGINT PRIMARY KEY REFERENCES app_servers,
    pinned_at      TIMESTAMPTZ,
    pinned_by      TEXT,
    pin_reason     TEXT CHECK (char_length(pin_reason) <= 500),
    unneeded_since TIMESTAMPTZ,
    terminates_at  TIMESTAMPTZ,
    CHECK ((unneeded_since IS NULL) = (terminates_at IS NULL)),
    CHECK ((pinned_at IS NULL) = (pinned_by IS NULL))
);
COMMENT ON TABLE app_server_retention IS 'Which app servers are kept, and since when others are not needed any more.';
COMMENT ON COLUMN app_server_retention.app_server_id IS 'Which one.';
COMMENT ON COLUMN app_server_retention.pinned_at IS 'Since when a person keeps it; null: nobody does.';
COMMENT ON COLUMN app_server_retention.pinned_by IS 'Who keeps it.';
COMMENT ON COLUMN app_server_retention.pin_reason IS 'Why, in their words.';
COMMENT ON COLUMN app_server_retention.unneeded_since IS 'Since when it is neither active, fallback, newest candidate nor pinned.';
COMMENT ON COLUMN app_server_retention.terminates_at IS 'When its machine is taken away unless it is needed again before.';

-- Activations: how they came about, and the end of the one before.
ALTER TABLE activations
    ADD COLUMN kind                TEXT    NOT NULL DEFAULT 'manual' CHECK (kind IN ('manual', 'automatic', 'rollback')),
    ADD COLUMN is_forced           BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN drain_limit_seconds INTEGER CHECK (drain_limit_seconds BETWEEN 0 AND 3600),
    ADD COLUMN drained_at          TIMESTAMPTZ;
COMMENT ON COLUMN activations.kind IS 'By a person, by automation, or back to an earlier one.';
COMMENT ON COLUMN activations.is_forced IS 'Whether the checks were skipped.';
COMMENT ON COLUMN activations.drain_limit_seconds IS 'How long requests under way may hold up the end of the one that was replaced; null: nothing drains.';
COMMENT ON COLUMN activations.drained_at IS 'When the one that was replaced had no request under way any more, or its time was over.';
CREATE INDEX activations_draining ON activations (replaced_app_server_id)
    WHERE drain_limit_seconds IS NOT NULL AND drained_at IS NULL;

CREATE TABLE queue_pause (
    is_paused BOOLEAN     PRIMARY KEY DEFAULT true CHECK (is_paused),
    paused_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    paused_by TEXT        NOT NULL,
    reason    TEXT        CHECK (char_length(reason) <= 500)
);
COMMENT ON TABLE queue_pause IS 'Its one row says that no queued build begins.';
COMMENT ON COLUMN queue_pause.is_paused IS 'True: there is one row at most.';
COMMENT ON COLUMN queue_pause.paused_at IS 'Since when.';
COMMENT ON COLUMN queue_pause.paused_by IS 'Who did it.';
COMMENT ON COLUMN queue_pause.reason IS 'Why, in their words.';

CREATE TABLE workers (
    id          TEXT        PRIMARY KEY,
    hostname    TEXT        NOT NULL,
    version     TEXT        NOT NULL,
    slots       INTEGER     NOT NULL CHECK (slots > 0),
    started     TIMESTAMPTZ NOT NULL DEFAULT now(),
    seen        TIMESTAMPTZ NOT NULL DEFAULT now(),
    is_draining BOOLEAN     NOT NULL DEFAULT false,
    trouble     TEXT
);
COMMENT ON TABLE workers IS 'Processes that build. One that was not seen for a while is dead.';
COMMENT ON COLUMN workers.id IS 'As leases name it: host/pid/start time.';
COMMENT ON COLUMN workers.hostname IS 'For people.';
COMMENT ON COLUMN workers.version IS 'The program''s version.';
COMMENT ON COLUMN workers.slots IS 'How many builds it does at once.';
COMMENT ON COLUMN workers.started IS 'When it started.';
COMMENT ON COLUMN workers.seen IS 'Its last sign of life.';
COMMENT ON COLUMN workers.is_draining IS 'Whether it ends its builds and begins no other.';
COMMENT ON COLUMN workers.trouble IS 'Why it begins no build, in words; null while it does.';

CREATE TABLE installation (
    is_only BOOLEAN PRIMARY KEY DEFAULT true CHECK (is_only),
    id      TEXT    NOT NULL DEFAULT gen_random_uuid()::text,
    compared_at     TIMESTAMPTZ,
    comparison_note TEXT,
    local_site      TEXT
);
COMMENT ON TABLE installation IS 'Who we are to providers: its one row is in the metadata of every machine.';
COMMENT ON COLUMN installation.is_only IS 'True: there is one row.';
COMMENT ON COLUMN installation.id IS 'Tells our machines from those of another database.';
COMMENT ON COLUMN installation.compared_at IS 'When provider and database were last compared; null: not yet.';
COMMENT ON COLUMN installation.comparison_note IS 'What was odd about the last attempt, in words; null: nothing.';
COMMENT ON COLUMN installation.local_site IS 'The one data directory with local machines; null: there is none.';
INSERT INTO installation DEFAULT VALUES;

CREATE TABLE orphans (
    kind        TEXT        NOT NULL CHECK (kind IN ('unowned', 'missing')),
    provider    TEXT        NOT NULL,
    provider_id TEXT        NOT NULL,
    server_id   BIGINT      NOT NULL,
    first_seen  TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_seen   TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, provider, provider_id)
);
COMMENT ON TABLE orphans IS 'Where provider and database differ, as the last comparison found it.';
COMMENT ON COLUMN orphans.kind IS 'unowned: a machine of ours that no app server owns. missing: an app server''s machine that the provider does not have.';
COMMENT ON COLUMN orphans.provider IS 'Whose machine it is.';
COMMENT ON COLUMN orphans.provider_id IS 'What the provider calls it.';
COMMENT ON COLUMN orphans.server_id IS 'The id in its metadata; it need not exist in servers.';
COMMENT ON COLUMN orphans.first_seen IS 'When it was first found; it is left alone for a while from then.';
COMMENT ON COLUMN orphans.last_seen IS 'When it was last found.';

ALTER TABLE log_counters ADD COLUMN pruned_at TIMESTAMPTZ;
COMMENT ON COLUMN log_counters.pruned_at IS 'When its lines were removed, their time being over; null while they are there.';
CREATE INDEX events_created ON events (created);
CREATE INDEX log_entries_of_instances_created ON log_entries (created) WHERE app_server_id IS NULL;

-- What is being taken away is never given traffic, and what has traffic is never taken away.
CREATE OR REPLACE FUNCTION refuse_activation_of_unbuilt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active_app_server_id IS DISTINCT FROM OLD.active_app_server_id AND NEW.active_app_server_id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM app_servers AS a JOIN servers AS s ON s.id = a.server_id
           WHERE a.id = NEW.active_app_server_id AND a.status = 'running' AND s.termination_requested_at IS NULL) THEN
        RAISE EXCEPTION 'app server % is not running', NEW.active_app_server_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION refuse_end_of_active() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.termination_requested_at IS NOT NULL AND OLD.termination_requested_at IS NULL
       AND EXISTS (SELECT 1 FROM app_servers AS a JOIN instances AS i ON i.active_app_server_id = a.id
           WHERE a.server_id = NEW.id) THEN
        RAISE EXCEPTION 'the app server of server % is active', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER active_ones_keep_their_servers BEFORE UPDATE ON servers
    FOR EACH ROW EXECUTE FUNCTION refuse_end_of_active();

-- The audit log only grows, but for entries whose time, as the operator set it, is over.
CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('ocim.housekeeping', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'integrity_constraint_violation';
END $$;
