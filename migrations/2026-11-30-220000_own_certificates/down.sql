-- The accounts at the authorities stay there; the earlier version has no certificates.
DELETE FROM secrets WHERE num_nonnulls(acme_account_id, acme_order_id, certificate_id) > 0;
ALTER TABLE secrets
    DROP CONSTRAINT secrets_owner,
    DROP COLUMN acme_account_id,
    DROP COLUMN acme_order_id,
    DROP COLUMN certificate_id,
    ADD CONSTRAINT secrets_owner CHECK (num_nonnulls(instance_id, source_credential_id) = 1);
COMMENT ON COLUMN secrets.instance_id IS 'The instance whose secret it is, or whose app server''s; null if a source credential owns it.';
COMMENT ON COLUMN secrets.source_credential_id IS 'The source credential whose key or token it is; null: it is of an instance.';
DROP TABLE acme_challenges;
DROP TABLE acme_failures;
DROP TABLE acme_orders;
DROP TABLE certificates;
DROP TABLE acme_accounts;
