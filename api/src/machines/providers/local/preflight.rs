//! Requirements on the host: root, a few programs, overlayfs. Checked first, so that the error names the remedy.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::error::LocalError;

/// Programs that machines need, with the Debian package of each.
const PROGRAMS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("setsid", "util-linux"),
    ("mount", "mount"),
    ("perl", "perl-base"),
    ("ssh-keygen", "openssh-client"),
];

/// `CAP_NET_ADMIN` and `CAP_SYS_ADMIN`, the two that containers are usually denied.
const NEEDED_CAPABILITIES: &[(&str, u32)] = &[("CAP_NET_ADMIN", 12), ("CAP_SYS_ADMIN", 21)];

/// Checks that this host can run machines.
///
/// # Errors
/// [`LocalError`] for the first missing requirement, with its remedy.
pub(super) async fn check() -> Result<(), LocalError> {
    check_root()?;
    for (program, package) in PROGRAMS {
        check_program(program, package)?;
    }
    check_overlayfs().await
}

/// Checks that this process has the needed capabilities.
pub(super) fn check_root() -> Result<(), LocalError> {
    let path = Path::new("/proc/self/status");
    root_of(&fs::read_to_string(path).map_err(LocalError::io(path))?)
}

/// Checks that a program is on the `PATH`.
pub(super) fn check_program(program: &'static str, package: &'static str) -> Result<(), LocalError> {
    let directories = env::var_os("PATH").unwrap_or_default();
    let is_there = env::split_paths(&directories).any(|directory| directory.join(program).is_file());
    if is_there { Ok(()) } else { Err(LocalError::MissingProgram { program, package }) }
}

fn root_of(status: &str) -> Result<(), LocalError> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let effective_uid = field("Uid:").split_whitespace().nth(1).unwrap_or("unknown");
    if effective_uid != "0" {
        return Err(LocalError::NotRoot(format!("this process runs as uid {effective_uid}")));
    }
    let capabilities = u64::from_str_radix(field("CapEff:").trim(), 16).unwrap_or(0);
    for (name, bit) in NEEDED_CAPABILITIES {
        if capabilities & (1 << bit) == 0 {
            return Err(LocalError::NotRoot(format!("this root lacks {name}, as in an unprivileged container")));
        }
    }
    Ok(())
}

async fn check_overlayfs() -> Result<(), LocalError> {
    if has_overlayfs() {
        return Ok(());
    }
    // The exit status does not matter: the kernel's list is read again.
    let _ = Command::new("modprobe").arg("overlay").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    if has_overlayfs() { Ok(()) } else { Err(LocalError::NoOverlay) }
}

fn has_overlayfs() -> bool {
    fs::read_to_string("/proc/filesystems")
        .is_ok_and(|list| list.lines().any(|line| line.trim_end().ends_with("\toverlay")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn root_with_its_capabilities_is_let_through() {
        root_of("Name:\tx\nUid:\t0\t0\t0\t0\nCapEff:\t000001fffeffffff\n").unwrap();
    }

    #[test]
    fn others_are_told_the_ways_out() {
        let user = root_of("Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n").unwrap_err().to_string();
        assert!(user.contains("uid 1000") && user.contains("sudo") && user.contains("OpenStack"), "{user}");
        let container = root_of("Uid:\t0\t0\t0\t0\nCapEff:\t00000000a80425fb\n").unwrap_err().to_string();
        assert!(container.contains("CAP_NET_ADMIN"), "{container}");
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let error = check_program("no-such-program", "some-package").unwrap_err().to_string();
        assert_eq!(error, "`no-such-program` is not installed: install Debian's package `some-package`");
    }
}
