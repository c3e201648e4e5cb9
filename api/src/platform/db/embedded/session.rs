//! The first connection to a server: checks that the password works, and creates the database if missing.

use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};

use super::ROLE;
use super::error::EmbeddedError;
use super::files::Files;

const AT_MOST: Duration = Duration::from_secs(15);

/// Checks that the database answers; creates it if missing.
pub(super) async fn prepare_database(files: &Files, port: u16, password: &SecretString) -> Result<(), EmbeddedError> {
    let failed = |reason: String| EmbeddedError::Answer { port, reason, log: files.log() };
    let prepare = async {
        match ask(port, password, ROLE, "SELECT 1").await {
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_DATABASE) => {
                let made = ask(port, password, "postgres", "CREATE DATABASE ocim").await;
                // Another process may have created the database first.
                made.or_else(|error| match error.code() {
                    Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
                    Some(_) | None => Err(error),
                })
            }
            answer => answer,
        }
    };
    match bounded(prepare).await {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(failed(describe(&error))),
        None => Err(failed(format!("no answer within {} s", AT_MOST.as_secs()))),
    }
}

async fn ask(port: u16, password: &SecretString, database: &str, statement: &str) -> Result<(), Error> {
    let mut config = Config::new();
    config.host(Ipv4Addr::LOCALHOST.to_string()).port(port).user(ROLE).password(password.expose_secret());
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
