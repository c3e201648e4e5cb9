//! Names of commits: hashes, refs and what `ls-remote` lists of them.

/// The commit that `ls-remote` lists for a name; for an annotated tag, the commit under `^{}`.
pub(super) fn find(listed: &str, name: &str) -> Option<String> {
    let get = |wanted: &str| {
        let rows = listed.lines().filter_map(|line| line.split_once('\t'));
        rows.filter(|(hash, found)| *found == wanted && is_hash(hash, 40..=40)).map(|(hash, _)| hash.to_owned()).next()
    };
    get(&format!("{name}^{{}}")).or_else(|| get(name))
}

pub(super) fn is_hash(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether git accepts the text as a name of a ref: no patterns, no revision expressions.
pub(super) fn is_reference(version: &str) -> bool {
    let is_bad = |character: char| character.is_control() || " ~^:?*[\\".contains(character);
    (1..=255).contains(&version.len())
        && !version.starts_with('-')
        && !version.contains("..")
        && !version.contains(is_bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_commit_behind_an_annotated_tag() {
        let (tag, commit) = ("a".repeat(40), "b".repeat(40));
        let listed = format!("{tag}\trefs/tags/v1\n{commit}\trefs/tags/v1^{{}}\n{tag}\trefs/tags/other/v1\n");
        assert_eq!(find(&listed, "refs/tags/v1"), Some(commit));
        assert_eq!(find(&listed, "refs/tags/other/v1"), Some(tag));
        assert_eq!(find(&listed, "refs/heads/v1"), None);
    }

    #[test]
    fn a_pattern_or_an_option_is_no_reference() {
        for good in ["master", "open-release/ginkgo.1", "refs/pull/7/head", "ünïcode", "HEAD"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["", "-x", "a b", "a..b", "*", "a^", "a:b", "a[b]", "line\nend"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
