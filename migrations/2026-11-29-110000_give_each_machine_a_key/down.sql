-- An earlier version cannot log in to machines with keys of their own.
DROP TRIGGER servers_forget_ssh_keys ON servers;
DROP FUNCTION forget_ssh_keys();
DELETE FROM secrets USING servers
WHERE secrets.id IN (servers.ssh_key #>> '{private_key,$secret}', servers.next_ssh_key #>> '{private_key,$secret}');
ALTER TABLE servers DROP COLUMN ssh_key, DROP COLUMN next_ssh_key;
