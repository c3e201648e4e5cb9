-- An instance may choose where its machines are made.
ALTER TABLE instances ADD COLUMN provider TEXT CHECK (provider ~ '^[a-z][a-z0-9-]{0,31}$');
COMMENT ON COLUMN instances.provider IS 'The name of the provider of its next machines; null: the default one of the settings.';
COMMENT ON COLUMN servers.provider IS 'The name of the provider that makes it; in rows of earlier versions the word of its kind, which is the same.';
COMMENT ON COLUMN orphans.provider IS 'The name of the provider whose machine it is.';

-- What every worker must know of a provider before it begins a build there.
CREATE TABLE providers (
    name         TEXT        PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9-]{0,31}$'),
    budget       INTEGER     CHECK (budget > 0),
    paused_until TIMESTAMPTZ,
    pause_reason TEXT        CHECK (char_length(pause_reason) <= 2000),
    refusals     INTEGER     NOT NULL DEFAULT 0 CHECK (refusals >= 0),
    CHECK ((paused_until IS NULL) = (pause_reason IS NULL))
);
COMMENT ON TABLE providers IS 'The providers that the settings have or had: how many machines each may have, and whether it makes any now.';
COMMENT ON COLUMN providers.name IS 'The name, as in servers.provider.';
COMMENT ON COLUMN providers.budget IS 'The most machines at a time, from the settings of the process that started last; null: not limited.';
COMMENT ON COLUMN providers.paused_until IS 'Until when no build begins there, because a quota was used up; null: it was not.';
COMMENT ON COLUMN providers.pause_reason IS 'What the provider said, without secrets.';
COMMENT ON COLUMN providers.refusals IS 'How often in a row a quota was used up; the pause grows with it.';
