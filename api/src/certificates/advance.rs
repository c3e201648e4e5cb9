//! Takes certificates through their states, a step at a time: [`Certifier::sweep`] does the steps that are due.
//!
//! A step may be repeated and may be interrupted anywhere. What it needs to continue is stored before the request that
//! depends on it. Each step ends with the time of the next one, so nothing waits for ever: an order is given up after
//! [`Pace::order_limit`], and failures are repeated after pauses of up to twelve hours.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shared_types::certificate::CertificateState;

use super::authority::{Authority, AuthorityError};
use super::challenges::{Challenges, DnsChallenges};
use super::error::StepError;
use super::limits::Limits;
use super::renewal::back_off;
use super::store::{self, CertificateRow, orders, wanted, work};
use crate::platform::db::{Db, DbError};
use crate::platform::vault::Keyring;

/// The longest a step may take; its claim lasts longer.
const STEP: Duration = Duration::from_secs(300);
/// How many certificates one worker works on at once.
const AT_ONCE: usize = 4;

/// The times of the steps of an order.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The pause between two looks at an order, if the authority does not say.
    pub poll: TimeDelta,
    /// After which an order is given up.
    pub order_limit: TimeDelta,
    /// The shortest time between an issue and the next one, also if the authority suggests an earlier window.
    pub shortest_use: TimeDelta,
}

impl Default for Pace {
    fn default() -> Self {
        Self { poll: TimeDelta::seconds(3), order_limit: TimeDelta::hours(1), shortest_use: TimeDelta::hours(6) }
    }
}

/// Gets certificates from an authority.
#[derive(Debug)]
pub struct Certifier {
    pub parts: Parts,
    /// Held while an account is made, so that this process makes one.
    pub(super) registering: tokio::sync::Mutex<()>,
}

impl Deref for Certifier {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// What a [`Certifier`] works with.
#[derive(Debug, Clone)]
pub struct Parts {
    pub db: Db,
    pub keyring: Keyring,
    pub authority: Arc<dyn Authority>,
    /// Publishes the answers to the authority's challenges.
    pub answers: Answers,
    pub limits: Limits,
    pub pace: Pace,
}

/// How answers to the authority's challenges are published.
#[derive(Debug, Clone)]
pub enum Answers {
    /// HTTP-01, by the gateways.
    Http(Arc<dyn Challenges>),
    /// DNS-01.
    Dns(Arc<dyn DnsChallenges>),
}

/// What came of a step that did not fail.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next one is due at once.
    Next,
    /// The next one is due then. The words: what is waited for.
    Wait(DateTime<Utc>, Option<String>),
    /// The step has stored its outcome itself.
    Done,
}

impl Certifier {
    /// A certifier of these parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts, registering: tokio::sync::Mutex::new(()) }
    }

    /// Makes the rows what the instances want, and does the steps that are due. Several workers may do that at once.
    ///
    /// # Errors
    /// [`DbError`] when a statement fails. The claim of its certificate runs out, and another worker continues.
    pub async fn sweep(&self) -> Result<(), DbError> {
        wanted::sync(&mut *self.db.conn().await?, self.authority.directory()).await?;
        let workers = (0..AT_ONCE).map(|_| async {
            while let Some(row) = self.claim().await? {
                self.advance(&row).await?;
            }
            Ok::<_, DbError>(())
        });
        // A failure of one does not interrupt the steps of the others.
        futures::future::join_all(workers).await.into_iter().collect()
    }

    /// Deletes what is not needed any more: certificates without an instance, old orders.
    ///
    /// # Errors
    /// [`DbError`] when a statement fails.
    pub async fn clean(&self) -> Result<(), DbError> {
        let mut conn = self.db.conn().await?;
        wanted::forget_unwanted(&mut conn).await?;
        orders::forget_old(&mut conn).await
    }

    /// The certificate whose step has been due longest, for this worker alone.
    ///
    /// # Errors
    /// [`DbError`] when a statement fails.
    pub async fn claim(&self) -> Result<Option<CertificateRow>, DbError> {
        store::work::claim(&mut *self.db.conn().await?).await
    }

    /// Does one step with a claimed certificate, and ends the claim.
    ///
    /// # Errors
    /// [`DbError`] when a statement fails.
    pub async fn advance(&self, row: &CertificateRow) -> Result<(), DbError> {
        // Boxed, as it holds the futures of all steps.
        let step = match tokio::time::timeout(STEP, Box::pin(self.step(row))).await {
            Ok(step) => step,
            Err(_) => Err(StepError::Failed("the step took too long".to_owned())),
        };
        let now = Utc::now();
        let (id, names) = (row.id, row.names.join(", "));
        let mut conn = self.db.conn().await?;
        let is_ours = match step {
            Ok(Step::Done) => true,
            Ok(Step::Next) => work::postpone(&mut conn, row, CertificateState::Ordering, now, None).await?,
            Ok(Step::Wait(at, words)) => {
                work::postpone(&mut conn, row, CertificateState::Ordering, at, words.as_deref()).await?
            }
            Err(StepError::Limit { words, until }) => {
                tracing::info!(certificate = %id, %names, "a certificate is {words}");
                let state = if row.state == CertificateState::Ordering { resting(row) } else { row.state };
                work::postpone(&mut conn, row, state, until, Some(&words)).await?
            }
            Err(StepError::Db(error)) => return Err(error),
            Err(error @ (StepError::Authority(_) | StepError::Failed(_))) => {
                let failures = row.attempts.saturating_add(1);
                let at = (now + back_off(failures)).max(asked_for(&error).unwrap_or(now));
                tracing::warn!(certificate = %id, %names, %error, failures, next = %at, "a certificate was not issued");
                work::fail(&mut conn, row, at, &error.to_string()).await?
            }
        };
        if !is_ours {
            tracing::info!(certificate = %id, "another worker has claimed a certificate meanwhile");
        }
        Ok(())
    }

    async fn step(&self, row: &CertificateRow) -> Result<Step, StepError> {
        let open = orders::open(&mut *self.db.conn().await?, row.id).await?;
        match open {
            Some(order) => self.follow(row, &order).await,
            None if row.is_due(self.authority.directory(), Utc::now()) => self.begin(row).await,
            None => self.plan_renewal(row).await,
        }
    }
}

/// The state of a certificate without an order.
const fn resting(row: &CertificateRow) -> CertificateState {
    match (&row.failing_since, &row.chain) {
        (Some(_), _) => CertificateState::Failing,
        (_, Some(_)) => CertificateState::Valid,
        (_, None) => CertificateState::Wanted,
    }
}

/// Before which the authority wants no other request; a day at most.
fn asked_for(error: &StepError) -> Option<DateTime<Utc>> {
    let at = match error {
        StepError::Authority(error) => AuthorityError::retry_at(error),
        StepError::Failed(_) | StepError::Limit { .. } | StepError::Db(_) => None,
    };
    at.map(|at| at.min(Utc::now() + TimeDelta::days(1)))
}
