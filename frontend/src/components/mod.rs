//! Parts of the screens that know instances and app servers.

mod activate_dialog;
mod app_server_list;
mod configuration;
mod diff_view;
mod failure;
mod instance_list;
mod lanes;
mod launch;
pub mod log;
mod mark;
mod quick_search;
mod settings_form;
mod shell;
mod status_card;
mod status_label;
mod steps;
mod toast_list;
mod top_bar;

pub use activate_dialog::ActivateDialog;
pub use app_server_list::AppServerList;
pub use configuration::Configuration;
pub use diff_view::DiffView;
pub use failure::Failure;
pub use instance_list::last_activity;
pub use lanes::Lanes;
pub use launch::{Launch, LaunchButton};
pub use log::LogCard;
pub use settings_form::{FieldRows, Form};
pub use shell::{OfflineBanner, Shell};
pub use status_card::StatusCard;
pub use status_label::{StatusDot, StatusLabel};
pub use toast_list::ToastList;
