CREATE TABLE instances (
    id                         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_type              TEXT        NOT NULL,
    name                       TEXT        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 250),
    domain                     TEXT        NOT NULL,
    settings                   JSONB       NOT NULL CHECK (jsonb_typeof(settings) = 'object'),
    version                    BIGINT      NOT NULL DEFAULT 1,
    created                    TIMESTAMPTZ NOT NULL DEFAULT now(),
    modified                   TIMESTAMPTZ NOT NULL DEFAULT now(),
    next_app_server_number     INTEGER     NOT NULL DEFAULT 1,
    active_app_server_id       BIGINT,
    fallback_app_server_id     BIGINT,
    routing_generation         BIGINT      NOT NULL DEFAULT 0,
    routing_applied_generation BIGINT      NOT NULL DEFAULT 0,
    CHECK (routing_applied_generation <= routing_generation),
    CHECK (active_app_server_id <> fallback_app_server_id)
);
COMMENT ON TABLE instances IS 'Long-lived applications whose settings change; each makes app servers.';
COMMENT ON COLUMN instances.id IS 'Given out once.';
COMMENT ON COLUMN instances.instance_type IS 'Which application it runs; decides what the settings are.';
COMMENT ON COLUMN instances.name IS 'What people call it.';
COMMENT ON COLUMN instances.domain IS 'Its main host name, as the settings say.';
COMMENT ON COLUMN instances.settings IS 'The settings of the application type, every default written out.';
COMMENT ON COLUMN instances.version IS 'Counts changes of name and settings; the ETag.';
COMMENT ON COLUMN instances.created IS 'When it was made.';
COMMENT ON COLUMN instances.modified IS 'When name or settings last changed.';
COMMENT ON COLUMN instances.next_app_server_number IS 'The n of the next «AppServer n»; never goes back.';
COMMENT ON COLUMN instances.active_app_server_id IS 'The app server that gets the traffic: at most one, and its own.';
COMMENT ON COLUMN instances.fallback_app_server_id IS 'The one that had the traffic before, to go back to.';
COMMENT ON COLUMN instances.routing_generation IS 'Counts what was decided about traffic.';
COMMENT ON COLUMN instances.routing_applied_generation IS 'Up to which decision the gateway has it.';
CREATE INDEX instances_unrouted ON instances (id) WHERE routing_applied_generation < routing_generation;

CREATE TABLE instance_hostnames (
    hostname    TEXT   PRIMARY KEY,
    instance_id BIGINT NOT NULL REFERENCES instances
);
COMMENT ON TABLE instance_hostnames IS 'Who owns which host name, so that no two instances share one.';
COMMENT ON COLUMN instance_hostnames.hostname IS 'In lower case.';
COMMENT ON COLUMN instance_hostnames.instance_id IS 'The owner.';
CREATE INDEX instance_hostnames_instance_id ON instance_hostnames (instance_id);
