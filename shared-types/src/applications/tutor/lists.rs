//! Settings that are lists of words in one line: packages, plugins, images.

use super::releases::Release;

/// The words of a line.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Checks a list of plugins or images.
///
/// # Errors
/// A sentence for the user that names a word that is no name, or is there twice.
pub(super) fn check_names(line: &str) -> Result<(), String> {
    let names = words(line);
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
        return Err(format!(
            "`{wrong}` is no name: only lower-case letters, digits, `-` and `_`, separated by spaces."
        ));
    }
    match names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|before| before == *name)) {
        Some((_, twice)) => Err(format!("`{twice}` is there twice.")),
        None => Ok(()),
    }
}

/// Checks a list of packages: each must name one exact version, since an app server never changes.
///
/// # Errors
/// A sentence for the user that names a package without an exact version.
pub(super) fn check_packages(line: &str) -> Result<(), String> {
    match words(line).into_iter().find(|word| !is_pinned(word) && !is_commit(word)) {
        Some(wrong) => Err(format!(
            "`{wrong}` names no exact version: write `tutor-discovery==22.0.0`, or `git+https://…@` with a whole commit \
             hash, separated by spaces."
        )),
        None => Ok(()),
    }
}

fn is_pinned(word: &str) -> bool {
    let Some((package, version)) = word.split_once("==") else { return false };
    let (name, extras) = package.split_once('[').map_or((package, ""), |(name, rest)| (name, rest));
    let is_word =
        |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'!'));
    let extras_are_fine = match extras.strip_suffix(']') {
        Some(list) => list.split(',').all(|extra| !extra.is_empty() && is_word(extra)),
        None => extras.is_empty() && !package.contains('['),
    };
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && is_word(name)
        && extras_are_fine
        && version.starts_with(|c: char| c.is_ascii_digit())
        && is_word(version)
}

fn is_commit(word: &str) -> bool {
    let Some(url) = word.strip_prefix("git+https://") else { return false };
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b'~' | b':');
    url.rsplit_once('@').is_some_and(|(path, commit)| {
        commit.len() == 40
            && commit.bytes().all(|b| b.is_ascii_hexdigit())
            && !path.is_empty()
            && path.bytes().all(is_plain)
    })
}

/// Checks a reference to a Docker image.
///
/// # Errors
/// A sentence for the user if the text is no such reference.
pub(super) fn check_image(text: &str) -> Result<(), String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b':' | b'@');
    if text.bytes().all(is_plain) && !text.starts_with(['-', '/', ':', '@']) {
        Ok(())
    } else {
        Err("Must be the name of a Docker image, like registry.example.org/openedx:1 or with @sha256: and a digest."
            .into())
    }
}

/// The packages that pip installs: those of the release, replaced or extended by those of the line.
pub fn requirements(release: &Release, line: &str) -> Vec<String> {
    let own = words(line);
    let replaces = |word: &str, package: &str| name_of(word) == package;
    let pinned = release.packages.iter().filter(|(package, _)| !own.iter().any(|word| replaces(word, package)));
    let pinned = pinned.map(|(package, version)| format!("{package}=={version}"));
    pinned.chain(own.iter().map(|word| (*word).to_owned())).collect()
}

/// The name of a package as PyPI compares names.
fn name_of(word: &str) -> String {
    let name = word.split(['=', '[']).next().unwrap_or_default();
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::applications::tutor::releases;

    #[test]
    fn only_packages_of_one_version_are_accepted() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for right in ["", "tutor-discovery==22.0.0 tutor-notes==22.0.0", "tutor[full]==22.0.3", "a==1!2.0+local"] {
            assert_eq!(check_packages(right), Ok(()), "{right}");
        }
        assert_eq!(check_packages(&format!("git+https://github.com/a/tutor-b.git@{commit}")), Ok(()));
        for wrong in [
            "tutor-discovery",
            "tutor-discovery>=22",
            "--index-url=https://x==1",
            "a==1;python_version<'3'",
            "git+https://github.com/a/b.git@main",
            "git+ssh://github.com/a/b.git@0123456789abcdef0123456789abcdef01234567",
            "/tmp/x==1",
            "a[b==1",
            "a[]==1",
        ] {
            assert!(check_packages(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_words_without_repetition() {
        assert_eq!(check_names("mfe indigo my_plugin"), Ok(()));
        for wrong in ["MFE", "a;b", "-a", "a a", "a,b", "1a"] {
            assert!(check_names(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn images_are_references_and_no_options() {
        for right in ["overhangio/openedx:22.0.3", "r.example:5000/a/b@sha256:0f"] {
            assert_eq!(check_image(right), Ok(()), "{right}");
        }
        for wrong in ["-v", "a b", "{{ x }}", "a\"b"] {
            assert!(check_image(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_own_version_takes_the_place_of_the_release_s() {
        let release = releases::named("verawood").unwrap();
        assert_eq!(requirements(release, ""), ["tutor==22.0.3", "tutor-mfe==22.1.0", "tutor-indigo==22.0.0"]);
        assert_eq!(
            requirements(release, "Tutor_MFE==22.1.1 tutor-notes==22.0.0"),
            ["tutor==22.0.3", "tutor-indigo==22.0.0", "Tutor_MFE==22.1.1", "tutor-notes==22.0.0"]
        );
    }
}
