-- Gateways serve certificates, and answer certificate authorities; instances say how visitors by HTTP are treated.
ALTER TABLE gateway_revision
    ADD COLUMN challenges          BIGINT NOT NULL DEFAULT 0 CHECK (challenges <= revision),
    ADD COLUMN certificates        BIGINT NOT NULL DEFAULT 0 CHECK (certificates <= revision),
    ADD COLUMN certificates_digest TEXT   NOT NULL DEFAULT '';
COMMENT ON TABLE gateway_revision IS 'One row: counts the changes of what gateways are to have, and is locked while that changes.';
COMMENT ON COLUMN gateway_revision.challenges IS 'The revision in which acme_challenges last changed.';
COMMENT ON COLUMN gateway_revision.certificates IS 'The revision in which the certificates to serve last changed.';
COMMENT ON COLUMN gateway_revision.certificates_digest IS 'SHA-256 of their ids and revisions in hex; empty: none was ever served.';

ALTER TABLE instances
    ADD COLUMN https TEXT NOT NULL DEFAULT 'redirect' CHECK (https IN ('redirect', 'optional', 'strict'));
COMMENT ON COLUMN instances.https IS 'How visitors by HTTP are treated where the gateways have a certificate: sent to HTTPS, or not, or sent there and told that browsers are to remember it (HSTS).';

ALTER TABLE gateway_routes
    ADD COLUMN https TEXT NOT NULL DEFAULT 'optional' CHECK (https IN ('redirect', 'optional', 'strict'));
COMMENT ON COLUMN gateway_routes.https IS 'As instances.https.';

-- Postgres counts repetitions up to 255 only: no answer could be stored.
ALTER TABLE acme_challenges
    DROP CONSTRAINT acme_challenges_key_authorization_check,
    ADD CONSTRAINT acme_challenges_key_authorization_check
        CHECK (key_authorization ~ '^[A-Za-z0-9_.-]+$' AND char_length(key_authorization) <= 400);
