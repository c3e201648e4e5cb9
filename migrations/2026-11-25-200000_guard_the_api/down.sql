DROP INDEX log_entries_of_instance, servers_status, app_servers_status, instances_words;
DROP FUNCTION search_words;
DROP INDEX instances_archived, instances_modified, instances_created, instances_domain, instances_name;
DROP TABLE secrets, idempotency_keys;
DROP INDEX audit_log_refused, audit_log_app_server, audit_log_instance, audit_log_action, audit_log_actor, audit_log_at;
ALTER TABLE audit_log
    DROP COLUMN reason, DROP COLUMN after, DROP COLUMN before, DROP COLUMN outcome,
    DROP COLUMN request_id, DROP COLUMN address, DROP COLUMN token_id, DROP COLUMN user_id;
DROP TRIGGER users_tell ON users;
DROP TRIGGER api_tokens_tell ON api_tokens;
DROP TRIGGER sessions_tell ON sessions;
DROP FUNCTION tell_of_access();
DROP INDEX login_failures_address_at;
ALTER TABLE login_failures DROP COLUMN address;
ALTER TABLE api_tokens DROP COLUMN scopes;
DROP INDEX sessions_expires;
ALTER TABLE sessions DROP COLUMN user_agent, DROP COLUMN address, DROP COLUMN last_seen, DROP COLUMN id;
DROP TABLE user_identities;
DELETE FROM users WHERE password_hash IS NULL;
ALTER TABLE users
    DROP COLUMN last_login, DROP COLUMN disabled_at, DROP COLUMN version,
    ALTER COLUMN password_hash SET NOT NULL;
COMMENT ON COLUMN users.password_hash IS 'Argon2id in PHC form.';
