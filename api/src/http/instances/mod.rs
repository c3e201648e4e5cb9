//! Instances.

mod activations;
mod app_servers;
mod create;
mod launch;
mod list;
mod logs;
mod logs_stream;
mod read;
mod update;
mod view;

pub use activations::list_activations;
pub use app_servers::list_instance_app_servers;
pub use create::create_instance;
pub use launch::launch_app_server;
pub use list::list_instances;
pub use logs::list_instance_logs;
pub use logs_stream::stream_instance_logs;
pub use read::read_instance;
pub use update::update_instance;
