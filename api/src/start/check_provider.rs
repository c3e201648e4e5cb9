//! `ocim admin check-provider`: the conformance suite on the machines of a provider that the settings name.
//!
//! Needs no database and touches none of its machines: the suite has an installation of its own, named after this host
//! and the data directory, so that the next run removes what a killed one has left.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::machines::{command_config, local_config};
use super::report::say;
use super::{StartError, containers, openstack};
use crate::config::providers::KindSettings;
use crate::config::{ProviderKind, Settings};
use crate::machines::conformance::{Checked, Limits, Outcome, Subject, run};
use crate::machines::probe::{Probe, SshProbe};
use crate::machines::provider::Provider;
use crate::machines::providers::command::CommandProvider;
use crate::machines::providers::fake_files::FileMachines;
use crate::machines::providers::local::LocalProvider;
use crate::machines::providers::openstack::OpenStack;

/// How long one find or list may take: a worker waits for it at every step of a build.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// How long one create, reboot or terminate may take.
const CHANGE_LIMIT: Duration = Duration::from_secs(300);
/// How long a machine may take until it is active, and until it lets the suite log in.
const READY_LIMIT: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_secs(1);

/// Makes every check, prints a line for each, and removes the machines that it has made. One at a time for a data
/// directory. `name`: a provider of the settings; none: the default one.
///
/// # Errors
/// How many checks have failed; or why none could be made.
pub async fn check_provider(settings: &Settings, name: Option<&str>) -> Result<(), StartError> {
    let all = settings.providers()?;
    let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
    let found = all.iter().find(|one| name.is_none_or(|name| one.name.as_str() == name));
    let own = found.ok_or_else(|| format!("there is no such provider; there are {}", names.join(", ")))?;
    let data_dir = &settings.data.ocim_data_dir;
    std::fs::create_dir_all(data_dir)?;
    let installation = installation(data_dir)?;
    let open = async |installation: String| open(settings, &own.kind, data_dir, &installation).await;
    let provider = open(installation.clone()).await?;
    // Fake machines belong to no installation, and none can be logged in to.
    let is_fake = provider.kind() == ProviderKind::Fake;
    let stranger = if is_fake { None } else { Some(open(format!("{installation}-other")).await?) };
    say(format_args!(
        "▸ Checking the provider `{}`: it makes and removes some thirty machines, up to five at once",
        own.name
    ));
    let subject = Subject {
        provider: provider.as_ref(),
        stranger: stranger.as_deref(),
        probe: (!is_fake).then_some(&SshProbe as &dyn Probe),
        limits: Limits { read: READ_LIMIT, change: CHANGE_LIMIT, ready: READY_LIMIT, poll: POLL },
        // Machines of earlier runs had lower ids: some providers never use one twice.
        first_id: i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?.saturating_mul(1000),
    };
    let all = run(&subject, &mut |checked| say(line(checked))).await?;
    let failed = all.iter().filter(|checked| checked.has_failed()).count();
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} checks have failed", all.len()).into()) }
}

/// An installation id that differs from that of every database, and between hosts and data directories.
fn installation(data_dir: &Path) -> Result<String, StartError> {
    let place = format!("{:?} {}", rustix::system::uname().nodename(), data_dir.canonicalize()?.display());
    let hash = hex::encode(Sha256::digest(place));
    Ok(format!("check-{}", hash.get(..16).unwrap_or(&hash)))
}

/// The provider with these settings, for this installation.
async fn open(
    settings: &Settings,
    own: &KindSettings,
    data_dir: &Path,
    installation: &str,
) -> Result<Arc<dyn Provider>, StartError> {
    Ok(match own {
        KindSettings::Command(own) => Arc::new(CommandProvider::open(command_config(own, installation)?).await?),
        KindSettings::OpenStack(own) => Arc::new(OpenStack::open(openstack::config(own, installation.to_owned())?)?),
        KindSettings::Local(own) => {
            Arc::new(LocalProvider::open(local_config(settings, own, data_dir, installation)?).await?)
        }
        KindSettings::Containers(own, machines) => {
            Arc::new(containers::ready((settings, own, machines), data_dir, installation).await?)
        }
        KindSettings::Fake(_) => {
            // Nothing asks the web server of these machines.
            Arc::new(FileMachines::open(data_dir.join("fake-machines-check"), Some(([127, 0, 0, 1], 9).into()))?)
        }
    })
}

/// `ok       create-then-find     0.21 s`, with the reason where a check was skipped or has failed.
fn line(checked: &Checked) -> String {
    let (word, rest) = match &checked.outcome {
        Outcome::Passed => ("ok", String::new()),
        Outcome::Skipped(why) => ("skipped", format!("  {why}")),
        Outcome::Failed(what) => ("FAILED", format!("  {what}")),
    };
    format!("{word:8} {:18} {:7.2} s{rest}", checked.check.name(), checked.took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::machines::conformance::Check;

    #[test]
    fn a_line_says_what_was_checked_how_long_it_took_and_what_is_wrong() {
        let took = Duration::from_millis(1234);
        let of = |outcome| line(&Checked { check: Check::Reboot, took, outcome });
        assert_eq!(of(Outcome::Passed), "ok       reboot                1.23 s");
        assert_eq!(of(Outcome::Skipped("no login")), "skipped  reboot                1.23 s  no login");
        assert_eq!(of(Outcome::Failed("Wrong.".to_owned())), "FAILED   reboot                1.23 s  Wrong.");
    }

    #[test]
    fn the_installation_of_the_suite_is_the_same_in_each_run_and_differs_between_directories() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(installation(one.path()).unwrap(), installation(one.path()).unwrap());
        assert_ne!(installation(one.path()).unwrap(), installation(two.path()).unwrap());
        assert!(installation(one.path()).unwrap().starts_with("check-"));
        assert!(installation(&one.path().join("missing")).is_err());
    }
}
