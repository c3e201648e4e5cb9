-- The earlier version goes on with the playbooks; snapshots become backups that were requested.
UPDATE builds SET step = 'playbooks' WHERE step = 'snapshot';
DELETE FROM build_steps WHERE step = 'snapshot';
ALTER TABLE builds DROP CONSTRAINT builds_step_check, ADD CONSTRAINT builds_step_check
    CHECK (step IN ('pin', 'checkout', 'resources', 'server', 'playbooks', 'reboot', 'checks'));
ALTER TABLE build_steps DROP CONSTRAINT build_steps_step_check, ADD CONSTRAINT build_steps_step_check
    CHECK (step IN ('pin', 'checkout', 'resources', 'server', 'playbooks', 'reboot', 'checks'));
DROP INDEX instances_with_migration_page;
DROP TABLE migrating_builds;
DROP FUNCTION refuse_migrating_build_move;
ALTER TABLE backups DISABLE TRIGGER backups_move_in_order;
UPDATE backups SET reason = 'requested' WHERE reason = 'migration';
ALTER TABLE backups ENABLE TRIGGER backups_move_in_order;
ALTER TABLE backups DROP CONSTRAINT backups_reason_check, ADD CONSTRAINT backups_reason_check
    CHECK (reason IN ('requested', 'scheduled'));
COMMENT ON COLUMN backups.reason IS 'requested: kept until its deletion is requested; scheduled: the newest are kept.';
