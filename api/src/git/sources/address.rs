//! The address of a repository in one spelling: what is compared with the allowed sources. An address that git and this
//! program might read differently is refused.

use std::net::IpAddr;
use std::path::PathBuf;

use url::Url;

/// The longest address, in bytes.
const LONGEST: usize = 2000;

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A repository on a server.
    Server(Server),
    /// A directory of this host, as it was written: absolute, and links are not resolved.
    Directory(PathBuf),
}

/// A repository on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// `https`, `http`, `ssh` or `git`.
    pub scheme: &'static str,
    /// The login name; only of `ssh`, where it says which repositories are seen.
    pub user: Option<String>,
    /// In lower case, without a dot at the end; an IPv6 address without brackets.
    pub host: String,
    pub port: u16,
    /// The names of the path, decoded; the last one without `.git`.
    pub path: Vec<String>,
}

/// The schemes of servers, with their default ports.
const SCHEMES: &[(&str, u16)] = &[("https", 443), ("http", 80), ("ssh", 22), ("git", 9418)];

impl Address {
    /// Reads a URL, `user@host:path` or an absolute path.
    ///
    /// # Errors
    /// Why the address is refused, as the end of a sentence that begins with the address; never quotes a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST {
            return Err(format!("must have 1 to {LONGEST} characters"));
        }
        // `\` is a slash to some readers of URLs.
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err("must not have spaces, control characters or `\\`".to_owned());
        }
        if text.starts_with('/') {
            return Ok(Self::Directory(PathBuf::from(text)));
        }
        let Some((scheme, rest)) = text.split_once("://") else { return scp(text).map(Self::Server) };
        if rest.contains(['?', '#']) {
            return Err("must not have `?` or `#`".to_owned());
        }
        match scheme.to_ascii_lowercase().as_str() {
            "file" if rest.starts_with('/') && !rest.contains('%') => Ok(Self::Directory(PathBuf::from(rest))),
            "file" => Err("must be a path without a host and without `%`".to_owned()),
            "https" => web("https", text).map(Self::Server),
            "http" => web("http", text).map(Self::Server),
            "ssh" => other("ssh", rest).map(Self::Server),
            "git" => other("git", rest).map(Self::Server),
            _ => Err("must be an https or ssh URL, or an absolute path".to_owned()),
        }
    }
}

impl Server {
    /// Whether the host is this one, or a link-local address, such as that of a cloud's metadata.
    pub fn is_local(&self) -> bool {
        let host = self.host.as_str();
        let is_name = host == "localhost" || host.ends_with(".localhost") || host.starts_with("ip6-l");
        is_name || host.parse::<IpAddr>().is_ok_and(is_local)
    }

    /// The server as text, without its path.
    pub fn origin(&self) -> String {
        let Self { scheme, user, host, port, path: _ } = self;
        let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let is_default = SCHEMES.contains(&(scheme, *port));
        let port = if is_default { String::new() } else { format!(":{port}") };
        format!("{scheme}://{user}{host}{port}")
    }

    /// The repository as text; without a password.
    pub fn shown(&self) -> String {
        self.path.iter().fold(self.origin(), |text, name| format!("{text}/{name}"))
    }
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.octets()[0] == 0 || v4.is_broadcast(),
        IpAddr::V6(v6) => {
            let [a, b, .., y, z] = v6.segments();
            let [[e, f], [g, h]] = [y.to_be_bytes(), z.to_be_bytes()];
            // Mapped, compatible and translated addresses reach the IPv4 host in their last four bytes.
            let holds_v4 = v6.to_ipv4().is_some() || (a == 0x64 && b == 0xff9b);
            let is_v4_local = holds_v4 && is_local(IpAddr::V4([e, f, g, h].into()));
            v6.is_loopback() || v6.is_unspecified() || (a & 0xffc0) == 0xfe80 || is_v4_local
        }
    }
}

/// A URL of a web server, read as browsers do; [`super::super::remote`] passes the same reading on to git.
fn web(scheme: &'static str, text: &str) -> Result<Server, String> {
    let url = Url::parse(text).map_err(|error| format!("is no URL ({error})"))?;
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    Ok(Server { scheme, user: None, host: plain_host(host)?, port, path: names(url.path())? })
}

/// `ssh://` and `git://` URLs: only git parses them, so only plain ones are accepted.
fn other(scheme: &'static str, rest: &str) -> Result<Server, String> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = match authority.split_once('@') {
        Some((user, host)) => (Some(plain_user(user)?), host),
        None => (None, authority),
    };
    let (host, port) = match host.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']')) {
        Some((host, port)) => (host, Some(port.parse::<u16>().map_err(|_| "has no valid port".to_owned())?)),
        None => (host, None),
    };
    let default = SCHEMES.iter().find(|(name, _)| *name == scheme).map_or(0, |(_, port)| *port);
    let (host, path) = (plain_host(host)?, names(path)?);
    Ok(Server { scheme, user, host, port: port.unwrap_or(default), path })
}

/// `user@host:path`.
fn scp(text: &str) -> Result<Server, String> {
    let bad = || "must be a URL or an absolute path".to_owned();
    let (login, path) = text.split_once(':').ok_or_else(bad)?;
    if !login.contains('@') || login.contains(['/', '[']) || path.is_empty() || path.starts_with(':') {
        return Err(bad());
    }
    other("ssh", &format!("{login}/{}", path.trim_start_matches('/')))
}

fn plain_user(user: &str) -> Result<String, String> {
    if user.contains(':') {
        return Err("must not hold a password".to_owned());
    }
    let is_plain = user.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if user.is_empty() || user.starts_with('-') || !is_plain {
        return Err("has a login name with other characters than letters, digits and `._-`".to_owned());
    }
    Ok(user.to_owned())
}

fn plain_host(host: &str) -> Result<String, String> {
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if let Some(address) = bracketed {
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| "has no valid IPv6 address".to_owned())?;
        return Ok(address.to_string());
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_plain = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if host.is_empty() || host.starts_with(['-', '.']) || host.contains("..") || !is_plain {
        return Err("has no plain host name".to_owned());
    }
    Ok(host)
}

/// The names of a path. Percent escapes are decoded once; what a server might decode again, or resolve to another path,
/// is refused.
fn names(path: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for raw in path.split('/').filter(|raw| !raw.is_empty()) {
        let name = decoded(raw).ok_or_else(|| "has a percent escape that is no text".to_owned())?;
        let is_doubtful = matches!(name.as_str(), "." | "..")
            || name.contains(|c: char| matches!(c, '/' | '\\' | '%') || c.is_control());
        if is_doubtful {
            return Err("must not have `.`, `..`, or percent escapes of `/`, `\\` and `%` in its path".to_owned());
        }
        names.push(name);
    }
    if let Some(last) = names.last_mut()
        && let Some(bare) = last.strip_suffix(".git").filter(|bare| !bare.is_empty())
    {
        *last = bare.to_owned();
    }
    Ok(names)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
                (u8::from_str_radix(digits, 16).ok()?, after)
            }
            (b'%', _) => return None,
            (other, after) => (*other, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
