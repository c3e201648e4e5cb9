-- The gateway tells applications the scheme of a visitor's request, which is the instance's protocol where no proxy says
-- otherwise. It stands beside each host name, so that the whole table is read without reading every instance's settings.
ALTER TABLE instance_hostnames
    ADD COLUMN protocol TEXT NOT NULL DEFAULT 'http' CHECK (protocol IN ('http', 'https'));
COMMENT ON COLUMN instance_hostnames.protocol IS
    'What visitors of this host name speak where no trusted proxy says otherwise: that of the active app server, else of the settings.';
UPDATE instance_hostnames SET protocol = 'https'
    FROM instances LEFT JOIN app_servers ON app_servers.id = instances.active_app_server_id
    WHERE instances.id = instance_hostnames.instance_id
      AND coalesce(app_servers.settings ->> 'protocol', instances.settings ->> 'protocol') = 'https';
