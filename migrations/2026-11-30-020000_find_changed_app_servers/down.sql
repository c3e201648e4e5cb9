DROP INDEX app_servers_modified;
