-- Restores of a backup into another instance, and which instances hold a copy of another one's data.
ALTER TABLE backups
    ADD COLUMN into_instance_id BIGINT REFERENCES instances,
    ADD CONSTRAINT backups_into_check CHECK (into_instance_id IS NULL
        OR (work IS NOT DISTINCT FROM 'restore' AND into_instance_id <> instance_id));
COMMENT ON COLUMN backups.into_instance_id IS 'The instance whose databases the present restore replaces; null: those of the backup''s own instance.';
-- A work is one at a time for the instance whose databases it reads or writes.
DROP INDEX backups_one_work;
CREATE UNIQUE INDEX backups_one_work ON backups (coalesce(into_instance_id, instance_id)) WHERE work IN ('write', 'verify', 'restore');
COMMENT ON COLUMN backups.restored IS 'When it last replaced the databases of its own instance; null: never.';

CREATE TABLE instance_copies (
    id                 BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id        BIGINT      NOT NULL REFERENCES instances,
    source_instance_id BIGINT      NOT NULL REFERENCES instances,
    backup_id          BIGINT      NOT NULL,
    data_at            TIMESTAMPTZ NOT NULL,
    asked_by           TEXT        NOT NULL,
    asked_at           TIMESTAMPTZ NOT NULL DEFAULT now(),
    replaced_at        TIMESTAMPTZ,
    ended_by           TEXT,
    ended_at           TIMESTAMPTZ,
    CHECK (source_instance_id <> instance_id),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CHECK (ended_at IS NULL OR replaced_at IS NOT NULL)
);
CREATE INDEX instance_copies_of_instance ON instance_copies (instance_id, id);
CREATE INDEX instance_copies_of_source ON instance_copies (source_instance_id);
COMMENT ON TABLE instance_copies IS 'Restores of a backup into another instance. While an instance has one that is not ended, its app servers are launched neutralised.';
COMMENT ON COLUMN instance_copies.id IS 'Given out once; the newest is what the instance holds.';
COMMENT ON COLUMN instance_copies.instance_id IS 'The instance that gets the data.';
COMMENT ON COLUMN instance_copies.source_instance_id IS 'The instance whose data it is.';
COMMENT ON COLUMN instance_copies.backup_id IS 'The backup, which may be deleted since.';
COMMENT ON COLUMN instance_copies.data_at IS 'When the backup was asked for: the data are as they were then.';
COMMENT ON COLUMN instance_copies.asked_by IS 'Who asked for the restore.';
COMMENT ON COLUMN instance_copies.asked_at IS 'When it was asked for, before any data arrived.';
COMMENT ON COLUMN instance_copies.replaced_at IS 'When the first database was about to be replaced; null: none was yet.';
COMMENT ON COLUMN instance_copies.ended_by IS 'Who ended the neutralisation; null: it goes on.';
COMMENT ON COLUMN instance_copies.ended_at IS 'When it was ended; null: it goes on.';

ALTER TABLE app_servers ADD COLUMN is_neutralised BOOLEAN NOT NULL DEFAULT false;
COMMENT ON COLUMN app_servers.is_neutralised IS 'Whether its variables keep it from mailing people and from taking payments, because its data is a copy.';
