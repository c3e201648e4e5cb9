//! The first connection to a server: checks that the password works, and creates the role and the database if
//! missing.

use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};

use super::error::EmbeddedError;
use super::files::Files;
use super::{ROLE, SUPERUSER};

const AT_MOST: Duration = Duration::from_secs(15);

/// Checks that the database answers; creates role and database if missing.
pub(super) async fn prepare_database(files: &Files, port: u16, password: &SecretString) -> Result<(), EmbeddedError> {
    let failed = |reason: String| EmbeddedError::Answer { port, reason, log: files.log() };
    let superuser = files.superuser_password()?;
    let prepare = async {
        match open(port, password).await {
            // The server answers the same for a missing role as for a wrong password.
            Err(error) if error.code() == Some(&SqlState::INVALID_PASSWORD) => match &superuser {
                Some(superuser) => {
                    make_role(port, superuser, password).await?;
                    open(port, password).await
                }
                None => Err(error),
            },
            answer => answer,
        }
    };
    match bounded(prepare).await {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(failed(describe(&error))),
        None => Err(failed(format!("no answer within {} s", AT_MOST.as_secs()))),
    }
}

/// Asks the database something; creates it if missing.
async fn open(port: u16, password: &SecretString) -> Result<(), Error> {
    match ask(port, (ROLE, password), ROLE, "SELECT 1").await {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_DATABASE) => {
            let made = ask(port, (ROLE, password), "postgres", &format!("CREATE DATABASE {ROLE}")).await;
            unless_there(made, &SqlState::DUPLICATE_DATABASE)
        }
        answer => answer,
    }
}

/// Makes the role, which can log in and make databases. One that exists keeps its password.
async fn make_role(port: u16, superuser: &SecretString, password: &SecretString) -> Result<(), Error> {
    // The server writes a statement that fails to its log, unless it is told otherwise.
    let statement = format!(
        "SET log_min_error_statement = 'panic'; CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{}'",
        password.expose_secret()
    );
    unless_there(ask(port, (SUPERUSER, superuser), "postgres", &statement).await, &SqlState::DUPLICATE_OBJECT)
}

/// The answer, or success if another process has created the same first.
fn unless_there(answer: Result<(), Error>, there: &SqlState) -> Result<(), Error> {
    answer.or_else(|error| if error.code() == Some(there) { Ok(()) } else { Err(error) })
}

async fn ask(port: u16, (role, password): (&str, &SecretString), database: &str, statement: &str) -> Result<(), Error> {
    let mut config = Config::new();
    config.host(Ipv4Addr::LOCALHOST.to_string()).port(port).user(role).password(password.expose_secret());
    config.dbname(database).ssl_mode(SslMode::Disable).connect_timeout(AT_MOST).application_name("ocim start");
    let (client, connection): (Client, _) = config.connect(NoTls).await?;
    let driving = tokio::spawn(connection);
    let answer = client.batch_execute(statement).await;
    drop(client);
    // An error of the connection task adds nothing to the answer.
    drop(driving.await);
    answer
}

async fn bounded<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(AT_MOST, work).await.ok()
}

fn describe(error: &Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |found| found.message().to_owned())
}
