ALTER TABLE installation ADD COLUMN backed_up_at TIMESTAMPTZ;
COMMENT ON COLUMN installation.backed_up_at IS 'When `ocim admin backup` last wrote a file; null: never, or a version that does not say.';
