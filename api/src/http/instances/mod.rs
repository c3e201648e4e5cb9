//! Instances.

mod create_instance;
mod launch_app_server;
mod list_activations;
mod list_instance_app_servers;
mod list_instance_logs;
mod list_instances;
mod read_instance;
mod stream_instance_logs;
mod update_instance;
mod view;

pub use create_instance::{__path_create_instance, create_instance};
pub use launch_app_server::{__path_launch_app_server, launch_app_server};
pub use list_activations::{__path_list_activations, list_activations};
pub use list_instance_app_servers::{__path_list_instance_app_servers, list_instance_app_servers};
pub use list_instance_logs::{__path_list_instance_logs, list_instance_logs};
pub use list_instances::{__path_list_instances, list_instances};
pub use read_instance::{__path_read_instance, read_instance};
pub use stream_instance_logs::{__path_stream_instance_logs, stream_instance_logs};
pub use update_instance::{__path_update_instance, update_instance};
