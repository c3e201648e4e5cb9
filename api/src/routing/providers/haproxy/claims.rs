//! The headers by which a visitor could claim to be a proxy, a sign-in or the gateway: with an address, scheme, host or
//! user. Applications trust these headers because a proxy in front normally sets them; so the gateway removes them all,
//! and sets its own.
//!
//! Out of scope: headers for the application itself, such as `X-Requested-With` or `X-HTTP-Method-Override`.

/// Header names in lower case, as HAProxy has them. A `*` stands for any number of any characters.
const CLAIMS: &[&[&str]] = &[
    // Address, scheme and host, set by proxies.
    &["forwarded", "x-forwarded", "x-forwarded-*", "x-forwarder-for", "x-forward-for", "x-original-*", "x-rewrite-url"],
    &["x-real-ip", "real-ip", "client-ip", "x-client-ip", "x-cluster-client-ip", "x-remote-ip", "x-remote-addr"],
    &["true-client-ip", "cf-connecting-ip*", "fastly-client-ip", "x-appengine-user-ip", "x-azure-clientip"],
    &["x-envoy-external-address", "x-proxyuser-ip", "*proxy-client-ip", "remote-addr", "x-host"],
    &["x-scheme", "x-url-scheme", "x-protocol", "x-https", "https", "front-end-https", "cloudfront-forwarded-proto"],
    // Users and client certificates, set by a sign-in proxy.
    &["remote-user", "x-remote-user*", "x-remote-group*", "x-webauth-*", "x-auth-request-*", "x-authenticated-*"],
    &["ssl-*", "x-ssl-*", "x-arr-ssl", "x-arr-clientcert", "x-client-cert*", "x-client-verify", "x-client-dn"],
    // CGI turns it into HTTP_PROXY, which clients inside the application use as their proxy.
    &["proxy", "proxy-connection", "keep-alive", "http2-settings"],
    // Set by the gateway itself.
    &["x-ocim-*"],
];

/// The rules that remove them. WSGI treats `-` and `_` as the same character, and CGI every character that is neither
/// letter nor digit.
pub(super) fn rules() -> String {
    let pattern = |names: &[&str]| {
        let alternatives: Vec<_> = names.iter().map(|name| name.replace('-', "[^a-z0-9]").replace('*', ".*")).collect();
        format!("http-request del-header ^({})$ -m reg", alternatives.join("|"))
    };
    CLAIMS.iter().map(|names| pattern(names)).collect::<Vec<_>>().join("\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_short_enough_for_haproxy() {
        for rule in rules().lines() {
            assert!(rule.len() < 1000, "{rule}");
        }
    }
}
