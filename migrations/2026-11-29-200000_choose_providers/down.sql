DROP TABLE providers;
COMMENT ON COLUMN orphans.provider IS 'Whose machine it is.';
COMMENT ON COLUMN servers.provider IS 'Who makes it.';
ALTER TABLE instances DROP COLUMN provider;
