ALTER TABLE instances DROP COLUMN maintenance_text, DROP COLUMN maintenance_by, DROP COLUMN maintenance_at;
