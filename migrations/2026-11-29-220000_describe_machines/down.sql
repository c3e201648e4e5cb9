DROP INDEX servers_words;
DROP INDEX servers_provider;
ALTER TABLE servers DROP COLUMN image, DROP COLUMN flavor;
