-- The processes `ocim server` that use this database, so that each knows of the others.
CREATE TABLE server_processes (
    id          TEXT        PRIMARY KEY,
    hostname    TEXT        NOT NULL,
    version     TEXT        NOT NULL,
    started     TIMESTAMPTZ NOT NULL DEFAULT now(),
    seen        TIMESTAMPTZ NOT NULL DEFAULT now(),
    clock_ms    BIGINT      NOT NULL,
    public_url  TEXT,
    has_gateway BOOLEAN     NOT NULL,
    key_ids     TEXT[]      NOT NULL,
    data_dir    TEXT        NOT NULL
);
COMMENT ON TABLE server_processes IS 'The processes `ocim server` of all hosts.';
COMMENT ON COLUMN server_processes.id IS 'The process, as leases name it.';
COMMENT ON COLUMN server_processes.hostname IS 'The host, as it calls itself.';
COMMENT ON COLUMN server_processes.version IS 'The version of the program.';
COMMENT ON COLUMN server_processes.started IS 'When the process was first seen.';
COMMENT ON COLUMN server_processes.seen IS 'When it was last seen; after 15 s without news it counts as gone.';
COMMENT ON COLUMN server_processes.clock_ms IS 'How far the clock of its host is ahead of the database''s, in milliseconds; negative: behind.';
COMMENT ON COLUMN server_processes.public_url IS 'Its setting OCIM_PUBLIC_URL; null: unset.';
COMMENT ON COLUMN server_processes.has_gateway IS 'Whether it runs the gateway itself: then no other server may use the database.';
COMMENT ON COLUMN server_processes.key_ids IS 'The ids of its keys for secrets, the one that encrypts first.';
COMMENT ON COLUMN server_processes.data_dir IS 'Its data directory: the path of the playbooks that the program embeds begins with it.';

ALTER TABLE workers ADD COLUMN clock_ms BIGINT;
COMMENT ON COLUMN workers.clock_ms IS 'How far the clock of its host is ahead of the database''s, in milliseconds; null: a version that does not say.';
