-- App servers are found by their names, as instances are.
CREATE INDEX app_servers_words ON app_servers USING gin (search_words(name));
