-- What a machine was made from, as far as its provider tells.
ALTER TABLE servers
    ADD COLUMN image  TEXT CHECK (char_length(image) <= 255),
    ADD COLUMN flavor TEXT CHECK (char_length(flavor) <= 255);
COMMENT ON COLUMN servers.image IS 'What the machine booted first, in the words of its provider; null if that is not known.';
COMMENT ON COLUMN servers.flavor IS 'The size of the machine, in the words of its provider; null if that is not known.';

-- What lists of machines filter by.
CREATE INDEX servers_provider ON servers (provider, id DESC);
CREATE INDEX servers_words ON servers
    USING gin (search_words(name, coalesce(public_ip, ''), coalesce(provider_id, '')));
