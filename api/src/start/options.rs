//! The settings in the types that the parts of the program take.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{StartError, keys, repositories};
use crate::config::Settings;
use crate::git::sources::Sources;
use crate::instances::store::housekeeping::Kept;
use crate::instances::{BackupSchedule, Options, Pace};
use crate::platform::cache::CacheLimits;
use crate::platform::guard::Hosts;
use crate::platform::mail::Mailer;
use crate::platform::mail::smtp::{SmtpConfig, SmtpMailer};
use crate::platform::vault::Keyring;

/// The interval between two attempts while waiting for a part to become ready.
const POLL: Duration = Duration::from_millis(200);

/// The repositories that configuration may come from, with those that this program writes into the data directory.
///
/// # Errors
/// An error that names the setting and the entry.
pub(super) fn sources(settings: &Settings, data_dir: &Path) -> Result<Sources, StartError> {
    let entries = settings.instances.ocim_configuration_sources.iter().map(String::as_str);
    let sources = Sources::new(entries, repositories::own(data_dir));
    sources.map_err(|error| format!("OCIM_CONFIGURATION_SOURCES: {error}").into())
}

/// The options of the operations on instances.
///
/// # Errors
/// An error that names the invalid setting.
pub fn options(settings: &Settings, data_dir: &Path, keyring: Keyring) -> Result<Options, StartError> {
    let Settings { data, machines, builds, instances, gateway, backups, .. } = settings;
    let seconds = Duration::from_secs;
    Ok(Options {
        runs_dir: data_dir.join("runs"),
        cache_dir: settings.cache_dir(),
        sources: sources(settings, data_dir)?,
        cache_limits: CacheLimits { max_mb: data.ocim_cache_max_mb, days: data.ocim_cache_days },
        min_free_mb: data.ocim_min_free_mb,
        retention_hours: machines.ocim_retention_hours,
        reaper_grace: seconds(machines.ocim_reaper_grace),
        kept: Kept {
            events_days: data.ocim_events_days,
            audit_days: data.ocim_audit_days,
            logs_days: data.ocim_logs_days,
            kept_logs_days: data.ocim_kept_logs_days,
        },
        shared_key: keys::shared_key(data_dir),
        pin_timeout: seconds(builds.ocim_pin_timeout),
        machine_timeout: seconds(builds.ocim_machine_timeout),
        checkout_timeout: seconds(builds.ocim_checkout_timeout),
        resources_timeout: seconds(builds.ocim_resources_timeout),
        snapshot_timeout: seconds(builds.ocim_snapshot_timeout),
        reboot_timeout: seconds(builds.ocim_reboot_timeout),
        pace: Pace::every(seconds(instances.ocim_check_interval)),
        checks_timeout: seconds(builds.ocim_checks_timeout),
        line_timeout: seconds(builds.ansible_line_timeout),
        global_timeout: seconds(builds.ansible_global_timeout),
        max_hosts: gateway.ocim_gateway_max_hosts,
        reserved_hosts: Hosts::new(settings).own(),
        drain_limit: seconds(instances.ocim_drain_limit.into()),
        poll: POLL,
        backups: BackupSchedule {
            every_hours: backups.ocim_backup_every,
            keep: backups.ocim_backup_keep,
            migration_days: backups.ocim_backup_migration_days,
            verifies: backups.ocim_backup_verify,
        },
        keyring,
    })
}

/// The mailer for ADMINS; none if there are no ADMINS.
pub(super) fn mailer(settings: &Settings) -> Result<Option<Arc<dyn Mailer>>, StartError> {
    let mail = &settings.mail;
    let to: Vec<String> = mail.admins.iter().filter(|address| !address.is_empty()).cloned().collect();
    if to.is_empty() {
        return Ok(None);
    }
    let config = SmtpConfig {
        host: mail.email_host.clone(),
        port: mail.email_port,
        user: mail.email_host_user.clone(),
        password: mail.email_host_password.clone(),
        use_tls: mail.email_use_tls,
        from: mail.server_email.clone(),
        to,
        subject_prefix: mail.email_subject_prefix.clone(),
    };
    Ok(Some(Arc::new(SmtpMailer::new(config)?)))
}
