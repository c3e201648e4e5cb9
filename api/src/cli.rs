//! The command line: commands, arguments and their help.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use ocim::client;
use shared_types::Role;

/// The OpenCraft Instance Manager: long-lived instances, immutable app servers, one of them active.
///
/// Settings of server, worker, migrate and admin are environment variables, or lines of the TOML file that OCIM_CONFIG names:
/// OCIM_LISTEN, OCIM_DATA_DIR, DATABASE_URL and the others that `ocim server --help` lists. The commands login, logout, instance,
/// app-server and ssh ask a server over its REST API and need none of them: docs/client.md.
#[derive(Debug, Parser)]
#[command(name = "ocim", version, after_help = client::EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    pub client: client::Options,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve API and pages, and build app servers, until Ctrl-C
    #[command(after_long_help = ocim::start::settings_list())]
    Server {
        /// Build nothing: for hosts that only answer, beside `ocim worker` elsewhere. Needs OCIM_GATEWAY_AGENTS
        #[arg(long)]
        no_worker: bool,
    },
    /// Build app servers beside a server, on the same database, until Ctrl-C
    ///
    /// Any number may run, also on several hosts. With DATABASE_URL it builds for the servers that use that database;
    /// without, it joins the server with the same OCIM_DATA_DIR. OCIM_ON_SIGTERM: what happens to builds on SIGTERM.
    Worker,
    /// Give this host's HAProxy the routes of the servers, until Ctrl-C
    ///
    /// For gateways on hosts of their own (OCIM_GATEWAY_AGENTS). HAProxy is a service of its own, `ocim gateway proxy`, and
    /// goes on serving when this ends. Needs OCIM_GATEWAY_SERVER, OCIM_GATEWAY_TOKEN and OCIM_DATA_DIR.
    Gateway {
        #[command(subcommand)]
        verb: Option<Gateway>,
    },
    /// Bring the database that DATABASE_URL names to this version
    Migrate,
    /// Print the OpenAPI document
    Openapi,
    /// Users, keys, gateways, backups, the cache, and what is wrong
    #[command(subcommand)]
    Admin(Admin),
    #[command(flatten)]
    Client(client::Command),
    /// Print a script that completes what you type
    #[command(after_help = "EXAMPLES:\n    ocim completion bash > /etc/bash_completion.d/ocim\n    \
        ocim completion zsh > ~/.zfunc/_ocim\n    ocim completion fish > ~/.config/fish/completions/ocim.fish")]
    Completion {
        /// The shell that the script is for
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Fill the cache with the local machines' base tree and Ansible's wheels
    PrepareCache,
    /// Check that the machines of a provider keep the contract of providers; makes and removes some thirty
    ///
    /// Creates, finds, restarts and deletes machines, also with answers that are lost and several at once, and logs in to
    /// them. Prints a line for each check; the exit status is 1 if one fails. The machines belong to an installation of
    /// their own: those of app servers are not touched, and the next run removes what a killed one has left.
    CheckProvider {
        /// The name of the provider; without one, the default is checked
        name: Option<String>,
    },
    /// Give a user a new password, read from standard input; ends their sessions
    SetPassword {
        /// The name that the user signs in with
        username: String,
    },
    /// Make a user; the password is read from standard input, or made up and printed once where that is a terminal
    CreateUser {
        /// The name to sign in with
        username: String,
        /// What they may do: viewer, operator or admin
        #[arg(long, value_parser = ocim::start::role)]
        role: Role,
    },
    /// List the users: id, name, role, whether they may sign in, when they last did
    ListUsers,
    /// Keep a user from signing in; ends their sessions
    DisableUser {
        /// The name that the user signs in with
        username: String,
    },
    /// Say what is wrong with the installation, and what to do: a line for each check
    ///
    /// Clocks, names, certificates, versions, walls, keys, disks, backups, gateways, workers and settings. Run it with the
    /// settings of the server, on each host: disks and walls are those of this one. It changes nothing. The exit status is 1 if
    /// something is wrong, and 0 if there are only warnings.
    Doctor {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print a new key for OCIM_SECRET_KEYS or the file of keys
    GenerateKey,
    /// Encrypt all secrets in the database with the first key, while the program runs
    ///
    /// Without OCIM_SECRET_KEYS a new key is put into the file of keys first. With it, give every program the new key, then put
    /// it first for all of them, then run this.
    RotateKeys,
    /// Add a gateway, or give it a new token; prints the token, which is not shown again
    AddGateway {
        /// What it is called: lower-case letters, digits and inner hyphens
        name: String,
    },
    /// Remove a gateway: its agent is refused, and switches of traffic wait for it no more
    RemoveGateway {
        /// What it is called
        name: String,
    },
    /// Write database and keys into a new file, while the program runs
    Backup {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Fill an empty data directory and an empty database with a backup
    Restore {
        /// The file that `ocim admin backup` wrote
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum Gateway {
    /// Write HAProxy's configuration and become HAProxy, in the foreground
    ///
    /// SIGUSR2 reloads the configuration, SIGUSR1 ends it when the open requests have ended, SIGTERM at once.
    Proxy {
        /// Only write the configuration, before a reload
        #[arg(long)]
        prepare: bool,
    },
    /// Say whether HAProxy serves; the exit status is 1 if it does not
    Check,
}

/// A shell that a completion script can be printed for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Shell {
    /// The GNU Bourne-Again Shell.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
}

/// The completion script for a shell.
pub fn completion(shell: Shell) -> Vec<u8> {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "ocim", &mut script);
    script
}
