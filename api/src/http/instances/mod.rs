//! Operations on instances.

mod activations;
mod app_servers;
mod archive;
mod create;
mod hold;
mod hold_lift;
mod launch;
mod list;
mod log_matches;
mod logs;
mod logs_stream;
mod purge;
mod read;
mod render;
mod restore;
mod rollback;
mod update;
mod view;

pub use activations::list_activations;
pub use app_servers::list_instance_app_servers;
pub use archive::archive_instance;
pub use create::create_instance;
pub use hold::hold_instance;
pub use hold_lift::lift_hold;
pub use launch::launch_app_server;
pub use list::{HealthFilter, list_instances};
pub use log_matches::list_instance_log_matches;
pub use logs::list_instance_logs;
pub use logs_stream::stream_instance_logs;
pub use purge::purge_instance;
pub use read::read_instance;
pub use render::render_instance;
pub use restore::restore_instance;
pub use rollback::roll_back_instance;
pub use update::update_instance;
