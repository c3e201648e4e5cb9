//! Begins an order: the account, the limits, the row, then the authority.

use diesel_async::AsyncConnection as _;
use secrecy::SecretString;

use super::advance::{Certifier, Step};
use super::authority::AuthorityError;
use super::error::StepError;
use super::store::orders::{Ending, NewOrder, OrderRow};
use super::store::{CertificateRow, accounts, counts, orders, work};
use super::{limits, names};
use crate::platform::db::DbError;
use crate::platform::vault::{self, Owner};

/// An account at the authority.
pub(super) struct Account {
    pub id: i64,
    pub credentials: SecretString,
}

impl Certifier {
    pub(super) async fn begin(&self, row: &CertificateRow) -> Result<Step, StepError> {
        if row.names.len() > self.limits.names {
            let (most, own) = (self.limits.names, row.names.len());
            return Err(StepError::Failed(format!(
                "the instance has {own} host names, and a certificate of this authority has at most {most}; remove some"
            )));
        }
        let account = self.account().await?;
        let Some(order) = self.reserve(row, &account).await? else { return Ok(Step::Done) };
        let directory = self.authority.directory();
        let replaced = row.chain.as_deref().filter(|_| row.origin.as_deref() == Some(directory));
        match self.authority.order(&account.credentials, &row.names, replaced).await {
            Ok(url) => {
                orders::keep_url(&mut *self.db.conn().await?, order.id, &url).await?;
                Ok(Step::Next)
            }
            Err(error) => {
                self.end(&order, Ending::Abandoned, &error.to_string()).await?;
                Err(self.without_account(error, &account).await?)
            }
        }
    }

    /// Stores the order, unless a limit is reached. None: another worker has claimed the certificate.
    async fn reserve(&self, row: &CertificateRow, account: &Account) -> Result<Option<OrderRow>, StepError> {
        let mut conn = self.db.conn().await?;
        conn.transaction(async |conn| {
            if !work::holds(conn, row).await? {
                return Ok(None);
            }
            counts::lock(conn, account.id).await?;
            let is_renewal = counts::is_renewal(conn, account.id, &row.names).await?;
            let uses = counts::uses(conn, &self.limits, account.id, &row.names, is_renewal).await?;
            if let Some((until, words)) = limits::reached(&uses) {
                return Err(StepError::Limit { words, until });
            }
            let domains = names::registered_domains(&row.names);
            let (certificate_id, names) = (row.id, row.names.clone());
            let new = NewOrder { account_id: account.id, certificate_id, names, domains, is_renewal };
            Ok(Some(orders::insert(conn, &new).await?))
        })
        .await
    }

    /// The account at the authority; made if there is none. If two processes make one, the first that is stored is used.
    pub(super) async fn account(&self) -> Result<Account, StepError> {
        let _one_at_a_time = self.registering.lock().await;
        if let Some(found) = self.stored_account(&mut *self.db.conn().await?).await? {
            return Ok(found);
        }
        let (directory, credentials) = (self.authority.directory(), self.authority.register().await?);
        let mut conn = self.db.conn().await?;
        conn.transaction(async |conn| {
            accounts::lock(conn, directory).await?;
            if let Some(found) = self.stored_account(conn).await? {
                return Ok(found);
            }
            let id = accounts::upsert(conn, directory).await?;
            vault::keep_owned(&self.keyring, conn, Owner::AcmeAccount(id), &credentials).await?;
            tracing::info!(directory, "an account was made at the certificate authority");
            Ok(Account { id, credentials })
        })
        .await
    }

    async fn stored_account(&self, conn: &mut diesel_async::AsyncPgConnection) -> Result<Option<Account>, DbError> {
        let Some(id) = accounts::find(conn, self.authority.directory()).await? else { return Ok(None) };
        let credentials = vault::open_owned(&self.keyring, conn, Owner::AcmeAccount(id)).await?;
        Ok(credentials.map(|credentials| Account { id, credentials }))
    }

    /// If the authority does not know the account, forgets its credentials, so that the next attempt makes another one.
    pub(super) async fn without_account(
        &self,
        error: AuthorityError,
        account: &Account,
    ) -> Result<StepError, StepError> {
        if let AuthorityError::NoAccount(_) = &error {
            vault::forget_owned(&mut *self.db.conn().await?, Owner::AcmeAccount(account.id)).await?;
        }
        Ok(error.into())
    }

    /// Ends an order, and deletes its key.
    pub(super) async fn end(&self, order: &OrderRow, ending: Ending, words: &str) -> Result<(), DbError> {
        let mut conn = self.db.conn().await?;
        conn.transaction(async |conn| {
            orders::end(conn, order.id, ending, Some(words)).await?;
            vault::forget_owned(conn, Owner::AcmeOrder(order.id)).await
        })
        .await
    }
}
