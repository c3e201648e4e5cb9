//! The table `source_credentials`: deploy keys and tokens of private repositories, without their secrets.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::SourceCredentialId;
use shared_types::source_credential::{CredentialKind, SourceCredential};

use crate::platform::db::DbError;
use crate::platform::db::schema::source_credentials;
use crate::platform::origin::Actor;

type Row = (SourceCredentialId, String, String, Option<String>, Option<String>, String, DateTime<Utc>);

/// The columns of a [`Row`].
const SHOWN: (
    source_credentials::id,
    source_credentials::source,
    source_credentials::kind,
    source_credentials::username,
    source_credentials::known_hosts,
    source_credentials::created_by,
    source_credentials::created,
) = (
    source_credentials::id,
    source_credentials::source,
    source_credentials::kind,
    source_credentials::username,
    source_credentials::known_hosts,
    source_credentials::created_by,
    source_credentials::created,
);

/// A row to insert.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    pub source: &'a str,
    pub kind: &'static str,
    pub username: Option<&'a str>,
    pub known_hosts: Option<&'a str>,
    pub created_by: &'a Actor,
}

fn credential(
    (id, source, kind, username, known_hosts, created_by, created): Row,
) -> Result<SourceCredential, DbError> {
    let known = CredentialKind::ALL.iter().find(|one| one.as_str() == kind);
    let kind = *known.ok_or_else(|| DbError::Corrupt(format!("source credential {id} is of the kind {kind}")))?;
    Ok(SourceCredential { id, source, kind, username, known_hosts, created_by, created })
}

/// Stores a credential. None: the source has one.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, new: New<'_>) -> Result<Option<SourceCredential>, DbError> {
    let row: Option<Row> = diesel::insert_into(source_credentials::table)
        .values((
            source_credentials::source.eq(new.source),
            source_credentials::kind.eq(new.kind),
            source_credentials::username.eq(new.username),
            source_credentials::known_hosts.eq(new.known_hosts),
            source_credentials::created_by.eq(new.created_by),
        ))
        .on_conflict_do_nothing()
        .returning(SHOWN)
        .get_result(conn)
        .await
        .optional()?;
    row.map(credential).transpose()
}

/// All credentials, ordered by source.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn all(conn: &mut AsyncPgConnection) -> Result<Vec<SourceCredential>, DbError> {
    let rows: Vec<Row> = source_credentials::table.order(source_credentials::source).select(SHOWN).load(conn).await?;
    rows.into_iter().map(credential).collect()
}

/// Deletes a credential, and its secret with it. Returns its source; none: there is no such credential.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn delete(conn: &mut AsyncPgConnection, id: SourceCredentialId) -> Result<Option<String>, DbError> {
    let gone = diesel::delete(source_credentials::table.find(id)).returning(source_credentials::source);
    Ok(gone.get_result(conn).await.optional()?)
}
