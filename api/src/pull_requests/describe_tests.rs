use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case("acme/other", "acme-other")]
#[case("Acme/Other", "acme-other")]
#[case("a1/b2", "a1-b2")]
#[case("acme/edx-platform", "acme-edx-platform-c6590a58")]
#[case("a-b/c", "a-b-c-4e84717d")]
#[case("a/b-c", "a-b-c-b88f83c8")]
#[case("a/b.c", "a-b-c-c0620514")]
#[case("a/.", "a-x-1071638d")]
#[case("an-owner-with-a-long-name/and-a-repository", "an-owner-with-a-long-62a58d72")]
fn a_repository_is_one_part_of_a_domain(#[case] repository: &str, #[case] expected: &str) {
    assert_eq!(slug(repository), expected);
}

proptest! {
    /// Repositories whose names differ only in signs, or only after the cut.
    #[test]
    fn no_two_repositories_share_a_part_of_a_domain(
        one in "[ab]{1,3}[-._ab]{0,24}/[ab]{1,3}[-._ab]{0,24}",
        other in "[ab]{1,3}[-._ab]{0,24}/[ab]{1,3}[-._ab]{0,24}",
        number in 1..i32::MAX,
    ) {
        if one != other {
            prop_assert_ne!(slug(&one), slug(&other));
        }
        let domain = own_subdomain(&one, number);
        for part in domain.split('.') {
            prop_assert!((1..=63).contains(&part.len()) && !part.starts_with('-') && !part.ends_with('-'), "{}", domain);
            prop_assert!(part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{}", domain);
        }
    }
}
