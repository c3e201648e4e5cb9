// Ten thousand instances: the first one, with its first app server, is copied by the database (as in api/tests/app/copies.rs).
import type { Api } from '../support/api.ts';
import type { Database, Running } from '../support/database.ts';

export const INSTANCES = 10_000;
export const CHANGES_PER_SECOND = 500;

const TICK_MS = 100;
/** How many of a tick's changed rows are among the first of the list, which are visible. */
const IN_SIGHT = 2;

/**
 * Creates one instance by the API and copies it, each with two app servers that run, the first of them active. Their order
 * by name differs from the order by age.
 */
export async function crowd(api: Api, database: Database): Promise<void> {
  const first = await api.create('Campus 00000', 'campus');
  await api.activate((await api.build(first.id)).id);
  const copies = INSTANCES - 1;
  database.run(`
    BEGIN;
    CREATE TEMPORARY TABLE known AS SELECT (SELECT max(id) FROM instances) AS instance,
      (SELECT max(id) FROM app_servers) AS app_server, (SELECT max(id) FROM servers) AS server;
    INSERT INTO instances (instance_type, name, domain, settings, next_app_server_number)
      SELECT instance_type, 'Campus ' || lpad((n * 7919 % ${INSTANCES})::text, 5, '0'), 'c' || n || '.example', settings, 3
      FROM instances, generate_series(1, ${copies}) AS n WHERE id = ${first.id} ORDER BY n;
    -- Terminated, so that the reaper does not look for twenty thousand machines that never existed.
    INSERT INTO servers (name, provider, status)
      SELECT 's' || n, 'fake', 'terminated' FROM generate_series(1, ${copies * 2}) AS n ORDER BY n;
    INSERT INTO app_servers (instance_id, server_id, number, name, settings, variables, playbooks, variable_references,
        requested_by, status, trigger, attempt, num_attempts)
      SELECT known.instance + (n - 1) / 2 + 1, known.server + n, (n - 1) % 2 + 1, 'AppServer ' || (n - 1) % 2 + 1, settings,
        variables, playbooks, variable_references, requested_by, 'running', trigger, attempt, num_attempts
      FROM known, app_servers, generate_series(1, ${copies * 2}) AS n WHERE id = known.app_server ORDER BY n;
    INSERT INTO builds (app_server_id, begun_at) SELECT id, now() FROM app_servers, known WHERE id > known.app_server;
    INSERT INTO log_counters (app_server_id) SELECT id FROM app_servers, known WHERE id > known.app_server;
    UPDATE instances SET active_app_server_id = (SELECT min(id) FROM app_servers WHERE instance_id = instances.id)
      FROM known WHERE instances.id > known.instance;
    COMMIT;
    ANALYZE;`);
}

/** Changes names to the current time, with the program's events; goes on until it is stopped. */
export function changes(database: Database): Running {
  const perTick = (CHANGES_PER_SECOND * TICK_MS) / 1000;
  return database.start(`
    CREATE TEMPORARY TABLE due (id bigint);
    DO $$
    DECLARE
      began CONSTANT timestamptz := clock_timestamp();
      -- As the list sorts them.
      ids CONSTANT bigint[] := (SELECT array_agg(id ORDER BY name) FROM instances);
    BEGIN
      FOR tick IN 1 .. 100000 LOOP
        INSERT INTO due SELECT DISTINCT ids[1 + floor(random() * CASE WHEN n <= ${IN_SIGHT} THEN 15 ELSE ${INSTANCES} END)]
          FROM generate_series(1, ${perTick}) AS n;
        UPDATE instances SET version = version + 1, modified = clock_timestamp(),
          name = left(name, 12) || ' at ' || floor(extract(epoch FROM clock_timestamp()) * 1000)
          WHERE id IN (SELECT id FROM due);
        INSERT INTO events (kind, instance_id) SELECT 'InstanceUpdated', id FROM due;
        DELETE FROM due;
        COMMIT;
        PERFORM pg_sleep(extract(epoch FROM began + tick * interval '${TICK_MS} milliseconds' - clock_timestamp()));
      END LOOP;
    END $$;`);
}
