use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::resource::{InstanceResources, Resource, ResourceCredentials};
use shared_types::{InstanceId, ResourceKind};

use super::find;
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::{Cell, Output};
use crate::client::terminal;

/// What an instance has outside its machines: databases that outlive app servers
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    List(ListArguments),
    Credentials(CredentialsArguments),
    ReplacePassword(ReplaceArguments),
    Choose(ChooseArguments),
}

/// List the accounts and databases, and what the next app server asks for
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance resources list 1")]
pub struct ListArguments {
    /// Id, whole name or domain of the instance
    instance: String,
}

/// Show how to connect, with the password; for administrators
///
/// Each time is recorded in the audit log.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance resources credentials 1 mysql
    ocim instance resources credentials 1 mysql -o json")]
pub struct CredentialsArguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// Kind of the server: mysql, postgresql, redis or mongodb
    kind: ResourceKind,
}

/// Replace the password of the account; for administrators
///
/// Refused (exit code 5) while app servers with the present password have machines, unless --cuts-off is given: they lose the
/// connection. The next app server has the new password.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance resources replace-password 1 mysql --cuts-off")]
pub struct ReplaceArguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// Kind of the server: mysql, postgresql or redis
    kind: ResourceKind,
    /// Also if app servers lose the connection
    #[arg(long)]
    cuts_off: bool,
}

/// Choose where the next app servers have their databases
///
/// At a server of the settings (--server), or where they exist already (--host): then the password is asked for, or read from
/// standard input. Refused (exit code 5) once ocim has made some, which hold data.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance resources choose 1 mysql --server main
    ocim instance resources choose 1 mongodb --host mongo.example --username campus \\
        --database main=campus --database forum=campus_forum <password.txt")]
pub struct ChooseArguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// Kind of the server: mysql, postgresql, redis or mongodb
    kind: ResourceKind,
    /// Name of a server of the settings
    #[arg(long, value_name = "NAME", conflicts_with = "host", required_unless_present = "host")]
    server: Option<String>,
    /// Host of databases that exist already
    #[arg(long, requires = "username")]
    host: Option<String>,
    /// Port there; the kind's usual one if left out
    #[arg(long, requires = "host")]
    port: Option<u16>,
    /// User there
    #[arg(long, requires = "host")]
    username: Option<String>,
    /// A database, bucket or container: the name that the application knows it by, and its name there; repeatable
    #[arg(long = "database", value_name = "NAME=NAME", value_parser = pair, requires = "host")]
    databases: Vec<(String, String)>,
    /// An option, like auth_source=admin for MongoDB or region=eu-central-1 for S3; repeatable
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair, requires = "host")]
    options: Vec<(String, String)>,
    /// Connections are not encrypted
    #[arg(long, requires = "host")]
    no_tls: bool,
}

/// Performs one operation.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn run(verb: Verb, api: &Api, out: &Output) -> Result<(), ClientError> {
    match verb {
        Verb::List(arguments) => list(&arguments, api, out).await,
        Verb::Credentials(arguments) => credentials(&arguments, api, out).await,
        Verb::ReplacePassword(arguments) => replace_password(&arguments, api, out).await,
        Verb::Choose(arguments) => choose(arguments, api, out).await,
    }
}

async fn list(arguments: &ListArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let answer = api.get(&format!("/instances/{id}/resources"), &[]).await?;
    if out.is_json() {
        return out.document(&answer);
    }
    let InstanceResources { items, wanted } = decode(&answer)?;
    let rows = items.iter().map(row).collect::<Vec<_>>();
    out.table(&["KIND", "PART", "NAME", "SERVER", "NAME THERE", "STATE", "BYTES"], &rows)?;
    for words in wanted.iter().filter_map(|one| one.missing.as_deref()) {
        out.told(&Value::Null, &format!("The next launch would be refused. {words}"))?;
    }
    Ok(())
}

fn row(one: &Resource) -> Vec<Cell> {
    let server = one.server.as_ref().map_or_else(|| one.host.clone().unwrap_or_default(), ToString::to_string);
    vec![
        one.kind.into(),
        one.part.as_str().into(),
        (&one.name).into(),
        server.into(),
        (&one.remote_name).into(),
        one.state.as_str().into(),
        Cell::or_dash(one.size_bytes),
    ]
}

async fn credentials(arguments: &CredentialsArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let path = path(api, &arguments.instance, arguments.kind).await?;
    let answer = api.ask(Method::POST, &format!("{path}/credentials"), &json!({})).await?;
    if out.is_json() {
        return out.document(&answer);
    }
    let ResourceCredentials { kind: _, host, port, username, password, has_tls, databases, options } = decode(&answer)?;
    let named: Vec<_> =
        databases.into_iter().map(|(name, at)| (format!("database {name}"), at)).chain(options).collect();
    let mut fields = vec![
        ("host", host),
        ("port", port.to_string()),
        ("TLS", if has_tls { "required" } else { "off" }.to_owned()),
        ("user", username),
        ("password", password),
    ];
    fields.extend(named.iter().map(|(name, value)| (name.as_str(), value.clone())));
    out.fields(&fields)
}

async fn replace_password(arguments: &ReplaceArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let path = path(api, &arguments.instance, arguments.kind).await?;
    let body = json!({ "cuts_off": arguments.cuts_off });
    let answer = api.ask(Method::POST, &format!("{path}/rotate"), &body).await?;
    out.told(&answer, "The password is replaced; the next app server has the new one.")
}

async fn choose(arguments: ChooseArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let ChooseArguments { instance, kind, server, host, port, username, databases, options, no_tls } = arguments;
    let path = path(api, &instance, kind).await?;
    let body = match host {
        None => json!({ "server": server }),
        Some(host) => {
            let password = terminal::secret("Password of the account").await?;
            let databases: serde_json::Map<_, Value> =
                databases.into_iter().map(|(name, at)| (name, at.into())).collect();
            let options: serde_json::Map<_, Value> = options.into_iter().map(|(name, at)| (name, at.into())).collect();
            json!({ "given": {
                "host": host, "port": port, "username": username, "password": password, "has_tls": !no_tls,
                "databases": databases, "options": options,
            } })
        }
    };
    let answer = api.ask(Method::PUT, &path, &body).await?;
    out.told(&answer, &format!("The next app servers have their {} there.", kind.name()))
}

async fn path(api: &Api, instance: &str, kind: ResourceKind) -> Result<String, ClientError> {
    let id: InstanceId = find(api, instance).await?;
    Ok(format!("/instances/{id}/resources/{kind}"))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_an_equals_sign_and_its_value_may_have_more() {
        assert_eq!(pair("main=campus=1"), Ok(("main".to_owned(), "campus=1".to_owned())));
        assert!(pair("main").is_err());
    }
}
