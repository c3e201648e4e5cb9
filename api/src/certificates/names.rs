//! Host names in certificates.

use std::collections::BTreeSet;

/// The part of a name that was registered, `example.co.uk` of `www.example.co.uk`; the name itself if it is a public suffix.
pub fn registered_domain(name: &str) -> &str {
    let name = name.strip_prefix("*.").unwrap_or(name);
    psl::domain_str(name).unwrap_or(name)
}

/// The registered domains of these names, each once.
pub fn registered_domains(names: &[String]) -> Vec<String> {
    let all: BTreeSet<_> = names.iter().map(|name| registered_domain(name).to_owned()).collect();
    all.into_iter().collect()
}

/// The names of a certificate: in lower case, sorted, each once.
pub fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let all: BTreeSet<_> = names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
    all.into_iter().collect()
}

/// Whether a name of a certificate covers a host name. A wildcard covers one label.
pub fn covers(pattern: &str, hostname: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => hostname.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        None => pattern == hostname,
    }
}

/// Whether the names of a certificate cover all these host names.
pub fn cover_all(patterns: &[String], hostnames: &[String]) -> bool {
    hostnames.iter().all(|hostname| patterns.iter().any(|pattern| covers(pattern, hostname)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registered_domain_follows_the_list_of_public_suffixes() {
        for (name, domain) in [
            ("a.b.example.org", "example.org"),
            ("example.org", "example.org"),
            ("www.example.co.uk", "example.co.uk"),
            ("me.github.io", "me.github.io"),
            ("*.sandbox.example.org", "example.org"),
            ("a.b.example.test", "example.test"),
            ("co.uk", "co.uk"),
        ] {
            assert_eq!(registered_domain(name), domain, "{name}");
        }
        let names = ["a.example.org", "b.example.org", "example.net"].map(str::to_owned);
        assert_eq!(registered_domains(&names), ["example.net", "example.org"]);
    }

    #[test]
    fn a_wildcard_covers_exactly_one_label() {
        assert!(covers("*.example.org", "a.example.org"));
        for not in ["example.org", "a.b.example.org", ".example.org", "a.example.net", "aexample.org"] {
            assert!(!covers("*.example.org", not), "{not}");
        }
        assert!(!covers("example.org", "a.example.org"));
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(cover_all(&own(&["*.example.org", "example.org"]), &own(&["a.example.org", "example.org"])));
        assert!(!cover_all(&own(&["*.example.org"]), &own(&["a.example.org", "example.org"])));
    }

    #[test]
    fn names_are_sorted_in_lower_case_and_each_once() {
        let names = ["b.example", "A.example", "a.example"].map(str::to_owned);
        assert_eq!(sorted(names), ["a.example", "b.example"]);
    }
}
