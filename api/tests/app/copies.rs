//! Many instances at once: SQL that copies the first instance and its first app server.

/// Statements that make `count` instances of one, each with five app servers that run and 300 lines of log; the first app
/// server of each is active.
pub fn of_the_first(count: usize) -> Vec<String> {
    let (instances, app_servers) = (count - 1, (count - 1) * 5);
    vec![
        // Rows that exist already keep their ids.
        "CREATE TEMPORARY TABLE known AS SELECT (SELECT max(id) FROM instances) AS instance, \
            (SELECT max(id) FROM app_servers) AS app_server, (SELECT max(id) FROM servers) AS server"
            .to_owned(),
        format!(
            "INSERT INTO instances (instance_type, name, domain, settings, created, modified, next_app_server_number) \
             SELECT instance_type, 'Campus ' || md5(n::text), 'c' || n || '.example', settings, now(), now(), 6 \
             FROM instances, generate_series(1, {instances}) AS n WHERE id = 1 ORDER BY n"
        ),
        format!(
            "INSERT INTO servers (name, provider, provider_id, status, ssh_address, http_address) \
             SELECT 's' || n, 'fake', 'f' || n, 'ready', '127.0.0.1:22', '127.0.0.1:80' \
             FROM generate_series(1, {app_servers}) AS n ORDER BY n"
        ),
        format!(
            "INSERT INTO app_servers (instance_id, server_id, number, name, settings, variables, playbooks, \
                variable_references, requested_by, status, trigger, attempt, num_attempts) \
             SELECT known.instance + (n - 1) / 5 + 1, known.server + n, (n - 1) % 5 + 1, 'AppServer ' || (n - 1) % 5 + 1, \
                settings, variables, playbooks, variable_references, requested_by, 'running', trigger, attempt, num_attempts \
             FROM known, app_servers, generate_series(1, {app_servers}) AS n WHERE id = 1 ORDER BY n"
        ),
        "INSERT INTO builds (app_server_id, begun_at) SELECT id, now() FROM app_servers, known WHERE id > known.app_server"
            .to_owned(),
        "INSERT INTO log_counters (app_server_id, last_seq) SELECT id, 60 FROM app_servers, known WHERE id > known.app_server"
            .to_owned(),
        "INSERT INTO log_entries (level, text, instance_id, app_server_id, seq) \
         SELECT 'INFO', 'TASK [role : what it does] ' || n, a.instance_id, a.id, n \
         FROM known, app_servers AS a, generate_series(1, 60) AS n WHERE a.id > known.app_server"
            .to_owned(),
        "UPDATE instances SET active_app_server_id = (SELECT min(id) FROM app_servers WHERE instance_id = instances.id) \
         FROM known WHERE instances.id > known.instance"
            .to_owned(),
        "DROP TABLE known".to_owned(),
    ]
}

/// A watched repository, and a pull request for each instance that has none.
#[allow(dead_code, reason = "measurements have no pull requests")]
pub const PULL_REQUESTS: [&str; 2] = [
    "INSERT INTO watched_repositories (configured, name) VALUES ('acme/edx', 'acme/edx')",
    "INSERT INTO pull_requests (repository_id, number, state, title, author, is_draft, is_trusted, fork_name, branch_name, \
        head_commit, extra_settings, wanted, instance_id, github_updated) \
     SELECT 1, i.id, 'open', 'Title ' || i.id, 'ada', FALSE, i.id % 50 <> 0, 'ada/edx', 'branch', repeat('0', 40), '', '{}', i.id, \
        now() - i.id * interval '1 minute' FROM instances AS i \
     WHERE NOT EXISTS (SELECT 1 FROM pull_requests AS p WHERE p.instance_id = i.id)",
];
