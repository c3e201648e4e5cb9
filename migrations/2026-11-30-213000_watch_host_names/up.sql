-- Host names of instances in the DNS: whether they point at the gateways, and which of them ocim writes.
CREATE TABLE instance_names (
    instance_id BIGINT      NOT NULL REFERENCES instances,
    hostname    TEXT        NOT NULL,
    is_wanted   BOOLEAN     NOT NULL DEFAULT true,
    is_written  BOOLEAN     NOT NULL DEFAULT false,
    state       TEXT        NOT NULL DEFAULT 'unchecked'
        CHECK (state IN ('unchecked', 'right', 'late', 'elsewhere', 'absent', 'unknown')),
    words       TEXT        NOT NULL DEFAULT '' CHECK (char_length(words) <= 1000),
    zone        TEXT,
    servers     JSONB       NOT NULL DEFAULT '[]',
    last_error  TEXT        CHECK (char_length(last_error) <= 1000),
    failures    INTEGER     NOT NULL DEFAULT 0 CHECK (failures >= 0),
    checked_at  TIMESTAMPTZ,
    next_check  TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (instance_id, hostname),
    CHECK ((state = 'unchecked') = (checked_at IS NULL))
);
CREATE INDEX instance_names_next_check ON instance_names (next_check);
COMMENT ON TABLE instance_names IS 'Host names in the DNS. A sweep adds the names of instances that are not archived, and removes records and rows of the others.';
COMMENT ON COLUMN instance_names.instance_id IS 'The instance that has the name, or had it.';
COMMENT ON COLUMN instance_names.hostname IS 'In lower case.';
COMMENT ON COLUMN instance_names.is_wanted IS 'Whether the instance has the name and is not archived; if not, its records are removed.';
COMMENT ON COLUMN instance_names.is_written IS 'Whether ocim has begun to write records of the name. Set before the first request, so that no record is forgotten when an answer is lost.';
COMMENT ON COLUMN instance_names.state IS 'Whether the name points at the gateways, by all authoritative servers.';
COMMENT ON COLUMN instance_names.words IS 'The same in words.';
COMMENT ON COLUMN instance_names.zone IS 'The zone of the name; null: it was not found.';
COMMENT ON COLUMN instance_names.servers IS 'What each authoritative server said at the last check; replaced by each.';
COMMENT ON COLUMN instance_names.last_error IS 'Why records were not written or removed at the last attempt; null: they were, or nothing was to be done.';
COMMENT ON COLUMN instance_names.failures IS 'Checks in a row after which the name was not right; they grow apart.';
COMMENT ON COLUMN instance_names.checked_at IS 'When the servers were last asked; null: never.';
COMMENT ON COLUMN instance_names.next_check IS 'When the name is due; a worker that takes it moves this on, so that no other one takes it meanwhile.';
