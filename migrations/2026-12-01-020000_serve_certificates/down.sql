ALTER TABLE gateway_routes DROP COLUMN https;
ALTER TABLE instances DROP COLUMN https;
ALTER TABLE gateway_revision
    DROP COLUMN challenges,
    DROP COLUMN certificates,
    DROP COLUMN certificates_digest;
COMMENT ON TABLE gateway_revision IS 'One row: counts the changes of gateway_routes, and is locked while they change.';
