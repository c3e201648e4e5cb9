-- What the author of a pull request may want to know of the settings in its description.

ALTER TABLE pull_requests ADD COLUMN settings_warnings JSONB NOT NULL DEFAULT '[]'
    CHECK (jsonb_typeof(settings_warnings) = 'array');
COMMENT ON COLUMN pull_requests.settings_warnings IS 'Advice about the settings in the description, a list of {pointer, line, detail}; lines count in the description.';

DROP TRIGGER pull_requests_have_news ON pull_requests;
CREATE TRIGGER pull_requests_have_news BEFORE UPDATE ON pull_requests
    FOR EACH ROW WHEN (
        (OLD.state, OLD.head_commit, OLD.version, OLD.is_trusted, OLD.decision, OLD.decided_version,
         OLD.settings_trouble, OLD.settings_warnings, OLD.trouble, OLD.instance_id)
        IS DISTINCT FROM
        (NEW.state, NEW.head_commit, NEW.version, NEW.is_trusted, NEW.decision, NEW.decided_version,
         NEW.settings_trouble, NEW.settings_warnings, NEW.trouble, NEW.instance_id)
    ) EXECUTE FUNCTION pull_request_has_news();
