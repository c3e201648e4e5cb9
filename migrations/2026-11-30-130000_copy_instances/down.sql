-- App servers that run stay neutralised; the next ones are not. A restore into another instance that is under way is dropped.
ALTER TABLE app_servers DROP COLUMN is_neutralised;
DROP TABLE instance_copies;
UPDATE backups SET into_instance_id = NULL, work = NULL, work_by = NULL, has_page = false, is_replacing = false, claimed_until = NULL,
    next_try = NULL, failures = 0 WHERE into_instance_id IS NOT NULL;
DROP INDEX backups_one_work;
ALTER TABLE backups DROP CONSTRAINT backups_into_check, DROP COLUMN into_instance_id;
CREATE UNIQUE INDEX backups_one_work ON backups (instance_id) WHERE work IN ('write', 'verify', 'restore');
COMMENT ON COLUMN backups.restored IS 'When it last replaced the databases of the instance; null: never.';
