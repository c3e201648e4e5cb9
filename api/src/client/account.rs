//! The server's address and the token for it: from the environment, or from the file that `ocim login` wrote.
//!
//! Invariant: a token from the file is only sent to the server named in the same file.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::api::{Api, Credential, is_in_clear, parse_server};
use super::error::ClientError;

/// Default address of a server on this machine.
const DEFAULT_SERVER: &str = "http://localhost:5000";

/// The contents of the file that `ocim login` writes.
#[derive(Debug, Deserialize)]
pub struct Account {
    pub server: String,
    pub token: SecretString,
    /// Id of the token; none if it was read with `login --with-token`.
    pub token_id: Option<i64>,
}

/// Client for the server and token of OCIM_SERVER and OCIM_TOKEN, or of the file.
///
/// # Errors
/// [`ClientError::NotSignedIn`] if there is no token for the server.
pub fn connect() -> Result<Api, ClientError> {
    let named = server_named()?;
    if let Some(server) = named.as_ref() {
        warn_of_clear(server);
    }
    if let Some(token) = variable("OCIM_TOKEN") {
        let server = match named {
            Some(server) => server,
            None => server_or_default(None)?,
        };
        return Api::new(server, Credential::Token(token.into()));
    }
    let Some(account) = read()? else {
        let words = "Not signed in. Run `ocim login`, or set OCIM_SERVER and OCIM_TOKEN.";
        return Err(ClientError::NotSignedIn(words.to_owned()));
    };
    let server = parse_server(&account.server)?;
    if let Some(named) = named.filter(|named| *named != server) {
        let words = format!(
            "The token that is kept is for {server}, and OCIM_SERVER says {named}. Run `ocim login --server {named}`, or \
             set OCIM_TOKEN."
        );
        return Err(ClientError::NotSignedIn(words));
    }
    Api::new(server, Credential::Token(account.token))
}

/// The server to sign in at: the given one, that of OCIM_SERVER, the one of the last login, or the one on this machine.
///
/// # Errors
/// [`ClientError::Usage`] if the given text is not a server's address.
pub fn server_or_default(named: Option<&str>) -> Result<Url, ClientError> {
    if let Some(named) = named {
        return parse_server(named);
    }
    if let Some(named) = server_named()? {
        return Ok(named);
    }
    parse_server(read()?.as_ref().map_or(DEFAULT_SERVER, |account| &account.server))
}

fn server_named() -> Result<Option<Url>, ClientError> {
    variable("OCIM_SERVER").map(|text| parse_server(&text)).transpose()
}

/// Warns if tokens are sent to the server without encryption.
pub fn warn_of_clear(server: &Url) {
    if is_in_clear(server) {
        let _ = writeln!(io::stderr(), "ocim: warning: {server} is not https: the token travels in clear.");
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The directory of this program's files: `ocim` in XDG_CONFIG_HOME, or in `~/.config`.
///
/// # Errors
/// [`ClientError::Failed`] if neither it nor HOME is set.
pub fn directory() -> Result<PathBuf, ClientError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    let config = config.ok_or_else(|| ClientError::Failed("Neither XDG_CONFIG_HOME nor HOME is set.".to_owned()))?;
    Ok(config.join("ocim"))
}

/// Path of the file: `client.toml` in the directory.
fn path() -> Result<PathBuf, ClientError> {
    Ok(directory()?.join("client.toml"))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ClientError {
    let path = path.to_owned();
    move |source| ClientError::File { path, source }
}

/// Reads the stored account; none if there is no file.
///
/// # Errors
/// [`ClientError::File`] if the file cannot be read or parsed.
pub fn read() -> Result<Option<Account>, ClientError> {
    let path = path()?;
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(&path)(error)),
    };
    let file = config::File::from_str(&text, config::FileFormat::Toml);
    let read = config::Config::builder().add_source(file).build().and_then(config::Config::try_deserialize);
    // The parser's message may quote the token.
    let wrong = |_| at(&path)(io::Error::new(io::ErrorKind::InvalidData, "makes no sense; run `ocim login` again"));
    read.map(Some).map_err(wrong)
}

/// Stores an account in a file that only its owner can read, from its creation on.
///
/// # Errors
/// [`ClientError::File`] if the file cannot be written.
pub fn write(account: &Account) -> Result<PathBuf, ClientError> {
    let path = path()?;
    let dir = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
    let Account { server, token, token_id } = account;
    // JSON strings are valid TOML strings.
    let mut text = format!(
        "# Written by `ocim login`.\nserver = {}\ntoken = {}\n",
        serde_json::json!(server),
        serde_json::json!(token.expose_secret())
    );
    if let Some(id) = token_id {
        text.push_str(&format!("token_id = {id}\n"));
    }
    let new = dir.join(format!(".client.toml.{}", std::process::id()));
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(at(&new))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(at(&new))?;
    fs::rename(&new, &path).map_err(at(&path))?;
    Ok(path)
}

/// Removes the stored account.
///
/// # Errors
/// [`ClientError::File`] if the file cannot be removed.
pub fn remove() -> Result<(), ClientError> {
    let path = path()?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
