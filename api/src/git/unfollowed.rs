//! Refuses files whose content git alone does not provide: Git LFS, git-annex, and filters. A playbook would read a
//! pointer instead of the content.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::entry::{Entry, EntryKind};
use super::mirrors::{Mirrors, Use, WorkTree};
use super::port::GitError;
use super::remote::Remote;
use crate::platform::files::read_plain;

/// Pointers of Git LFS and git-annex are shorter than this, in bytes.
const POINTER_LIMIT: u64 = 1024;

/// The longest part of an attributes file that is read, in bytes.
const ATTRIBUTES_LIMIT: u64 = 1 << 20;

/// The beginnings of a Git LFS pointer, including early versions.
const LFS: &[&str] = &["version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/"];

/// A kind of file whose content git does not provide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lfs,
    Annex,
}

/// Refuses a checkout that contains pointers or filtered files. The index of its files must exist.
pub(super) async fn check(
    git: &Mirrors<'_>,
    remote: &Remote,
    entries: &[Entry],
    work: &WorkTree,
    cancel: &CancellationToken,
) -> Result<(), GitError> {
    let (here, listed) = (work.dir.clone(), entries.to_owned());
    let looked = tokio::task::spawn_blocking(move || look(&here, &listed)).await;
    let (pointers, filters) = looked.map_err(|error| GitError::Transient(error.to_string()))?;
    for (kind, what, does) in [(Kind::Lfs, "Git LFS", "fetch"), (Kind::Annex, "git-annex", "fetch")] {
        let of_kind: Vec<&str> =
            pointers.iter().filter(|found| found.0 == kind).map(|found| found.1.as_str()).collect();
        if let Some(first) = of_kind.first() {
            return Err(refused(remote, of_kind.len(), first, &format!("in {what}, which ocim does not {does}")));
        }
    }
    for filter in filters {
        let files = filtered(git, remote, &filter, work, cancel).await?;
        if let Some(first) = files.first() {
            let why = format!("behind the git filter “{filter}” (.gitattributes), which ocim does not run");
            return Err(refused(remote, files.len(), first, &why));
        }
    }
    Ok(())
}

fn refused(remote: &Remote, count: usize, first: &str, why: &str) -> GitError {
    let files = if count == 1 { "1 file" } else { &format!("{count} files") };
    let (name, remedy) = (remote.name(), "Commit the files themselves, or remove them");
    GitError::Permanent(format!("{name}: the repository keeps {files} (first: {first}) {why}. {remedy}."))
}

/// The pointers among the files, and the filters that `.gitattributes` files name.
fn look(work_tree: &Path, entries: &[Entry]) -> (Vec<(Kind, String)>, BTreeSet<String>) {
    let (mut pointers, mut filters) = (Vec::new(), BTreeSet::new());
    for Entry { kind, path, .. } in entries {
        let place = work_tree.join(path);
        let found = match kind {
            EntryKind::Submodule => None,
            EntryKind::Link => fs::read_link(&place).ok().filter(|to| is_annexed(to)).map(|_| Kind::Annex),
            EntryKind::File { size } if *size < POINTER_LIMIT => pointer(&beginning(&place)),
            EntryKind::File { .. } => None,
        };
        pointers.extend(found.map(|kind| (kind, path.clone())));
        if path.rsplit('/').next() == Some(".gitattributes") && matches!(kind, EntryKind::File { .. }) {
            filters.extend(named_filters(&read_plain(&place, ATTRIBUTES_LIMIT).unwrap_or_default()));
        }
    }
    (pointers, filters)
}

/// An unreadable file is not a pointer.
fn beginning(path: &Path) -> String {
    read_plain(path, POINTER_LIMIT).unwrap_or_default()
}

/// Recognises a whole pointer: a text that only mentions one does not count.
fn pointer(text: &str) -> Option<Kind> {
    let is_lfs = LFS.iter().any(|start| text.starts_with(start))
        && ["oid ", "size "].iter().all(|key| text.lines().any(|line| line.starts_with(key)));
    let is_annex = text.starts_with("/annex/objects/");
    if is_lfs { Some(Kind::Lfs) } else { is_annex.then_some(Kind::Annex) }
}

fn is_annexed(to: &Path) -> bool {
    to.to_string_lossy().contains(".git/annex/objects/")
}

/// The filters of an attributes file, without that of Git LFS, whose files are found by their pointers.
fn named_filters(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let names = lines.flat_map(str::split_whitespace).filter_map(|word| word.strip_prefix("filter="));
    names.filter(|name| *name != "lfs" && !name.is_empty()).map(str::to_owned).collect()
}

/// The files that use a filter which is not configured on this host.
async fn filtered(
    git: &Mirrors<'_>,
    remote: &Remote,
    filter: &str,
    work: &WorkTree,
    cancel: &CancellationToken,
) -> Result<Vec<String>, GitError> {
    for key in ["smudge", "process"] {
        let name = format!("filter.{filter}.{key}");
        if git.ask(git.git(remote, Use::Read).await?, &["config", "--get", &name], cancel).await?.success {
            return Ok(Vec::new());
        }
    }
    let files = format!(":(top,attr:filter={filter})");
    let output = git.ask(git.at_work(remote, work).await?, &["ls-files", "-z", "--", &files], cancel).await?;
    if !output.success {
        // Git does not accept the name as an attribute's value.
        return Ok(Vec::new());
    }
    Ok(output.stdout.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_about_pointers_is_no_pointer() {
        let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n";
        assert_eq!(pointer(lfs), Some(Kind::Lfs));
        assert_eq!(pointer("/annex/objects/SHA256E-s12--ab.png\n"), Some(Kind::Annex));
        for text in [
            "",
            "# Files in Git LFS\n\nA pointer begins with `version https://git-lfs.github.com/spec/v1`.\n",
            "version https://git-lfs.github.com/spec/v1 is how a pointer begins\n",
            "see /annex/objects/",
        ] {
            assert_eq!(pointer(text), None, "{text}");
        }
    }

    #[test]
    fn the_filters_of_an_attributes_file() {
        let text = "# *.x filter=comment\n*.png filter=lfs diff=lfs merge=lfs -text\nsecrets/** filter=git-crypt\n\
                    [attr]secret filter=crypt\n*.txt text eol=lf -filter\n";
        assert_eq!(named_filters(text), BTreeSet::from(["crypt".to_owned(), "git-crypt".to_owned()]));
    }
}
