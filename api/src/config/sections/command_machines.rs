use std::path::PathBuf;

use crate::config::table::{WEEK, settings};

settings! {
    /// Machines of any cloud through a program, with the provider `command`. See
    /// [provider-contract.md](provider-contract.md).
    pub struct CommandMachines = "Machines through a program";

    /// The absolute path of the program that creates and deletes machines.
    ocim_command_provider: Option<PathBuf> = None;
    /// The program's arguments, the same for every operation, separated by commas. They are visible in the
    /// host's process list: no secrets.
    ocim_command_provider_arguments: Vec<String> = Vec::new();
    /// Names of the environment variables that the program gets besides `HOME`, `LANG` and `PATH`,
    /// separated by commas. Their values are masked in error messages.
    ocim_command_provider_environment: Vec<String> = Vec::new();
    /// The user that Ansible logs in as on its machines; may use sudo without a password.
    ocim_command_provider_ssh_user: String = "debian".to_owned();
    /// Seconds that the program may take to find or list machines.
    ocim_command_provider_read_seconds: u64 = 30, seconds(1..=3600);
    /// Seconds that the program may take to create, restart or delete a machine.
    ocim_command_provider_change_seconds: u64 = 300, seconds(1..=WEEK);
    /// How many programs run at the same time; other operations wait.
    ocim_command_provider_at_once: usize = 4, within(1..=64);
}
