DELETE FROM secrets WHERE instance_id IS NULL;
ALTER TABLE secrets
    DROP CONSTRAINT secrets_owner,
    DROP COLUMN source_credential_id,
    ALTER COLUMN instance_id SET NOT NULL;
COMMENT ON COLUMN secrets.instance_id IS 'Whose secret it is, or whose app server''s.';
DROP TABLE source_credentials;
