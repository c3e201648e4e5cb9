//! The table `certificates`: rows. Claims and what is due are in [`work`], orders in [`orders`], what the limits count in
//! [`counts`], what gateways get in [`delivery`].

pub mod accounts;
pub mod challenges;
pub mod counts;
pub mod delivery;
pub mod files;
pub mod mail;
pub mod orders;
pub mod wanted;
pub mod work;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::certificate::{Certificate, CertificateSource, CertificateState};
use shared_types::{CertificateId, InstanceId};

use crate::platform::db::DbError;
use crate::platform::db::schema::certificates;

/// The most characters of an authority's words that are stored.
const TROUBLE: usize = 1000;

/// A row of `certificates`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = certificates)]
pub struct CertificateRow {
    pub id: CertificateId,
    pub instance_id: Option<InstanceId>,
    pub source: CertificateSource,
    pub names: Vec<String>,
    pub state: CertificateState,
    /// The certificate and its intermediates in PEM.
    pub chain: Option<String>,
    pub origin: Option<String>,
    pub not_before: Option<DateTime<Utc>>,
    pub not_after: Option<DateTime<Utc>>,
    pub renew_at: Option<DateTime<Utc>>,
    pub renewal_checked_at: Option<DateTime<Utc>>,
    /// How many attempts in a row have failed.
    pub attempts: i32,
    pub next_attempt_at: DateTime<Utc>,
    pub last_error: Option<String>,
    pub failing_since: Option<DateTime<Utc>>,
    pub revision: i64,
    /// The fencing token of the present claim.
    pub claim: i64,
    pub created: DateTime<Utc>,
    pub modified: DateTime<Utc>,
}

impl CertificateRow {
    /// Whether another certificate is to be ordered: there is none, it is to be renewed, or it is from another authority.
    pub fn is_due(&self, directory: &str, now: DateTime<Utc>) -> bool {
        self.origin.as_deref() != Some(directory) || self.renew_at.is_some_and(|at| at <= now)
    }

    /// Converts the row to the API's form.
    pub fn into_dto(self) -> Certificate {
        let Self {
            id,
            instance_id,
            source,
            names,
            state,
            chain: _,
            origin,
            not_before,
            not_after,
            renew_at,
            renewal_checked_at: _,
            attempts,
            next_attempt_at,
            last_error,
            failing_since,
            revision: _,
            claim: _,
            created,
            modified,
        } = self;
        Certificate {
            id,
            instance_id,
            source,
            names,
            state,
            state_name: state.name().to_owned(),
            origin,
            not_before,
            not_after,
            renew_at,
            next_attempt_at,
            attempts,
            trouble: last_error,
            failing_since,
            created,
            modified,
        }
    }
}

/// A certificate; none: there is no such one.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: CertificateId) -> Result<Option<CertificateRow>, DbError> {
    Ok(certificates::table.find(id).select(CertificateRow::as_select()).first(conn).await.optional()?)
}

/// The certificate that is ordered for an instance; none: it wants none, or its names are too new.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of_instance(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Option<CertificateRow>, DbError> {
    let own = certificates::table.filter(certificates::instance_id.eq(of)).select(CertificateRow::as_select());
    Ok(own.first(conn).await.optional()?)
}

/// All certificates from files.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn from_files(conn: &mut AsyncPgConnection) -> Result<Vec<CertificateRow>, DbError> {
    let all = certificates::table.filter(certificates::source.eq(CertificateSource::Files)).order(certificates::id);
    Ok(all.select(CertificateRow::as_select()).load(conn).await?)
}

/// At most `limit` certificates, the newest first: those in a state, after a place.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn page(
    conn: &mut AsyncPgConnection,
    state: Option<CertificateState>,
    after: Option<CertificateId>,
    limit: i64,
) -> Result<Vec<CertificateRow>, DbError> {
    let mut all = certificates::table.order(certificates::id.desc()).limit(limit).into_boxed();
    if let Some(state) = state {
        all = all.filter(certificates::state.eq(state));
    }
    if let Some(after) = after {
        all = all.filter(certificates::id.lt(after));
    }
    Ok(all.select(CertificateRow::as_select()).load(conn).await?)
}

fn shortened(words: &str) -> String {
    words.chars().take(TROUBLE).collect()
}
