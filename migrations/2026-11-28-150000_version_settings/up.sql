-- Stored settings are documents of the application type that wrote them, in one of its versions: the type reads all of them.
ALTER TABLE instances
    ADD COLUMN settings_version INTEGER NOT NULL DEFAULT 1
        CONSTRAINT instances_settings_version_counts CHECK (settings_version > 0),
    ADD COLUMN secrets JSONB NOT NULL DEFAULT '{}';
COMMENT ON COLUMN instances.settings_version IS 'The version of the document in settings, counted by its application type.';
COMMENT ON COLUMN instances.secrets IS
    'Secrets made once for the instance, the same for all its app servers; sealed. Empty: its application type has none.';

-- The defaults are for a program of the version before, which may still run during an upgrade.
ALTER TABLE app_servers
    ADD COLUMN instance_type TEXT NOT NULL DEFAULT 'openedx',
    ADD COLUMN settings_version INTEGER NOT NULL DEFAULT 1
        CONSTRAINT app_servers_settings_version_counts CHECK (settings_version > 0);
COMMENT ON COLUMN app_servers.instance_type IS 'The application type that its settings are a document of; that of its instance.';
COMMENT ON COLUMN app_servers.settings_version IS 'The version of the document in settings, counted by its application type.';
