-- The earlier version cannot name buckets. What is at a server stays there, and must be deleted by hand.
DELETE FROM resources WHERE kind IN ('s3', 'swift');
DROP INDEX resources_at_server;
CREATE UNIQUE INDEX resources_at_server ON resources (server, part, remote_name) WHERE state <> 'deleted' AND class = 'made';
ALTER TABLE resources DROP CONSTRAINT resources_kind_check, ADD CONSTRAINT resources_kind_check
    CHECK (kind IN ('mysql', 'postgresql', 'redis', 'mongodb'));
COMMENT ON TABLE resources IS 'What instances have outside their machines. A row is written before its server is first asked, and stays after the deletion.';
COMMENT ON COLUMN resources.part IS 'account: the user that app servers log in as, one of each kind; database: one that this user may use.';
COMMENT ON COLUMN resources.remote_name IS 'Its name at the server; of a database of Redis, the number. Changes only while the state is wanted.';
COMMENT ON COLUMN resources.secret IS 'The password of an account, as a reference to a row of secrets; an empty document for databases, and after the deletion.';
