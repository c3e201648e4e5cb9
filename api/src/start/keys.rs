//! The SSH key pair that Ansible logs in with; created once and stored in the data directory.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use tokio::process::Command;

use super::{SshKey, StartError};

/// Returns the key of this data directory; creates it if missing.
pub(super) async fn ensure(data_dir: &Path) -> Result<SshKey, StartError> {
    let dir = data_dir.join("ssh");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
    let private = dir.join("id_ed25519");
    let public = dir.join("id_ed25519.pub");
    if !private.exists() {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "ocim", "-f"])
            .arg(&private)
            .output()
            .await
            .map_err(|error| {
                format!("ssh-keygen could not be started ({error}); install the package openssh-client")
            })?;
        if !made.status.success() {
            return Err(format!("ssh-keygen failed: {}", String::from_utf8_lossy(&made.stderr).trim()).into());
        }
    }
    Ok(SshKey { authorized_key: std::fs::read_to_string(public)?.trim().to_owned(), private_key: private })
}

/// A random password: four groups of five lower-case letters and digits, without characters that look alike.
pub(super) fn random_password() -> Result<String, StartError> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bits = [0u8; 20];
    getrandom::fill(&mut bits)?;
    let groups: Vec<String> = bits
        .chunks(5)
        .map(|group| {
            group.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).map(|b| char::from(*b)).collect()
        })
        .collect();
    Ok(groups.join("-"))
}
