//! The sandbox of this process, from the settings.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use shared_types::system::{SandboxLevel, SandboxState};

use super::StartError;
use crate::config::{SandboxMode, Settings};
use crate::platform::sandbox::{RunLimits, Sandbox, SandboxSettings, UIDS};

/// The sandbox, not probed yet. A directory of OCIM_SANDBOX_PATHS that does not exist is logged.
///
/// # Errors
/// A message that names the setting, and says what is wrong.
pub(super) fn open(settings: &Settings) -> Result<Arc<Sandbox>, StartError> {
    let read = read(settings)?;
    for path in read.readable.iter().filter(|path| !path.exists()) {
        tracing::warn!(path = %path.display(), "a directory of OCIM_SANDBOX_PATHS does not exist, so no run can read it");
    }
    Ok(Arc::new(Sandbox::new(read)))
}

/// Checks the settings of the sandbox.
///
/// # Errors
/// As [`open`].
pub(super) fn check(settings: &Settings) -> Result<(), StartError> {
    read(settings).map(drop)
}

/// Logs what of it works on this host. An unfit host is no error: sites are served, and no build begins.
pub(super) async fn report(sandbox: &Sandbox) {
    let SandboxState { level, protections } = sandbox.state().await;
    let lost = protections.iter().filter(|wall| !wall.is_active);
    let lost = lost.map(|wall| format!("{}: {}", wall.name, wall.detail)).collect::<Vec<_>>().join("; ");
    match level {
        SandboxLevel::Full => tracing::info!("foreign code runs behind all walls"),
        SandboxLevel::Partial => tracing::warn!(lost, "foreign code runs behind walls, but not behind all"),
        SandboxLevel::Missing => tracing::error!(lost, "this host has no sandbox for foreign code, so no build begins"),
        SandboxLevel::Off => tracing::warn!(lost, "foreign code runs without any wall"),
    }
}

fn read(settings: &Settings) -> Result<SandboxSettings, StartError> {
    let set = &settings.sandbox;
    let data_dir = settings.data.ocim_data_dir.canonicalize().unwrap_or_else(|_| settings.data.ocim_data_dir.clone());
    let paths = set.ocim_sandbox_paths.iter().filter(|path| !path.is_empty());
    Ok(SandboxSettings {
        is_off: set.ocim_sandbox == SandboxMode::None,
        uids: set.ocim_sandbox_uids.as_deref().map_or(Ok(UIDS), uids)?,
        networks: networks(settings)?,
        readable: paths.map(|path| directory(path, &data_dir)).collect::<Result<_, _>>()?,
        state_dir: settings.cache_dir().join("sandbox"),
        limits: RunLimits {
            memory_mb: set.ocim_run_memory_mb,
            cpus: set.ocim_run_cpus,
            processes: set.ocim_run_processes,
            disk_mb: set.ocim_run_disk_mb,
            file_mb: set.ocim_run_file_mb,
            open_files: set.ocim_run_open_files,
        },
    })
}

/// The private networks that runs may reach.
pub(super) fn networks(settings: &Settings) -> Result<Vec<IpNet>, StartError> {
    let texts = settings.sandbox.ocim_sandbox_networks.iter().filter(|text| !text.is_empty());
    texts.map(|text| network(text)).collect()
}

fn directory(text: &str, data_dir: &Path) -> Result<PathBuf, StartError> {
    let path = PathBuf::from(text);
    let found = path.canonicalize().unwrap_or_else(|_| path.clone());
    if !path.is_absolute() {
        Err(format!("OCIM_SANDBOX_PATHS: `{text}` is no absolute path").into())
    } else if data_dir.starts_with(&found) || found.starts_with(data_dir) {
        Err(format!("OCIM_SANDBOX_PATHS: `{text}` would show runs the data directory (OCIM_DATA_DIR)").into())
    } else {
        Ok(path)
    }
}

fn network(text: &str) -> Result<IpNet, StartError> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    network.map_err(|_| format!("OCIM_SANDBOX_NETWORKS: `{text}` is no network such as 10.8.0.0/24").into())
}

fn uids(text: &str) -> Result<RangeInclusive<u32>, StartError> {
    let bounds =
        text.split_once('-').and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
    match bounds {
        Some((first, last)) if first >= 1000 && first <= last && last < u32::MAX => Ok(first..=last),
        _ => Err(format!("OCIM_SANDBOX_UIDS: `{text}` is no range such as 1900000000-1900000999 above 1000").into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_range_and_networks_are_read_and_refused_with_words() {
        assert_eq!(uids("2000-2009").unwrap(), 2000..=2009);
        for bad in ["0-10", "2009-2000", "x", "2000"] {
            assert!(uids(bad).unwrap_err().to_string().contains("OCIM_SANDBOX_UIDS"), "{bad}");
        }
        assert_eq!(network("10.8.0.7").unwrap().to_string(), "10.8.0.7/32");
        let data_dir = Path::new("/var/lib/none/ocim");
        assert!(directory("/srv", data_dir).is_ok());
        for (path, words) in [
            ("srv", "no absolute path"),
            ("/var/lib", "the data directory"),
            ("/var/lib/none/ocim/keys", "the data directory"),
        ] {
            assert!(directory(path, data_dir).unwrap_err().to_string().contains(words), "{path}");
        }
        assert!(network("10.8.0.0/40").unwrap_err().to_string().contains("10.8.0.0/40"));
    }
}
