ALTER TABLE servers ADD COLUMN ssh_key JSONB, ADD COLUMN next_ssh_key JSONB;
COMMENT ON COLUMN servers.ssh_key IS
    'The SSH key pair that the machine lets in, as {"private_key": {"$secret": id}, "public_key": line of authorized_keys}; null if it ended, or has the key that all machines of earlier versions share.';
COMMENT ON COLUMN servers.next_ssh_key IS
    'The key pair that is about to replace ssh_key, in the same form: the machine lets in either; null if none is.';

-- Deletes a machine's keys when its status becomes terminated.
CREATE FUNCTION forget_ssh_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM secrets
    WHERE id IN (OLD.ssh_key #>> '{private_key,$secret}', OLD.next_ssh_key #>> '{private_key,$secret}');
    NEW.ssh_key := NULL;
    NEW.next_ssh_key := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER servers_forget_ssh_keys BEFORE UPDATE OF status ON servers
    FOR EACH ROW WHEN (NEW.status = 'terminated') EXECUTE FUNCTION forget_ssh_keys();
