DROP TABLE hook_runs;
ALTER TABLE app_servers DROP COLUMN hooks;
