//! Components that know instances and app servers.

mod access;
mod actions;
mod app_server_list;
mod archive;
mod ask_dialog;
mod backups;
mod check_list;
mod compare;
mod configuration;
mod confirm_field;
mod data_place;
mod diff_view;
mod failure;
mod form_dialog;
mod health_label;
mod history;
mod hold;
mod instance_list;
mod keys;
mod lanes;
mod launch;
pub mod log;
mod maintenance;
mod mark;
mod migration;
mod possible;
mod preview;
mod pull_request;
mod purge_dialog;
mod queue_banner;
mod quick_search;
mod radio_field;
mod rolled_back;
mod sandbox_banner;
mod sending;
mod settings_form;
mod shell;
mod ssh_line;
mod status_card;
mod status_label;
mod steps;
mod switch;
mod text_field;
mod toast_list;
mod top_bar;
mod traffic_dialog;
mod user_menu;
mod verb;
mod watch_banner;

pub use crate::ui::CopyButton;
pub use access::AccessCard;
pub use app_server_list::{AppServerList, name_before};
pub use archive::{ArchiveDialog, ArchivedBanner, DangerZone};
pub use ask_dialog::{Act, AskDialog};
pub use backups::BackupsCard;
#[cfg(debug_assertions)]
pub use backups::samples as backup_samples;
pub use configuration::{Code, Configuration, ConfigurationBody};
pub use data_place::data_place;
pub use diff_view::DiffView;
pub use failure::Failure;
pub use form_dialog::{Fill, FormDialog};
pub use health_label::{HealthDot, HealthLabel};
pub use history::History;
pub use hold::HoldBanner;
#[cfg(debug_assertions)]
pub use lanes::ProgressBar;
pub use lanes::{Lanes, time_left};
pub use launch::{Launch, LaunchButton};
pub use log::LogCard;
pub use maintenance::{MaintenanceBanner, MaintenanceDialog};
pub use mark::Marks;
#[cfg(debug_assertions)]
pub use mark::OneMark;
pub use migration::MigrationBanner;
#[cfg(debug_assertions)]
pub use migration::{MigratedSince, MigrationNotice, NextMigrationWords, samples as migration_samples};
pub use possible::PossibleButton;
pub use preview::Preview;
pub use pull_request::{Advice, DecideDialog, PullRequestLabels, advice, can_decide, source, troubles};
pub use purge_dialog::PurgeDialog;
pub use queue_banner::QueueBanner;
pub use radio_field::RadioField;
pub use sending::{Sending, Sent};
pub use settings_form::{Change, FieldGroup, FieldRows, Form, hidden_changes, is_care};
pub use shell::{OfflineBanner, Shell};
pub use status_card::StatusCard;
pub use status_label::StatusDot;
#[cfg(debug_assertions)]
pub use status_label::StatusLabel;
pub use switch::SwitchCard;
pub use text_field::{Refused, ShowPasswords, TextArea, TextField, password_kind};
pub use toast_list::ToastList;
#[cfg(debug_assertions)]
pub use traffic_dialog::{Snapshot, Undo, UndoChoice};
pub use verb::{Ask, Verb, VerbDialog};
