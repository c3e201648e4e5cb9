-- Messages to the outside, each written in the transaction that decides it.

CREATE TABLE outbox (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        TEXT        NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 50),
    key         TEXT        UNIQUE CHECK (char_length(key) BETWEEN 1 AND 200),
    payload     JSONB       NOT NULL CHECK (jsonb_typeof(payload) = 'object'),
    created     TIMESTAMPTZ NOT NULL DEFAULT now(),
    due         TIMESTAMPTZ NOT NULL DEFAULT now(),
    tries       INTEGER     NOT NULL DEFAULT 0,
    sent_at     TIMESTAMPTZ,
    given_up_at TIMESTAMPTZ,
    last_error  TEXT        CHECK (char_length(last_error) <= 1000),
    CHECK (sent_at IS NULL OR given_up_at IS NULL)
);
COMMENT ON TABLE outbox IS 'Messages that are to be sent, and those that were sent or given up lately.';
COMMENT ON COLUMN outbox.id IS 'Given out once.';
COMMENT ON COLUMN outbox.kind IS 'What the message is about; decides who composes and sends it.';
COMMENT ON COLUMN outbox.key IS 'Of messages with one key the first counts; null: each counts.';
COMMENT ON COLUMN outbox.payload IS 'Ids and words that the message is composed from; never a secret.';
COMMENT ON COLUMN outbox.created IS 'When it was written.';
COMMENT ON COLUMN outbox.due IS 'When it may be tried; in the future also while a worker tries (the lease).';
COMMENT ON COLUMN outbox.tries IS 'How often that was begun. Also the fencing token of the lease.';
COMMENT ON COLUMN outbox.sent_at IS 'When it was accepted; null: not yet.';
COMMENT ON COLUMN outbox.given_up_at IS 'When it was given up; null: it was not.';
COMMENT ON COLUMN outbox.last_error IS 'Why the last try failed.';
CREATE INDEX outbox_due ON outbox (due, id) WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_settled ON outbox (coalesce(sent_at, given_up_at)) WHERE sent_at IS NOT NULL OR given_up_at IS NOT NULL;

-- Mail about failed builds that the version before still owes. The columns of builds stay for its workers that still run.
INSERT INTO outbox (kind, key, payload, due, tries)
    SELECT 'build_failed', 'build_failed/' || app_server_id, jsonb_build_object('app_server_id', app_server_id),
        coalesce(mail_due, now()), mail_tries
    FROM builds WHERE mail_owed;
UPDATE builds SET mail_owed = false WHERE mail_owed;
