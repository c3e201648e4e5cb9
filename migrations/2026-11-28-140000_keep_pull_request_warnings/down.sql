DROP TRIGGER pull_requests_have_news ON pull_requests;
CREATE TRIGGER pull_requests_have_news BEFORE UPDATE ON pull_requests
    FOR EACH ROW WHEN (
        (OLD.state, OLD.head_commit, OLD.version, OLD.is_trusted, OLD.decision, OLD.decided_version,
         OLD.settings_trouble, OLD.trouble, OLD.instance_id)
        IS DISTINCT FROM
        (NEW.state, NEW.head_commit, NEW.version, NEW.is_trusted, NEW.decision, NEW.decided_version,
         NEW.settings_trouble, NEW.trouble, NEW.instance_id)
    ) EXECUTE FUNCTION pull_request_has_news();
ALTER TABLE pull_requests DROP COLUMN settings_warnings;
