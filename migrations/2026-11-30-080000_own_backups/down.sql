-- The files stay where they are, and must be deleted by hand.
DROP TABLE backups;
DROP FUNCTION refuse_backup_move();
