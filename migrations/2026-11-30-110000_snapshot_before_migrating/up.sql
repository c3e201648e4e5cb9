-- Builds that change the schema of databases outside the machines, and the snapshot that was taken before.
CREATE TABLE migrating_builds (
    app_server_id BIGINT      PRIMARY KEY,
    instance_id   BIGINT      NOT NULL,
    migrates_from TEXT        NOT NULL CHECK (char_length(migrates_from) <= 1000),
    migrates_to   TEXT        NOT NULL CHECK (char_length(migrates_to) <= 1000),
    has_page      BOOLEAN     NOT NULL,
    state         TEXT        NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'snapshot', 'migrating', 'done', 'abandoned',
        'restoring', 'restored', 'needs_person', 'dismissed')),
    backup_id     BIGINT      REFERENCES backups ON DELETE SET NULL,
    snapshot_at   TIMESTAMPTZ,
    exposed_at    TIMESTAMPTZ,
    is_retried    BOOLEAN     NOT NULL DEFAULT false,
    trouble       TEXT        CHECK (char_length(trouble) <= 2000),
    created       TIMESTAMPTZ NOT NULL DEFAULT now(),
    modified      TIMESTAMPTZ NOT NULL DEFAULT now(),
    FOREIGN KEY (instance_id, app_server_id) REFERENCES app_servers (instance_id, id),
    CHECK (state <> 'planned' OR backup_id IS NULL),
    CHECK (state NOT IN ('migrating', 'done', 'restoring', 'restored', 'needs_person') OR snapshot_at IS NOT NULL),
    CHECK (state <> 'restoring' OR has_page),
    CHECK (NOT is_retried OR state IN ('restoring', 'restored', 'needs_person', 'dismissed'))
);
-- Two builds that change the same databases at once would restore each other's data.
CREATE UNIQUE INDEX migrating_builds_one_open ON migrating_builds (instance_id)
    WHERE state IN ('planned', 'snapshot', 'migrating', 'restoring');
CREATE INDEX migrating_builds_of_instance ON migrating_builds (instance_id, app_server_id);
CREATE INDEX migrating_builds_of_backup ON migrating_builds (backup_id);
COMMENT ON TABLE migrating_builds IS 'Builds that change the schema of databases outside the machines. Only where a snapshot could be taken when the app server was launched.';
COMMENT ON COLUMN migrating_builds.app_server_id IS 'The app server whose build it is.';
COMMENT ON COLUMN migrating_builds.instance_id IS 'The instance that owns the databases.';
COMMENT ON COLUMN migrating_builds.migrates_from IS 'The release of the app server that last used the databases, in words.';
COMMENT ON COLUMN migrating_builds.migrates_to IS 'The release of this app server, in words.';
COMMENT ON COLUMN migrating_builds.has_page IS 'Whether visitors get the maintenance page meanwhile. Only then is the snapshot restored without a request.';
COMMENT ON COLUMN migrating_builds.state IS 'How far it has come; moves are guarded below.';
COMMENT ON COLUMN migrating_builds.backup_id IS 'The snapshot; null: not requested yet, or deleted.';
COMMENT ON COLUMN migrating_builds.snapshot_at IS 'When the snapshot was asked for: what was written later is not in it. Kept when it is deleted; null: not asked for yet.';
COMMENT ON COLUMN migrating_builds.exposed_at IS 'When the page was taken down, after which visitors could write; null: it is still up, or there was none.';
COMMENT ON COLUMN migrating_builds.is_retried IS 'Whether the next attempt is launched once the snapshot is restored.';
COMMENT ON COLUMN migrating_builds.trouble IS 'Why a person is needed, in words and without secrets; null: no person is.';
COMMENT ON COLUMN migrating_builds.created IS 'When the app server was launched.';
COMMENT ON COLUMN migrating_builds.modified IS 'When the state last changed.';

CREATE INDEX instances_with_migration_page ON instances (id) WHERE maintenance_by = 'migration';

CREATE FUNCTION refuse_migrating_build_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT (OLD.state, NEW.state) IN (
        ('planned', 'snapshot'), ('planned', 'abandoned'),
        ('snapshot', 'migrating'), ('snapshot', 'abandoned'),
        ('migrating', 'done'), ('migrating', 'restoring'), ('migrating', 'needs_person'),
        ('restoring', 'restored'), ('restoring', 'needs_person'),
        ('done', 'restored'),
        ('needs_person', 'restored'), ('needs_person', 'dismissed'),
        ('restored', 'dismissed')) THEN
        RAISE EXCEPTION 'the migration of app server % cannot go from % to %', OLD.app_server_id, OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.instance_id <> OLD.instance_id OR NEW.has_page <> OLD.has_page
        OR (NEW.snapshot_at IS DISTINCT FROM OLD.snapshot_at AND OLD.state <> 'snapshot')
        OR (NEW.backup_id IS DISTINCT FROM OLD.backup_id AND NEW.backup_id IS NOT NULL AND OLD.state <> 'snapshot') THEN
        RAISE EXCEPTION 'the snapshot of app server % never changes', OLD.app_server_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION refuse_migrating_build_move() IS 'Which state of a migrating build may follow which, and that its snapshot never changes.';
CREATE TRIGGER migrating_builds_move_in_order BEFORE UPDATE ON migrating_builds
    FOR EACH ROW EXECUTE FUNCTION refuse_migrating_build_move();

ALTER TABLE backups DROP CONSTRAINT backups_reason_check, ADD CONSTRAINT backups_reason_check
    CHECK (reason IN ('requested', 'scheduled', 'migration'));
COMMENT ON COLUMN backups.reason IS 'requested: kept until its deletion is requested; scheduled: the newest are kept; migration: kept for some days, and while its build is open.';

ALTER TABLE builds DROP CONSTRAINT builds_step_check, ADD CONSTRAINT builds_step_check
    CHECK (step IN ('pin', 'checkout', 'resources', 'server', 'snapshot', 'playbooks', 'reboot', 'checks'));
ALTER TABLE build_steps DROP CONSTRAINT build_steps_step_check, ADD CONSTRAINT build_steps_step_check
    CHECK (step IN ('pin', 'checkout', 'resources', 'server', 'snapshot', 'playbooks', 'reboot', 'checks'));
