//! Names derived from an instance's domain.

use shared_types::applications::SiteAddress;
use shared_types::applications::tutor::{self, TutorSettings};

/// Limit of the prefix of a machine's name, in characters.
const MACHINE_NAME_PREFIX_MAX: usize = 20;

/// The host name of the LMS; the other sites' host names are subdomains of it.
pub(super) fn domain(settings: &TutorSettings) -> String {
    format!("{}.{}", settings.sub_domain, settings.base_domain)
}

/// The sites, LMS first.
pub(super) fn sites(settings: &TutorSettings) -> Vec<SiteAddress> {
    tutor::sites_of(&domain(settings), &settings.release, &settings.plugins)
}

/// The host name of a site; none if the instance has no such site.
pub(super) fn host(settings: &TutorSettings, site: &str) -> Option<String> {
    sites(settings).into_iter().find(|known| known.name == site).map(|site| site.hostname)
}

/// Prefix of the names of an instance's machines: letters, digits and hyphens.
pub(super) fn machine_name_prefix(sub_domain: &str) -> String {
    let slug = sub_domain.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').map(|c| c.to_ascii_lowercase());
    let prefix: String = "tutor-".chars().chain(slug).take(MACHINE_NAME_PREFIX_MAX).collect();
    prefix.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("demo", "tutor-demo")]
    #[case("pr12.sandbox", "tutor-pr12sandbox")]
    #[case("a-very-long-name-of-one", "tutor-a-very-long-na")]
    #[case("thirteen-char-x", "tutor-thirteen-char")]
    fn machines_are_named_after_the_subdomain(#[case] sub_domain: &str, #[case] prefix: &str) {
        assert_eq!(machine_name_prefix(sub_domain), prefix);
        assert!(prefix.len() <= MACHINE_NAME_PREFIX_MAX);
    }
}
