//! `ocim login`: exchanges a password for a token once, and stores only the token.

use std::io::IsTerminal;

use clap::Args;
use reqwest::Method;
use reqwest::header::SET_COOKIE;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared_types::user::{CreatedToken, Scope};
use shared_types::{Role, User};

use super::account::{self, Account};
use super::api::{Api, Credential, decode};
use super::error::ClientError;
use super::output::Output;
use super::terminal;

/// The long help of `ocim login`.
pub const ABOUT: &str = "Keep a token for the commands below

Asks for the password, which a terminal does not show (without a terminal it is the first line of standard input), signs in, \
makes an API token called `ocim CLI on <this host>`, ends the session, and keeps server and token in \
$XDG_CONFIG_HOME/ocim/client.toml (~/.config without it), which only you can read. A token that an earlier login made at the \
same server is deleted.

OCIM_SERVER and OCIM_TOKEN in the environment win over what is kept. Certificates are checked. After five wrong passwords each \
further one makes the next attempt wait longer.";

/// Arguments of `ocim login`.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim login --server https://ocim.example --username ann
    ocim login --username ann --role viewer --expires-in-days 7 < password.txt
    ocim login --username ann --scopes read,deploy < password.txt
    ocim login --server https://ocim.example --with-token < token.txt")]
pub struct Arguments {
    /// The server's address; left out: OCIM_SERVER, the server of the last login, or http://localhost:5000
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Your user name there; asked for on a terminal if left out
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Read a token from standard input instead, one line; it is tested before it is stored
    #[arg(long, conflicts_with_all = ["username", "role", "scopes", "expires_in_days"])]
    with_token: bool,
    /// Role of the token, at most your own: viewer, operator or admin; left out: your own
    #[arg(long, value_parser = role)]
    role: Option<Role>,
    /// Scopes of the token within its role, separated by commas: read, deploy, activate, admin; left out: all of them
    #[arg(long, value_parser = scope, value_delimiter = ',')]
    scopes: Option<Vec<Scope>>,
    /// Days until the token stops working, 1 to 365; left out: 90
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=365))]
    expires_in_days: Option<u16>,
}

fn role(text: &str) -> Result<Role, String> {
    let known = Role::ALL.iter().find(|role| role.as_str() == text);
    known.copied().ok_or_else(|| "must be viewer, operator or admin".to_owned())
}

fn scope(text: &str) -> Result<Scope, String> {
    let known = Scope::ALL.iter().find(|scope| scope.as_str() == text);
    known.copied().ok_or_else(|| format!("must be of {}", words(Scope::ALL)))
}

fn words(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
}

/// Signs in and stores a token.
///
/// # Errors
/// [`ClientError::Refused`] if name or password is wrong, or the token may not be created.
pub async fn login(arguments: Arguments, out: &Output) -> Result<(), ClientError> {
    let server = account::server_or_default(arguments.server.as_deref())?;
    account::warn_of_clear(&server);
    let api = Api::new(server, Credential::None)?;
    if arguments.with_token {
        return keep_given(&api, out).await;
    }
    let username = match &arguments.username {
        Some(name) => name.clone(),
        None if std::io::stdin().is_terminal() => terminal::line("User name").await?,
        None => return Err(ClientError::Usage("--username is needed where there is no terminal.".to_owned())),
    };
    let password = terminal::secret("Password").await?;
    let (session, user) = sign_in(&api, &username, &password).await?;
    let made = make_token(&session, &arguments, user.role).await;
    if made.is_ok() {
        delete_earlier(&session).await;
    }
    // The session is no longer needed, even if the token was refused.
    let _ = session.ask(Method::POST, "/auth/logout", &json!({})).await;
    let CreatedToken { token, secret } = made?;
    let (server, secret) = (api.server().to_owned(), SecretString::from(secret));
    let path = account::write(&Account { server, token: secret, token_id: Some(token.id.0) })?;
    let told = format!(
        "Signed in at {} as {username}. The token «{}» ({}: {}) works until {} and is kept in {}.",
        api.server(),
        token.name,
        token.role.as_str(),
        words(&token.scopes),
        token.expires.format("%Y-%m-%d"),
        path.display()
    );
    out.told(&serde_json::to_value(&token).unwrap_or(Value::Null), &told)
}

/// Gives the session and its user.
async fn sign_in(api: &Api, username: &str, password: &str) -> Result<(Api, User), ClientError> {
    let body = json!({ "username": username, "password": password });
    let answer = api.send(api.request(Method::POST, "/auth/login", &[]).json(&body)).await?;
    let cookies = answer.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let pairs: Vec<_> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
    let session = api.with(Credential::Session(pairs.join("; ").into()));
    Ok((session, decode(&api.read(answer).await?)?))
}

async fn make_token(session: &Api, arguments: &Arguments, own: Role) -> Result<CreatedToken, ClientError> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = format!("ocim CLI on {}", host.trim()).chars().take(100).collect();
    let mut body = json!({ "name": name, "role": arguments.role.unwrap_or(own) });
    if let Some(fields) = body.as_object_mut() {
        fields.extend(arguments.scopes.as_ref().map(|scopes| ("scopes".to_owned(), json!(scopes))));
        fields.extend(arguments.expires_in_days.map(|days| ("expires_in_days".to_owned(), json!(days))));
    }
    decode(&session.ask(Method::POST, "/auth/tokens", &body).await?)
}

/// Deletes the token of the last login, which is no longer stored. It may be another user's, or gone: not an error.
async fn delete_earlier(session: &Api) {
    if let Ok(Some(Account { server, token_id: Some(id), .. })) = account::read()
        && server == session.server()
    {
        let _ = session.ask(Method::DELETE, &format!("/auth/tokens/{id}"), &json!({})).await;
    }
}

async fn keep_given(api: &Api, out: &Output) -> Result<(), ClientError> {
    let token = SecretString::from(terminal::secret("Token").await?.trim().to_owned());
    let user = api.with(Credential::Token(token.clone())).get("/auth/me", &[]).await?;
    let path = account::write(&Account { server: api.server().to_owned(), token, token_id: None })?;
    let name = decode::<User>(&user)?.username;
    let words = format!("Signed in at {} as {name}. The token is kept in {}.", api.server(), path.display());
    out.told(&user, &words)
}
