//! The settings that take a protection away or weaken one, with what each of them opens. They are read from the settings
//! alone: nothing is probed.
//!
//! A setting that opens a wall has a line in [`WALLS`] and a function that decides. Effects name no address and no value,
//! because every user reads them.

use std::net::IpAddr;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use shared_types::system::OpenedWall;
use url::Url;

use crate::config::providers::{KindSettings, ProviderSettings};
use crate::config::{LocalNetwork, SandboxMode, Settings, address};
use crate::platform::db;

/// Decides whether the settings open a wall; the effect in words, or none.
type Wall = fn(&Settings) -> Option<&'static str>;

/// The settings that can open a wall, in the order in which they are shown.
const WALLS: &[(&str, Wall)] = &[
    ("OCIM_LISTEN", listens_without_tls),
    ("OCIM_BEHIND_TLS", cookie_without_tls),
    ("OCIM_PUBLIC_URL", pages_without_tls),
    ("OCIM_TRUSTED_PROXIES", |settings| trusts_strangers(&settings.guard.ocim_trusted_proxies, ANY_ADDRESS)),
    ("OCIM_CORS_ORIGINS", origins_that_anyone_can_be),
    ("OCIM_PRINCIPAL_RATE", |settings| (settings.guard.ocim_principal_rate == 0).then_some(NO_PRINCIPAL_RATE)),
    ("OCIM_ADDRESS_RATE", |settings| (settings.guard.ocim_address_rate == 0).then_some(NO_ADDRESS_RATE)),
    ("OCIM_MAX_CONNECTIONS_EACH", |settings| {
        (settings.guard.ocim_max_connections_each == 0).then_some(NO_CONNECTION_LIMIT)
    }),
    ("OCIM_SANDBOX", |settings| (settings.sandbox.ocim_sandbox == SandboxMode::None).then_some(NO_SANDBOX)),
    ("OCIM_SANDBOX_NETWORKS", |settings| {
        (!settings.sandbox.ocim_sandbox_networks.is_empty()).then_some(PRIVATE_NETWORKS)
    }),
    ("OCIM_SANDBOX_PATHS", |settings| (!settings.sandbox.ocim_sandbox_paths.is_empty()).then_some(PATHS_OF_THIS_HOST)),
    ("OCIM_LOCAL_NETWORK", |settings| has_way_out(settings).then_some(MACHINES_GO_OUT)),
    ("OCIM_LOCAL_MACHINES_FOR_STRANGERS", |settings| {
        settings.machines.ocim_local_machines_for_strangers.then_some(STRANGERS_ON_THIS_HOST)
    }),
    ("OCIM_CONFIGURATION_SOURCES", sources_in_clear),
    ("OCIM_GATEWAY_LISTEN", visitors_without_tls),
    ("OCIM_GATEWAY_PUBLIC_URL", sites_without_tls),
    ("OCIM_GATEWAY_TRUSTED_PROXIES", |settings| {
        trusts_strangers(&settings.gateway.ocim_gateway_trusted_proxies, ANY_VISITOR)
    }),
    ("OCIM_MIN_FREE_MB", |settings| (settings.data.ocim_min_free_mb == 0).then_some(NO_FREE_SPACE)),
    ("OCIM_SECRET_KEYS", keys_that_can_be_guessed),
    ("DATABASE_URL", database_without_tls),
    ("EMAIL_USE_TLS", mail_password_without_tls),
];

const ANY_ADDRESS: &str = "Clients on a large part of the internet may claim any address in X-Forwarded-For: limits by \
                           address can be evaded, and addresses in the audit log can be false.";
const ANY_VISITOR: &str = "Visitors from a large part of the internet may claim any address and scheme: applications \
                           cannot rely on either, and limits by address can be evaded.";
const NO_PRINCIPAL_RATE: &str = "One user may send any number of requests and slow down everyone else.";
const NO_ADDRESS_RATE: &str =
    "One address may send any number of requests: it can slow down everyone else, and sign-in is tried faster.";
const NO_CONNECTION_LIMIT: &str = "One address may open any number of connections and keep everyone else out.";
const NO_SANDBOX: &str = "Git, pip and Ansible run other people's code as this program's user, with its keys, its database \
                          and its network in reach: every user who may launch an app server has the rights of this program.";
const PRIVATE_NETWORKS: &str = "Playbooks, git and pip (and local machines that have a way out) reach private networks: what \
                                is not protected there is open to everyone whose code is built.";
const PATHS_OF_THIS_HOST: &str =
    "Playbooks, git and pip can read all files in these directories that every user of this host can read.";
const MACHINES_GO_OUT: &str = "Code on local machines can begin connections to public addresses: it can send away what it \
                               has, and attack others in this host's name.";
const STRANGERS_ON_THIS_HOST: &str = "The code of people who are not of the team can run on machines that share this \
                                      host's kernel.";
const NO_FREE_SPACE: &str = "Builds begin while the disk is almost full: one build can fill it and stop the database.";

/// The settings that open a wall, each with its effect as a sentence; empty with the default settings.
pub fn opened_walls(settings: &Settings) -> Vec<OpenedWall> {
    let opened = |(setting, wall): &(&str, Wall)| {
        wall(settings).map(|effect| OpenedWall { setting: (*setting).to_owned(), effect: effect.to_owned() })
    };
    WALLS.iter().filter_map(opened).collect()
}

/// Logs each of them as a warning; for the start of the program.
pub fn log(settings: &Settings) {
    for OpenedWall { setting, effect } in opened_walls(settings) {
        tracing::warn!(setting, "a setting takes a protection away: {effect}");
    }
}

/// Whether the local machines of some provider may begin connections.
fn has_way_out(settings: &Settings) -> bool {
    let opens = |one: ProviderSettings| match one.kind {
        KindSettings::Local(own) => own.ocim_local_network == LocalNetwork::Outbound,
        KindSettings::Containers(..)
        | KindSettings::OpenStack(_)
        | KindSettings::Command(_)
        | KindSettings::Fake(_) => false,
    };
    settings.providers().is_ok_and(|all| all.into_iter().any(opens))
}

fn listens_without_tls(settings: &Settings) -> Option<&'static str> {
    let is_open = !settings.server.ocim_listen.ip().is_loopback() && !settings.server.ocim_behind_tls;
    is_open.then_some(
        "API and pages answer other hosts without TLS: passwords, sessions and tokens can be read on the network.",
    )
}

fn cookie_without_tls(settings: &Settings) -> Option<&'static str> {
    let url = public_url(settings)?;
    (url.scheme() == "https" && !settings.server.ocim_behind_tls).then_some(
        "Browsers use https, but the session's cookie is not marked Secure: one request without TLS discloses it.",
    )
}

fn pages_without_tls(settings: &Settings) -> Option<&'static str> {
    is_clear(&public_url(settings)?).then_some(
        "Browsers reach API and pages without TLS: passwords, sessions and tokens can be read on the network.",
    )
}

fn origins_that_anyone_can_be(settings: &Settings) -> Option<&'static str> {
    let is_anyone =
        |origin: &String| matches!(origin.as_str(), "*" | "null") || parsed(origin).is_some_and(is_clear_url);
    settings.guard.ocim_cors_origins.iter().any(is_anyone).then_some(
        "Pages that anyone can make or change on the network may call the API: a token that is entered there is lost.",
    )
}

fn sources_in_clear(settings: &Settings) -> Option<&'static str> {
    let is_clear = |source: &String| ["http://", "git://"].iter().any(|scheme| source.trim().starts_with(scheme));
    settings.instances.ocim_configuration_sources.iter().any(is_clear).then_some(
        "Playbooks cross the network without TLS: who can change what is sent there decides what runs on all machines.",
    )
}

fn visitors_without_tls(settings: &Settings) -> Option<&'static str> {
    let gateway = &settings.gateway;
    let has_front = gateway.ocim_gateway_public_url.is_some() || !gateway.ocim_gateway_trusted_proxies.is_empty();
    (!gateway.ocim_gateway_listen.ip().is_loopback() && !has_front).then_some(
        "Visitors reach the gateway from other hosts without TLS: what they send to any site can be read on the network.",
    )
}

fn sites_without_tls(settings: &Settings) -> Option<&'static str> {
    is_clear(&parsed(settings.gateway.ocim_gateway_public_url.as_ref()?)?).then_some(
        "Visitors reach all sites without TLS: what they send, passwords included, can be read on the network.",
    )
}

/// Whether a proxy's network is so large that strangers are in it.
fn trusts_strangers(networks: &[String], effect: &'static str) -> Option<&'static str> {
    let is_private = |net: &IpNet| match net.network() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local(),
    };
    let is_wide = |net: &IpNet| match net {
        IpNet::V4(_) => net.prefix_len() < 8,
        IpNet::V6(_) => net.prefix_len() < 16 && !(net.prefix_len() >= 7 && is_private(net)),
    };
    networks.iter().filter_map(|text| text.trim().parse::<IpNet>().ok()).any(|net| is_wide(&net)).then_some(effect)
}

fn keys_that_can_be_guessed(settings: &Settings) -> Option<&'static str> {
    settings.data.ocim_secret_keys.iter().any(is_guessable).then_some(
        "A key repeats a pattern, as a key for trying the program out does: who guesses it reads every secret in the database.",
    )
}

/// Whether a key was typed rather than drawn: it repeats itself, or has few different digits. Of random keys, one in
/// more than a million million looks like that.
fn is_guessable(key: &SecretString) -> bool {
    let digits = key.expose_secret().trim().rsplit(':').next().unwrap_or_default().as_bytes();
    let is_periodic =
        (1..=digits.len() / 2).any(|period| digits.iter().zip(digits.iter().skip(period)).all(|(a, b)| a == b));
    let different = digits.iter().collect::<std::collections::BTreeSet<_>>().len();
    is_periodic || different < 8
}

fn database_without_tls(settings: &Settings) -> Option<&'static str> {
    let url = settings.data.database_url.as_ref()?.expose_secret();
    db::may_be_in_clear(url).then_some(
        "The URL does not insist on TLS: the database's password, and all that is read and written, can cross the \
         network in clear.",
    )
}

fn mail_password_without_tls(settings: &Settings) -> Option<&'static str> {
    let mail = &settings.mail;
    let has_password = !mail.email_host_user.is_empty() && mail.email_host_password.is_some();
    let is_sent = has_password && !mail.admins.is_empty() && !is_this_host(&mail.email_host);
    (is_sent && !mail.email_use_tls)
        .then_some("The password of the mail server, and all mail, crosses the network in clear.")
}

fn public_url(settings: &Settings) -> Option<Url> {
    parsed(settings.server.ocim_public_url.as_ref()?)
}

fn parsed(url: &str) -> Option<Url> {
    Url::parse(url).ok()
}

/// Whether the URL leads to another host without TLS.
fn is_clear(url: &Url) -> bool {
    url.scheme() == "http" && !address::is_loopback(url)
}

fn is_clear_url(url: Url) -> bool {
    is_clear(&url)
}

/// Whether a host's name or address is this machine's own.
fn is_this_host(name: &str) -> bool {
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn opened(variables: &[(&str, &str)]) -> Vec<String> {
        let settings = Settings::of(variables.iter().copied(), &[]).unwrap();
        opened_walls(&settings).into_iter().map(|wall| wall.setting).collect()
    }

    #[test]
    fn the_default_settings_open_no_wall() {
        assert_eq!(opened_walls(&Settings::default()), []);
        assert_eq!(opened(&[]), [""; 0]);
    }

    #[test]
    fn each_setting_that_opens_a_wall_is_named_and_its_safe_form_is_not() {
        let drawn = "k1:9f64ba7d2c1fd7b9c02b3d3c3f1a4f2e7f0f1d2a1b3c4d5e6f8091a2b3c4d5ef";
        let typed = "k1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let cases = [
            ("OCIM_LISTEN", "0.0.0.0:5000", "127.0.0.1:5001"),
            ("OCIM_LISTEN", "[::]:5000", "[::1]:5000"),
            ("OCIM_LISTEN", "10.0.0.7:5000", "127.0.0.2:5000"),
            ("OCIM_PUBLIC_URL", "http://ocim.example", "http://ocim.localhost:5000"),
            ("OCIM_TRUSTED_PROXIES", "10.0.0.1/32, 0.0.0.0/0", "10.0.0.0/8"),
            ("OCIM_TRUSTED_PROXIES", "::/0", "fd00::/8"),
            ("OCIM_TRUSTED_PROXIES", "2000::/3", "2400:cb00::/32"),
            ("OCIM_CORS_ORIGINS", "https://console.example, http://console.example", "https://console.example"),
            ("OCIM_CORS_ORIGINS", "null", "http://localhost:3000"),
            ("OCIM_PRINCIPAL_RATE", "0", "1"),
            ("OCIM_ADDRESS_RATE", "0", "1"),
            ("OCIM_SANDBOX", "none", "walls"),
            ("OCIM_SANDBOX_NETWORKS", "10.0.0.0/24", ""),
            ("OCIM_SANDBOX_PATHS", "/srv/requirements", ""),
            ("OCIM_LOCAL_NETWORK", "outbound", "none"),
            ("OCIM_LOCAL_MACHINES_FOR_STRANGERS", "true", "false"),
            ("OCIM_CONFIGURATION_SOURCES", "https://*, http://git.example/x", "https://*, /srv/git"),
            ("OCIM_GATEWAY_LISTEN", "0.0.0.0:80", "127.0.0.1:80"),
            ("OCIM_GATEWAY_PUBLIC_URL", "http://apps.example", "https://apps.example"),
            ("OCIM_GATEWAY_TRUSTED_PROXIES", "128.0.0.0/1", "10.0.0.7"),
            ("OCIM_MIN_FREE_MB", "0", "1"),
            ("OCIM_SECRET_KEYS", typed, drawn),
            ("OCIM_SECRET_KEYS", &format!("{drawn},dev:{}", "0".repeat(64)), drawn),
            (
                "DATABASE_URL",
                "postgres://a:b@db.example/x?sslmode=disable",
                "postgres://a:b@localhost/x?sslmode=disable",
            ),
            ("DATABASE_URL", "postgres://a:b@db.example/x?sslmode=prefer", "postgres://a:b@db.example/x"),
            ("DATABASE_URL", "postgres://a:b@10.0.0.7/x?sslmode=disable", "postgres://a:b@10.0.0.7/x?sslmode=require"),
        ];
        for (setting, open, safe) in cases {
            assert_eq!(opened(&[(setting, open)]), [setting], "{open}");
            assert_eq!(opened(&[(setting, safe)]), [""; 0], "{safe}");
        }
    }

    #[test]
    fn what_a_proxy_with_tls_in_front_changes_is_known() {
        let behind = ("OCIM_BEHIND_TLS", "true");
        assert_eq!(opened(&[("OCIM_LISTEN", "0.0.0.0:5000"), behind]), [""; 0]);
        let public = ("OCIM_PUBLIC_URL", "https://ocim.example");
        assert_eq!(opened(&[public]), ["OCIM_BEHIND_TLS"]);
        assert_eq!(opened(&[public, behind]), [""; 0]);
        let visitors = ("OCIM_GATEWAY_LISTEN", "10.0.0.7:8080");
        assert_eq!(opened(&[visitors, ("OCIM_GATEWAY_PUBLIC_URL", "https://apps.example")]), [""; 0]);
        assert_eq!(opened(&[visitors, ("OCIM_GATEWAY_TRUSTED_PROXIES", "10.0.0.1")]), [""; 0]);
    }

    #[test]
    fn a_mail_password_in_clear_is_named_only_where_it_crosses_the_network() {
        let mail = |host: &'static str, tls: &'static str| {
            opened(&[
                ("ADMINS", "ops@campus.example"),
                ("EMAIL_HOST", host),
                ("EMAIL_HOST_USER", "ocim"),
                ("EMAIL_HOST_PASSWORD", "not shown"),
                ("EMAIL_USE_TLS", tls),
            ])
        };
        assert_eq!(mail("mail.example", "false"), ["EMAIL_USE_TLS"]);
        assert_eq!(mail("mail.example", "true"), [""; 0]);
        assert_eq!(mail("localhost", "false"), [""; 0]);
        assert_eq!(opened(&[("ADMINS", "ops@campus.example"), ("EMAIL_HOST", "mail.example")]), [""; 0]);
    }

    #[test]
    fn effects_are_sentences_and_name_no_value() {
        let settings = Settings::of(
            [("DATABASE_URL", "postgres://a:hidden@db.example/x?sslmode=disable"), ("OCIM_LISTEN", "192.0.2.7:5000")],
            &[],
        );
        let walls = opened_walls(&settings.unwrap());
        assert_eq!(walls.len(), 2);
        for wall in walls {
            assert!(wall.effect.ends_with('.'), "{}", wall.effect);
            for value in ["hidden", "db.example", "192.0.2.7"] {
                assert!(!wall.effect.contains(value), "{}", wall.effect);
            }
        }
    }
}
