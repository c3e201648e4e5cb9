ALTER TABLE events DROP COLUMN earliest, DROP COLUMN transaction;
DROP TABLE sign_in_groups;
DROP INDEX login_failures_at;
DROP INDEX login_failures_browser_at;
COMMENT ON COLUMN login_failures.address IS 'Where it was tried from.';
ALTER TABLE login_failures DROP COLUMN browser;
DROP TABLE known_browsers;
