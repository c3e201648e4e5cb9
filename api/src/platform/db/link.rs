//! How this program reaches the database: the URL, TLS and the certificates that are trusted. Pools, the listener and
//! the job queue connect in the same way.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use futures::FutureExt;
use futures::future::BoxFuture;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{CancelToken, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::DbError;
use super::limits::Purpose;

/// How long sent data may stay unacknowledged by the server before the connection counts as broken.
const VANISHED: Duration = Duration::from_secs(30);
/// How long making a connection may take, unless the URL says otherwise.
const CONNECT: Duration = Duration::from_secs(10);
/// The trusted certificates of Debian, for PostgreSQL's own programs.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The way to a database.
pub struct Link {
    url: String,
    config: Config,
    tls: MakeRustlsConnect,
    roots: Option<PathBuf>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL holds a password.
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    /// Reads a URL (or libpq's `key=value` form). Without `sslmode`, TLS is required unless every host is this machine.
    /// `sslrootcert` names the only certificates to trust; without it, those of the system or of SSL_CERT_FILE.
    ///
    /// # Errors
    /// [`DbError::Url`] if the URL or a file that it names cannot be used.
    pub fn new(url: &str) -> Result<Self, DbError> {
        let asked = Asked::of(url);
        let mut config: Config =
            asked.rest.parse().map_err(|error: tokio_postgres::Error| DbError::Url(words(&error)))?;
        let mode = asked.mode(is_local(&config)).map_err(DbError::Url)?;
        // A running statement notices that the server has vanished without closing the connection.
        config.ssl_mode(mode).tcp_user_timeout(VANISHED).keepalives_idle(VANISHED);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        let roots = asked.roots.filter(|path| path.as_os_str() != "system");
        let trusted =
            if mode == SslMode::Disable { rustls::RootCertStore::empty() } else { trusted(roots.as_deref())? };
        Ok(Self { url: url.to_owned(), config, tls: tls(trusted)?, roots })
    }

    /// The URL as it was given, with the password.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The password in the URL, if any.
    pub fn password(&self) -> Option<&[u8]> {
        self.config.get_password()
    }

    /// The settings and the TLS of connections for this purpose.
    pub(super) fn parts(&self, purpose: Purpose) -> (Config, MakeRustlsConnect) {
        let mut config = self.config.clone();
        let theirs = config.get_options().unwrap_or_default().to_owned();
        config.options(format!("{} {theirs}", purpose.options()).trim_end());
        (config, self.tls.clone())
    }

    /// Makes a connection. Boxed, because the future is large, and part of each future that borrows a connection.
    pub(super) fn connect(&self, purpose: Purpose) -> BoxFuture<'_, Result<AsyncPgConnection, DbError>> {
        let connecting = async move {
            let (config, tls) = self.parts(purpose);
            let (client, connection) = config.connect(tls).await.map_err(|error| self.refused(&error))?;
            let made = AsyncPgConnection::try_from_client_and_connection(client, connection).await;
            made.map_err(|error| DbError::Unavailable(error.to_string()))
        };
        connecting.boxed()
    }

    /// Asks the server to cancel what runs on a connection, with the same TLS as the connection.
    pub(super) async fn cancel(&self, token: &CancelToken) -> Result<(), tokio_postgres::Error> {
        token.cancel_query(self.tls.clone()).await
    }

    fn refused(&self, error: &tokio_postgres::Error) -> DbError {
        let said = words(error);
        let advice = if said.contains("does not support TLS") {
            "; TLS is required because the server is not this machine. Turn TLS on there, or say in the URL that nothing is to \
             be encrypted: sslmode=disable"
        } else if said.contains("certificate") {
            "; name the file with the certificate of its authority in the URL (sslrootcert=) or in SSL_CERT_FILE"
        } else {
            ""
        };
        DbError::Unavailable(format!("{said}{advice}"))
    }

    /// The URL for PostgreSQL's own programs: without the password, and with the same demands on TLS.
    ///
    /// # Errors
    /// [`DbError::Url`] if it is not a URL.
    pub fn for_tools(&self) -> Result<url::Url, DbError> {
        let bad = |error: &str| DbError::Url(error.to_owned());
        let mut url = url::Url::parse(&Asked::of(&self.url).rest).map_err(|error| bad(&error.to_string()))?;
        url.set_password(None).map_err(|()| bad("it is not one that takes a password"))?;
        let named = self.roots.clone().or_else(|| std::env::var_os("SSL_CERT_FILE").map(PathBuf::from));
        let roots = named.or_else(|| Some(PathBuf::from(SYSTEM_ROOTS)).filter(|path| path.exists()));
        let demands = match (self.config.get_ssl_mode(), roots) {
            (SslMode::Disable, _) => "sslmode=disable".to_owned(),
            (SslMode::Require, Some(roots)) => {
                let roots = url::form_urlencoded::byte_serialize(roots.as_os_str().as_encoded_bytes());
                // In these URLs a plus sign stands for itself.
                format!("sslmode=verify-full&sslrootcert={}", roots.collect::<String>().replace('+', "%20"))
            }
            // These programs check no certificate without a file of authorities.
            (SslMode::Require, None) => {
                return Err(bad("PostgreSQL's own programs need the file of the authorities to trust: sslrootcert="));
            }
            _ => "sslmode=prefer".to_owned(),
        };
        // The rest of the query stays as it was written.
        let query = [url.query().unwrap_or_default(), &demands].join("&");
        url.set_query(Some(query.trim_start_matches('&')));
        Ok(url)
    }
}

/// Whether what this URL leads to may be read on the network: another machine, without a demand for TLS.
pub fn may_be_in_clear(url: &str) -> bool {
    let asked = Asked::of(url);
    // A URL that cannot be used ends the start.
    let Ok(config) = asked.rest.parse::<Config>() else { return false };
    let is_local = is_local(&config);
    !is_local && asked.mode(is_local).is_ok_and(|mode| mode != SslMode::Require)
}

/// The parts of the URL that the driver does not know, or knows too little of.
fn is_ours(key: &str) -> bool {
    matches!(key, "sslmode" | "sslrootcert")
}

/// What a URL asks of TLS.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    mode: Option<String>,
    roots: Option<PathBuf>,
    /// The URL without that.
    rest: String,
}

impl Asked {
    fn of(url: &str) -> Self {
        let mut asked = Self::default();
        if !url.contains("://") {
            let others: Vec<&str> = url.split_whitespace().filter(|pair| !asked.take(pair)).collect();
            // Unchanged where nothing was taken, because the values of others may be quoted.
            let is_taken = asked != Self::default();
            asked.rest = if is_taken { others.join(" ") } else { url.to_owned() };
            return asked;
        }
        // A password may hold a question mark.
        let from = url.find('@').unwrap_or(0);
        let Some(at) = url.get(from..).and_then(|rest| rest.find('?')) else {
            return Self { rest: url.to_owned(), ..asked };
        };
        let (server, query) = url.split_at(from + at);
        let others: Vec<&str> = query.trim_start_matches('?').split('&').filter(|pair| !asked.take(pair)).collect();
        asked.rest = if others.iter().all(|pair| pair.is_empty()) {
            server.to_owned()
        } else {
            format!("{server}?{}", others.join("&"))
        };
        asked
    }

    /// Takes one `key=value`, if it is about TLS.
    fn take(&mut self, pair: &str) -> bool {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| is_ours(key)) else { return false };
        // In these URLs a plus sign stands for itself.
        let pair = format!("x={}", value.replace('+', "%2B"));
        let value = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
        match key {
            "sslmode" => self.mode = value,
            _ => self.roots = value.map(PathBuf::from),
        }
        true
    }

    /// Certificates and host names are always verified, so that `verify-full` is what `require` is.
    fn mode(&self, is_local: bool) -> Result<SslMode, String> {
        match self.mode.as_deref() {
            None if is_local && self.roots.is_none() => Ok(SslMode::Disable),
            None | Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
            Some("prefer" | "allow") => Ok(SslMode::Prefer),
            Some("disable") => Ok(SslMode::Disable),
            Some(other) => Err(format!("sslmode={other} is unknown; require, prefer and disable are known")),
        }
    }
}

/// Whether every host is this machine: a socket file, or a loopback address. Any other name, also one that a container
/// network knows, may be elsewhere.
fn is_local(config: &Config) -> bool {
    let is_host = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let name = name.trim_matches(['[', ']']);
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(is_loopback)
        }
    };
    config.get_hosts().iter().all(is_host) && config.get_hostaddrs().iter().copied().all(is_loopback)
}

fn is_loopback(address: std::net::IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The certificates of the authorities to trust.
fn trusted(file: Option<&Path>) -> Result<rustls::RootCertStore, DbError> {
    let mut roots = rustls::RootCertStore::empty();
    let Some(file) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let bad = |error: &dyn std::fmt::Display| DbError::Url(format!("sslrootcert {}: {error}", file.display()));
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| bad(&error))? {
        roots.add(certificate.map_err(|error| bad(&error))?).map_err(|error| bad(&error))?;
    }
    if roots.is_empty() {
        return Err(bad(&"it holds no certificate"));
    }
    Ok(roots)
}

fn tls(roots: rustls::RootCertStore) -> Result<MakeRustlsConnect, DbError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| DbError::Url(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// An error's message followed by those of its causes.
fn words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
