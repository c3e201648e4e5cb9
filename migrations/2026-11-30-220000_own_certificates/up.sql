-- Certificates of the instances' host names: from a certificate authority by ACME (RFC 8555), or from files.
CREATE TABLE acme_accounts (
    id        BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    directory TEXT        NOT NULL UNIQUE CHECK (char_length(directory) <= 2000),
    created   TIMESTAMPTZ NOT NULL DEFAULT now()
);
COMMENT ON TABLE acme_accounts IS 'The accounts of this installation at certificate authorities. The credentials of each are a row of secrets.';
COMMENT ON COLUMN acme_accounts.id IS 'Given out once.';
COMMENT ON COLUMN acme_accounts.directory IS 'The URL of the authority''s directory.';
COMMENT ON COLUMN acme_accounts.created IS 'When the authority made the account.';

CREATE TABLE certificates (
    id                 BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id        BIGINT      UNIQUE REFERENCES instances,
    source             TEXT        NOT NULL CHECK (source IN ('acme', 'files')),
    names              TEXT[]      NOT NULL CHECK (cardinality(names) >= 1),
    names_digest       TEXT        NOT NULL CHECK (names_digest ~ '^[0-9a-f]{32}$'),
    state              TEXT        NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'ordering', 'valid', 'failing')),
    chain              TEXT        CHECK (char_length(chain) <= 200000),
    origin             TEXT        CHECK (char_length(origin) <= 2000),
    not_before         TIMESTAMPTZ,
    not_after          TIMESTAMPTZ,
    renew_at           TIMESTAMPTZ,
    renewal_checked_at TIMESTAMPTZ,
    attempts           INTEGER     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_error         TEXT        CHECK (char_length(last_error) <= 2000),
    failing_since      TIMESTAMPTZ,
    mailed_at          TIMESTAMPTZ,
    revision           BIGINT      NOT NULL DEFAULT 0 CHECK (revision >= 0),
    claim              BIGINT      NOT NULL DEFAULT 0 CHECK (claim >= 0),
    claimed_until      TIMESTAMPTZ,
    unwanted_since     TIMESTAMPTZ,
    created            TIMESTAMPTZ NOT NULL DEFAULT now(),
    modified           TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (source, names_digest),
    CHECK (num_nonnulls(chain, origin, not_before, not_after) IN (0, 4)),
    CHECK (not_before < not_after),
    CHECK (state <> 'valid' OR chain IS NOT NULL),
    CHECK (state <> 'failing' OR (failing_since IS NOT NULL AND last_error IS NOT NULL)),
    CHECK (source = 'acme' OR instance_id IS NULL),
    CHECK (revision > 0 OR chain IS NULL)
);
CREATE INDEX certificates_due ON certificates (next_attempt_at, id) WHERE instance_id IS NOT NULL;
COMMENT ON TABLE certificates IS 'Certificates, one for a set of names. Gateways serve each that has a chain which has not expired; its key is a row of secrets.';
COMMENT ON COLUMN certificates.id IS 'Given out once.';
COMMENT ON COLUMN certificates.instance_id IS 'The instance whose host names these are now; null: no instance has exactly these names, or the certificate is from a file.';
COMMENT ON COLUMN certificates.source IS 'acme: ordered here; files: read from a directory.';
COMMENT ON COLUMN certificates.names IS 'Its host names, sorted and without duplicates. A set that recurs finds its certificate again.';
COMMENT ON COLUMN certificates.names_digest IS 'MD5 of the names, separated by spaces: a set of names may be too long for an index.';
COMMENT ON COLUMN certificates.state IS 'wanted: none was ordered yet; ordering: an order is under way; valid: nothing is due; failing: the last attempt failed. A certificate that is renewed or failing is served until it expires.';
COMMENT ON COLUMN certificates.chain IS 'The certificate and its intermediates in PEM; null: none was issued yet.';
COMMENT ON COLUMN certificates.origin IS 'The directory of the authority, or the file, that the chain is from.';
COMMENT ON COLUMN certificates.not_before IS 'The beginning of the validity, as in the certificate.';
COMMENT ON COLUMN certificates.not_after IS 'When it expires, as in the certificate.';
COMMENT ON COLUMN certificates.renew_at IS 'When the next one is ordered: a point in the window that the authority suggests, otherwise after two thirds of the lifetime; null: not known yet.';
COMMENT ON COLUMN certificates.renewal_checked_at IS 'When the authority was last asked for that window; null: not since the certificate was issued.';
COMMENT ON COLUMN certificates.attempts IS 'How many attempts in a row have failed.';
COMMENT ON COLUMN certificates.next_attempt_at IS 'When the next step is due.';
COMMENT ON COLUMN certificates.last_error IS 'Why the last attempt failed, or what is waited for, in words and without secrets; null: neither.';
COMMENT ON COLUMN certificates.failing_since IS 'When the first of the failures in a row was; null: the last attempt did not fail.';
COMMENT ON COLUMN certificates.mailed_at IS 'When mail about the present failure was last written; null: none was.';
COMMENT ON COLUMN certificates.revision IS 'How often its chain has changed, for gateways to ask with; 0: it has none.';
COMMENT ON COLUMN certificates.claim IS 'Fencing token: how often workers have claimed it. What a worker writes is refused once another one has claimed it.';
COMMENT ON COLUMN certificates.claimed_until IS 'Until when one worker works on it, and no other may; null: none does.';
COMMENT ON COLUMN certificates.unwanted_since IS 'Since when no instance has its names; null: one has, or it is from a file.';
COMMENT ON COLUMN certificates.created IS 'When these names first wanted a certificate.';
COMMENT ON COLUMN certificates.modified IS 'When the state last changed.';

CREATE TABLE acme_orders (
    id             BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id     BIGINT      NOT NULL REFERENCES acme_accounts,
    certificate_id BIGINT      REFERENCES certificates ON DELETE SET NULL,
    names          TEXT[]      NOT NULL,
    domains        TEXT[]      NOT NULL,
    is_renewal     BOOLEAN     NOT NULL,
    url            TEXT        CHECK (char_length(url) <= 2000),
    state          TEXT        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'issued', 'failed', 'abandoned')),
    trouble        TEXT        CHECK (char_length(trouble) <= 2000),
    created        TIMESTAMPTZ NOT NULL DEFAULT now(),
    ended          TIMESTAMPTZ,
    CHECK ((state = 'open') = (ended IS NULL)),
    CHECK (state <> 'issued' OR url IS NOT NULL)
);
CREATE UNIQUE INDEX acme_orders_one_open ON acme_orders (certificate_id) WHERE state = 'open';
CREATE INDEX acme_orders_created ON acme_orders (account_id, created);
CREATE INDEX acme_orders_issued ON acme_orders (account_id, ended) WHERE state = 'issued';
COMMENT ON TABLE acme_orders IS 'Orders at certificate authorities; the log of what their limits count. Each is written before the authority is asked.';
COMMENT ON COLUMN acme_orders.id IS 'Given out once.';
COMMENT ON COLUMN acme_orders.account_id IS 'The account that ordered.';
COMMENT ON COLUMN acme_orders.certificate_id IS 'What was ordered; null: it is deleted since.';
COMMENT ON COLUMN acme_orders.names IS 'The names as ordered.';
COMMENT ON COLUMN acme_orders.domains IS 'The registered domains of the names, each once.';
COMMENT ON COLUMN acme_orders.is_renewal IS 'Whether the same names had a certificate of this authority before: such orders do not count for their domains.';
COMMENT ON COLUMN acme_orders.url IS 'The order at the authority; null: it has not answered, or the answer was lost.';
COMMENT ON COLUMN acme_orders.state IS 'open: under way; issued, failed: how it ended; abandoned: replaced by another one.';
COMMENT ON COLUMN acme_orders.trouble IS 'Why it failed or was abandoned, without secrets; null: it did not fail.';
COMMENT ON COLUMN acme_orders.created IS 'When the authority was about to be asked.';
COMMENT ON COLUMN acme_orders.ended IS 'When it ended; null: it has not.';

CREATE TABLE acme_failures (
    account_id BIGINT      NOT NULL REFERENCES acme_accounts,
    hostname   TEXT        NOT NULL,
    failed_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX acme_failures_of_host ON acme_failures (account_id, hostname, failed_at);
COMMENT ON TABLE acme_failures IS 'Failed validations, which authorities limit for each account and host name.';
COMMENT ON COLUMN acme_failures.account_id IS 'The account that ordered.';
COMMENT ON COLUMN acme_failures.hostname IS 'The name that could not be validated.';
COMMENT ON COLUMN acme_failures.failed_at IS 'When the failure was seen.';

CREATE TABLE acme_challenges (
    token             TEXT        PRIMARY KEY CHECK (token ~ '^[A-Za-z0-9_-]{1,200}$'),
    key_authorization TEXT        NOT NULL CHECK (key_authorization ~ '^[A-Za-z0-9_.-]{1,400}$'),
    hostname          TEXT        NOT NULL,
    created           TIMESTAMPTZ NOT NULL DEFAULT now()
);
COMMENT ON TABLE acme_challenges IS 'What every gateway answers at /.well-known/acme-challenge/ while names are validated. Public, and of no use to others.';
COMMENT ON COLUMN acme_challenges.token IS 'The last part of the path.';
COMMENT ON COLUMN acme_challenges.key_authorization IS 'The answer.';
COMMENT ON COLUMN acme_challenges.hostname IS 'The name that is validated.';
COMMENT ON COLUMN acme_challenges.created IS 'When it was published.';

ALTER TABLE secrets
    ADD COLUMN acme_account_id BIGINT UNIQUE REFERENCES acme_accounts ON DELETE CASCADE,
    ADD COLUMN acme_order_id BIGINT UNIQUE REFERENCES acme_orders ON DELETE CASCADE,
    ADD COLUMN certificate_id BIGINT UNIQUE REFERENCES certificates ON DELETE CASCADE,
    DROP CONSTRAINT secrets_owner,
    ADD CONSTRAINT secrets_owner
        CHECK (num_nonnulls(instance_id, source_credential_id, acme_account_id, acme_order_id, certificate_id) = 1);
COMMENT ON COLUMN secrets.instance_id IS 'The instance whose secret it is, or whose app server''s; null: another column names the owner.';
COMMENT ON COLUMN secrets.source_credential_id IS 'The source credential whose key or token it is; null: it is of another owner.';
COMMENT ON COLUMN secrets.acme_account_id IS 'The account whose credentials it holds; null: it is of another owner.';
COMMENT ON COLUMN secrets.acme_order_id IS 'The open order whose certificate it is the key of; null: it is of another owner.';
COMMENT ON COLUMN secrets.certificate_id IS 'The certificate whose key it is; null: it is of another owner.';
