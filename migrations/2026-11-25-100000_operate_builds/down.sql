CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'integrity_constraint_violation';
END $$;
DROP TRIGGER active_ones_keep_their_servers ON servers;
DROP FUNCTION refuse_end_of_active;
CREATE OR REPLACE FUNCTION refuse_activation_of_unbuilt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active_app_server_id IS DISTINCT FROM OLD.active_app_server_id AND NEW.active_app_server_id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM app_servers WHERE id = NEW.active_app_server_id AND status = 'running') THEN
        RAISE EXCEPTION 'app server % is not running', NEW.active_app_server_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP INDEX events_created, log_entries_of_instances_created;
ALTER TABLE log_counters DROP COLUMN pruned_at;
DROP TABLE orphans, installation, workers, queue_pause, app_server_retention;
ALTER TABLE activations DROP COLUMN kind, DROP COLUMN is_forced, DROP COLUMN drain_limit_seconds, DROP COLUMN drained_at;
DROP INDEX servers_alive;
ALTER TABLE servers
    DROP COLUMN termination_requested_at, DROP COLUMN termination_requested_by, DROP COLUMN missing_since;
ALTER TABLE builds
    DROP COLUMN begun_at, DROP COLUMN estimated_end, DROP COLUMN stop_requested_at, DROP COLUMN stop_requested_by,
    DROP COLUMN stop_reason, DROP COLUMN activate_when_running, DROP COLUMN activate_requested_by,
    DROP COLUMN activate_reason, DROP COLUMN activate_drain_limit_seconds, DROP COLUMN mail_owed,
    DROP COLUMN mail_tries, DROP COLUMN mail_due;
DROP INDEX builds_held;
ALTER TABLE app_servers
    DROP COLUMN trigger, DROP COLUMN attempt, DROP COLUMN num_attempts, DROP COLUMN retry_of;
ALTER TABLE instances
    DROP COLUMN archived_at, DROP COLUMN archived_by, DROP COLUMN tier, DROP COLUMN max_builds, DROP COLUMN retention_hours,
    DROP COLUMN hold_at, DROP COLUMN hold_by, DROP COLUMN hold_reason;
