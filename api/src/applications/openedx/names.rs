//! Names derived from an instance's domain.

use sha2::{Digest, Sha256};
use shared_types::applications::openedx::OpenEdxSettings;

/// Limit of a database name, in characters. MySQL allows 64; a suffix like `_forum` must fit too.
pub const DATABASE_NAME_MAX: usize = 50;
/// Limit of the prefix of a machine's name, in characters.
pub const MACHINE_NAME_PREFIX_MAX: usize = 20;

/// Hexadecimal digits of the suffix that keeps a changed name unique.
const TAIL_DIGITS: usize = 8;

/// The host name of the LMS.
pub fn lms_domain(settings: &OpenEdxSettings) -> String {
    format!("{}.{}", settings.sub_domain, settings.base_domain)
}

/// The host name of Studio.
pub fn studio_domain(settings: &OpenEdxSettings) -> String {
    format!("studio.{}", lms_domain(settings))
}

/// The name of an instance's databases and of its storage: the domain with underscores for dots, of ASCII letters,
/// digits and `_` only. If that drops characters, a suffix from the whole domain's hash keeps the name unique:
/// `a-b.example` and `ab.example` never collide. A domain that ends like such a suffix gets one, too.
pub fn database_name(domain: &str) -> String {
    let name: String = domain.replace('.', "_").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let is_like_a_tail = |end: &str| end.len() == TAIL_DIGITS && end.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_tail = name.rsplit_once('_').is_some_and(|(_, end)| is_like_a_tail(end));
    if name.len() == domain.len() && name.len() <= DATABASE_NAME_MAX && !has_tail {
        return name;
    }
    let hash = hex::encode(Sha256::digest(domain));
    let kept: String = name.chars().take(DATABASE_NAME_MAX - TAIL_DIGITS - 1).collect();
    let tail: String = hash.chars().take(TAIL_DIGITS).collect();
    format!("{kept}_{tail}")
}

/// Prefix of the names of an instance's machines: letters, digits and hyphens.
pub fn machine_name_prefix(sub_domain: &str) -> String {
    let slug = sub_domain.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').map(|c| c.to_ascii_lowercase());
    let prefix: String = "edxapp-".chars().chain(slug).take(MACHINE_NAME_PREFIX_MAX).collect();
    prefix.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("demo.localhost", "demo_localhost")]
    #[case("pr12.sandbox.example.com", "pr12_sandbox_example_com")]
    #[case("a-b.example", "ab_example_119c49fe")]
    fn databases_are_named_after_the_domain(#[case] domain: &str, #[case] name: &str) {
        assert_eq!(database_name(domain), name);
    }

    #[test]
    fn a_name_that_lost_characters_stays_unique() {
        let long = format!("{}.example", "a".repeat(60));
        let longer = format!("{}.example", "a".repeat(61));
        let names =
            ["ab.example", "a-b.example", "ab.example.119c49fe", "a--b.example", long.as_str(), longer.as_str()];
        let names = names.map(database_name);
        for (index, name) in names.iter().enumerate() {
            assert!(name.len() <= DATABASE_NAME_MAX, "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{name}");
            assert_eq!(names.iter().position(|other| other == name), Some(index), "{name}");
        }
        let exact = format!("{}.b", "a".repeat(48));
        assert_eq!(database_name(&exact), exact.replace('.', "_"));
        assert_eq!(database_name(&format!("a{exact}")).len(), DATABASE_NAME_MAX);
    }

    #[rstest]
    #[case("demo", "edxapp-demo")]
    #[case("pr12.sandbox", "edxapp-pr12sandbox")]
    #[case("a-very-long-name-of-one", "edxapp-a-very-long-n")]
    #[case("twelve-chars-cut", "edxapp-twelve-chars")]
    fn machines_are_named_after_the_sub_domain(#[case] sub_domain: &str, #[case] prefix: &str) {
        assert_eq!(machine_name_prefix(sub_domain), prefix);
        assert!(prefix.len() <= MACHINE_NAME_PREFIX_MAX);
    }
}
