//! Settings that contradict each other.

use url::Url;

use super::{Finding, or_ok};
use crate::config::Settings;

/// What the settings of this shell contradict.
pub fn contradictions(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wrong = |what: &str, remedy: &str| findings.push(Finding::wrong("settings", what, remedy));
    let public = settings.server.ocim_public_url.as_deref().and_then(|url| Url::parse(url).ok());
    let scheme = public.as_ref().map(Url::scheme);
    if settings.server.ocim_behind_tls && scheme == Some("http") {
        wrong(
            "OCIM_BEHIND_TLS=true, and OCIM_PUBLIC_URL begins with http: browsers keep the cookie of a sign-in over https only.",
            "Set OCIM_PUBLIC_URL to the https address.",
        );
    }
    let has_agents = settings.gateway.ocim_gateway_agents;
    if has_agents && settings.data.database_url.is_none() {
        wrong(
            "OCIM_GATEWAY_AGENTS=true without DATABASE_URL: servers and workers of other hosts cannot use the embedded database.",
            "Set DATABASE_URL to a database that all of them use.",
        );
    }
    if settings.data.database_url.is_some() && settings.data.ocim_secret_keys.is_empty() && has_agents {
        findings.push(Finding::warning(
            "settings",
            "OCIM_SECRET_KEYS is unset, and servers may run on several hosts: each reads the keys from a file of its own.",
            "Set OCIM_SECRET_KEYS to the same value on all hosts, or keep the files alike.",
        ));
    }
    if settings.server.ocim_behind_tls && settings.guard.ocim_trusted_proxies.is_empty() {
        findings.push(Finding::warning(
            "settings",
            "OCIM_BEHIND_TLS=true, and OCIM_TRUSTED_PROXIES is empty: all clients seem to have the proxy's address and share one \
             limit of requests.",
            "Set OCIM_TRUSTED_PROXIES to the addresses of the proxies.",
        ));
    }
    or_ok(findings, "settings", || "No settings contradict each other.".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::Level;
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn found(pairs: &[(&str, &str)]) -> Vec<(Level, String)> {
        let settings = Settings::of(pairs.iter().copied(), &[]).unwrap();
        contradictions(&settings).into_iter().map(|finding| (finding.level, finding.what)).collect()
    }

    #[test]
    fn each_contradiction_is_found() {
        assert_eq!(found(&[])[0].0, Level::Ok);
        let proxy = ("OCIM_TRUSTED_PROXIES", "10.0.0.1");
        let tls = ("OCIM_BEHIND_TLS", "true");
        assert_eq!(found(&[tls, proxy, ("OCIM_PUBLIC_URL", "https://a.example")])[0].0, Level::Ok);
        let cases: [(Pairs, Level, &str); 4] = [
            (&[tls, proxy, ("OCIM_PUBLIC_URL", "http://a.example")], Level::Wrong, "begins with http"),
            (&[("OCIM_GATEWAY_AGENTS", "true")], Level::Wrong, "without DATABASE_URL"),
            (&[tls], Level::Warning, "OCIM_TRUSTED_PROXIES is empty"),
            (
                &[("OCIM_GATEWAY_AGENTS", "true"), ("DATABASE_URL", "postgres://a:b@localhost/x")],
                Level::Warning,
                "OCIM_SECRET_KEYS is unset",
            ),
        ];
        for (pairs, level, words) in cases {
            let found = found(pairs);
            assert!(found.len() == 1 && found[0].0 == level && found[0].1.contains(words), "{found:?}");
        }
    }
}
