//! Builds the parts of the program from the settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::outside::Outside;
use super::report::{say, step};
use super::{StartError, keys, repositories};
use crate::ansible::real::AnsibleConfig;
use crate::ansible::virtualenv;
use crate::applications::{self, openedx};
use crate::config::{ProviderKind, Settings};
use crate::instances::store::housekeeping::Kept;
use crate::instances::{Manager, Options, Pace, Ports};
use crate::machines::providers::local::base_tree;
use crate::platform::db::embedded::{EmbeddedOptions, EmbeddedPostgres};
use crate::platform::db::{Db, migrations};
use crate::platform::mail::Mailer;
use crate::platform::mail::smtp::{SmtpConfig, SmtpMailer};
use crate::platform::users::login;
use crate::platform::vault::Keyring;
use crate::pull_requests::github::Github;
use crate::pull_requests::{Rules, Watch};
use crate::routing::traffic::Traffic;

/// The interval between two attempts while waiting for a part to become ready.
const POLL: Duration = Duration::from_millis(200);

/// Opens the data directory: checks that it is writable, and locks it against other servers.
pub(super) async fn data_dir(path: &Path) -> Result<(PathBuf, std::fs::File), StartError> {
    let cannot = |error: std::io::Error| {
        format!("the data directory {} cannot be written ({error}); choose another with OCIM_DATA_DIR", path.display())
    };
    std::fs::create_dir_all(path).map_err(cannot)?;
    let path = path.canonicalize().map_err(cannot)?;
    let lock =
        crate::platform::children::lock(&path.join("server.lock"), Duration::from_secs(1)).await.map_err(cannot)?;
    let lock = lock.ok_or_else(|| {
        format!(
            "another ocim server uses the data directory {}; stop it, or choose another with OCIM_DATA_DIR",
            path.display()
        )
    })?;
    Ok((path, lock))
}

/// Opens and migrates the database that DATABASE_URL names, or the embedded one.
pub(super) async fn database(
    settings: &Settings,
    data_dir: &Path,
    embedded: &mut Option<EmbeddedPostgres>,
) -> Result<Db, StartError> {
    let url = match &settings.data.database_url {
        Some(url) => url.clone(),
        None => {
            let started = step("Postgres", EmbeddedPostgres::start(data_dir, EmbeddedOptions::default())).await?;
            embedded.insert(started).url().clone()
        }
    };
    let db = Db::open(url.expose_secret())?;
    step("Migrations", migrations::migrate(&db)).await?;
    Ok(db)
}

/// Creates the first administrator. Returns a generated password, to be shown once; none if there is nothing to show.
pub(super) async fn first_admin(settings: &Settings, db: &Db) -> Result<Option<String>, StartError> {
    let (password, is_ours) = match &settings.server.ocim_admin_password {
        Some(password) => (password.expose_secret().to_owned(), false),
        None => (keys::random_password()?, true),
    };
    let made = login::ensure_first_admin(db, &password).await;
    let was_made = made.map_err(|error| format!("OCIM_ADMIN_PASSWORD: {error}"))?;
    Ok((was_made && is_ours).then_some(password))
}

/// Fills the cache in advance with what a launch needs: the local machines' base tree and the demo's wheels.
///
/// # Errors
/// An error that says what could not be obtained, and what to do.
pub async fn prepare_cache(settings: &Settings) -> Result<(), StartError> {
    match settings.machines.ocim_provider {
        ProviderKind::Fake => return Ok(()),
        ProviderKind::Local => {}
    }
    let cache_dir = settings.cache_dir();
    let cannot = |error| {
        format!("the cache {} cannot be written ({error}); choose another with OCIM_CACHE_DIR", cache_dir.display())
    };
    std::fs::create_dir_all(&cache_dir).map_err(cannot)?;
    let tree = base_tree::ensure(&cache_dir, &|line| say(format_args!("  {line}")));
    step("Base tree of the local machines", tree).await?;
    let ansible = ansible_config(settings);
    let mut told = |line: &str| say(format_args!("  {line}"));
    let requirements = repositories::requirements();
    let wheels = virtualenv::fill_wheels(&ansible, &requirements, &mut told);
    step("Ansible's wheels", wheels).await
}

pub(super) fn ansible_config(settings: &Settings) -> AnsibleConfig {
    AnsibleConfig { cache_dir: settings.cache_dir(), pythons: settings.pythons() }
}

/// Builds the manager, which all operations on instances use.
pub(super) fn manager(
    settings: &Settings,
    data_dir: &Path,
    db: Db,
    outside: &Outside,
    traffic: Arc<dyn Traffic>,
    keyring: Keyring,
) -> Result<Manager, StartError> {
    let options = Options {
        runs_dir: data_dir.join("runs"),
        authorized_key: outside.authorized_key.clone(),
        cache_dir: settings.cache_dir(),
        min_free_mb: settings.data.ocim_min_free_mb,
        retention_hours: settings.machines.ocim_retention_hours,
        reaper_grace: Duration::from_secs(settings.machines.ocim_reaper_grace),
        kept: Kept {
            events_days: settings.data.ocim_events_days,
            audit_days: settings.data.ocim_audit_days,
            logs_days: settings.data.ocim_logs_days,
            kept_logs_days: settings.data.ocim_kept_logs_days,
        },
        pin_timeout: Duration::from_secs(settings.builds.ocim_pin_timeout),
        machine_timeout: Duration::from_secs(settings.builds.ocim_machine_timeout),
        checkout_timeout: Duration::from_secs(settings.builds.ocim_checkout_timeout),
        reboot_timeout: Duration::from_secs(settings.builds.ocim_reboot_timeout),
        pace: Pace::every(Duration::from_secs(settings.instances.ocim_check_interval)),
        checks_timeout: Duration::from_secs(settings.builds.ocim_checks_timeout),
        max_hosts: settings.gateway.ocim_gateway_max_hosts,
        drain_limit: Duration::from_secs(settings.instances.ocim_drain_limit.into()),
        line_timeout: Duration::from_secs(settings.builds.ansible_line_timeout),
        global_timeout: Duration::from_secs(settings.builds.ansible_global_timeout),
        poll: POLL,
        keyring,
        private_key: outside.private_key.clone(),
    };
    let ports = Ports {
        provider: outside.provider.clone(),
        probe: outside.probe.clone(),
        traffic,
        git: outside.git.clone(),
        ansible: outside.ansible.clone(),
    };
    let mut manager = Manager::new(db, applications::all(settings, &outside.repositories)?, ports, options);
    manager.mailer = mailer(settings)?;
    Ok(manager)
}

/// Builds the watcher of pull requests.
pub(super) fn watch(settings: &Settings, outside: &Outside, manager: Arc<Manager>) -> Result<Watch, StartError> {
    let rules = Rules::new(settings, &openedx::configuration_repository(settings, &outside.repositories)?)?;
    Ok(Watch { manager, rules, github: Github::new(settings)? })
}

/// The mailer for ADMINS; none if there are no ADMINS.
fn mailer(settings: &Settings) -> Result<Option<Arc<dyn Mailer>>, StartError> {
    let to: Vec<String> = settings.mail.admins.iter().filter(|address| !address.is_empty()).cloned().collect();
    if to.is_empty() {
        return Ok(None);
    }
    let config = SmtpConfig {
        host: settings.mail.email_host.clone(),
        port: settings.mail.email_port,
        user: settings.mail.email_host_user.clone(),
        password: settings.mail.email_host_password.clone(),
        use_tls: settings.mail.email_use_tls,
        from: settings.mail.server_email.clone(),
        to,
        subject_prefix: settings.mail.email_subject_prefix.clone(),
    };
    Ok(Some(Arc::new(SmtpMailer::new(config)?)))
}

/// Checks that the database has this program's version. A worker never migrates it.
pub(super) async fn same_version(db: &Db) -> Result<(), StartError> {
    if migrations::are_pending(db).await? {
        return Err(
            "the database is older than this program; start the server of this version first, or run: ocim migrate"
                .into(),
        );
    }
    Ok(())
}

/// Migrates the database that DATABASE_URL names to this program's version.
///
/// # Errors
/// An error if DATABASE_URL is not set, the database does not answer, or a migration fails.
pub async fn migrate(settings: &Settings) -> Result<(), StartError> {
    let url = settings.data.database_url.as_ref();
    let url = url.ok_or("DATABASE_URL is not set; the embedded database is migrated when the server starts")?;
    let ran = migrations::migrate(&Db::open(url.expose_secret())?).await?;
    say(format_args!("{ran} migrations ran"));
    Ok(())
}
