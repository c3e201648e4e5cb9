//! The settings with their defaults.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

/// All settings. A setting that is absent has its default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address where the API and the pages listen.
    pub ocim_listen: SocketAddr,
    /// The address where the gateway listens for visitors of the instances.
    pub ocim_gateway_listen: SocketAddr,
    /// Scheme and port of every instance's URL, for people and for the applications. None: the protocol of the
    /// instance, and the port of `ocim_gateway_listen` if that protocol is `http`.
    pub ocim_gateway_public_url: Option<String>,
    /// The proxies (addresses or networks) whose `X-Forwarded-Proto`, `-Port` and `-For` the gateway trusts.
    pub ocim_gateway_trusted_proxies: Vec<String>,
    /// Whether connections from these proxies begin with a PROXY protocol header (version 1 or 2).
    pub ocim_gateway_proxy_protocol: bool,
    /// The maximum number of requests in progress at one app server.
    pub ocim_gateway_target_connections: u32,
    /// The maximum number of connections from one client address at the gateway; 0: no limit.
    pub ocim_gateway_source_connections: u32,
    /// The maximum number of host names of all instances that are not archived.
    pub ocim_gateway_max_hosts: u32,
    /// The directory for the embedded database, the local machines, keys and runs.
    pub ocim_data_dir: PathBuf,
    /// The directory for what can be recreated: base tree, clones, virtualenvs, wheels. None: `~/.cache/ocim`.
    pub ocim_cache_dir: Option<PathBuf>,
    /// The kind of machines that app servers run on.
    pub ocim_provider: ProviderKind,
    /// The address of a web server that stands in for the fake machines. None: one is started.
    pub ocim_fake_http: Option<SocketAddr>,
    /// How many lines a fake playbook prints.
    pub ocim_fake_lines: u32,
    /// Milliseconds between two lines of a fake playbook.
    pub ocim_fake_pace_ms: u64,
    /// The /24 network of the local machines. None: the first free one.
    pub ocim_local_subnet: Option<String>,
    /// The first administrator's password, used at the first start only. None: a random one, printed once.
    pub ocim_admin_password: Option<SecretString>,
    /// How many app servers one process builds at once.
    pub ocim_build_slots: usize,
    /// Whether a proxy in front terminates TLS; cookies are then sent over TLS only.
    pub ocim_behind_tls: bool,
    /// The address that browsers use, if it differs from `ocim_listen`; identity providers send browsers back to it.
    pub ocim_public_url: Option<String>,
    /// The host names that requests may be for, with the port unless it is the protocol's default. Empty: `localhost`,
    /// the listening address and the host of `ocim_public_url`.
    pub ocim_allowed_hosts: Vec<String>,
    /// The proxies (addresses or networks) whose `X-Forwarded-For` is trusted.
    pub ocim_trusted_proxies: Vec<String>,
    /// The other origins whose pages may call the API with a token.
    pub ocim_cors_origins: Vec<String>,
    /// Seconds until an answer must begin; not for streams and `Prefer: wait`.
    pub ocim_request_timeout: u64,
    /// Seconds that a client may accept no data before its connection is closed.
    pub ocim_stall_timeout: u64,
    /// Requests per minute of one user or token; 0: no limit.
    pub ocim_principal_rate: u32,
    /// Requests per minute of one address; 0: no limit.
    pub ocim_address_rate: u32,
    /// The maximum number of open streams of all callers together.
    pub ocim_max_streams: usize,
    /// The maximum number of open streams of one user or token.
    pub ocim_max_streams_each: usize,
    /// The keys of secrets, `id:64 hexadecimal digits`; the first one encrypts. Empty: a file in the data directory.
    pub ocim_secret_keys: Vec<SecretString>,
    /// The bearer token that clients of `/metrics` must send; none: only this host may read it.
    pub ocim_metrics_token: Option<SecretString>,
    /// The format of log lines.
    pub ocim_log_format: LogFormat,
    /// The issuer URL of the OpenID Connect provider where users can sign in. None: no such provider.
    pub ocim_oidc_issuer: Option<String>,
    /// The client id of this program at the OpenID Connect provider.
    pub ocim_oidc_client_id: String,
    /// The client secret of this program at the OpenID Connect provider.
    pub ocim_oidc_client_secret: Option<SecretString>,
    /// The OpenID Connect provider's name on the sign-in button.
    pub ocim_oidc_name: String,
    /// The claim that holds a user's groups.
    pub ocim_oidc_groups_claim: String,
    /// The client id of the OAuth app at GitHub. None: users cannot sign in with GitHub.
    pub ocim_github_client_id: Option<String>,
    /// The client secret of the OAuth app at GitHub.
    pub ocim_github_client_secret: Option<SecretString>,
    /// Groups (or GitHub teams, `organization/team`) and the role they give: `operators=operator`. A user in none of
    /// them may not sign in.
    pub ocim_sign_in_roles: Vec<String>,
    /// The URL of GitHub's API.
    pub github_api_url: String,
    /// The URL where users sign in at GitHub.
    pub github_url: String,
    /// The repositories whose pull requests get instances, `owner/name`; a suffix `=nothing`, `=update` or `=rebuild`
    /// says what new commits do to the instance. Empty: none.
    pub watch_fork: Vec<String>,
    /// The organization of `watch_team`.
    pub watch_organization: String,
    /// The team whose pull requests need no approval, by its slug at GitHub.
    pub watch_team: String,
    /// Seconds between two polls of GitHub.
    pub watch_interval: u64,
    /// What new commits do, unless `watch_fork` says otherwise.
    pub watch_on_commit: OnCommit,
    /// Minutes after which the instance of a closed pull request is archived.
    pub watch_archive_minutes: u32,
    /// Days without a change after which the instance of an open pull request is archived; 0: never.
    pub watch_ttl_days: u32,
    /// The configuration repositories that a pull request may name. Empty: only the default one.
    pub watch_configuration_repositories: Vec<String>,
    /// What is reported to GitHub about builds: `deployments`, `statuses`, `comments`; `nothing` for no reports.
    pub watch_report: Vec<String>,
    /// The access token for GitHub's API.
    pub github_access_token: Option<SecretString>,
    /// The id of the GitHub App, as an alternative to the token.
    pub github_app_id: Option<u64>,
    /// The file with the GitHub App's private key (PEM).
    pub github_app_private_key_file: Option<PathBuf>,
    /// The secrets that GitHub signs webhooks with; two while one is replaced.
    pub github_webhook_secrets: Vec<SecretString>,
    /// The URL of a Postgres to use instead of the embedded one.
    pub database_url: Option<SecretString>,
    /// The base domain of instances that name none.
    pub instances_base_domain: String,
    /// Whether databases are on the app server's machine, unless an instance says otherwise.
    pub instance_ephemeral_databases: bool,
    /// The edx-platform repository of instances that name none: `owner/name` (GitHub), URL or path. None: the demo's.
    pub default_fork: Option<String>,
    /// The configuration repository of instances that name none. None: the demo's.
    pub default_configuration_repo_url: Option<String>,
    /// The branch, tag or commit of the configuration repository. None: named like the release.
    pub default_configuration_version: Option<String>,
    /// The playbook of instances that name none: its path in the configuration repository.
    pub default_configuration_playbook: String,
    /// Python requirements of instances that name none: a path in the configuration repository that ends in `.txt`, or
    /// the requirements themselves.
    pub default_configuration_requirements: String,
    /// The Open edX release of instances that name none.
    pub default_openedx_release: String,
    /// The GitHub organization whose team gets SSH access to machines.
    pub default_admin_organization: String,
    /// The release of Tutor instances that name none. None: the newest.
    pub default_tutor_release: Option<String>,
    /// The repository with the playbooks of Tutor instances that name none. None: the one embedded in this program.
    pub default_tutor_playbooks_repo_url: Option<String>,
    /// The branch, tag or commit of the Tutor playbooks' repository.
    pub default_tutor_playbooks_version: String,
    /// A directory of this host with wheels of Tutor and its dependencies, copied to machines. None: pip asks PyPI.
    pub tutor_wheels: Option<PathBuf>,
    /// Seconds without output after which a playbook times out.
    pub ansible_line_timeout: u64,
    /// Seconds after which a playbook times out.
    pub ansible_global_timeout: u64,
    /// The Python interpreters that Ansible may run with, in the order they are tried. Empty: `ocim_python`.
    pub ocim_pythons: Vec<String>,
    /// The only interpreter that is tried, if `ocim_pythons` is empty.
    pub ocim_python: String,
    /// What happens to running builds on SIGTERM.
    pub ocim_on_sigterm: OnSigterm,
    /// Seconds that repositories may take to answer which commit a branch is.
    pub ocim_pin_timeout: u64,
    /// Seconds until a new machine must answer SSH.
    pub ocim_machine_timeout: u64,
    /// Seconds that the checkout step may take: repositories, virtualenv, collections, and loading the playbooks.
    pub ocim_checkout_timeout: u64,
    /// Seconds that a machine may take to restart.
    pub ocim_reboot_timeout: u64,
    /// Seconds until an application's checks must pass.
    pub ocim_checks_timeout: u64,
    /// Seconds between two checks of an active app server.
    pub ocim_check_interval: u64,
    /// Seconds that a replaced app server may take to finish its requests in progress.
    pub ocim_drain_limit: u32,
    /// Hours that an app server that is no longer needed keeps its machine.
    pub ocim_retention_hours: u32,
    /// Seconds before an orphaned machine is deleted.
    pub ocim_reaper_grace: u64,
    /// Days that events are kept.
    pub ocim_events_days: u32,
    /// Days that the audit log is kept; 0: for ever.
    pub ocim_audit_days: u32,
    /// Days that logs are kept.
    pub ocim_logs_days: u32,
    /// Days that logs of app servers that failed or were active are kept.
    pub ocim_kept_logs_days: u32,
    /// Megabytes that must be free on the disks of data and cache for a build to begin.
    pub ocim_min_free_mb: u64,
    /// The recipients of mail about failed builds; in the environment, separated by commas.
    pub admins: Vec<String>,
    /// The sender's address in mail.
    pub server_email: String,
    /// The text before every mail's subject.
    pub email_subject_prefix: String,
    /// The SMTP server's host name or address.
    pub email_host: String,
    /// The SMTP server's port.
    pub email_port: u16,
    /// The user name for the SMTP server; blank: no sign-in.
    pub email_host_user: String,
    /// The password for the SMTP server.
    pub email_host_password: Option<SecretString>,
    /// Whether the SMTP connection must use TLS (STARTTLS).
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

/// The kind of machines that app servers run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Machines on this host, run by ocim itself.
    Local,
    /// No machines: they are files, and playbooks only print. For trying the API, and for tests.
    Fake,
}

/// What happens to running builds on SIGTERM or SIGINT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSigterm {
    /// Their leases are given back; another worker, or the next start, continues them.
    HandOver,
    /// The program waits until they have ended and begins no others. A second signal hands them over.
    Finish,
}

/// What new commits of a pull request do to its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCommit {
    /// Nothing, until a user asks for it.
    Nothing,
    /// The instance's settings are updated.
    Update,
    /// The settings are updated, an app server is launched, and activated when it runs; an older build is stopped.
    Rebuild,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text for people, with colours on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}
