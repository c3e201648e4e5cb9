-- Gateways with an agent of their own on other hosts, what they are to have, and what they say.
CREATE TABLE gateways (
    id               BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             TEXT        NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    token_hash       BYTEA       NOT NULL UNIQUE,
    created          TIMESTAMPTZ NOT NULL DEFAULT now(),
    created_by       TEXT        NOT NULL,
    agent            TEXT,
    hostname         TEXT,
    version          TEXT,
    seen             TIMESTAMPTZ,
    sent_revision    BIGINT      NOT NULL DEFAULT 0,
    revision         BIGINT      NOT NULL DEFAULT 0,
    error            TEXT,
    CHECK ((agent IS NULL) = (seen IS NULL))
);
COMMENT ON TABLE gateways IS 'Hosts whose HAProxy an agent of ours configures.';
COMMENT ON COLUMN gateways.id IS 'Given out once.';
COMMENT ON COLUMN gateways.name IS 'What an operator calls it; a label of a host name.';
COMMENT ON COLUMN gateways.token_hash IS 'SHA-256 of the token that its agent sends.';
COMMENT ON COLUMN gateways.created IS 'When it was added.';
COMMENT ON COLUMN gateways.created_by IS 'Who added it.';
COMMENT ON COLUMN gateways.agent IS 'The agent that was seen last: an id that its host keeps; null: none yet.';
COMMENT ON COLUMN gateways.hostname IS 'The host of that agent, as it calls itself.';
COMMENT ON COLUMN gateways.version IS 'The version of that agent.';
COMMENT ON COLUMN gateways.seen IS 'When that agent last asked.';
COMMENT ON COLUMN gateways.sent_revision IS 'The newest revision of the routes that was sent to it.';
COMMENT ON COLUMN gateways.revision IS 'The revision of the routes that its HAProxy has, as the agent says.';
COMMENT ON COLUMN gateways.error IS 'Why its HAProxy has not taken what was sent; null: it has.';

CREATE TABLE gateway_revision (
    is_one   BOOLEAN PRIMARY KEY DEFAULT true CHECK (is_one),
    revision BIGINT  NOT NULL DEFAULT 1,
    forgets  BIGINT  NOT NULL DEFAULT 0 CHECK (forgets <= revision)
);
COMMENT ON TABLE gateway_revision IS 'One row: counts the changes of gateway_routes, and is locked while they change.';
COMMENT ON COLUMN gateway_revision.is_one IS 'Always true.';
COMMENT ON COLUMN gateway_revision.revision IS 'The revision of the last change; above 0, which a gateway without any routes has.';
COMMENT ON COLUMN gateway_revision.forgets IS 'Up to which revision removed hosts may be forgotten: a gateway with an older one gets the whole table.';
INSERT INTO gateway_revision DEFAULT VALUES;

CREATE TABLE gateway_routes (
    hostname TEXT    PRIMARY KEY,
    target   TEXT,
    notice   TEXT,
    scheme   TEXT    NOT NULL CHECK (scheme IN ('http', 'https')),
    is_gone  BOOLEAN NOT NULL DEFAULT false,
    revision BIGINT  NOT NULL
);
CREATE INDEX gateway_routes_since ON gateway_routes (revision);
COMMENT ON TABLE gateway_routes IS 'The routes that every gateway is to have.';
COMMENT ON COLUMN gateway_routes.hostname IS 'The host name that visitors ask for.';
COMMENT ON COLUMN gateway_routes.target IS 'Address and port of the web server that answers; null: no app server is active.';
COMMENT ON COLUMN gateway_routes.notice IS 'What the maintenance page says, which is in place of the target; null: it is not up.';
COMMENT ON COLUMN gateway_routes.scheme IS 'The scheme that the application is told.';
COMMENT ON COLUMN gateway_routes.is_gone IS 'Whether the host is removed; kept until the gateways know.';
COMMENT ON COLUMN gateway_routes.revision IS 'The change that made the row as it is.';

CREATE TABLE gateway_counts (
    gateway_id BIGINT      NOT NULL REFERENCES gateways ON DELETE CASCADE,
    target     TEXT        NOT NULL,
    asked      TIMESTAMPTZ NOT NULL,
    counted    TIMESTAMPTZ,
    requests   BIGINT      CHECK (requests >= 0),
    PRIMARY KEY (gateway_id, target),
    CHECK ((counted IS NULL) = (requests IS NULL))
);
COMMENT ON TABLE gateway_counts IS 'Questions to gateways for the open requests at an app server, and their answers.';
COMMENT ON COLUMN gateway_counts.gateway_id IS 'The gateway that is asked.';
COMMENT ON COLUMN gateway_counts.target IS 'The app server''s web server.';
COMMENT ON COLUMN gateway_counts.asked IS 'When it was last asked.';
COMMENT ON COLUMN gateway_counts.counted IS 'When it last answered; null: never.';
COMMENT ON COLUMN gateway_counts.requests IS 'How many requests were open then.';

CREATE TABLE duties (
    name   TEXT        PRIMARY KEY,
    holder TEXT        NOT NULL,
    until  TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE duties IS 'Work that one process of all does, by leases.';
COMMENT ON COLUMN duties.name IS 'The work.';
COMMENT ON COLUMN duties.holder IS 'The process that does it.';
COMMENT ON COLUMN duties.until IS 'When another process may take it over, unless the lease is renewed.';
