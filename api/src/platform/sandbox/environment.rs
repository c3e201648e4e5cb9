//! The environment of programs behind a wall, made from nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::etc;
use super::network::Network;

/// Where programs are found.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables of this program that those with a network get: proxies, and the certificates of authorities.
const PASSED_ON: &[&str] = &[
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "GIT_SSL_CAINFO",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

/// Those of them that are paths.
const CERTIFICATES: &[&str] = &["GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"];

/// Replaces the command's environment.
pub(super) fn set(command: &mut Command, network: Network) {
    command.env_clear().env("LC_ALL", "C.UTF-8").env("PATH", PATH).env("HOME", etc::HOME).env("USER", etc::USER);
    // A git that was not built for `/usr` looks for it elsewhere.
    command.env("GIT_CONFIG_SYSTEM", "/etc/gitconfig");
    if network != Network::None {
        command.envs(passed_on());
    }
}

fn passed_on() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(|name| PASSED_ON.contains(&name)))
}

/// The certificates that the environment names, as far as they exist.
pub(super) fn certificates(network: Network) -> Vec<PathBuf> {
    let names = CERTIFICATES.iter().filter(|_| network != Network::None);
    let paths = names.filter_map(std::env::var_os).flat_map(|value| std::env::split_paths(&value).collect::<Vec<_>>());
    paths.filter(|path| path.is_absolute() && path.exists()).collect()
}

/// Whether every wall shows the path already.
pub(super) fn is_of_system(path: &Path) -> bool {
    let etc = || etc::SHOWN.iter().any(|shown| path.starts_with(Path::new("/etc").join(shown)));
    ["/usr", "/bin", "/sbin", "/lib", "/lib64"].iter().any(|shown| path.starts_with(shown)) || etc()
}
