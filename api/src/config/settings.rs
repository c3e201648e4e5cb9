//! Every setting, with its default.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

/// Every setting with its default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where API and pages answer.
    pub ocim_listen: SocketAddr,
    /// Where visitors of the instances come.
    pub ocim_gateway_listen: SocketAddr,
    /// Scheme and port of every instance's address, for people and for the applications. None: the protocol of the
    /// instance, and the port of `ocim_gateway_listen` where that is `http`.
    pub ocim_gateway_public_url: Option<String>,
    /// The proxies (addresses or networks) whose `X-Forwarded-Proto`, `-Port` and `-For` the gateway believes.
    pub ocim_gateway_trusted_proxies: Vec<String>,
    /// Whether connections from these proxies begin with a header of the PROXY protocol (version 1 or 2).
    pub ocim_gateway_proxy_protocol: bool,
    /// How many requests may be under way at one app server.
    pub ocim_gateway_target_connections: u32,
    /// How many connections one visitor's address may hold at the gateway; 0: any number.
    pub ocim_gateway_source_connections: u32,
    /// How many host names all instances that are not archived may have together.
    pub ocim_gateway_max_hosts: u32,
    /// Holds the embedded database, the local machines, keys and runs.
    pub ocim_data_dir: PathBuf,
    /// Holds what can be made again: base tree, clones, virtualenvs, wheels. None: `~/.cache/ocim`.
    pub ocim_cache_dir: Option<PathBuf>,
    /// What app servers run on.
    pub ocim_provider: ProviderKind,
    /// Where a web server answers that plays the fake machines. None: one is started.
    pub ocim_fake_http: Option<SocketAddr>,
    /// How many lines a fake playbook prints.
    pub ocim_fake_lines: u32,
    /// Milliseconds between two of them.
    pub ocim_fake_pace_ms: u64,
    /// The /24 of the local machines. None: the first free one.
    pub ocim_local_subnet: Option<String>,
    /// The first administrator's password, at the first start only. None: a random one, printed once.
    pub ocim_admin_password: Option<SecretString>,
    /// How many app servers are built at once.
    pub ocim_build_slots: usize,
    /// Whether a proxy in front ends TLS: cookies are then sent over TLS only.
    pub ocim_behind_tls: bool,
    /// The address that people's browsers use, where it is not `ocim_listen`'s; signing in elsewhere comes back to it.
    pub ocim_public_url: Option<String>,
    /// The host names, with the port where it is not the protocol's own, that requests may be for. Empty: `localhost`, the
    /// listening address and `ocim_public_url`'s.
    pub ocim_allowed_hosts: Vec<String>,
    /// The proxies (addresses or networks) whose `X-Forwarded-For` is believed.
    pub ocim_trusted_proxies: Vec<String>,
    /// The other sites whose pages may call the API with a token.
    pub ocim_cors_origins: Vec<String>,
    /// Seconds that an answer may take; streams and `Prefer: wait` aside.
    pub ocim_request_timeout: u64,
    /// Seconds that a reader may take nothing of what is sent to it, before its connection is cut.
    pub ocim_stall_timeout: u64,
    /// Requests a minute of one user or token; 0: any number.
    pub ocim_principal_rate: u32,
    /// Requests a minute of one address; 0: any number.
    pub ocim_address_rate: u32,
    /// How many streams may be open at once, of all readers together.
    pub ocim_max_streams: usize,
    /// And of one user or token.
    pub ocim_max_streams_each: usize,
    /// The keys of secrets at rest, `id:64 hexadecimal digits`; the first one encrypts. Empty: a file in the data directory.
    pub ocim_secret_keys: Vec<SecretString>,
    /// What whoever reads `/metrics` sends as a bearer token; none: only this host may read it.
    pub ocim_metrics_token: Option<SecretString>,
    /// How a line of the log looks.
    pub ocim_log_format: LogFormat,
    /// The OpenID Connect provider that people may sign in at.
    pub ocim_oidc_issuer: Option<String>,
    /// What this program is there.
    pub ocim_oidc_client_id: String,
    /// The secret that goes with it.
    pub ocim_oidc_client_secret: Option<SecretString>,
    /// What people call that provider.
    pub ocim_oidc_name: String,
    /// The claim that holds somebody's groups.
    pub ocim_oidc_groups_claim: String,
    /// The OAuth application at GitHub that people may sign in with.
    pub ocim_github_client_id: Option<String>,
    /// The secret that goes with it.
    pub ocim_github_client_secret: Option<SecretString>,
    /// Groups (or teams of GitHub, `organization/team`) and the role they give: `operators=operator`. Who is in none of them
    /// may not sign in.
    pub ocim_sign_in_roles: Vec<String>,
    /// Where GitHub's API answers.
    pub github_api_url: String,
    /// Where people sign in at GitHub.
    pub github_url: String,
    /// The repositories whose pull requests get instances, `owner/name`; with `=nothing`, `=update` or `=rebuild` behind it, what
    /// new commits do to that one's. Empty: none.
    pub watch_fork: Vec<String>,
    /// The organization whose team's pull requests need no approval.
    pub watch_organization: String,
    /// That team, as its address at GitHub has it.
    pub watch_team: String,
    /// Seconds between two looks at GitHub.
    pub watch_interval: u64,
    /// What new commits do, unless `watch_fork` says otherwise.
    pub watch_on_commit: OnCommit,
    /// Minutes after which the instance of a closed pull request is archived.
    pub watch_archive_minutes: u32,
    /// Days without a change after which the instance of an open one is archived; 0: never.
    pub watch_ttl_days: u32,
    /// The configuration repositories that a pull request may name. Empty: the default one.
    pub watch_configuration_repositories: Vec<String>,
    /// What GitHub is told of the builds: `deployments`, `statuses`, `comments`; `nothing` for nothing.
    pub watch_report: Vec<String>,
    /// The token that GitHub is asked with.
    pub github_access_token: Option<SecretString>,
    /// Or the GitHub App,
    pub github_app_id: Option<u64>,
    /// and the file with its private key (PEM).
    pub github_app_private_key_file: Option<PathBuf>,
    /// What GitHub signs its webhooks with; two while it is replaced.
    pub github_webhook_secrets: Vec<SecretString>,
    /// A Postgres to use instead of the embedded one.
    pub database_url: Option<SecretString>,
    /// The base domain of instances that name none.
    pub instances_base_domain: String,
    /// Whether databases live on the app server's machine unless an instance says otherwise.
    pub instance_ephemeral_databases: bool,
    /// The edx-platform repository of instances that name none: a GitHub `owner/name`, a URL or a path. None: the demo's.
    pub default_fork: Option<String>,
    /// The configuration repository of instances that name none. None: the demo's.
    pub default_configuration_repo_url: Option<String>,
    /// Its version. None: the release.
    pub default_configuration_version: Option<String>,
    /// The playbook of instances that name none: its path in the configuration repository.
    pub default_configuration_playbook: String,
    /// The Python requirements of instances that name none: a path in the configuration repository that ends in `.txt`, or the
    /// requirements themselves.
    pub default_configuration_requirements: String,
    /// The release of instances that name none.
    pub default_openedx_release: String,
    /// The GitHub organization whose team gets SSH access.
    pub default_admin_organization: String,
    /// The release of Tutor instances that name none. None: the newest.
    pub default_tutor_release: Option<String>,
    /// The repository with the playbooks of Tutor instances that name none. None: the one of this program.
    pub default_tutor_playbooks_repo_url: Option<String>,
    /// Its branch, tag or commit.
    pub default_tutor_playbooks_version: String,
    /// A directory of this host with the wheels of Tutor and what it needs, which is copied to machines. None: pip asks PyPI.
    pub tutor_wheels: Option<PathBuf>,
    /// Seconds without output that end a playbook.
    pub ansible_line_timeout: u64,
    /// Seconds that end a playbook.
    pub ansible_global_timeout: u64,
    /// The interpreters that Ansible may run with, in the order they are tried. Empty: the one of `ocim_python`.
    pub ocim_pythons: Vec<String>,
    /// The only interpreter that is tried, where `ocim_pythons` is empty.
    pub ocim_python: String,
    /// What becomes of builds under way when the program is told to end.
    pub ocim_on_sigterm: OnSigterm,
    /// Seconds that repositories may take to say which commit a branch is.
    pub ocim_pin_timeout: u64,
    /// Seconds that a machine may take until it answers SSH.
    pub ocim_machine_timeout: u64,
    /// Seconds that the checkout step may take: repositories, virtualenv, collections, and loading the playbooks.
    pub ocim_checkout_timeout: u64,
    /// Seconds that a machine may take to restart.
    pub ocim_reboot_timeout: u64,
    /// Seconds that an application may take until its checks pass.
    pub ocim_checks_timeout: u64,
    /// Seconds between two checks of an active app server.
    pub ocim_check_interval: u64,
    /// Seconds that requests under way may hold up the end of an app server that was replaced.
    pub ocim_drain_limit: u32,
    /// Hours that an app server which nobody needs keeps its machine.
    pub ocim_retention_hours: u32,
    /// Seconds that a machine which nobody owns is left alone.
    pub ocim_reaper_grace: u64,
    /// Days that events are kept.
    pub ocim_events_days: u32,
    /// Days that the audit log is kept; 0: for ever.
    pub ocim_audit_days: u32,
    /// Days that logs are kept.
    pub ocim_logs_days: u32,
    /// Days that logs of app servers which failed, or were active, are kept.
    pub ocim_kept_logs_days: u32,
    /// Megabytes that must be free on the disks of data and cache for a build to begin.
    pub ocim_min_free_mb: u64,
    /// Who gets mail about failed builds: addresses, separated by commas in the environment.
    pub admins: Vec<String>,
    /// The sender of that mail.
    pub server_email: String,
    /// What its subject begins with.
    pub email_subject_prefix: String,
    /// The SMTP server.
    pub email_host: String,
    /// Its port.
    pub email_port: u16,
    /// The name to sign in there with; blank: none.
    pub email_host_user: String,
    /// The password to sign in there with.
    pub email_host_password: Option<SecretString>,
    /// Whether the connection becomes TLS (STARTTLS) before anything is sent.
    pub email_use_tls: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ocim_listen: SocketAddr::from(([127, 0, 0, 1], 5000)),
            ocim_gateway_listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            ocim_gateway_public_url: None,
            ocim_gateway_trusted_proxies: Vec::new(),
            ocim_gateway_proxy_protocol: false,
            ocim_gateway_target_connections: 1000,
            ocim_gateway_source_connections: 0,
            ocim_gateway_max_hosts: 250_000,
            ocim_data_dir: PathBuf::from(".ocim"),
            ocim_cache_dir: None,
            ocim_provider: ProviderKind::Local,
            ocim_fake_http: None,
            ocim_fake_lines: 40,
            ocim_fake_pace_ms: 50,
            ocim_local_subnet: None,
            ocim_admin_password: None,
            ocim_build_slots: 4,
            ocim_behind_tls: false,
            ocim_public_url: None,
            ocim_allowed_hosts: Vec::new(),
            ocim_trusted_proxies: Vec::new(),
            ocim_cors_origins: Vec::new(),
            ocim_request_timeout: 30,
            ocim_stall_timeout: 60,
            ocim_principal_rate: 3000,
            ocim_address_rate: 6000,
            ocim_max_streams: 4000,
            ocim_max_streams_each: 200,
            ocim_secret_keys: Vec::new(),
            ocim_metrics_token: None,
            ocim_log_format: LogFormat::Text,
            ocim_oidc_issuer: None,
            ocim_oidc_client_id: String::new(),
            ocim_oidc_client_secret: None,
            ocim_oidc_name: "OpenID Connect".into(),
            ocim_oidc_groups_claim: "groups".into(),
            ocim_github_client_id: None,
            ocim_github_client_secret: None,
            ocim_sign_in_roles: Vec::new(),
            github_api_url: "https://api.github.com".into(),
            github_url: "https://github.com".into(),
            watch_fork: Vec::new(),
            watch_organization: String::new(),
            watch_team: "owners".into(),
            watch_interval: 60,
            watch_on_commit: OnCommit::Nothing,
            watch_archive_minutes: 5,
            watch_ttl_days: 30,
            watch_configuration_repositories: Vec::new(),
            watch_report: vec!["deployments".into(), "statuses".into(), "comments".into()],
            github_access_token: None,
            github_app_id: None,
            github_app_private_key_file: None,
            github_webhook_secrets: Vec::new(),
            database_url: None,
            instances_base_domain: "localhost".into(),
            instance_ephemeral_databases: true,
            default_fork: None,
            default_configuration_repo_url: None,
            default_configuration_version: None,
            default_configuration_playbook: "playbooks/openedx_native.yml".into(),
            default_configuration_requirements: "requirements.txt".into(),
            default_openedx_release: "master".into(),
            default_admin_organization: String::new(),
            default_tutor_release: None,
            default_tutor_playbooks_repo_url: None,
            default_tutor_playbooks_version: "master".into(),
            tutor_wheels: None,
            ansible_line_timeout: 1500,
            ansible_global_timeout: 9000,
            ocim_pythons: Vec::new(),
            ocim_python: "python3".into(),
            ocim_on_sigterm: OnSigterm::HandOver,
            ocim_pin_timeout: 180,
            ocim_machine_timeout: 3600,
            ocim_checkout_timeout: 1800,
            ocim_reboot_timeout: 600,
            ocim_checks_timeout: 300,
            ocim_check_interval: 30,
            ocim_drain_limit: 30,
            ocim_retention_hours: 48,
            ocim_reaper_grace: 3600,
            ocim_events_days: 7,
            ocim_audit_days: 0,
            ocim_logs_days: 90,
            ocim_kept_logs_days: 365,
            ocim_min_free_mb: 512,
            admins: Vec::new(),
            server_email: "ocim@localhost".into(),
            email_subject_prefix: "[OpenCraft] ".into(),
            email_host: "localhost".into(),
            email_port: 25,
            email_host_user: String::new(),
            email_host_password: None,
            email_use_tls: false,
        }
    }
}

/// What app servers run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Machines on this host.
    Local,
    /// Nothing: machines are files and playbooks only print. For trying the API out, and for tests.
    Fake,
}

/// What becomes of builds under way when the program is told to end (SIGTERM, SIGINT).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSigterm {
    /// They are given back, and another worker, or the next start, goes on with them.
    HandOver,
    /// They are ended first; nothing more is begun. A second signal hands them over.
    Finish,
}

/// What new commits of a pull request do to its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCommit {
    /// Nothing, until somebody asks for it.
    Nothing,
    /// Its settings follow.
    Update,
    /// And an app server is launched with them, and activated when it runs; an older build is stopped.
    Rebuild,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}
