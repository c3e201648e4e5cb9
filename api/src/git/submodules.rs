//! Reads `.gitmodules` as git does: the repository of each submodule.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::entry::{Entry, EntryKind};
use super::mirrors::{Mirrors, Use};
use super::port::GitError;
use super::remote::Remote;

/// The name of git's submodule file.
const FILE: &str = ".gitmodules";

/// A section of the file. Other keys, such as branch, concern `git submodule update --remote`, not a checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Module {
    /// The path from the top of the repository.
    pub path: String,
    pub url: Option<String>,
    /// `update = none`: git skips it, too.
    pub is_skipped: bool,
}

/// Reads the file of a commit; none if there is no such file.
pub(super) async fn read(
    git: &Mirrors<'_>,
    remote: &Remote,
    commit: &str,
    entries: &[Entry],
    cancel: &CancellationToken,
) -> Result<Vec<Module>, GitError> {
    match entries.iter().find(|entry| entry.path == FILE).map(|entry| entry.kind) {
        None => return Ok(Vec::new()),
        // Git ignores those, too: a symbolic link may lead anywhere.
        Some(EntryKind::Link | EntryKind::Submodule) => return Err(unreadable("it is no file")),
        Some(EntryKind::File { .. }) => {}
    }
    let blob = format!("{commit}:{FILE}");
    let output =
        git.ask(git.git(remote, Use::Read).await?, &["config", "--blob", &blob, "--list", "-z"], cancel).await?;
    if !output.success {
        return Err(unreadable(&format!("git says: {}", output.stderr.trim())));
    }
    parse(&output.stdout)
}

fn unreadable(why: &str) -> GitError {
    GitError::Permanent(format!("{FILE} cannot be read ({why})"))
}

/// Parses `submodule.NAME.KEY`, a line end, the value, a zero byte, repeated.
fn parse(listed: &str) -> Result<Vec<Module>, GitError> {
    let mut modules: BTreeMap<&str, Module> = BTreeMap::new();
    for setting in listed.split('\0') {
        let (key, value) = setting.split_once('\n').unwrap_or((setting, ""));
        let Some((name, key)) = key.strip_prefix("submodule.").and_then(|rest| rest.rsplit_once('.')) else { continue };
        let module = modules.entry(name).or_default();
        match (key, value) {
            ("path", path) => path.trim_end_matches('/').clone_into(&mut module.path),
            ("url", url) => module.url = Some(url.to_owned()),
            ("update", "none") => module.is_skipped = true,
            ("update", "checkout" | "rebase" | "merge") => module.is_skipped = false,
            ("update", other) => return Err(unreadable(&format!("“update = {other}” of {name} is not allowed there"))),
            _ => {}
        }
    }
    Ok(modules.into_values().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_may_hold_dots_and_a_command_is_refused() {
        let listed = "submodule.roles/a.b.path\nroles/a.b\0submodule.roles/a.b.url\n../a.git\0core.x\ny\0\
                      submodule.c.path\nc/\0submodule.c.update\nnone\0submodule.c.branch\nmain\0";
        let module = |path: &str, url: Option<&str>, is_skipped| Module {
            path: path.to_owned(),
            url: url.map(str::to_owned),
            is_skipped,
        };
        assert_eq!(parse(listed).unwrap(), [module("c", None, true), module("roles/a.b", Some("../a.git"), false)]);
        let error = parse("submodule.c.update\n!rm -rf /\0").unwrap_err().to_string();
        assert!(error.contains("“update = !rm -rf /” of c is not allowed"), "{error}");
    }
}
