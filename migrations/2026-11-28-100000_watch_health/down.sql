DROP TRIGGER instances_have_health ON instances;
DROP FUNCTION health_follows_pointer;
DROP TABLE health_watch;
DROP TABLE instance_health_changes;
DROP TABLE instance_health;
DROP FUNCTION rank_follows_health;
DROP INDEX instances_health_stale;
ALTER TABLE instances DROP COLUMN health_rank;
