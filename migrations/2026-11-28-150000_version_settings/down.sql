ALTER TABLE app_servers DROP COLUMN settings_version, DROP COLUMN instance_type;
ALTER TABLE instances DROP COLUMN secrets, DROP COLUMN settings_version;
