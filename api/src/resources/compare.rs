//! Compares a server with our rows. Nothing is deleted by this: what has our prefix and no row may be what an earlier backup of
//! the database knew, or another installation's with the same beginning of its id.

use shared_types::resource::ResourcePart;

use super::error::ResourceError;
use super::names;
use super::registry::Named;
use super::server::ServerError;
use super::store::differences;
use crate::platform::db::Db;

/// What differs between a server and our rows; of each at most [`differences::SHOWN`] of accounts, and of databases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// The server has these under our prefix, and no row does.
    pub unowned: Vec<String>,
    /// The server confirmed these once, and has them no more.
    pub missing: Vec<String>,
}

/// Compares accounts and databases. Numbers, and an account that all instances share, are not compared: they
/// exist always, and have no owner but the row.
///
/// # Errors
/// [`ResourceError::Away`] and [`ResourceError::Refused`] of the server; [`ResourceError::Db`] when a statement fails.
pub async fn compare(db: &Db, named: &Named) -> Result<Differences, ResourceError> {
    let prefix = names::prefix(named.server.kind(), &db.installation().await?);
    let mut found = Differences::default();
    for part in ResourcePart::ALL.iter().copied() {
        let is_unnamed = match part {
            ResourcePart::Account => named.server.shared_account().is_some(),
            ResourcePart::Database => named.server.numbers().is_some(),
        };
        if is_unnamed {
            continue;
        }
        // Before the rows: what is made meanwhile has its row already.
        let theirs = named.server.names(part, &prefix).await.map_err(|error| at(named, error))?;
        let mut conn = db.conn().await?;
        found.unowned.extend(differences::unowned(&mut conn, (&named.name, part), &theirs).await?);
        found.missing.extend(differences::missing(&mut conn, (&named.name, part), &theirs).await?);
    }
    Ok(found)
}

fn at(named: &Named, error: ServerError) -> ResourceError {
    let words = format!("{}: {error}", named.name);
    match error {
        ServerError::Away(_) | ServerError::Unfinished(_) => ResourceError::Away(words),
        ServerError::Refused(_) | ServerError::Taken => ResourceError::Refused(words),
    }
}
