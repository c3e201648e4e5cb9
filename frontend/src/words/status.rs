//! The statuses as sentences, in the console's own words: `status_description` of the API keeps those of the original.

use shared_types::{AppServerStatus, ServerStatus};

/// What the status of an app server means.
pub const fn of_app_server(status: AppServerStatus) -> &'static str {
    match status {
        AppServerStatus::New => "Newly created",
        AppServerStatus::Waiting => "Its machine is not accessible yet",
        AppServerStatus::Configuring => "Running Ansible playbooks on its machine",
        AppServerStatus::Running => "App server is up and running",
        AppServerStatus::Failed => "Configuration failed; the site may be partly up",
        AppServerStatus::Error => "The build failed before the machine could be configured",
        AppServerStatus::Terminated => "App server was up and running; its machine has been deleted",
        AppServerStatus::Stopped => "The build was stopped before it ended",
    }
}

/// What the status of a machine means.
pub const fn of_machine(status: ServerStatus) -> &'static str {
    match status {
        ServerStatus::Pending => "Not requested yet",
        ServerStatus::Building => "The provider is creating it",
        ServerStatus::Booting => "Booting",
        ServerStatus::Ready => "Booted and ready",
        ServerStatus::Terminated => "Deleted",
        ServerStatus::Unknown => "Provider API is not responding",
        ServerStatus::Failed => "The provider could not create it",
    }
}
