//! Gateways with an agent: who may be one. Each has a token of its own, which is shown once.

use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::FieldError;
use shared_types::audit::Operation;

use super::store::gateways as store;
use super::traffic::check_host;
use crate::platform::audit;
use crate::platform::db::{Db, DbError};
use crate::platform::origin::Actor;
use crate::platform::users::Secret;

/// Why an operation on a gateway failed.
#[derive(Debug, thiserror::Error)]
pub enum GatewayFault {
    /// No gateway has this name.
    #[error("There is no gateway {0}.")]
    NotFound(String),
    /// A gateway has this name.
    #[error("There is a gateway {0} already; give it a new token instead.")]
    Taken(String),
    /// The name is not valid.
    #[error("{}", .0.detail)]
    Invalid(FieldError),
    /// The operating system provides no random numbers.
    #[error("no token could be made: {0}")]
    Random(#[from] getrandom::Error),
    /// The database does not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for GatewayFault {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Adds a gateway. Returns its token.
///
/// # Errors
/// [`GatewayFault`] if the name is taken or not valid, or the database does not answer.
pub async fn add(db: &Db, actor: &Actor, name: &str) -> Result<Secret, GatewayFault> {
    check(name)?;
    let token = Secret::random()?;
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        if !store::add(conn, name, &token.hash(), &actor.to_string()).await? {
            return Err(GatewayFault::Taken(name.to_owned()));
        }
        let entry = audit::Entry::new(actor, Operation::AddGateway).detail(json!({ "gateway": name }));
        Ok(audit::record(conn, entry).await?)
    })
    .await?;
    Ok(token)
}

/// Gives a gateway a new token. Returns it; the old one is worth nothing from now on.
///
/// # Errors
/// [`GatewayFault`] if there is no such gateway, or the database does not answer.
pub async fn renew_token(db: &Db, actor: &Actor, name: &str) -> Result<Secret, GatewayFault> {
    let token = Secret::random()?;
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        if !store::set_token(conn, name, &token.hash()).await? {
            return Err(GatewayFault::NotFound(name.to_owned()));
        }
        let entry = audit::Entry::new(actor, Operation::RenewGatewayToken).detail(json!({ "gateway": name }));
        Ok(audit::record(conn, entry).await?)
    })
    .await?;
    Ok(token)
}

/// Removes a gateway: activations wait for it no more, and its agent is refused. Its HAProxy goes on serving.
///
/// # Errors
/// [`GatewayFault`] if there is no such gateway, or the database does not answer.
pub async fn remove(db: &Db, actor: &Actor, name: &str) -> Result<(), GatewayFault> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        if !store::remove(conn, name).await? {
            return Err(GatewayFault::NotFound(name.to_owned()));
        }
        let entry = audit::Entry::new(actor, Operation::RemoveGateway).detail(json!({ "gateway": name }));
        Ok(audit::record(conn, entry).await?)
    })
    .await
}

fn check(name: &str) -> Result<(), GatewayFault> {
    if check_host(name).is_ok() && !name.contains('.') {
        return Ok(());
    }
    let words = "must have 1 to 63 lower-case letters, digits and inner hyphens, like gateway-1";
    Err(GatewayFault::Invalid(FieldError::new("name", words)))
}
