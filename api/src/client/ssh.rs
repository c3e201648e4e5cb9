//! `ocim ssh`: logs in to the machine of an app server, with the host key that the server tells.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use shared_types::ssh_access::{LOGIN_ROLE, SshKey};
use shared_types::user::User;
use shared_types::{AppServer, AppServerId, Page, ServerStatus, SshLogin};

use super::account;
use super::api::{Api, decode};
use super::error::ClientError;

/// Log in to the machine of an app server, or run a command there
///
/// Runs `ssh` with the address, port, user and host key that the server tells; your own configuration of ssh and your agent hold
/// as well. Your public key must be on your account page: it is installed within a minute. The exit status is that of ssh.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim ssh 7
    ocim ssh 7 -- sudo journalctl -n 50")]
pub struct Arguments {
    /// Id of the app server
    id: AppServerId,
    /// Command to run there; without one, a shell
    #[arg(last = true)]
    command: Vec<String>,
}

/// Replaces this process by `ssh`.
///
/// # Errors
/// [`ClientError`] if the API refuses, the machine cannot be logged in to, the caller has no key, or ssh cannot be run.
pub async fn ssh(arguments: &Arguments, api: &Api) -> Result<(), ClientError> {
    let Arguments { id, command } = arguments;
    let app_server: AppServer = decode(&api.get(&format!("/app-servers/{id}"), &[]).await?)?;
    let user: User = decode(&api.get("/auth/me", &[]).await?)?;
    let keys: Page<SshKey> = decode(&api.get("/auth/ssh-keys", &[]).await?)?;
    if user.role < LOGIN_ROLE {
        let (own, needed) = (user.role.as_str(), LOGIN_ROLE.as_str());
        return Err(ClientError::NotAllowed(format!("Machines let in the role {needed}; yours is {own}.")));
    }
    let Some(login) = app_server.server.ssh.clone() else {
        return Err(ClientError::NotPossible(no_machine(&app_server)));
    };
    if keys.items.is_empty() {
        return Err(ClientError::NotPossible(format!(
            "You have no SSH key at {}. Add your public key on the account page there, wait a minute, and try again.",
            api.server()
        )));
    }
    let known_hosts = known_hosts(api.server(), app_server.server.id.0, &login)?;
    let alias = alias(app_server.server.id.0);
    let error = Command::new("ssh").args(options(&login, &alias, &known_hosts)?).args(command).exec();
    Err(ClientError::Failed(format!("ssh could not be run: {error}. Install OpenSSH's client.")))
}

/// Why an app server has no machine to log in to, and what to do.
fn no_machine(app_server: &AppServer) -> String {
    let (name, server) = (&app_server.summary.name, &app_server.server);
    match server.status {
        ServerStatus::Terminated | ServerStatus::Failed => {
            format!("{name} has no machine any more: {}. Launch another app server.", server.status_description)
        }
        ServerStatus::Pending | ServerStatus::Building if app_server.summary.status.is_building() => {
            format!("The machine of {name} is not there yet: {}. Try again in a moment.", server.status_description)
        }
        ServerStatus::Pending => format!("{name} never had a machine: its build ended before."),
        ServerStatus::Building | ServerStatus::Booting | ServerStatus::Ready | ServerStatus::Unknown => {
            format!("The address of {}'s machine is not known: {}.", name, server.status_description)
        }
    }
}

/// The name under which a machine's host key is known.
fn alias(server_id: i64) -> String {
    format!("ocim-machine-{server_id}")
}

/// A file with the machine's host key and nothing else. If the server does not tell it, the file keeps the first one seen.
fn known_hosts(server: &str, server_id: i64, login: &SshLogin) -> Result<PathBuf, ClientError> {
    let dir = account::directory()?.join("known_hosts");
    let failed = |source: io::Error| ClientError::File { path: dir.clone(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed)?;
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let path = dir.join(format!("{}-{server_id}", server.chars().map(plain).collect::<String>()));
    let Some(key) = &login.host_key else {
        let words = "the server does not know the host key of this machine; the first one is accepted, and kept in";
        let _ = writeln!(io::stderr(), "ocim: warning: {words} {}.", path.display());
        return Ok(path);
    };
    if key.contains(char::is_control) {
        return Err(ClientError::Failed("The server tells a host key that is none.".to_owned()));
    }
    let fresh = dir.join(format!(".{}", std::process::id()));
    fs::write(&fresh, format!("{} {key}\n", alias(server_id))).map_err(failed)?;
    fs::rename(&fresh, &path).map_err(failed)?;
    Ok(path)
}

/// The arguments of `ssh`, up to the destination.
fn options(login: &SshLogin, alias: &str, known_hosts: &Path) -> Result<Vec<String>, ClientError> {
    let SshLogin { user, host, port, host_key, command: _ } = login;
    // What a server says must not become an option.
    if user.starts_with('-') || host.starts_with('-') || user.is_empty() || host.is_empty() {
        return Err(ClientError::Failed(format!("The server tells an address that is none: {user}@{host}.")));
    }
    // ssh replaces %, and splits at spaces outside of quotes.
    let file = known_hosts.display().to_string().replace('%', "%%");
    let checking = if host_key.is_some() { "yes" } else { "accept-new" };
    let given = [
        format!("HostKeyAlias={alias}"),
        format!("UserKnownHostsFile=\"{file}\""),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        format!("StrictHostKeyChecking={checking}"),
        "UpdateHostKeys=no".to_owned(),
        "CheckHostIP=no".to_owned(),
    ];
    let mut all: Vec<String> = given.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect();
    all.extend(["-p".to_owned(), port.to_string(), "-l".to_owned(), user.clone(), "--".to_owned(), host.clone()]);
    Ok(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[test]
    fn an_address_of_the_server_cannot_become_an_option() {
        let login = |user: &str, host: &str| SshLogin::new(user.to_owned(), host.to_owned(), 22, None);
        let file = Path::new("/home/a b/100%/known_hosts/x-7");
        for (user, host) in [("-oProxyCommand=id", "10.0.0.1"), ("ubuntu", "-oProxyCommand=id"), ("", "x"), ("x", "")] {
            assert!(options(&login(user, host), "ocim-machine-7", file).is_err(), "{user}@{host}");
        }
        let made = options(&login("ubuntu", "10.0.0.1"), "ocim-machine-7", file).unwrap();
        assert!(made.contains(&"UserKnownHostsFile=\"/home/a b/100%%/known_hosts/x-7\"".to_owned()), "{made:?}");
        assert!(made.contains(&"HostKeyAlias=ocim-machine-7".to_owned()), "{made:?}");
        assert_eq!(made[made.len() - 2..], ["--", "10.0.0.1"]);
    }
}
