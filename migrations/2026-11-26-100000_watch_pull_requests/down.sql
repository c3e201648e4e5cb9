DROP TABLE github_pause;
DROP TABLE webhook_deliveries;
DROP TABLE pull_requests;
DROP TABLE watched_repositories;
