//! The only configuration that HAProxy gets. It names no instance: hosts are in the map, so it is never reloaded.
//!
//! All paths in it are relative, and HAProxy starts in the gateway's directory: the socket's path stays short even if
//! the directory's is long.

use std::path::Path;
use std::{fs, io};

use sha2::{Digest, Sha256};

use super::certificates::CertificateFiles;
use super::table::Table;
use super::{GatewayConfig, claims, map_file, pages};
use crate::config::gateway::{GatewaySettings, Scheme};

/// File name of HAProxy's runtime socket.
pub(super) const SOCKET: &str = "runtime";
/// File name of the socket for the manager's own questions to targets.
pub(super) const QUESTIONS: &str = "questions";
/// Header of a question: the target, as in the map. Removed before the request is forwarded.
pub(super) const TARGET_HEADER: &str = "X-Ocim-Target";
/// Header that marks an answer from a target; HAProxy's own answers lack it.
pub(super) const ANSWERED_HEADER: &str = "x-ocim-answered-by";
/// File name of the map from hosts to targets.
pub(super) const MAP: &str = "routes.map";
/// File name of the map from tokens to answers to certificate authorities.
pub(super) const CHALLENGES: &str = "challenges.map";
/// File name of the map of the names that have a certificate.
pub(super) const CERTIFIED: &str = "certified.map";
/// File name of the map from hosts and hashes of preview links to candidates.
pub(super) const PREVIEWS: &str = "previews.map";
/// File name of the configuration.
pub(super) const FILE: &str = "haproxy.cfg";
/// Name of the stick table that counts the open requests of each target.
pub(super) const TABLE: &str = "targets";
/// File with the networks of the trusted proxies, one per line.
const PROXIES: &str = "proxies.lst";
/// Connections reserved for questions, in addition to those for visitors.
const FOR_QUESTIONS: u32 = 100;

const TEMPLATE: &str = include_str!("haproxy.cfg");

/// The configuration's text and the files that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config {
    files: Vec<(&'static str, String)>,
    /// Shown in `show info` by a HAProxy that runs with exactly this configuration.
    pub(super) description: String,
    certificates: Option<CertificateFiles>,
}

impl Config {
    /// `run_as`: uid and gid that HAProxy switches to once it listens.
    pub(super) fn new(config: &GatewayConfig, run_as: Option<(u32, u32)>) -> Self {
        let run_as = run_as.map(|(uid, gid)| format!("uid {uid}\n    gid {gid}")).unwrap_or_default();
        let mut text = TEMPLATE.replace("{run_as}", &run_as);
        for (word, value) in words(config) {
            text = text.replace(word, &value);
        }
        let proxies: String = config.settings.trusted_proxies.iter().map(|net| format!("{net}\n")).collect();
        let mut files: Vec<_> = pages::files().chain([(PROXIES, proxies)]).collect();
        let mut hash = Sha256::new();
        for (name, content) in files.iter().map(|(name, content)| (*name, content)).chain([(FILE, &text)]) {
            hash.update(name);
            hash.update(content);
        }
        let digest: String = hex::encode(hash.finalize()).chars().take(16).collect();
        let description = format!("ocim-gateway-{digest}");
        files.push((FILE, text.replace("{description}", &description)));
        Self { files, description, certificates: config.certificates() }
    }

    /// Writes all files; a map only if it is missing or of an older version.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        for (name, content) in &self.files {
            fs::write(directory.join(name), content)?;
        }
        for map in [CHALLENGES, CERTIFIED] {
            map_file::keep(directory, map, &map_file::read(&directory.join(map))?)?;
        }
        if let Some(certificates) = &self.certificates {
            certificates.prepare(directory)?;
        }
        Table::bring_up_to_date(directory, MAP)?;
        Table::bring_up_to_date(directory, PREVIEWS)
    }
}

/// The placeholders of the template and their values.
fn words(config: &GatewayConfig) -> [(&'static str, String); 23] {
    let GatewayConfig { settings, dir: _, connections } = config;
    // One app server never gets more than half of all connections.
    let target_connections = settings.target_connections.min((connections / 2).max(1));
    let (source_connections, source_requests) = source_limit(settings);
    [
        ("{listen}", settings.listen.to_string()),
        ("{connections}", connections.to_string()),
        ("{all_connections}", connections.saturating_add(FOR_QUESTIONS).to_string()),
        ("{keep_alive}", keep_alive(settings).to_owned()),
        ("{socket}", SOCKET.to_owned()),
        ("{questions}", QUESTIONS.to_owned()),
        ("{target_header}", TARGET_HEADER.to_owned()),
        ("{answered_header}", ANSWERED_HEADER.to_owned()),
        ("{map}", MAP.to_owned()),
        ("{challenges}", CHALLENGES.to_owned()),
        ("{tls_options}", tls_options(settings).to_owned()),
        ("{tls_bind}", tls_bind(config)),
        ("{tls_redirect}", tls_redirect(settings)),
        ("{previews}", PREVIEWS.to_owned()),
        ("{table}", TABLE.to_owned()),
        ("{proxies}", PROXIES.to_owned()),
        ("{max_hosts}", settings.max_hosts.to_string()),
        ("{target_connections}", target_connections.to_string()),
        ("{source_connections}", source_connections),
        ("{source_requests}", source_requests),
        ("{expect_proxy}", expect_proxy(settings)),
        ("{scheme_and_port}", scheme_and_port(settings)),
        ("{claims}", claims::rules()),
    ]
}

/// How long an idle connection is kept. A proxy in front keeps connections for its own visitors, and should be the side
/// that closes them: most proxies and load balancers keep theirs for a minute.
fn keep_alive(settings: &GatewaySettings) -> &'static str {
    if settings.trusted_proxies.is_empty() { "20s" } else { "75s" }
}

fn expect_proxy(settings: &GatewaySettings) -> String {
    match settings.expects_proxy_protocol {
        true => format!("tcp-request connection expect-proxy layer4 if {{ src -f {PROXIES} }}"),
        false => String::new(),
    }
}

/// Mozilla's intermediate recommendations. A browser opens a connection of HTTP/1.1 for a WebSocket.
const TLS_OPTIONS: &str = "ssl-default-bind-options ssl-min-ver TLSv1.2
    ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
    h2-workaround-bogus-websocket-clients";

fn tls_options(settings: &GatewaySettings) -> &'static str {
    if settings.listen_tls.is_some() { TLS_OPTIONS } else { "" }
}

/// Names without a certificate get none, rather than another one's.
fn tls_bind(config: &GatewayConfig) -> String {
    let Some((address, certificates)) = config.settings.listen_tls.zip(config.certificates()) else {
        return String::new();
    };
    let (list, connections) = (certificates.list().display().to_string(), config.connections);
    format!("bind {address} maxconn {connections} ssl crt-list \"{list}\" strict-sni alpn h2,http/1.1")
}

/// Sends visitors by HTTP to HTTPS, and tells browsers to use nothing else, where the route says so and the name has a
/// certificate here.
fn tls_redirect(settings: &GatewaySettings) -> String {
    let Some(port) = https_port(settings) else { return String::new() };
    let port = if port == Scheme::Https.default_port() { String::new() } else { format!(":{port}") };
    let host = "req.hdr(host),field(1,:),lower";
    [
        format!("acl is_certified {host},map({CERTIFIED}) -m found"),
        format!("acl is_certified {host},regsub('^[^.]*','*'),map({CERTIFIED}) -m found"),
        format!(
            "http-request redirect location https://%[req.hdr(host),field(1,:)]{port}%[pathq] code 308 \
             if !is_question is_certified {{ var(txn.scheme) -m str http }} {{ var(txn.route),field(4,/) -m str redirect }}"
        ),
        "http-request set-var(txn.hsts) var(txn.route),field(5,/) if { var(txn.scheme) -m str https }".to_owned(),
        "http-response set-header Strict-Transport-Security max-age=%[var(txn.hsts)] \
         if { var(txn.hsts) -m reg ^[0-9]+$ }"
            .to_owned(),
    ]
    .join("\n    ")
}

/// The port of HTTPS for visitors; none: the gateway does not serve it.
fn https_port(settings: &GatewaySettings) -> Option<u16> {
    let own = settings.listen_tls?.port();
    Some(settings.front.filter(|front| front.scheme == Scheme::Https).map_or(own, |front| front.port))
}

/// The default scheme and port of a visitor's own request.
fn scheme_and_port(settings: &GatewaySettings) -> String {
    if let Some(port) = https_port(settings) {
        let http = settings.front.filter(|front| front.scheme == Scheme::Http).map(|front| front.port);
        return [
            "http-request set-var(txn.scheme) str(http)".to_owned(),
            "http-request set-var(txn.scheme) str(https) if { ssl_fc }".to_owned(),
            // A question is asked as the instance's visitors would ask.
            "http-request set-var(txn.scheme) var(txn.route),field(2,/) if is_question".to_owned(),
            "http-request set-var(txn.own_scheme) var(txn.scheme)".to_owned(),
            format!("http-request set-var(txn.own_port) str({})", http.unwrap_or(settings.listen.port())),
            format!("http-request set-var(txn.own_port) str({port}) if {{ var(txn.scheme) -m str https }}"),
        ]
        .join("\n    ");
    }
    let lines = match settings.front {
        Some(front) => {
            let scheme = front.scheme.as_str();
            [
                format!("http-request set-var(txn.scheme) str({scheme})"),
                format!("http-request set-var(txn.own_port) str({})", front.port),
                format!("http-request set-var(txn.own_scheme) str({scheme})"),
            ]
        }
        None => [
            "http-request set-var(txn.scheme) var(txn.route),field(2,/)".to_owned(),
            format!(
                "http-request set-var(txn.own_port) str({}) if !from_proxy !{{ fc_rcvd_proxy }}",
                settings.listen.port()
            ),
            format!("http-request set-var(txn.own_scheme) str({})", Scheme::Http.as_str()),
        ],
    };
    lines.join("\n    ")
}

/// The rules that limit one visitor's address: by connections if visitors connect directly, by requests if they come
/// through a trusted proxy.
fn source_limit(settings: &GatewaySettings) -> (String, String) {
    let Some(limit) = settings.source_connections else { return Default::default() };
    let connections = format!(
        "tcp-request session track-sc1 src,ipmask(32,64) table sources unless {{ src -f {PROXIES} }}\n    \
         tcp-request session reject if {{ sc1_conn_cur gt {limit} }}"
    );
    let requests = format!(
        "http-request track-sc1 var(txn.visitor),ipmask(32,64) table sources if from_proxy\n    \
         http-request return status 429 content-type \"text/html; charset=utf-8\" file visitor.html \
         hdr Cache-Control no-store hdr Retry-After 5 if {{ sc1_conn_cur gt {limit} }}\n"
    );
    (connections, requests)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Settings;

    fn config(change: impl FnOnce(&mut Settings)) -> Config {
        let mut settings = Settings::default();
        change(&mut settings);
        let settings = GatewaySettings::new(&settings).unwrap();
        Config::new(&GatewayConfig { settings, dir: "/nowhere".into(), connections: 1000 }, None)
    }

    fn text(config: &Config) -> String {
        config.files.iter().find(|(name, _)| *name == FILE).unwrap().1.clone()
    }

    #[test]
    fn another_setting_is_another_configuration() {
        let listening =
            |address: &str| config(|settings| settings.gateway.ocim_gateway_listen = address.parse().unwrap());
        assert_eq!(listening("127.0.0.1:8080"), config(|_| {}));
        let others = [
            listening("127.0.0.1:8081"),
            config(|settings| settings.gateway.ocim_gateway_trusted_proxies = vec!["10.0.0.1".into()]),
            config(|settings| settings.gateway.ocim_gateway_public_url = Some("https://apps.example.org".into())),
            config(|settings| settings.gateway.ocim_gateway_target_connections = 7),
            config(|settings| settings.gateway.ocim_gateway_source_connections = 7),
            config(|settings| settings.gateway.ocim_gateway_max_hosts = 7),
        ];
        for (k, other) in others.iter().enumerate() {
            assert_ne!(other.description, config(|_| {}).description, "{k}");
        }
        assert!(text(&listening("[::1]:8080")).contains("bind [::1]:8080"));
    }

    #[test]
    fn every_word_of_the_template_is_replaced() {
        let all = config(|settings| {
            settings.gateway.ocim_gateway_source_connections = 7;
            settings.gateway.ocim_gateway_trusted_proxies = vec!["10.0.0.1".into()];
            settings.gateway.ocim_gateway_proxy_protocol = true;
        });
        for (word, _) in words(&GatewayConfig {
            settings: GatewaySettings::new(&Settings::default()).unwrap(),
            dir: "/nowhere".into(),
            connections: 1000,
        }) {
            assert!(TEMPLATE.contains(word), "{word} is not in the template");
            assert!(!text(&all).contains(word), "{word} is left");
        }
        assert!(!text(&all).contains("{description}") && !text(&all).contains("{run_as}"));
    }

    #[test]
    fn one_target_gets_half_of_all_connections_at_most() {
        let many = config(|settings| settings.gateway.ocim_gateway_target_connections = 100_000);
        assert!(text(&many).contains("sc0_conn_cur gt 500"), "{}", text(&many));
    }
}
