DROP TABLE github_pause;
DROP TABLE webhook_deliveries;
DROP TABLE pull_requests;
DROP FUNCTION pull_request_has_news();
DROP INDEX instances_in_use;
DROP TABLE watched_repositories;
