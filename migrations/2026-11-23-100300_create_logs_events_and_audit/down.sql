DROP TABLE audit_log, events, log_entries, log_counters;
DROP FUNCTION notify_event, refuse_audit_change;
