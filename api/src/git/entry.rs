//! The entries of a commit, as `git ls-tree` lists them.

/// A file, symbolic link or submodule of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub kind: EntryKind,
    /// The commit of a submodule; otherwise the hash of the content.
    pub hash: String,
    /// The path from the top of the repository.
    pub path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    File {
        /// The stored size in bytes.
        size: u64,
    },
    Link,
    Submodule,
}

impl Entry {
    /// Parses a row of `git ls-tree -l`: mode, type, hash, size, a tab, path.
    pub(super) fn parse(row: &str) -> Option<Self> {
        let (fields, path) = row.split_once('\t')?;
        let mut fields = fields.split_whitespace();
        let (mode, _, hash, size) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let kind = match mode {
            "160000" => EntryKind::Submodule,
            "120000" => EntryKind::Link,
            _ => EntryKind::File { size: size.parse().ok()? },
        };
        Some(Self { kind, hash: hash.to_owned(), path: path.to_owned() })
    }
}
