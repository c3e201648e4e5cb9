DROP TRIGGER servers_end_grants ON servers;
DROP FUNCTION end_server_grants();
DROP TABLE server_grants;
DROP TABLE server_access;
DROP TABLE ssh_teams;
DROP TABLE user_ssh_keys;
