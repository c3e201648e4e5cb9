ALTER TABLE acme_challenges
    DROP CONSTRAINT acme_challenges_key_authorization_check,
    ADD CONSTRAINT acme_challenges_key_authorization_check CHECK (key_authorization ~ '^[A-Za-z0-9_.-]{1,400}$');
ALTER TABLE gateway_routes DROP COLUMN https;
ALTER TABLE instances DROP COLUMN https;
ALTER TABLE gateway_revision
    DROP COLUMN challenges,
    DROP COLUMN certificates,
    DROP COLUMN certificates_digest;
COMMENT ON TABLE gateway_revision IS 'One row: counts the changes of gateway_routes, and is locked while they change.';
