-- Backups of the databases that instances have outside their machines, and what is being done with each.
CREATE TABLE backups (
    id            BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id   BIGINT      NOT NULL REFERENCES instances,
    state         TEXT        NOT NULL DEFAULT 'writing' CHECK (state IN ('writing', 'complete', 'failed')),
    reason        TEXT        NOT NULL CHECK (reason IN ('requested', 'scheduled')),
    created_by    TEXT        NOT NULL,
    created       TIMESTAMPTZ NOT NULL DEFAULT now(),
    ended         TIMESTAMPTZ,
    pieces        JSONB       NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(pieces) = 'array'),
    trouble       TEXT        CHECK (char_length(trouble) <= 2000),
    work          TEXT        CHECK (work IN ('write', 'verify', 'restore', 'delete')),
    work_by       TEXT,
    work_bytes    BIGINT      NOT NULL DEFAULT 0 CHECK (work_bytes >= 0),
    has_page      BOOLEAN     NOT NULL DEFAULT false,
    is_replacing  BOOLEAN     NOT NULL DEFAULT false,
    claim         BIGINT      NOT NULL DEFAULT 0 CHECK (claim >= 0),
    claimed_until TIMESTAMPTZ,
    failures      INTEGER     NOT NULL DEFAULT 0 CHECK (failures >= 0),
    next_try      TIMESTAMPTZ,
    verified      TIMESTAMPTZ,
    restored      TIMESTAMPTZ,
    CHECK ((state = 'writing') = (ended IS NULL)),
    CHECK ((state = 'writing') = (work IS NOT DISTINCT FROM 'write')),
    CHECK ((state = 'complete') = (pieces <> '[]')),
    CHECK (state <> 'failed' OR trouble IS NOT NULL),
    CHECK (state = 'complete' OR (verified IS NULL AND restored IS NULL)),
    CHECK (state = 'complete' OR work IS NULL OR work IN ('write', 'delete')),
    CHECK ((work IS NULL) = (work_by IS NULL)),
    CHECK (work IS NOT NULL OR (claimed_until IS NULL AND next_try IS NULL AND failures = 0)),
    CHECK (work IS NOT DISTINCT FROM 'restore' OR NOT (has_page OR is_replacing))
);
-- Two requests at once, or two workers that follow the schedule, begin one work; deletions of other backups go on beside it.
CREATE UNIQUE INDEX backups_one_work ON backups (instance_id) WHERE work IN ('write', 'verify', 'restore');
CREATE INDEX backups_of_instance ON backups (instance_id, id);
CREATE INDEX backups_due ON backups (id) WHERE work IS NOT NULL;
COMMENT ON TABLE backups IS 'Backups of the databases that instances have outside their machines. A row is written before the first file, and deleted after the last one.';
COMMENT ON COLUMN backups.id IS 'Given out once; names the directory of the files.';
COMMENT ON COLUMN backups.instance_id IS 'The instance whose databases are in it.';
COMMENT ON COLUMN backups.state IS 'How far it has come; moves are guarded below.';
COMMENT ON COLUMN backups.reason IS 'requested: kept until its deletion is requested; scheduled: the newest are kept.';
COMMENT ON COLUMN backups.created_by IS 'Who asked for it.';
COMMENT ON COLUMN backups.created IS 'When it was asked for.';
COMMENT ON COLUMN backups.ended IS 'When it was complete or had failed; null: not yet.';
COMMENT ON COLUMN backups.pieces IS 'The files, one for each database: kind, name, bytes, SHA-256, tables. Empty until it is complete; then they never change.';
COMMENT ON COLUMN backups.trouble IS 'Why the last attempt of the last work failed, without secrets; null: it did not.';
COMMENT ON COLUMN backups.work IS 'What is to be done with it; null: nothing.';
COMMENT ON COLUMN backups.work_by IS 'Who asked for that; null: nothing is to be done.';
COMMENT ON COLUMN backups.work_bytes IS 'The bytes that the present attempt has read or written, before compression.';
COMMENT ON COLUMN backups.has_page IS 'Whether the present restore has put the maintenance page up.';
COMMENT ON COLUMN backups.is_replacing IS 'Whether the present restore has begun to delete databases.';
COMMENT ON COLUMN backups.claim IS 'Fencing token: how often workers have claimed it. What a worker writes is refused once another one has claimed it.';
COMMENT ON COLUMN backups.claimed_until IS 'Until when one worker works on it, and no other may; null: none does.';
COMMENT ON COLUMN backups.failures IS 'How many attempts in a row of the present work have failed.';
COMMENT ON COLUMN backups.next_try IS 'When the next attempt is made; null: at once.';
COMMENT ON COLUMN backups.verified IS 'When it was last loaded into databases made for this, and had all its tables; null: never.';
COMMENT ON COLUMN backups.restored IS 'When it last replaced the databases of the instance; null: never.';

CREATE FUNCTION refuse_backup_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND OLD.state <> 'writing' THEN
        RAISE EXCEPTION 'backup % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.instance_id <> OLD.instance_id OR NEW.reason <> OLD.reason
        OR (NEW.pieces <> OLD.pieces AND OLD.state <> 'writing') THEN
        RAISE EXCEPTION 'what backup % contains never changes', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.claim < OLD.claim THEN
        RAISE EXCEPTION 'the claim on backup % only grows', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION refuse_backup_move() IS 'Which state of a backup may follow which, and that its contents never change.';
CREATE TRIGGER backups_move_in_order BEFORE UPDATE ON backups
    FOR EACH ROW EXECUTE FUNCTION refuse_backup_move();
