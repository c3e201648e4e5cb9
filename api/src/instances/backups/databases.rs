//! How the dump programs connect to an instance's databases.

use std::collections::BTreeMap;

use diesel_async::AsyncPgConnection;
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;

use super::contents::{Contents, DATABASES, server};
use crate::backups::Source;
use crate::instances::resources::plan;
use crate::instances::{Manager, Refusal};
use crate::resources::registry::Named;
use crate::resources::server::{Account, Reach};
use crate::resources::store::ResourceRow;

/// An instance's account at a server, and how programs on this host log in as it.
#[derive(Debug)]
pub(super) struct Place<'m> {
    kind: ResourceKind,
    /// The server of the settings; none: the account was entered by an operator.
    pub named: Option<&'m Named>,
    pub account: Account,
    reach: Reach,
}

impl Place<'_> {
    /// A database there. `name`: the application's; `database`: its name at the server.
    pub fn source(&self, name: &str, database: &str) -> Source {
        let Reach { endpoint, ca_file } = self.reach.clone();
        let account = self.account.clone();
        Source { kind: self.kind, name: name.to_owned(), database: database.to_owned(), endpoint, ca_file, account }
    }
}

/// The account of each kind whose databases are in backups, and that the instance has.
///
/// # Errors
/// [`Refusal::Conflict`] if the settings do not have the server; [`Refusal::Db`] when a statement fails.
pub(super) async fn places<'m>(
    manager: &'m Manager,
    conn: &mut AsyncPgConnection,
    contents: &Contents,
) -> Result<BTreeMap<ResourceKind, Place<'m>>, Refusal> {
    let mut places = BTreeMap::new();
    for kind in DATABASES.iter().copied() {
        let rows: Vec<_> = contents.rows.iter().filter(|row| row.kind == kind).cloned().collect();
        if rows.iter().any(|row| row.part == ResourcePart::Account) {
            places.insert(kind, place(manager, conn, kind, &rows).await?);
        }
    }
    Ok(places)
}

async fn place<'m>(
    manager: &'m Manager,
    conn: &mut AsyncPgConnection,
    kind: ResourceKind,
    rows: &[ResourceRow],
) -> Result<Place<'m>, Refusal> {
    let connection = plan::connection(manager, conn, rows).await?;
    let named = server(manager, plan::account(rows)?);
    let reach = match named {
        Some(named) => named.server.reach(),
        None => Reach { endpoint: connection.endpoint, ca_file: None },
    };
    let account = Account { username: connection.username, password: connection.password };
    Ok(Place { kind, named, account, reach })
}
