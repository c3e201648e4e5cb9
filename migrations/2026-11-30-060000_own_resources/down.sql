-- Builds in the step that the earlier version does not have go on with the next one.
UPDATE builds SET step = 'server' WHERE step = 'resources';
DELETE FROM build_steps WHERE step = 'resources';
ALTER TABLE builds DROP CONSTRAINT builds_step_check, ADD CONSTRAINT builds_step_check
    CHECK (step IN ('pin', 'server', 'checkout', 'playbooks', 'reboot', 'checks'));
ALTER TABLE build_steps DROP CONSTRAINT build_steps_step_check, ADD CONSTRAINT build_steps_step_check
    CHECK (step IN ('pin', 'server', 'checkout', 'playbooks', 'reboot', 'checks'));
ALTER TABLE app_servers DROP COLUMN resources;
DROP TABLE resources;
DROP FUNCTION refuse_resource_move();
