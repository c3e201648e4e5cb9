//! What is outside the program, as the settings say: the machines, who asks them, who reads repositories, and who plays the playbooks.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::report::{say, step};
use super::{StartError, keys, parts, repositories};
use crate::ansible::fake_printer::FakePrinter;
use crate::ansible::port::Ansible;
use crate::ansible::real::AnsibleCore;
use crate::applications::Repositories;
use crate::config::{ProviderKind, Settings};
use crate::git::fake::FakeGit;
use crate::git::port::Git;
use crate::git::real::GitCli;
use crate::machines;
use crate::machines::probe::{Probe, SshProbe};
use crate::machines::provider::Provider;
use crate::machines::providers::fake_files::FileMachines;
use crate::machines::providers::local::{LocalConfig, LocalProvider, Subnet};
use crate::platform::db::Db;

/// What is outside.
#[derive(Debug)]
pub(super) struct Outside {
    /// Who makes machines.
    pub provider: Arc<dyn Provider>,
    /// Who asks them.
    pub probe: Arc<dyn Probe>,
    /// Who reads repositories.
    pub git: Arc<dyn Git>,
    /// Who plays playbooks.
    pub ansible: Arc<dyn Ansible>,
    /// The machines of this host, where they are used.
    pub local: Option<Arc<LocalProvider>>,
    /// Where the repositories are that the program brings along.
    pub repositories: Repositories,
    /// The key that Ansible logs in with.
    pub private_key: PathBuf,
    /// Its public half, one line.
    pub authorized_key: String,
}

/// Makes ready what the settings name. `plays`: until when this process plays the web servers of fake machines; none: another
/// does.
pub(super) async fn open(
    settings: &Settings,
    data_dir: &Path,
    db: &Db,
    plays: Option<&CancellationToken>,
) -> Result<Outside, StartError> {
    match settings.ocim_provider {
        ProviderKind::Local => local(settings, data_dir, db).await,
        ProviderKind::Fake => fake(settings, data_dir, plays).await,
    }
}

async fn local(settings: &Settings, data_dir: &Path, db: &Db) -> Result<Outside, StartError> {
    let machines = step("Local machines", machines(settings, data_dir, db)).await?;
    let repositories = repositories::ensure(data_dir).await?;
    let (private_key, authorized_key) = keys::ensure(data_dir).await?;
    let git = Arc::new(GitCli { cache_dir: settings.cache_dir() });
    Ok(Outside {
        provider: machines.clone(),
        probe: Arc::new(SshProbe { private_key: private_key.clone() }),
        ansible: Arc::new(AnsibleCore::new(parts::ansible_config(settings), git.clone())),
        git,
        local: Some(machines),
        repositories,
        private_key,
        authorized_key,
    })
}

/// The local machines of this database; those that were up are up again.
async fn machines(settings: &Settings, data_dir: &Path, db: &Db) -> Result<Arc<LocalProvider>, StartError> {
    let subnet = settings.ocim_local_subnet.as_ref().map(|text| text.parse::<Subnet>()).transpose();
    let subnet = subnet.map_err(|error| format!("OCIM_LOCAL_SUBNET: {error}"))?;
    let installation = db.installation().await?;
    let config = LocalConfig { data_dir: data_dir.to_owned(), cache_dir: settings.cache_dir(), subnet, installation };
    let provider = Arc::new(LocalProvider::open(config).await?);
    // A build that another host went on with would find no machine there, and make a second one.
    if !db.claim_local_site(provider.site()).await? {
        return Err(
            "the local machines of this database are in another data directory; a worker must use that one, on the \
                    same host (OCIM_DATA_DIR). Where that directory is gone for good: UPDATE installation SET local_site = NULL"
                .into(),
        );
    }
    provider.claim(&machines::store::names(&mut *db.conn().await?, provider.name()).await?)?;
    for (id, error) in provider.boot_all().await? {
        say(format_args!("  machine {id} did not boot: {error}"));
    }
    Ok(provider)
}

/// Neither keys nor repositories: nobody logs in, and nothing is checked out.
async fn fake(settings: &Settings, data_dir: &Path, plays: Option<&CancellationToken>) -> Result<Outside, StartError> {
    let machines = Arc::new(FileMachines::open(data_dir.join("fake-machines"), settings.ocim_fake_http)?);
    if let Some(stop) = plays {
        machines.serve(stop.clone()).await?;
    }
    say("▸ Machines are files, and playbooks only print (OCIM_PROVIDER=fake)");
    let pace = Duration::from_millis(settings.ocim_fake_pace_ms);
    let printer = FakePrinter { dir: data_dir.join("fake-printed"), lines: settings.ocim_fake_lines, pace };
    Ok(Outside {
        provider: machines.clone(),
        probe: machines,
        git: Arc::new(FakeGit::default()),
        ansible: Arc::new(printer),
        local: None,
        repositories: repositories::at(data_dir),
        private_key: data_dir.join("ssh").join("id_ed25519"),
        authorized_key: "ssh-ed25519 AAAA fake".to_owned(),
    })
}
