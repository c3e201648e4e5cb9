-- The app servers that changed a short while ago, to whose machines the SSH keys of people may have to be installed.
CREATE INDEX app_servers_modified ON app_servers (modified);
