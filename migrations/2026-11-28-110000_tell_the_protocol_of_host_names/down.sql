ALTER TABLE instance_hostnames DROP COLUMN protocol;
