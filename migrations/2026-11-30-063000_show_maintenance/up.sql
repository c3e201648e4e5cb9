-- A page for visitors while an instance is worked on.
ALTER TABLE instances
    ADD COLUMN maintenance_at   TIMESTAMPTZ,
    ADD COLUMN maintenance_by   TEXT,
    ADD COLUMN maintenance_text TEXT CHECK (char_length(maintenance_text) BETWEEN 1 AND 500),
    ADD CHECK ((maintenance_at IS NULL) = (maintenance_by IS NULL)),
    ADD CHECK ((maintenance_at IS NULL) = (maintenance_text IS NULL));
COMMENT ON COLUMN instances.maintenance_at IS 'Since when visitors get the maintenance page; null: they get the active app server.';
COMMENT ON COLUMN instances.maintenance_by IS 'Who put the page up.';
COMMENT ON COLUMN instances.maintenance_text IS 'What the page says to visitors.';
