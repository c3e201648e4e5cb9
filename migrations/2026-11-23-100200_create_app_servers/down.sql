DROP TRIGGER only_running_ones_are_active ON instances;
ALTER TABLE instances DROP CONSTRAINT instances_id_active_app_server_id_fkey,
                      DROP CONSTRAINT instances_id_fallback_app_server_id_fkey;
DROP TABLE activations, app_server_checks, build_steps, builds, app_server_pins, app_servers, servers;
DROP FUNCTION refuse_app_server_change, refuse_server_move, refuse_second_pin, refuse_activation_of_unbuilt;
