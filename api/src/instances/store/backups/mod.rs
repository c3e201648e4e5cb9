//! The table `backups`: rows, and what is requested. The work of workers is in [`work`], the schedule in [`schedule`].

pub mod schedule;
pub mod work;

use chrono::{DateTime, Utc};
use diesel::sql_types::BigInt;
use diesel::{
    ExpressionMethods, OptionalExtension, PgExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::backup::{Backup, BackupPiece, BackupReason, BackupState, BackupWork};
use shared_types::{BackupId, InstanceId};

use crate::backups::Piece;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::backups;
use crate::platform::origin::Actor;

/// The works of which one at a time reads or writes the databases of an instance.
const ONE_AT_A_TIME: &[BackupWork] = &[BackupWork::Write, BackupWork::Verify, BackupWork::Restore];

/// A row of `backups`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = backups)]
pub struct BackupRow {
    pub id: BackupId,
    pub instance_id: InstanceId,
    pub state: BackupState,
    pub reason: BackupReason,
    pub created_by: Actor,
    pub created: DateTime<Utc>,
    /// When it was complete or had failed.
    pub ended: Option<DateTime<Utc>>,
    /// A list of [`Piece`]; empty until it is complete.
    pub pieces: Value,
    /// Why the last attempt failed; none: it did not.
    pub trouble: Option<String>,
    /// What is to be done with it.
    pub work: Option<BackupWork>,
    pub work_by: Option<Actor>,
    pub work_bytes: i64,
    /// Whether the present restore has put the maintenance page up.
    pub has_page: bool,
    /// Whether the present restore has begun to delete databases.
    pub is_replacing: bool,
    /// Fencing token. A later holder has a higher one.
    pub claim: i64,
    /// How many attempts in a row of the present work have failed.
    pub failures: i32,
    pub verified: Option<DateTime<Utc>>,
    pub restored: Option<DateTime<Utc>>,
    /// The instance whose databases the present restore replaces; None: its own.
    pub into_instance_id: Option<InstanceId>,
}

impl BackupRow {
    /// The instance whose databases the present work reads or writes.
    pub fn target(&self) -> InstanceId {
        self.into_instance_id.unwrap_or(self.instance_id)
    }

    /// Its id in words, for the log of [`Self::target`]: `42`, `42 of instance 7`.
    pub fn words(&self) -> String {
        match self.into_instance_id {
            None => self.id.to_string(),
            Some(_) => format!("{} of instance {}", self.id, self.instance_id),
        }
    }

    /// The files in it.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when the stored list cannot be parsed.
    pub fn pieces(&self) -> Result<Vec<Piece>, DbError> {
        Ok(serde::Deserialize::deserialize(&self.pieces)?)
    }

    /// The name of its directory at the place of backups: `17/42`.
    pub fn at(&self) -> String {
        at(self.instance_id, self.id)
    }

    /// Converts the row to the API's form.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when the stored list of files cannot be parsed.
    pub fn into_dto(self) -> Result<Backup, DbError> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let shown = |Piece { kind, name, bytes, sha256: _, tables: _, objects }| BackupPiece {
            kind,
            name,
            bytes: number(objects.as_ref().map_or(bytes, |objects| objects.bytes)),
            objects: objects.as_ref().map(|objects| number(objects.count)),
            copied: objects.as_ref().map(|objects| number(objects.copied)),
        };
        let pieces = self.pieces()?.into_iter().map(shown).collect();
        let Self {
            id,
            instance_id,
            state,
            reason,
            created_by,
            created,
            ended,
            pieces: _,
            trouble,
            work,
            work_by: _,
            work_bytes,
            has_page: _,
            is_replacing: _,
            claim: _,
            failures: _,
            verified,
            restored,
            into_instance_id,
        } = self;
        Ok(Backup {
            id,
            instance_id,
            state,
            state_name: state.name().to_owned(),
            reason,
            work,
            work_bytes,
            pieces,
            trouble,
            created_by: created_by.to_string(),
            created,
            ended,
            verified,
            restored,
            into_instance_id,
        })
    }
}

fn at(instance: InstanceId, id: BackupId) -> String {
    format!("{instance}/{id}")
}

/// The backups of an instance, the newest first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of_instance(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Vec<BackupRow>, DbError> {
    Ok(backups::table
        .filter(backups::instance_id.eq(of))
        .order(backups::id.desc())
        .select(BackupRow::as_select())
        .load(conn)
        .await?)
}

/// Reads a backup; none: there is none with this id.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: BackupId) -> Result<Option<BackupRow>, DbError> {
    Ok(backups::table.find(id).select(BackupRow::as_select()).first(conn).await.optional()?)
}

/// Names of complete backups at the place, the newest first, without those that are being deleted. At most `limit`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn newest_complete(conn: &mut AsyncPgConnection, limit: i64) -> Result<Vec<String>, DbError> {
    let rows: Vec<(InstanceId, BackupId)> = backups::table
        .filter(backups::state.eq(BackupState::Complete))
        .filter(backups::work.is_distinct_from(BackupWork::Delete))
        .order(backups::id.desc())
        .limit(limit)
        .select((backups::instance_id, backups::id))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|(instance, id)| at(instance, id)).collect())
}

/// The backup that is being written from, verified at or restored into an instance, or waits for that. It may be another instance's.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn at_work(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Option<BackupRow>, DbError> {
    Ok(backups::table
        // As the unique index has it.
        .filter(fixed::<BigInt>("coalesce(into_instance_id, instance_id)").eq(of))
        .filter(backups::work.eq_any(ONE_AT_A_TIME))
        .select(BackupRow::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// The backup that an instance's databases are being replaced by, or wait to be.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn restoring(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Option<BackupRow>, DbError> {
    Ok(at_work(conn, of).await?.filter(|row| row.work == Some(BackupWork::Restore)))
}

/// Stores a backup that is to be written; the caller has locked the instance.
///
/// # Errors
/// [`DbError`] when the statement fails, also if another work on the instance's backups has begun.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    of: InstanceId,
    reason: BackupReason,
    by: &Actor,
) -> Result<BackupRow, DbError> {
    let new = (
        backups::instance_id.eq(of),
        backups::reason.eq(reason),
        backups::created_by.eq(by),
        backups::work.eq(Some(BackupWork::Write)),
        backups::work_by.eq(Some(by)),
    );
    let stored = diesel::insert_into(backups::table).values(new).returning(BackupRow::as_returning());
    Ok(stored.get_result(conn).await?)
}

/// Begins a work on a backup; none: something is being done with it already. `into`: the instance whose databases it replaces, if that
/// is another one than its own.
///
/// # Errors
/// [`DbError`] when the statement fails, also if another work on the instance's backups has begun.
pub async fn begin(
    conn: &mut AsyncPgConnection,
    id: BackupId,
    (work, into): (BackupWork, Option<InstanceId>),
    by: &Actor,
) -> Result<Option<BackupRow>, DbError> {
    Ok(diesel::update(backups::table.find(id))
        .filter(backups::work.is_null())
        .set((
            backups::work.eq(Some(work)),
            backups::work_by.eq(Some(by)),
            backups::work_bytes.eq(0),
            backups::into_instance_id.eq(into),
        ))
        .returning(BackupRow::as_returning())
        .get_result(conn)
        .await
        .optional()?)
}
