-- Playbooks that run on an app server's machine when traffic moves. App servers of earlier versions have none.
ALTER TABLE app_servers ADD COLUMN hooks JSONB NOT NULL DEFAULT '[]';
COMMENT ON COLUMN app_servers.hooks IS
    'What runs when traffic moves, decided at launch: moment, and the path of the playbook in the repository of the first one.';

CREATE TABLE hook_runs (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_server_id BIGINT      NOT NULL REFERENCES app_servers (id),
    moment        TEXT        NOT NULL CHECK (moment IN ('before_traffic', 'after_traffic', 'before_end')),
    activation    JSONB,
    requested_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    playbook      INTEGER     NOT NULL DEFAULT 0,
    run           INTEGER     NOT NULL DEFAULT 0,
    spool_events  BIGINT      NOT NULL DEFAULT 0,
    spool_errors  BIGINT      NOT NULL DEFAULT 0,
    ended_at      TIMESTAMPTZ,
    settled_at    TIMESTAMPTZ,
    failure       TEXT,
    CHECK ((activation IS NOT NULL) = (moment = 'before_traffic')),
    CHECK (settled_at IS NULL OR ended_at IS NOT NULL)
);
COMMENT ON TABLE hook_runs IS 'The hooks of one moment of an app server, run or to be run. Written under the lease of its build.';
COMMENT ON COLUMN hook_runs.id IS 'Given out once; of one app server they run in this order.';
COMMENT ON COLUMN hook_runs.app_server_id IS 'On whose machine.';
COMMENT ON COLUMN hook_runs.moment IS 'Which hooks: before_traffic, after_traffic or before_end.';
COMMENT ON COLUMN hook_runs.activation IS 'The activation that waits for it: who asked, how, why, and what it replaces.';
COMMENT ON COLUMN hook_runs.requested_at IS 'When it became due.';
COMMENT ON COLUMN hook_runs.playbook IS 'Index of the playbook under way, among those of the moment.';
COMMENT ON COLUMN hook_runs.run IS 'Counts runs of playbooks; 0 before the first.';
COMMENT ON COLUMN hook_runs.spool_events IS 'Bytes of the present run''s event file that are in the log.';
COMMENT ON COLUMN hook_runs.spool_errors IS 'Bytes of its error file that are in the log.';
COMMENT ON COLUMN hook_runs.ended_at IS 'When the last playbook had ended, well or not.';
COMMENT ON COLUMN hook_runs.settled_at IS 'When what waited for it was done or refused; null while something waits.';
COMMENT ON COLUMN hook_runs.failure IS 'Why a playbook failed, or why the activation was refused; null: neither.';
-- One of each moment at a time; the machine ends once.
CREATE UNIQUE INDEX hook_runs_pending ON hook_runs (app_server_id, moment) WHERE settled_at IS NULL;
CREATE UNIQUE INDEX hook_runs_of_the_end ON hook_runs (app_server_id) WHERE moment = 'before_end';
CREATE INDEX hook_runs_by_app_server ON hook_runs (app_server_id, id);
