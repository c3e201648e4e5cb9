//! Makes accounts, databases and buckets, each as single steps that may be repeated.

use diesel_async::AsyncConnection;
use shared_types::resource::{PUBLIC, ResourceClass, ResourcePart, ResourceState};
use shared_types::{InstanceId, ResourceKind};

use super::connection::Used;
use super::error::ResourceError;
use super::registry::Named;
use super::server::{Account, Admitted, Attempt, ServerError};
use super::store::work::Claim;
use super::store::{self, ResourceRow};
use super::works::Works;
use super::{names, numbers, password};

impl Works<'_> {
    /// Makes those of the resources that are not there yet, and looks for the others. An account comes before its databases.
    /// `used`: of one instance, each database with its account. `origins`: of the pages that may use its buckets. Returns, in words for
    /// people, what buckets should have and their servers refuse.
    ///
    /// # Errors
    /// The first [`ResourceError`]; what was made before it stays.
    pub async fn make(&self, used: &[Used], origins: &[String]) -> Result<Vec<String>, ResourceError> {
        let ids: Vec<_> = used.iter().map(|one| one.id).collect();
        let rows = store::with_ids(&mut *self.db.conn().await?, &ids).await?;
        let mut groups: Vec<_> = rows.iter().map(|row| (row.instance_id, row.kind)).collect();
        groups.dedup();
        let mut refused = Vec::new();
        for (instance, kind) in groups {
            let mut claim = self.claim(instance, kind).await?;
            let made = self.make_kind(&mut claim, (instance, kind), (used, origins)).await;
            self.release(claim).await?;
            refused.extend(made?);
        }
        Ok(refused)
    }

    async fn make_kind(
        &self,
        claim: &mut Claim,
        (instance, kind): (InstanceId, ResourceKind),
        (used, origins): (&[Used], &[String]),
    ) -> Result<Vec<String>, ResourceError> {
        let mut refused = Vec::new();
        let ids: Vec<_> = used.iter().map(|one| one.id).collect();
        // Read after the claim: the worker that had it before may have moved or renamed them.
        let rows = store::with_ids(&mut *self.db.conn().await?, &ids).await?;
        let rows: Vec<_> = rows.into_iter().filter(|row| row.instance_id == instance && row.kind == kind).collect();
        let account = rows.iter().find(|row| row.part == ResourcePart::Account).cloned();
        for row in rows {
            if !used.iter().any(|one| one.id == row.id && one.remote_name == row.remote_name) {
                return Err(ResourceError::Taken(format!(
                    "{}: it got this name after the launch, because the earlier one was taken; launch again",
                    row.words()
                )));
            }
            self.renew(claim, &row).await?;
            let Some(account) = &account else {
                return Err(ResourceError::Refused(format!("{} has no account", row.words())));
            };
            let made = async {
                self.make_one(claim, &row, account).await?;
                self.admit(claim, &row, origins).await
            };
            match made.await {
                Ok(words) => refused.extend(words),
                Err(error) => return Err(self.told(&row, error).await),
            }
        }
        Ok(refused)
    }

    /// Says who may use a bucket, each time, as the instance's host names may have changed. What the server refuses keeps no build from
    /// going on: programs on machines can use the bucket without.
    async fn admit(
        &self,
        claim: &mut Claim,
        row: &ResourceRow,
        origins: &[String],
    ) -> Result<Vec<String>, ResourceError> {
        if row.part == ResourcePart::Account || !row.kind.is_object_storage() {
            return Ok(Vec::new());
        }
        let Some(named) = self.server(row)? else { return Ok(Vec::new()) };
        self.renew(claim, row).await?;
        let admitted = Admitted { is_public: row.name == PUBLIC, origins };
        let refused = named.server.admit(&row.remote_name, &admitted).await;
        let refused = refused.map_err(|error| ResourceError::at(row, error))?;
        let refused: Vec<_> = refused.into_iter().map(|words| format!("{}: {words}", row.words())).collect();
        if !refused.is_empty() {
            store::keep_trouble(&mut *self.db.conn().await?, row.id, Some(&refused.join("; "))).await?;
        }
        Ok(refused)
    }

    /// Stores why a resource cannot be used; returns the error.
    async fn told(&self, row: &ResourceRow, error: ResourceError) -> ResourceError {
        let words = match &error {
            ResourceError::Away(words) | ResourceError::Vanished(words) => words,
            ResourceError::Busy(_)
            | ResourceError::Unfinished(_)
            | ResourceError::Refused(_)
            | ResourceError::Taken(_)
            | ResourceError::Db(_) => return error,
        };
        let kept = async { store::keep_trouble(&mut *self.db.conn().await?, row.id, Some(words)).await }.await;
        match kept {
            Ok(()) => error,
            Err(failed) => failed.into(),
        }
    }

    async fn make_one(&self, claim: &mut Claim, row: &ResourceRow, account: &ResourceRow) -> Result<(), ResourceError> {
        if row.class == ResourceClass::Given {
            return Ok(());
        }
        let Some(named) = self.server(row)? else { return Ok(()) };
        match row.state {
            ResourceState::Present => self.look(named, row).await,
            ResourceState::Wanted => {
                let is_used = named.server.is_used(row.part, &row.remote_name).await;
                if is_used.map_err(|error| ResourceError::at(row, error))? {
                    return Err(self.rename(named, row).await?);
                }
                self.renew(claim, row).await?;
                let row = self.moved(row, ResourceState::Creating, None).await?;
                self.create(named, &row, account, Attempt::First).await
            }
            ResourceState::Failed => {
                let row = self.moved(row, ResourceState::Creating, None).await?;
                self.create(named, &row, account, Attempt::Again).await
            }
            ResourceState::Creating => self.create(named, row, account, Attempt::Again).await,
            ResourceState::Deleting | ResourceState::Deleted => {
                Err(ResourceError::Refused(format!("{} is {}", row.words(), row.state.as_str())))
            }
        }
    }

    /// Asks the server for what it has confirmed before.
    async fn look(&self, named: &Named, row: &ResourceRow) -> Result<(), ResourceError> {
        let is_there =
            named.server.has(row.part, &row.remote_name).await.map_err(|error| ResourceError::at(row, error))?;
        if !is_there {
            return Err(ResourceError::Vanished(format!(
                "{} existed, and the server has it no more. Nothing is made in its place, because that would be empty: \
                 restore it there under the same name, or purge the instance",
                row.words()
            )));
        }
        if row.password_due {
            self.tell_password(named, row).await?;
        }
        if row.trouble.is_some() {
            store::keep_trouble(&mut *self.db.conn().await?, row.id, None).await?;
        }
        Ok(())
    }

    async fn create(
        &self,
        named: &Named,
        row: &ResourceRow,
        account: &ResourceRow,
        attempt: Attempt,
    ) -> Result<(), ResourceError> {
        let made = match row.part {
            ResourcePart::Account => {
                let account = match named.server.shared_account() {
                    Some(shared) => shared,
                    None => self.account(row).await?,
                };
                named.server.make_account(&account, attempt).await
            }
            ResourcePart::Database => named.server.make_database(&row.remote_name, &account.remote_name, attempt).await,
        };
        match made {
            Ok(()) => self.moved(row, ResourceState::Present, None).await.map(drop),
            // Stores say whose a bucket is, also at a later attempt; of databases, it may then be ours.
            Err(ServerError::Taken) if attempt == Attempt::First || row.kind.is_object_storage() => {
                Err(self.rename(named, row).await?)
            }
            Err(error @ (ServerError::Refused(_) | ServerError::Taken)) => {
                let words = error.to_string();
                self.moved(row, ResourceState::Failed, Some(&words)).await?;
                Err(ResourceError::at(row, error))
            }
            Err(error @ (ServerError::Away(_) | ServerError::Unfinished(_))) => Err(ResourceError::at(row, error)),
        }
    }

    /// The account with its password.
    pub(super) async fn account(&self, row: &ResourceRow) -> Result<Account, ResourceError> {
        let password = password::open(self.keyring, &mut *self.db.conn().await?, &row.secret).await?;
        Ok(Account { username: row.remote_name.clone(), password })
    }

    /// Moves a resource to another state; returns its row as it is then.
    pub(super) async fn moved(
        &self,
        row: &ResourceRow,
        to: ResourceState,
        trouble: Option<&str>,
    ) -> Result<ResourceRow, ResourceError> {
        let mut conn = self.db.conn().await?;
        let is_moved = conn.transaction(async |conn| store::transition(conn, row, to, trouble).await).await?;
        // Only the holder of the claim moves a resource, or an operator who began to delete it.
        if !is_moved {
            return Err(ResourceError::Busy(row.words()));
        }
        Ok(ResourceRow { state: to, trouble: trouble.map(str::to_owned), ..row.clone() })
    }

    /// Gives a resource whose name is taken another one, and returns the error that says so.
    async fn rename(&self, named: &Named, row: &ResourceRow) -> Result<ResourceError, ResourceError> {
        let installation = self.db.installation().await?;
        let mut conn = self.db.conn().await?;
        conn.transaction(async |conn| {
            let next = match (row.part, named.server.numbers()) {
                (ResourcePart::Account, _) => Some(names::username(&installation)?),
                (ResourcePart::Database, None) => {
                    Some(names::database(row.kind, &installation, row.instance_id.0, &row.name)?)
                }
                (ResourcePart::Database, Some(count)) => {
                    let free = numbers::free(conn, &named.name, count, Some(&row.remote_name)).await?;
                    free.map(|number| number.to_string())
                }
            };
            let taken = format!("{}: at the server, something that is not ours has this name", row.words());
            let words = match &next {
                Some(next) => format!("{taken}. It was not touched; the next launch uses {next}"),
                None => format!("{taken}, and no other number is free"),
            };
            store::rename(conn, row, next.as_deref().unwrap_or(&row.remote_name), &words).await?;
            Ok(ResourceError::Taken(words))
        })
        .await
    }
}
