-- Object storage: S3 and Swift. A bucket or container is a resource of the part `database`.
ALTER TABLE resources DROP CONSTRAINT resources_kind_check, ADD CONSTRAINT resources_kind_check
    CHECK (kind IN ('mysql', 'postgresql', 'redis', 'mongodb', 's3', 'swift'));
-- All instances of a store log in with the account of the settings: their rows have one name.
DROP INDEX resources_at_server;
CREATE UNIQUE INDEX resources_at_server ON resources (server, part, remote_name)
    WHERE state <> 'deleted' AND class = 'made' AND NOT (part = 'account' AND kind IN ('s3', 'swift'));
COMMENT ON TABLE resources IS 'What instances have outside their machines: databases and buckets. A row is written before its server is first asked, and stays after the deletion.';
COMMENT ON COLUMN resources.part IS 'account: the user that app servers log in as, one of each kind; database: a database, bucket or container that this user may use.';
COMMENT ON COLUMN resources.remote_name IS 'Its name at the server; of a database of Redis the number, of an account that all instances share `shared`. Changes only while the state is wanted.';
COMMENT ON COLUMN resources.secret IS 'The password of an account, as a reference to a row of secrets; an empty document for databases and buckets, for shared accounts, and after the deletion.';
