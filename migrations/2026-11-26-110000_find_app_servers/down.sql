DROP INDEX app_servers_words;
