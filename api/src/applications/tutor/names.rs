//! Names that are derived from an instance's domain.

use shared_types::applications::SiteAddress;
use shared_types::applications::tutor::{self, TutorSettings};

/// How long the beginning of a machine's name may be, in characters.
const MACHINE_NAME_PREFIX_MAX: usize = 20;

/// The host name of the LMS; those of the other sites are below it.
pub(super) fn domain(settings: &TutorSettings) -> String {
    format!("{}.{}", settings.sub_domain, settings.base_domain)
}

/// The sites, the LMS first.
pub(super) fn sites(settings: &TutorSettings) -> Vec<SiteAddress> {
    tutor::sites_of(&domain(settings), &settings.release, &settings.plugins)
}

/// The host name of a site; none: the instance has no such site.
pub(super) fn host(settings: &TutorSettings, site: &str) -> Option<String> {
    sites(settings).into_iter().find(|known| known.name == site).map(|site| site.hostname)
}

/// What the names of an instance's machines begin with: letters, digits and hyphens.
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
