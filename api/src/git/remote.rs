//! The URL or path of a repository, as a user gave it, and the classification of its errors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use shared_types::secret;
use url::Url;

use super::credentials::{self, Credential, KeyFiles};
use super::port::GitError;

/// Messages of `git` for errors that a retry would not fix.
const PERMANENT: &[&str] = &[
    "not found",
    "does not exist",
    "does not appear to be a git repository",
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "Permission denied",
    "Host key verification failed",
    "unable to find remote helper",
    "is not allowed",
    "not allowed",
    "bad/illegal format",
    "no path specified",
    "not valid: is this a git repository",
    "returned error: 401",
    "returned error: 403",
    "returned error: 404",
];

/// Messages of `git` when a server was not reached. They are all told in the same words: which one it is would tell a
/// user which hosts and ports of this network answer.
const UNREACHED: &[&str] = &[
    "Could not resolve",
    "Name or service not known",
    "Failed to connect",
    "Couldn't connect",
    "Could not connect",
    "unable to connect",
    "Connection refused",
    "Connection reset",
    "Connection closed",
    "Connection timed out",
    "Operation timed out",
    "timed out after",
    "No route to host",
    "Network is unreachable",
    "Empty reply from server",
    "Recv failure",
    "HTTP/0.9",
    "kex_exchange_identification",
    "ssh: connect to host",
    "SSL",
    "TLS",
    "gnutls",
];

/// The longest URL or path, in bytes.
const LONGEST: usize = 2000;

/// A repository's URL without its password, which is passed separately.
#[derive(Clone)]
pub(super) struct Remote {
    address: String,
    /// The `Authorization` header with user and password, if the URL had any.
    authorization: Option<String>,
    /// The same header of a stored token; it goes to no other repository.
    token: Option<String>,
    /// The files of a stored deploy key, which ssh must be able to read.
    pub(super) key: Option<Arc<KeyFiles>>,
}

impl Remote {
    /// Parses a URL, `user@host:path` or an absolute path.
    pub(super) fn parse(repository: &str) -> Result<Self, GitError> {
        let repository = repository.trim();
        let bad = |why: &str| Err(GitError::Permanent(format!("the repository's address {why}")));
        if repository.is_empty() || repository.len() > LONGEST || repository.contains(char::is_control) {
            return bad("must be a URL or an absolute path, on one line");
        }
        if repository.starts_with('/') {
            return Ok(Self::at(repository));
        }
        if let Some((host, path)) = repository.split_once(':').filter(|(_, path)| !path.starts_with("//")) {
            if host.contains('/') || host.starts_with('-') || path.starts_with(':') || path.is_empty() {
                return bad("must be a URL or an absolute path");
            }
            return Ok(Self::at(repository));
        }
        let Ok(mut url) = Url::parse(repository) else { return bad("must be a URL or an absolute path") };
        match url.scheme() {
            "http" | "https" => Ok(Self::without_password(&mut url)),
            "ssh" | "git" | "file" if url.password().is_none() => Ok(Self::at(repository)),
            "ssh" | "git" | "file" => bad("must not hold a password"),
            scheme => bad(&format!("has the scheme «{scheme}»; it must be https, http, ssh, git or file")),
        }
    }

    fn at(address: &str) -> Self {
        Self { address: address.to_owned(), authorization: None, token: None, key: None }
    }

    /// Adds a stored credential. `dir`: where files of keys may be written.
    pub(super) fn authorize(mut self, credential: Option<Credential>, dir: &Path) -> Result<Self, GitError> {
        match credential {
            None if self.is_ssh() => {
                let (name, shown) = (self.name(), self.shown());
                return Err(GitError::Permanent(format!(
                    "{name}: there is no deploy key for {shown}: an administrator adds one, with the server's host keys, as a \
                     source credential (POST /api/v1/source-credentials)"
                )));
            }
            Some(Credential::DeployKey { private_key, known_hosts }) if self.is_ssh() => {
                let files = KeyFiles::write(dir, &private_key, &known_hosts);
                let files = files.map_err(|error| GitError::Transient(format!("{}: {error}", dir.display())))?;
                self.key = Some(Arc::new(files));
            }
            Some(Credential::Token { username, token }) if self.authorization.is_none() && self.origin().is_some() => {
                self.token = Some(credentials::basic(&username, &token));
            }
            None | Some(Credential::DeployKey { .. } | Credential::Token { .. }) => {}
        }
        Ok(self)
    }

    /// The repository of a submodule, by its URL in `.gitmodules`. A relative URL is relative to this repository, as in
    /// git. This repository's credentials are used for the same server only.
    pub(super) fn submodule(&self, url: &str) -> Result<Self, GitError> {
        let is_relative = url.starts_with("./") || url.starts_with("../");
        let address = if is_relative { self.beside(url)? } else { url.to_owned() };
        let mut remote = Self::parse(&address)?;
        if remote.is_local() && !self.is_local() {
            let message = "the repository's address is a path of this machine; it must be a URL";
            return Err(GitError::Permanent(message.to_owned()));
        }
        if remote.authorization.is_none() && self.origin().is_some() && remote.origin() == self.origin() {
            remote.authorization.clone_from(&self.authorization);
        }
        Ok(remote)
    }

    /// Resolves `./x` and `../x`.
    fn beside(&self, url: &str) -> Result<String, GitError> {
        let address = self.address.trim_end_matches('/');
        let root = match address.split_once("://") {
            Some((scheme, rest)) => scheme.len() + 3 + rest.find('/').unwrap_or(rest.len()),
            None if address.starts_with('/') => 0,
            None => address.find(':').map_or(0, |colon| colon + 1),
        };
        let (root, mut path) = address.split_at_checked(root).unwrap_or((address, ""));
        let mut rest = url;
        loop {
            if let Some(after) = rest.strip_prefix("./") {
                rest = after;
            } else if let Some(after) = rest.strip_prefix("../") {
                if path.trim_matches('/').is_empty() {
                    let message = format!("the repository's address {url} leads out of {}", self.address);
                    return Err(GitError::Permanent(message));
                }
                (path, rest) = (path.rsplit_once('/').map_or("", |(above, _)| above), after);
            } else {
                break;
            }
        }
        let slash = if path.is_empty() && root.ends_with(':') { "" } else { "/" };
        Ok(format!("{root}{path}{slash}{rest}"))
    }

    /// The directory of a repository on this host's disk.
    pub(super) fn local_path(&self) -> Option<PathBuf> {
        if self.address.starts_with('/') {
            return Some(self.address.clone().into());
        }
        Url::parse(&self.address).ok().filter(|_| self.is_local())?.to_file_path().ok()
    }

    /// Whether the repository is on this host's disk.
    pub(super) fn is_local(&self) -> bool {
        let scheme = self.address.split_once("://").map(|(scheme, _)| scheme);
        self.address.starts_with('/') || scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("file"))
    }

    /// Scheme, host and port of an HTTP URL; none for others.
    fn origin(&self) -> Option<url::Origin> {
        let is_http = self.address.starts_with("http://") || self.address.starts_with("https://");
        Url::parse(&self.address).ok().filter(|_| is_http).map(|url| url.origin())
    }

    fn without_password(url: &mut Url) -> Self {
        let decode = |text: &str| {
            let form = format!("x={}", text.replace('+', "%2B"));
            url::form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let user = decode(url.username());
        let password = url.password().map(decode).unwrap_or_default();
        let authorization = (!user.is_empty()).then(|| credentials::basic(&user, &password));
        // These calls fail only for URLs without a host, which HTTP URLs always have.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self { authorization, ..Self::at(url.as_str()) }
    }

    /// The address for git commands.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The address for messages; contains no password.
    pub(super) fn shown(&self) -> &str {
        &self.address
    }

    /// The last component of the path, without `.git`.
    pub(super) fn name(&self) -> &str {
        let path = self.address.trim_end_matches('/');
        let last = path.rsplit(['/', ':']).next().unwrap_or(path);
        last.strip_suffix(".git").filter(|name| !name.is_empty()).unwrap_or(last)
    }

    /// Git configuration for this repository.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![("remote.origin.url".to_owned(), self.address.clone())];
        if let Some(header) = self.authorization.as_ref().or(self.token.as_ref()) {
            settings.push((format!("http.{}.extraHeader", self.address), header.clone()));
            // Git would send the header on to the server that it is redirected to.
            settings.push((format!("http.{}.followRedirects", self.address), "false".to_owned()));
        }
        settings
    }

    /// The `ssh` that git may use: with the repository's own deploy key, or without any key.
    pub(super) fn ssh(&self) -> String {
        self.key.as_ref().map_or_else(|| credentials::NO_KEY_SSH.to_owned(), |key| key.ssh())
    }

    /// The files of the deploy key, which only this program's user can read.
    pub(super) fn key_files(&self) -> Vec<PathBuf> {
        self.key.as_ref().map(|key| key.files()).unwrap_or_default()
    }

    /// The protocols that git may use, also after a redirect.
    pub(super) fn protocols(&self) -> &'static str {
        match self.address.split_once("://").map(|(scheme, _)| scheme) {
            Some("https") => "https",
            Some("http") => "http:https",
            Some(scheme) if scheme.eq_ignore_ascii_case("git") => "git",
            _ if self.is_local() => "file",
            _ => "ssh",
        }
    }

    fn is_ssh(&self) -> bool {
        let scheme = self.address.split_once("://").map(|(scheme, _)| scheme);
        scheme.map_or(!self.address.starts_with('/'), |scheme| scheme.eq_ignore_ascii_case("ssh"))
    }

    /// The text without the credentials, which a server may repeat in its answer.
    fn without_credentials(&self, text: &str) -> String {
        let headers = [&self.authorization, &self.token].into_iter().flatten();
        let encoded = headers.filter_map(|header| header.rsplit(' ').next());
        encoded.fold(text.to_owned(), |text, encoded| {
            let plain = BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let password =
                plain.as_deref().and_then(|plain| plain.split_once(':')).map_or("", |(_, password)| password);
            let text = text.replace(encoded, secret::HIDDEN);
            if password.is_empty() { text } else { text.replace(password, secret::HIDDEN) }
        })
    }

    /// Classifies an error of git.
    pub(super) fn explain(&self, stderr: &str) -> GitError {
        let (name, shown) = (self.name(), self.shown());
        let stderr = &self.without_credentials(stderr);
        let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
        let said = reason(stderr).or_else(|| lines.next_back()).unwrap_or("git said nothing");
        if stderr.contains("setpriv: failed to execute") {
            return GitError::Permanent(format!("the program `git` cannot be run: install git ({said})"));
        }
        let is_redirect =
            ["301", "302", "307", "308"].iter().any(|code| stderr.contains(&format!("returned error: {code}")));
        if is_redirect {
            let remedy = "its server redirects, and credentials are not sent on: name the address that it redirects to";
            return GitError::Permanent(format!("{name}: {shown} cannot be read: {remedy} (git says: {said})"));
        }
        if let Some(why) = refused_key(stderr).filter(|_| self.is_ssh()) {
            return GitError::Permanent(format!("{name}: {shown} cannot be read: {why}"));
        }
        if !self.is_local() && UNREACHED.iter().any(|words| stderr.contains(words)) {
            tracing::info!(repository = shown, reason = said, "the server of a repository was not reached");
            return GitError::Transient(format!("{name}: {shown} cannot be read now: its server does not answer"));
        }
        if PERMANENT.iter().any(|words| stderr.contains(words)) {
            let remedy = "there is no such repository, or this program may not read it";
            return GitError::Permanent(format!("{name}: {shown} cannot be read: {remedy} (git says: {said})"));
        }
        GitError::Transient(format!("{name}: {shown} cannot be read now (git says: {said})"))
    }
}

/// What ssh says of the keys; git says only that it could not read.
fn refused_key(stderr: &str) -> Option<&'static str> {
    if stderr.contains("Host key verification failed") {
        return Some(
            "the server's host key is not one of the source credential's known hosts (Host key verification failed)",
        );
    }
    let is_refused = stderr.contains("Permission denied (");
    is_refused.then_some("the server does not accept the deploy key of the source credential (Permission denied)")
}

/// The first line that states an error; the last one is often advice.
fn reason(stderr: &str) -> Option<&str> {
    let is_reason = |line: &&str| ["fatal: ", "error: ", "remote: "].iter().any(|start| line.starts_with(start));
    stderr.lines().find(is_reason).map(str::trim)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn submodule(of: &str, url: &str) -> Result<String, String> {
        Remote::parse(of).unwrap().submodule(url).map(|remote| remote.address).map_err(|error| error.to_string())
    }

    #[test]
    fn a_relative_submodule_is_beside_its_repository() {
        for (of, url, expected) in [
            ("https://git.example/org/configuration.git", "../roles.git", "https://git.example/org/roles.git"),
            ("https://git.example/org/configuration.git/", "../../x/roles", "https://git.example/x/roles"),
            ("https://git.example/org/configuration", "./roles.git", "https://git.example/org/configuration/roles.git"),
            ("git@git.example:org/configuration.git", "../roles.git", "git@git.example:org/roles.git"),
            ("git@git.example:configuration.git", "../roles.git", "git@git.example:roles.git"),
            ("ssh://git@git.example:2222/org/configuration", "../roles", "ssh://git@git.example:2222/org/roles"),
            ("/srv/git/configuration", "../roles", "/srv/git/roles"),
            ("file:///srv/git/configuration", "../roles", "file:///srv/git/roles"),
            ("https://git.example/org/configuration.git", "https://other.example/r", "https://other.example/r"),
        ] {
            assert_eq!(submodule(of, url).unwrap(), expected, "{url} of {of}");
        }
        let error = submodule("https://git.example/org/configuration", "../../../roles").unwrap_err();
        assert!(error.contains("leads out of https://git.example/org/configuration"), "{error}");
    }

    #[test]
    fn every_way_in_which_a_server_is_not_reached_is_told_in_the_same_words() {
        let remote = Remote::parse("https://10.0.0.7:22/org/configuration.git").unwrap();
        for stderr in [
            "fatal: unable to access 'https://10.0.0.7:22/': Failed to connect to 10.0.0.7 port 22: Connection refused",
            "fatal: unable to access 'https://10.0.0.7:22/': Connection timed out after 5001 milliseconds",
            "fatal: unable to access 'https://10.0.0.7:22/': gnutls_handshake() failed: An unexpected TLS packet was received.",
            "fatal: unable to access 'https://10.0.0.7:22/': Could not resolve host: 10.0.0.7",
            "kex_exchange_identification: Connection closed by remote host\nfatal: Could not read from remote repository.",
            "ssh: connect to host 10.0.0.7 port 22: No route to host\nfatal: Could not read from remote repository.",
        ] {
            let expected = "configuration: https://10.0.0.7:22/org/configuration.git cannot be read now: its server does not answer";
            assert_eq!(remote.explain(stderr), GitError::Transient(expected.to_owned()), "{stderr}");
        }
        let local = Remote::parse("/srv/git/x").unwrap();
        assert!(local.explain("fatal: SSL").to_string().contains("git says: fatal: SSL"));
    }

    #[test]
    fn a_submodule_of_a_remote_repository_is_no_path_of_this_machine() {
        for url in ["/etc", "file:///etc", "FILE:///etc", "ext::sh -c date", "-u:x", "--upload-pack=x", "", "a\nb"] {
            let error = submodule("https://git.example/org/configuration", url).unwrap_err();
            assert!(error.starts_with("the repository's address"), "{url:?}: {error}");
        }
    }

    #[test]
    fn credentials_go_along_to_the_same_server_only() {
        let main = Remote::parse("https://bot:s3cret@git.example/org/configuration.git").unwrap();
        let authorization = |url: &str| main.submodule(url).unwrap().authorization;
        assert!(main.authorization.is_some());
        for same in ["../roles.git", "https://git.example/other/roles.git"] {
            assert_eq!(authorization(same), main.authorization, "{same}");
        }
        for other in
            ["https://other.example/r", "http://git.example/r", "https://git.example:8443/r", "ssh://git.example/r"]
        {
            assert_eq!(authorization(other), None, "{other}");
        }
    }
}
