use std::net::SocketAddr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::setting::{Setting, word};
use crate::config::table::settings;

settings! {
    /// The address of API and pages, and the log. `OCIM_LOG` (default `warn,ocim=info`), which only the
    /// environment can set, says what is logged to standard error, in the syntax of tracing's EnvFilter; `ocim=debug`
    /// adds a line for each request and each job.
    pub struct Server = "Server";

    /// The address and port where API and pages answer.
    ocim_listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 5000));
    /// The address that browsers use, if it is not the listening one: `https://ocim.example`. Sign-in at a provider
    /// returns to it; requests for its host are accepted.
    ocim_public_url: Option<String> = None, unset("`OCIM_LISTEN`'s");
    /// Whether a proxy in front of ocim ends TLS: cookies are then sent over TLS only and bound to this host
    /// (`__Host-`), and browsers use only TLS for it (HSTS).
    ocim_behind_tls: bool = false;
    /// Whether HSTS holds for all hosts below this one, too (`includeSubDomains`). Only if each of them has TLS:
    /// browsers reach the others no more, for a year.
    ocim_hsts_subdomains: bool = false;
    /// The first administrator's password, at the first start only; 10 to 1024 characters, and refused if it is easy to
    /// guess.
    ocim_admin_password: Option<SecretString> = None, unset("random, printed once");
    /// The format of the log: `text`, for people, or `json`, one object per line. Lines of a request and of the jobs
    /// that it started have the same `request_id`, which the response has as `X-Request-Id`.
    ocim_log_format: LogFormat = LogFormat::Text;
    /// The bearer token that is needed to read `/metrics` from another host or through a proxy. Unset: only this host
    /// may read it. See [ops/README.md](ops/README.md).
    ocim_metrics_token: Option<SecretString> = None;
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text for people, with colours on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

impl Setting for LogFormat {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}
