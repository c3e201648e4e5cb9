//! Settings that deploy the code of a watched repository.

use serde_json::{Map, Value};

/// The settings for edx-platform at this commit of this repository: its image is built on the machine.
pub fn settings(repository_url: &str, commit: &str) -> Map<String, Value> {
    let pairs = [
        ("edx_platform_repository_url", repository_url),
        ("edx_platform_commit", commit),
        ("images_to_build", "openedx"),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::applications::tutor::testing::tutor;
    use crate::instances::application::Application as _;

    #[test]
    fn the_settings_of_a_commit_are_valid_settings() {
        let mut input = settings("https://github.com/a/edx-platform.git", "0123456789abcdef0123456789abcdef01234567");
        input.insert("sub_domain".into(), "pr12".into());
        let stored = tutor().settings(None, &input).unwrap();
        assert_eq!(stored.get("images_to_build"), Some(&"openedx".into()));
    }
}
