//! The repositories that configuration may come from: the setting `OCIM_CONFIGURATION_SOURCES`, and the repositories
//! that this program writes itself. Pure, but for links of directories, which are resolved when they are compared.

mod address;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use address::{Address, Server};

/// What the setting is unless it is set.
const DEFAULT: &str = "https://*";

/// A source: an entry of the setting, or the place that a credential is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Any https server, but those of this host and of its link.
    AnyHttps,
    /// The repository itself, or with `is_below` everything below that path.
    Server { server: Server, is_below: bool },
    /// The directory and everything below it.
    Directory(PathBuf),
}

impl Pattern {
    /// Reads `https://host/owner/*`, `https://*`, `ssh://user@host/path/*`, `user@host:path/*`, the address of one
    /// repository, or an absolute directory.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // An address with `@` may hold a password.
        let wrong =
            |why: &str| if text.contains('@') { format!("A source {why}") } else { format!("“{text}” {why}") };
        if text == DEFAULT {
            return Ok(Self { text: text.to_owned(), kind: Kind::AnyHttps });
        }
        let (bare, is_below) = text.strip_suffix("/*").map_or((text, false), |bare| (bare, true));
        if bare.contains('*') {
            return Err(wrong("may have `*` only as all of its last name, or be https://*"));
        }
        let bare = if bare.is_empty() { "/" } else { bare };
        if let Some((_, rest)) =
            bare.split_once("://").filter(|(scheme, _)| scheme.to_ascii_lowercase().starts_with("http"))
            && rest.split('/').next().is_some_and(|authority| authority.contains('@'))
        {
            return Err("A source must have no login name or password in an https address".to_owned());
        }
        match Address::parse(bare).map_err(|why| wrong(&why))? {
            Address::Directory(directory) => {
                let is_plain =
                    directory.components().all(|one| matches!(one, Component::RootDir | Component::Normal(_)));
                if !is_plain {
                    return Err(wrong("must not have `..`"));
                }
                Ok(Self { text: directory.display().to_string(), kind: Kind::Directory(directory) })
            }
            Address::Server(server) => {
                // A server without a path is all of it.
                let is_below = is_below || server.path.is_empty();
                let text = format!("{}{}", server.shown(), if is_below { "/*" } else { "" });
                Ok(Self { text, kind: Kind::Server { server, is_below } })
            }
        }
    }

    /// The source in its canonical form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme of its server; none: it names no server.
    pub fn scheme(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::AnyHttps => Some("https"),
            Kind::Server { server, .. } => Some(server.scheme),
            Kind::Directory(_) => None,
        }
    }

    /// Whether it names one server, which is not this host or of its link.
    pub fn names_remote_server(&self) -> bool {
        matches!(&self.kind, Kind::Server { server, .. } if !server.is_local())
    }

    /// Whether it names one server.
    pub fn names_server(&self) -> bool {
        matches!(&self.kind, Kind::Server { .. })
    }

    /// The server and path as a URL without `*`, such as git's `http.<url>.…` takes; none: it names no server.
    pub fn url(&self) -> Option<String> {
        match &self.kind {
            Kind::Server { server, .. } => Some(format!("{}/", server.shown())),
            Kind::AnyHttps | Kind::Directory(_) => None,
        }
    }

    /// Whether a repository is of this source.
    pub fn covers(&self, repository: &str) -> bool {
        Address::parse(repository).is_ok_and(|address| self.matches(&address))
    }

    fn matches(&self, address: &Address) -> bool {
        match (&self.kind, address) {
            (Kind::AnyHttps, Address::Server(server)) => server.scheme == "https" && !server.is_local(),
            (Kind::Server { server: allowed, is_below }, Address::Server(server)) => {
                let is_user = allowed.user.is_none() || allowed.user == server.user;
                let is_place =
                    (allowed.scheme, &allowed.host, allowed.port) == (server.scheme, &server.host, server.port);
                let is_path = match is_below {
                    true => server.path.len() > allowed.path.len() && server.path.starts_with(&allowed.path),
                    false => server.path == allowed.path,
                };
                is_user && is_place && is_path
            }
            (Kind::Directory(allowed), Address::Directory(directory)) => is_within(allowed, directory),
            (Kind::AnyHttps | Kind::Server { .. }, Address::Directory(_))
            | (Kind::Directory(_), Address::Server(_)) => false,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a repository is not allowed: sentences for users, without passwords.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAllowed(pub String);

/// The repositories that configuration may come from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sources {
    allowed: Arc<[Pattern]>,
    /// The directories of the repositories that this program writes itself.
    own: Arc<[PathBuf]>,
}

impl Sources {
    /// The sources of the setting; without entries any https server, but those of this host and of its link. `own`: the
    /// directories of the repositories that this program writes itself, which are always allowed.
    ///
    /// # Errors
    /// Which entry is wrong, and what would be right.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a str>, own: Vec<PathBuf>) -> Result<Self, String> {
        let entries = entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty());
        let mut allowed = entries.map(Pattern::parse).collect::<Result<Vec<_>, _>>()?;
        if allowed.is_empty() {
            allowed.push(Pattern::parse(DEFAULT)?);
        }
        Ok(Self { allowed: allowed.into(), own: own.into() })
    }

    /// Whether configuration may come from a repository: a URL, `user@host:path` or an absolute path.
    ///
    /// # Errors
    /// [`NotAllowed`] says why not, and what to do.
    pub fn allows(&self, repository: &str) -> Result<(), NotAllowed> {
        let address = match Address::parse(repository) {
            Ok(address) => address,
            Err(why) => return Err(NotAllowed(format!("The address of the repository {why}."))),
        };
        let is_own = |directory: &PathBuf| self.own.iter().any(|own| is_within(own, directory));
        let is_allowed = self.allowed.iter().any(|pattern| pattern.matches(&address));
        if is_allowed || matches!(&address, Address::Directory(directory) if is_own(directory)) {
            return Ok(());
        }
        let shown = match &address {
            Address::Server(server) => server.shown(),
            Address::Directory(directory) => directory.display().to_string(),
        };
        Err(NotAllowed(format!(
            "Configuration may not come from {shown}: the allowed sources are {self}. Choose a repository there, or have an \
             administrator change OCIM_CONFIGURATION_SOURCES."
        )))
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pattern) in self.allowed.iter().enumerate() {
            write!(f, "{}{pattern}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// Whether a directory is this one or below it, after links are resolved. Git completes a path: it also opens `x.git`
/// and `x/.git` for `x`, so these may not be links out of it either.
fn is_within(allowed: &Path, directory: &Path) -> bool {
    let Some(allowed) = real(allowed) else { return false };
    let completed = |end: &str| {
        let mut path = directory.as_os_str().to_owned();
        path.push(end);
        PathBuf::from(path)
    };
    let is_below = |path: &Path| real(path).is_some_and(|path| path.starts_with(&allowed));
    // Beside a repository that exists, git does not look for `x.git`.
    let is_free = |path: &Path| std::fs::symlink_metadata(path).is_err() || is_below(path);
    is_below(directory)
        && is_free(&directory.join(".git"))
        && (directory.exists() || is_free(&completed(".git")) && is_free(&completed(".git/.git")))
}

/// The path without links and `..`. What does not exist yet can have no links, but must have no `..`.
fn real(path: &Path) -> Option<PathBuf> {
    let mut missing = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(found) = existing.canonicalize() {
            return Some(missing.iter().rev().fold(found, |path, name| path.join(name)));
        }
        // A link to nowhere may lead anywhere tomorrow.
        if std::fs::symlink_metadata(existing).is_ok_and(|about| about.is_symlink()) {
            return None;
        }
        let Some(Component::Normal(name)) = existing.components().next_back() else { return None };
        missing.push(name.to_owned());
        existing = existing.parent()?;
    }
}
