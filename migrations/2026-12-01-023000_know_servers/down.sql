ALTER TABLE workers DROP COLUMN clock_ms;
DROP TABLE server_processes;
