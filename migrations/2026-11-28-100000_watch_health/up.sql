-- The health of the sites of active app servers, as the watch last found it.

ALTER TABLE instances ADD COLUMN health_rank INTEGER NOT NULL DEFAULT 0 CHECK (health_rank BETWEEN 0 AND 4);
COMMENT ON COLUMN instances.health_rank IS 'How pressing the stored state in instance_health is: 0 none, 1 ok, 2 unknown, 3 degraded, 4 down. A trigger keeps it.';

CREATE TABLE instance_health (
    instance_id   BIGINT      PRIMARY KEY REFERENCES instances,
    app_server_id BIGINT      NOT NULL REFERENCES app_servers,
    state         TEXT        NOT NULL DEFAULT 'unknown' CHECK (state IN ('ok', 'unknown', 'degraded', 'down')),
    failing       TEXT[]      NOT NULL DEFAULT '{}',
    suspects      JSONB       NOT NULL DEFAULT '{}',
    since         TIMESTAMPTZ NOT NULL DEFAULT now(),
    failing_since TIMESTAMPTZ,
    checked_at    TIMESTAMPTZ,
    CHECK (cardinality(failing) = 0 OR state IN ('degraded', 'down')),
    CHECK (state NOT IN ('degraded', 'down') OR failing_since IS NOT NULL),
    CHECK (state <> 'ok' OR failing_since IS NULL)
) WITH (fillfactor = 70);
COMMENT ON TABLE instance_health IS 'Whether the sites of each instance with an active app server work. Rows are small, and an update of checked_at changes no index.';
COMMENT ON COLUMN instance_health.instance_id IS 'The instance. A trigger adds and removes its row with the pointer to the active app server.';
COMMENT ON COLUMN instance_health.app_server_id IS 'The active app server, whose sites are checked.';
COMMENT ON COLUMN instance_health.state IS 'The state by the last check. While the watch as a whole is stale (health_watch), readers show unknown instead.';
COMMENT ON COLUMN instance_health.failing IS 'The sites that fail, in the application''s order.';
COMMENT ON COLUMN instance_health.suspects IS 'Each site whose last check failed, with the time of the first failed check in a row.';
COMMENT ON COLUMN instance_health.since IS 'When the state began.';
COMMENT ON COLUMN instance_health.failing_since IS 'Since when at least one site fails, also while the state is unknown; null: no site is known to fail.';
COMMENT ON COLUMN instance_health.checked_at IS 'When the sites were last checked; null before the first check of this app server. Refreshed in bulk.';

CREATE TABLE instance_health_changes (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            TIMESTAMPTZ NOT NULL DEFAULT now(),
    instance_id   BIGINT      REFERENCES instances,
    app_server_id BIGINT      REFERENCES app_servers,
    state         TEXT        NOT NULL CHECK (state IN ('ok', 'unknown', 'degraded', 'down')),
    failing       TEXT[]      NOT NULL DEFAULT '{}',
    failing_since TIMESTAMPTZ,
    detail        TEXT        CHECK (char_length(detail) <= 1000),
    is_mail_owed  BOOLEAN     NOT NULL DEFAULT false,
    CHECK ((instance_id IS NULL) = (app_server_id IS NULL))
);
COMMENT ON TABLE instance_health_changes IS 'Each change of an instance''s health, and of the watch as a whole.';
COMMENT ON COLUMN instance_health_changes.id IS 'Given out once.';
COMMENT ON COLUMN instance_health_changes.at IS 'When it was noticed.';
COMMENT ON COLUMN instance_health_changes.instance_id IS 'The instance; null: the watch as a whole, which is ok while checks are made and unknown while they are not.';
COMMENT ON COLUMN instance_health_changes.app_server_id IS 'The app server that was active then.';
COMMENT ON COLUMN instance_health_changes.state IS 'The state from then on.';
COMMENT ON COLUMN instance_health_changes.failing IS 'The sites that failed from then on.';
COMMENT ON COLUMN instance_health_changes.failing_since IS 'When the failure began that goes on, or that this change ends; null: there was none.';
COMMENT ON COLUMN instance_health_changes.detail IS 'What the checks answered, in words.';
COMMENT ON COLUMN instance_health_changes.is_mail_owed IS 'Whether the next mail to ADMINS must name this change.';
CREATE INDEX instance_health_changes_of_instance ON instance_health_changes (instance_id, id DESC);
CREATE INDEX instance_health_changes_at ON instance_health_changes (at);
CREATE INDEX instance_health_changes_mail ON instance_health_changes (id) WHERE is_mail_owed;

CREATE TABLE health_watch (
    is_one        BOOLEAN     PRIMARY KEY DEFAULT true CHECK (is_one),
    fresh_until   TIMESTAMPTZ NOT NULL DEFAULT now(),
    checked_at    TIMESTAMPTZ,
    trouble       TEXT        CHECK (char_length(trouble) <= 1000),
    is_told_stale BOOLEAN     NOT NULL DEFAULT false,
    mailed_at     TIMESTAMPTZ NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE health_watch IS 'The watch over all active app servers; one row.';
COMMENT ON COLUMN health_watch.is_one IS 'True: there is one row.';
COMMENT ON COLUMN health_watch.fresh_until IS 'Three check intervals after questions were last answered. Later than that, every health is unknown.';
COMMENT ON COLUMN health_watch.checked_at IS 'When questions were last answered; null before the first.';
COMMENT ON COLUMN health_watch.trouble IS 'Why no question can be asked, in words; null: questions are asked.';
COMMENT ON COLUMN health_watch.is_told_stale IS 'Whether listeners were told that fresh_until has passed.';
COMMENT ON COLUMN health_watch.mailed_at IS 'When the last mail about health was written: at most one a minute.';
INSERT INTO health_watch DEFAULT VALUES;

-- What the version before found by its checks counts as the first results.
INSERT INTO instance_health (instance_id, app_server_id, state, failing, suspects, since, failing_since, checked_at)
    SELECT id, active_app_server_id,
        CASE WHEN c.failing IS NULL OR is_gone AND cardinality(c.failing) = 0 THEN 'unknown'
             WHEN main_fails THEN 'down' WHEN cardinality(c.failing) > 0 THEN 'degraded' ELSE 'ok' END,
        coalesce(c.failing, '{}'), coalesce(c.suspects, '{}'), coalesce(c.checked_at, now()),
        CASE WHEN cardinality(c.failing) > 0 THEN c.checked_at END, c.checked_at
    FROM (SELECT i.id, i.active_app_server_id, s.status = 'terminated' AS is_gone FROM instances AS i
            JOIN app_servers AS a ON a.id = i.active_app_server_id JOIN servers AS s ON s.id = a.server_id) AS active
    LEFT JOIN LATERAL (
        SELECT coalesce(array_agg(name ORDER BY position) FILTER (WHERE NOT is_ok), '{}') AS failing,
            coalesce(jsonb_object_agg(name, checked_at) FILTER (WHERE NOT is_ok), '{}') AS suspects,
            bool_or(NOT is_ok AND position = 0) AS main_fails, max(checked_at) AS checked_at
        FROM app_server_checks WHERE app_server_id = active_app_server_id HAVING count(*) > 0) AS c ON true;
UPDATE instances AS i SET health_rank = CASE h.state WHEN 'ok' THEN 1 WHEN 'unknown' THEN 2 WHEN 'degraded' THEN 3 ELSE 4 END
    FROM instance_health AS h WHERE h.instance_id = i.id;
CREATE INDEX instances_health ON instances (health_rank, id);
CREATE INDEX instances_health_stale ON instances ((CASE WHEN health_rank > 0 THEN 2 ELSE 0 END), id);

CREATE FUNCTION health_follows_pointer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active_app_server_id IS NULL THEN
        DELETE FROM instance_health WHERE instance_id = NEW.id;
    ELSE
        -- A failure of the app server before is over only when the new one is known to work.
        INSERT INTO instance_health (instance_id, app_server_id) VALUES (NEW.id, NEW.active_app_server_id)
            ON CONFLICT (instance_id) DO UPDATE SET app_server_id = excluded.app_server_id, state = 'unknown',
            failing = '{}', suspects = '{}', since = now(), checked_at = NULL;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION health_follows_pointer IS 'Health begins anew with each app server that becomes active.';
CREATE TRIGGER instances_have_health AFTER UPDATE OF active_app_server_id ON instances
    FOR EACH ROW WHEN (OLD.active_app_server_id IS DISTINCT FROM NEW.active_app_server_id)
    EXECUTE FUNCTION health_follows_pointer();

CREATE FUNCTION rank_follows_health() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rank INTEGER;
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE instances SET health_rank = 0 WHERE id = OLD.instance_id;
    ELSE
        rank := CASE NEW.state WHEN 'ok' THEN 1 WHEN 'unknown' THEN 2 WHEN 'degraded' THEN 3 ELSE 4 END;
        UPDATE instances SET health_rank = rank WHERE id = NEW.instance_id AND health_rank <> rank;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION rank_follows_health IS 'Lists sort and filter by a column of instances.';
CREATE TRIGGER health_has_a_rank AFTER INSERT OR UPDATE OF state OR DELETE ON instance_health
    FOR EACH ROW EXECUTE FUNCTION rank_follows_health();
