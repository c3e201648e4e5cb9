//! The identity of a machine on the shared base tree: name, addresses, host key and authorized key. Written into the
//! upper layer of its file system before the first boot, and never again: then its files are its root's.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use super::command::run;
use super::error::LocalError;
use super::record::Record;

/// The login user in the base tree.
pub(super) const SSH_USER: &str = "ubuntu";
/// Its uid and gid in the base tree.
pub(super) const SSH_USER_ID: u32 = 1000;

const MAX_KEY_BYTES: usize = 16 * 1024;

/// Checks the inputs that are written into the machine's files.
pub(in crate::machines::providers) fn check(name: &str, authorized_key: &str) -> Result<(), LocalError> {
    let is_host_name = (1..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if !is_host_name {
        return Err(LocalError::Invalid(
            "the name of a machine must be 1 to 63 letters, digits and hyphens, with no hyphen at either end".into(),
        ));
    }
    let is_one_line = !authorized_key.is_empty() && !authorized_key.contains(['\n', '\r', '\0']);
    if !is_one_line || authorized_key.len() > MAX_KEY_BYTES {
        return Err(LocalError::Invalid("the public key must be one line of at most 16 KiB".into()));
    }
    Ok(())
}

/// Makes the machine's directories and, in `seed`, its first files. Gives its public host key. Idempotent: the key stays.
pub(super) async fn write(
    machine_dir: &Path,
    seed: &Path,
    record: &Record,
    resolvers: &[Ipv4Addr],
) -> Result<String, LocalError> {
    for name in ["lower", "root"] {
        make_dir(&machine_dir.join(name), 0o755)?;
    }
    let upper = seed.join("upper");
    make_dir(&seed.join("work"), 0o755)?;
    for name in ["", "etc", "etc/ssh", "home"] {
        make_dir(&upper.join(name), 0o755)?;
    }
    write_file(&upper.join("etc/hostname"), &format!("{}\n", record.name), 0o644)?;
    // The machine must resolve its own name without a name service.
    let hosts = format!("127.0.0.1 localhost\n{} {}\n", record.address, record.name);
    write_file(&upper.join("etc/hosts"), &hosts, 0o644)?;
    let resolvers: String = resolvers.iter().map(|server| format!("nameserver {server}\n")).collect();
    write_file(&upper.join("etc/resolv.conf"), &resolvers, 0o644)?;

    let home = upper.join("home").join(SSH_USER);
    let ssh = home.join(".ssh");
    let keys = ssh.join("authorized_keys");
    make_dir(&home, 0o755)?;
    make_dir(&ssh, 0o700)?;
    write_file(&keys, &format!("{}\n", record.authorized_key), 0o600)?;
    for path in [&home, &ssh, &keys] {
        chown(path, Some(SSH_USER_ID), Some(SSH_USER_ID)).map_err(LocalError::io(path))?;
    }
    host_key(&upper.join("etc/ssh/ssh_host_ed25519_key"), &record.name).await
}

async fn host_key(path: &Path, name: &str) -> Result<String, LocalError> {
    let public = path.with_extension("pub");
    if !public.exists() {
        // A name of this process: an ssh-keygen of a killed manager may still be writing.
        let fresh = path.with_extension(std::process::id().to_string());
        let fresh_public = path.with_extension(format!("{}.pub", std::process::id()));
        for leftover in [&fresh, &fresh_public] {
            let _ = fs::remove_file(leftover);
        }
        let options = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"].map(OsStr::new);
        run("ssh-keygen", &[&options[..], &[fresh.as_os_str()]].concat()).await?;
        fs::rename(&fresh, path).map_err(LocalError::io(path))?;
        // Renamed last: the public key's presence marks a complete pair.
        fs::rename(&fresh_public, &public).map_err(LocalError::io(&public))?;
    }
    let text = fs::read_to_string(&public).map_err(LocalError::io(&public))?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

fn make_dir(path: &Path, mode: u32) -> Result<(), LocalError> {
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(LocalError::io(path))
}

fn write_file(path: &Path, text: &str, mode: u32) -> Result<(), LocalError> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(LocalError::io(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_and_keys_cannot_reach_beyond_their_files() {
        check("edxapp-demo-1", "ssh-ed25519 AAAA me").unwrap();
        for name in ["", "-a", "a-", "a b", "a\nb", "../x", &"a".repeat(64)] {
            assert!(check(name, "ssh-ed25519 AAAA").is_err(), "{name:?}");
        }
        for key in ["", "ssh-ed25519 AAAA\nssh-ed25519 BBBB", &"k".repeat(MAX_KEY_BYTES + 1)] {
            assert!(check("a", key).is_err());
        }
    }
}
