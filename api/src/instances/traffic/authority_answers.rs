//! Publishes the answers to certificate authorities at all gateways.

use std::sync::Arc;

use async_trait::async_trait;
use diesel_async::AsyncConnection as _;

use crate::certificates::challenges::{ChallengeError, Challenges, Http01};
use crate::certificates::store::challenges as store;
use crate::platform::db::{Db, DbError};
use crate::routing::store::{marks, table};
use crate::routing::traffic::{Challenge, Traffic, TrafficError};

/// Stores answers, and waits until every live gateway gives them.
#[derive(Debug, Clone)]
pub struct GatewayAnswers {
    /// Where the answers are stored.
    pub db: Db,
    /// The gateways.
    pub traffic: Arc<dyn Traffic>,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Traffic(#[from] TrafficError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for Fault {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// A change of the stored answers.
enum Change<'a> {
    Put(&'a [Http01]),
    Remove(&'a [Http01]),
}

impl GatewayAnswers {
    /// Changes the stored answers, and gives all of them to the gateway. Both while the routes are locked: another process
    /// must not give it what it has read before. Returns the revision that has them.
    async fn change(&self, change: Change<'_>) -> Result<i64, Fault> {
        let mut conn = self.db.conn().await?;
        conn.transaction(async |conn| {
            table::lock(conn).await?;
            let changed = match change {
                Change::Put(answers) => store::put(conn, answers).await?,
                Change::Remove(answers) => store::remove(conn, answers).await?,
            };
            if changed > 0 {
                marks::challenges(conn).await?;
            }
            let all = store::all(conn).await?.into_iter();
            let all: Vec<_> = all.map(|one| Challenge { token: one.token, answer: one.key_authorization }).collect();
            self.traffic.set_challenges(&all).await?;
            Ok(marks::revision_of_challenges(conn).await?)
        })
        .await
    }
}

#[async_trait]
impl Challenges for GatewayAnswers {
    async fn put(&self, answers: &[Http01]) -> Result<(), ChallengeError> {
        let change = self.change(Change::Put(answers)).await;
        let revision = change.map_err(|fault| match fault {
            Fault::Traffic(error) => ChallengeError::NotYet(error.0),
            Fault::Db(error) => ChallengeError::Failed(error.to_string()),
        })?;
        self.traffic.settled(revision).await.map_err(|error| ChallengeError::NotYet(error.0))
    }

    async fn remove(&self, answers: &[Http01]) -> Result<(), ChallengeError> {
        let change = self.change(Change::Remove(answers)).await;
        change.map(drop).map_err(|fault| ChallengeError::Failed(fault.to_string()))
    }
}
