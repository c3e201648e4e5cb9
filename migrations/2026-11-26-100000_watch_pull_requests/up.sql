-- Pull requests, each with the instance that it gets. Instances know nothing of this.

CREATE TABLE watched_repositories (
    id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    configured     TEXT        NOT NULL UNIQUE CHECK (configured ~ '^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$'),
    name           TEXT        NOT NULL CHECK (name ~ '^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$'),
    github_id      BIGINT      UNIQUE,
    etag           TEXT        CHECK (char_length(etag) <= 200),
    seen_until     TIMESTAMPTZ,
    swept_at       TIMESTAMPTZ,
    swept_whole_at TIMESTAMPTZ,
    trouble        TEXT        CHECK (char_length(trouble) <= 1000)
);
COMMENT ON TABLE watched_repositories IS 'The repositories whose pull requests are watched, or were.';
COMMENT ON COLUMN watched_repositories.id IS 'Its number here.';
COMMENT ON COLUMN watched_repositories.configured IS 'Owner and name as WATCH_FORK has them.';
COMMENT ON COLUMN watched_repositories.name IS 'Owner and name as GitHub has them now: repositories are renamed and change hands.';
COMMENT ON COLUMN watched_repositories.github_id IS 'What GitHub knows it by, for ever; null: not asked yet.';
COMMENT ON COLUMN watched_repositories.etag IS 'Of the first page of its pull requests, the last changed first.';
COMMENT ON COLUMN watched_repositories.seen_until IS 'Every pull request that changed before was seen.';
COMMENT ON COLUMN watched_repositories.swept_at IS 'When its changed pull requests were last listed.';
COMMENT ON COLUMN watched_repositories.swept_whole_at IS 'When its open pull requests were last listed, all of them.';
COMMENT ON COLUMN watched_repositories.trouble IS 'Why the last sweep failed; null: it did not.';

CREATE TABLE pull_requests (
    id                BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id     BIGINT      NOT NULL REFERENCES watched_repositories,
    number            INTEGER     NOT NULL CHECK (number > 0),
    state             TEXT        NOT NULL CHECK (state IN ('open', 'closed', 'merged')),
    title             TEXT        NOT NULL CHECK (char_length(title) <= 1000),
    author            TEXT        NOT NULL CHECK (char_length(author) <= 100),
    is_draft          BOOLEAN     NOT NULL,
    is_trusted        BOOLEAN     NOT NULL,
    fork_name         TEXT        CHECK (fork_name ~ '^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$'),
    branch_name       TEXT        NOT NULL CHECK (char_length(branch_name) <= 500),
    head_commit       TEXT        NOT NULL CHECK (head_commit ~ '^[0-9a-f]{40}([0-9a-f]{24})?$'),
    extra_settings    TEXT        NOT NULL CHECK (char_length(extra_settings) <= 100000),
    wanted            JSONB,
    settings_trouble  TEXT        CHECK (char_length(settings_trouble) <= 1000),
    version           BIGINT      NOT NULL DEFAULT 1,
    decision          TEXT        CHECK (decision IN ('approved', 'ignored')),
    decided_version   BIGINT,
    decided_by        TEXT,
    decided_at        TIMESTAMPTZ,
    instance_id       BIGINT      UNIQUE REFERENCES instances ON DELETE SET NULL,
    applied_version   BIGINT,
    owed              TEXT        CHECK (owed IN ('update', 'rebuild')),
    github_updated    TIMESTAMPTZ NOT NULL,
    closed_at         TIMESTAMPTZ,
    archive_at        TIMESTAMPTZ,
    is_archived_by_us BOOLEAN     NOT NULL DEFAULT FALSE,
    fetched_at        TIMESTAMPTZ NOT NULL DEFAULT now(),
    trouble           TEXT        CHECK (char_length(trouble) <= 1000),
    comment_id        BIGINT,
    reported          JSONB,
    reported_of       TEXT,
    is_report_settled BOOLEAN     NOT NULL DEFAULT FALSE,
    report_turn       BIGINT      NOT NULL DEFAULT 0,
    report_until      TIMESTAMPTZ,
    report_trouble    TEXT        CHECK (char_length(report_trouble) <= 1000),
    report_tries      INTEGER     NOT NULL DEFAULT 0,
    report_after      TIMESTAMPTZ,
    created           TIMESTAMPTZ NOT NULL DEFAULT now(),
    modified          TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (repository_id, number),
    CHECK ((decision IS NULL) = (decided_version IS NULL)),
    CHECK ((wanted IS NULL) = (settings_trouble IS NOT NULL)),
    CHECK ((state = 'open') = (closed_at IS NULL))
);
COMMENT ON TABLE pull_requests IS 'The pull requests that are watched, as GitHub last said they are, and what was made of them.';
COMMENT ON COLUMN pull_requests.id IS 'Its number here.';
COMMENT ON COLUMN pull_requests.repository_id IS 'The repository it wants to change.';
COMMENT ON COLUMN pull_requests.number IS 'Its number there.';
COMMENT ON COLUMN pull_requests.state IS 'Open, closed, or merged.';
COMMENT ON COLUMN pull_requests.title IS 'What its author calls it, cut to 1,000 characters.';
COMMENT ON COLUMN pull_requests.author IS 'Who opened it: a login of GitHub.';
COMMENT ON COLUMN pull_requests.is_draft IS 'Whether its author says that it is not finished.';
COMMENT ON COLUMN pull_requests.is_trusted IS 'Whether author and source are the team''s: nobody needs to approve its commits.';
COMMENT ON COLUMN pull_requests.fork_name IS 'The repository that the change comes from; null: it is gone.';
COMMENT ON COLUMN pull_requests.branch_name IS 'The branch there.';
COMMENT ON COLUMN pull_requests.head_commit IS 'The last commit of the branch.';
COMMENT ON COLUMN pull_requests.extra_settings IS 'The settings block of its description; empty: none.';
COMMENT ON COLUMN pull_requests.wanted IS 'What the description asks for, read; null: it cannot be read.';
COMMENT ON COLUMN pull_requests.settings_trouble IS 'Why the description''s settings cannot be used.';
COMMENT ON COLUMN pull_requests.version IS 'Counts changes of what would run: source, commit, settings.';
COMMENT ON COLUMN pull_requests.decision IS 'What an operator decided about a commit of somebody who is not trusted.';
COMMENT ON COLUMN pull_requests.decided_version IS 'For which version that holds.';
COMMENT ON COLUMN pull_requests.decided_by IS 'Who decided.';
COMMENT ON COLUMN pull_requests.decided_at IS 'When.';
COMMENT ON COLUMN pull_requests.instance_id IS 'The instance that was made for it.';
COMMENT ON COLUMN pull_requests.applied_version IS 'The version that the instance''s settings come from.';
COMMENT ON COLUMN pull_requests.owed IS 'What its instance is owed as soon as that may be: changed settings, or an app server with them, too.';
COMMENT ON COLUMN pull_requests.github_updated IS 'When it last changed, by GitHub''s clock: what is older is not taken in.';
COMMENT ON COLUMN pull_requests.closed_at IS 'When it was closed or merged.';
COMMENT ON COLUMN pull_requests.archive_at IS 'When its instance is archived.';
COMMENT ON COLUMN pull_requests.is_archived_by_us IS 'Whether its instance was archived for it, and is restored for it.';
COMMENT ON COLUMN pull_requests.fetched_at IS 'When GitHub was last asked.';
COMMENT ON COLUMN pull_requests.trouble IS 'Why what it wants was not done; null: it was.';
COMMENT ON COLUMN pull_requests.comment_id IS 'Our comment on it.';
COMMENT ON COLUMN pull_requests.reported IS 'What GitHub was told, in short, with the ids of its deployments; null: nothing.';
COMMENT ON COLUMN pull_requests.reported_of IS 'The digest of what was known when GitHub was last told: where it differs, there may be news.';
COMMENT ON COLUMN pull_requests.is_report_settled IS 'Whether nothing else than a change of this row, or a restored instance, makes news.';
COMMENT ON COLUMN pull_requests.report_turn IS 'Counts those who told GitHub: only the last one may write.';
COMMENT ON COLUMN pull_requests.report_until IS 'Until when it is that one''s; null: nobody is at it.';
COMMENT ON COLUMN pull_requests.report_trouble IS 'Why GitHub could not be told; null: it was.';
COMMENT ON COLUMN pull_requests.report_tries IS 'How often it could not be told since it last could.';
COMMENT ON COLUMN pull_requests.report_after IS 'When what could not be told is tried again.';
COMMENT ON COLUMN pull_requests.created IS 'When it was first seen.';
COMMENT ON COLUMN pull_requests.modified IS 'When what is stored of it last changed.';
CREATE INDEX pull_requests_archive_at ON pull_requests (archive_at) WHERE archive_at IS NOT NULL;
CREATE INDEX pull_requests_github_updated ON pull_requests (github_updated, id);
CREATE INDEX pull_requests_state ON pull_requests (state, github_updated, id);
CREATE INDEX pull_requests_words ON pull_requests
    USING gin (search_words(number::text, title, author, coalesce(fork_name, ''), branch_name));
CREATE INDEX pull_requests_trouble ON pull_requests (modified) WHERE trouble IS NOT NULL;
CREATE INDEX pull_requests_unsettled ON pull_requests (id) WHERE NOT is_report_settled;
CREATE INDEX instances_in_use ON instances (id) WHERE archived_at IS NULL;

CREATE FUNCTION pull_request_has_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.is_report_settled := FALSE;
    RETURN NEW;
END $$;
CREATE TRIGGER pull_requests_have_news BEFORE UPDATE ON pull_requests
    FOR EACH ROW WHEN (
        (OLD.state, OLD.head_commit, OLD.version, OLD.is_trusted, OLD.decision, OLD.decided_version,
         OLD.settings_trouble, OLD.trouble, OLD.instance_id)
        IS DISTINCT FROM
        (NEW.state, NEW.head_commit, NEW.version, NEW.is_trusted, NEW.decision, NEW.decided_version,
         NEW.settings_trouble, NEW.trouble, NEW.instance_id)
    ) EXECUTE FUNCTION pull_request_has_news();

CREATE TABLE webhook_deliveries (
    id       TEXT        PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 100),
    received TIMESTAMPTZ NOT NULL DEFAULT now()
);
COMMENT ON TABLE webhook_deliveries IS 'What GitHub has sent us: a delivery counts once.';
COMMENT ON COLUMN webhook_deliveries.id IS 'The X-GitHub-Delivery.';
COMMENT ON COLUMN webhook_deliveries.received IS 'When.';
CREATE INDEX webhook_deliveries_received ON webhook_deliveries (received);

CREATE TABLE github_pause (
    is_one BOOLEAN     PRIMARY KEY DEFAULT TRUE CHECK (is_one),
    until  TIMESTAMPTZ NOT NULL,
    reason TEXT        NOT NULL CHECK (char_length(reason) <= 1000)
);
COMMENT ON TABLE github_pause IS 'Since GitHub said so, no worker asks it anything; one row or none.';
COMMENT ON COLUMN github_pause.is_one IS 'There is one row at most.';
COMMENT ON COLUMN github_pause.until IS 'Until when.';
COMMENT ON COLUMN github_pause.reason IS 'In its words.';
