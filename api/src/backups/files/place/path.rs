//! The relative path of a file or a folder at a place.

use std::fmt;

use crate::backups::port::BackupError;

/// The longest name in a path: every file system has room for it with [`PARTIAL`].
const NAME_MAX: usize = 200;
/// The longest path: the limit of keys in object storage.
const PATH_MAX: usize = 1024;
/// What the name of an unfinished file ends with.
pub(super) const PARTIAL: &str = ".partial";

/// The relative path of a file or a folder at a place, such as `17/42/mysql-main.sql.zst.age`. Its names have ASCII letters, digits and
/// `.`, `-`, `_` only, so that it leads out of no place and needs no escapes anywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlacePath(String);

impl PlacePath {
    /// Reads a path.
    ///
    /// # Errors
    /// [`BackupError::Permanent`] that quotes it.
    pub fn parse(text: &str) -> Result<Self, BackupError> {
        if text.len() <= PATH_MAX && text.split('/').all(is_name) {
            return Ok(Self(text.to_owned()));
        }
        Err(BackupError::Permanent(format!(
            "“{text}” names no file at a place of backups: names have at most {NAME_MAX} letters, digits, `.`, `-` and `_`."
        )))
    }

    /// A path below this one.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn join(&self, below: &str) -> Result<Self, BackupError> {
        Self::parse(&format!("{self}/{below}"))
    }

    /// The path with `/` between its names, and none at its ends.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether this can be a name in a path.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_');
    !text.is_empty()
        && text.len() <= NAME_MAX
        && !text.starts_with('.')
        && !text.ends_with(PARTIAL)
        && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn no_path_leads_out_of_a_place_or_to_an_unfinished_file() {
        let long = format!("{}/b", "a".repeat(NAME_MAX + 1));
        let deep = vec!["a"; PATH_MAX].join("/");
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/.hidden",
            "a b",
            "a\\b",
            "a\0",
            "ä",
            "a/b.partial",
            "a%2fb",
            "a?b",
            &long,
            &deep,
        ] {
            let refused = PlacePath::parse(text).unwrap_err();
            assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("names no file")), "{text}");
        }
        let folder = PlacePath::parse("17/objects/s3-files").unwrap();
        assert_eq!(folder.join("0af1.zst.age").unwrap().as_str(), "17/objects/s3-files/0af1.zst.age");
        assert!(folder.join("../43").is_err() && folder.join("").is_err());
    }
}
