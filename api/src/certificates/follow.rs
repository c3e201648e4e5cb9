//! Follows an order that is under way: answers, the request for the certificate, the certificate.

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;
use secrecy::SecretString;

use super::advance::{Answers, Certifier, Step};
use super::authority::{AuthorityError, ChallengeKind, OrderStatus, OrderView, Validation, ValidationStatus};
use super::begin::Account;
use super::challenges::{ChallengeError, Dns01, Http01};
use super::error::StepError;
use super::store::CertificateRow;
use super::store::orders::{self, Ending, OrderRow};
use super::store::work::{self, Issued};
use super::{names, pem, renewal};
use crate::platform::vault::{self, Owner};

impl Certifier {
    pub(super) async fn follow(&self, row: &CertificateRow, order: &OrderRow) -> Result<Step, StepError> {
        let Some(url) = &order.url else {
            self.end(order, Ending::Abandoned, "the answer to it was lost").await?;
            return Ok(Step::Next);
        };
        let account = self.account().await?;
        if account.id != order.account_id {
            self.end(order, Ending::Abandoned, "the settings name another authority since").await?;
            return Ok(Step::Next);
        }
        if order.created + self.pace.order_limit < Utc::now() {
            let words = format!("the order did not end within {} minutes", self.pace.order_limit.num_minutes());
            let words = match &row.last_error {
                Some(last) => format!("{words}: {last}"),
                None => words,
            };
            self.end(order, Ending::Failed, &words).await?;
            return Err(StepError::Failed(words));
        }
        let step = self.follow_at(row, order, &account, url).await;
        match step {
            Err(StepError::Authority(error @ (AuthorityError::Unknown(_) | AuthorityError::NoAccount(_)))) => {
                self.end(order, Ending::Abandoned, &error.to_string()).await?;
                Err(self.without_account(error, &account).await?)
            }
            Err(StepError::Authority(error @ AuthorityError::Refused(_))) => {
                self.end(order, Ending::Failed, &error.to_string()).await?;
                Err(error.into())
            }
            // The order stays: the next step looks at it again.
            other => other,
        }
    }

    async fn follow_at(
        &self,
        row: &CertificateRow,
        order: &OrderRow,
        account: &Account,
        url: &str,
    ) -> Result<Step, StepError> {
        let view = self.authority.look(&account.credentials, url).await?;
        match view.status {
            OrderStatus::Pending => self.answer(account, url, &view).await,
            OrderStatus::Ready => {
                let request = self.request(order).await?;
                self.authority.finalize(&account.credentials, url, &request).await?;
                Ok(Step::Next)
            }
            OrderStatus::Processing => Ok(Step::Wait(self.next_look(&view), None)),
            OrderStatus::Valid => self.fetch(row, order, account, url, &view).await,
            OrderStatus::Invalid => self.fail(order, &view).await,
        }
    }

    fn next_look(&self, view: &OrderView) -> DateTime<Utc> {
        let own = Utc::now() + self.pace.poll;
        view.retry_at.unwrap_or(own).clamp(own, own + self.pace.order_limit)
    }

    /// Publishes the answers, and tells the authority once they are published.
    async fn answer(&self, account: &Account, url: &str, view: &OrderView) -> Result<Step, StepError> {
        let waiting = |one: &&Validation| one.status == ValidationStatus::Waiting;
        let open: Vec<_> = view.validations.iter().filter(waiting).collect();
        if open.is_empty() {
            return Ok(Step::Wait(self.next_look(view), None));
        }
        let (published, kind) = match &self.answers {
            Answers::Http(port) => {
                (port.put(&answers(&open, http_answer, ("HTTP", "dns"))?).await, ChallengeKind::Http)
            }
            Answers::Dns(port) => {
                (port.put(&answers(&open, dns_answer, ("the DNS", "http"))?).await, ChallengeKind::Dns)
            }
        };
        match published {
            Ok(()) => {
                self.authority.answered(&account.credentials, url, kind).await?;
                Ok(Step::Wait(self.next_look(view), None))
            }
            Err(ChallengeError::NotYet(words)) => Ok(Step::Wait(Utc::now() + self.pace.poll, Some(words))),
            Err(ChallengeError::Failed(words)) => {
                Err(StepError::Failed(format!("the answers to the authority could not be published: {words}")))
            }
        }
    }

    /// The request for the certificate. Its key is stored before.
    async fn request(&self, order: &OrderRow) -> Result<Vec<u8>, StepError> {
        let mut conn = self.db.conn().await?;
        let owner = Owner::AcmeOrder(order.id);
        let key = match vault::open_owned(&self.keyring, &mut conn, owner).await? {
            Some(key) => key,
            None => {
                let key = pem::new_key().map_err(StepError::Failed)?;
                vault::keep_owned(&self.keyring, &mut conn, owner, &key).await?;
                key
            }
        };
        pem::request(&order.names, &key).map_err(StepError::Failed)
    }

    async fn fetch(
        &self,
        row: &CertificateRow,
        order: &OrderRow,
        account: &Account,
        url: &str,
        view: &OrderView,
    ) -> Result<Step, StepError> {
        let Some(chain) = self.authority.certificate(&account.credentials, url).await? else {
            return Ok(Step::Wait(self.next_look(view), None));
        };
        let key = vault::open_owned(&self.keyring, &mut *self.db.conn().await?, Owner::AcmeOrder(order.id)).await?;
        match check(&chain, key.as_ref(), order) {
            Ok(facts) => self.publish(row, order, view, (&chain, &facts)).await,
            Err(words) => {
                let words = format!("the authority issued a certificate that cannot be used: {words}");
                self.end(order, Ending::Failed, &words).await?;
                Err(StepError::Failed(words))
            }
        }
    }

    /// Stores chain and key in one transaction.
    async fn publish(
        &self,
        row: &CertificateRow,
        order: &OrderRow,
        view: &OrderView,
        (chain, facts): (&str, &pem::Facts),
    ) -> Result<Step, StepError> {
        let renew_at = renewal::at_two_thirds(facts.not_before, facts.not_after);
        let issued = Issued { chain, origin: self.authority.directory(), facts, renew_at };
        let mut conn = self.db.conn().await?;
        conn.transaction(async |conn| {
            if work::publish(conn, row, &issued).await? {
                orders::end(conn, order.id, Ending::Issued, None).await?;
                vault::hand_over(conn, Owner::AcmeOrder(order.id), Owner::Certificate(row.id)).await?;
            }
            Ok::<_, StepError>(())
        })
        .await?;
        self.remove(view).await;
        tracing::info!(certificate = %row.id, names = row.names.join(", "), until = %facts.not_after, "a certificate was issued");
        Ok(Step::Done)
    }

    /// Records which validations failed, and ends the order.
    async fn fail(&self, order: &OrderRow, view: &OrderView) -> Result<Step, StepError> {
        let failed = view.validations.iter().filter(|one| one.status == ValidationStatus::Failed);
        let (mut hosts, mut words) = (Vec::new(), Vec::new());
        for Validation { hostname, trouble, .. } in failed {
            hosts.push(hostname.clone());
            words.push(format!("{hostname}: {}", trouble.as_deref().unwrap_or("the authority does not say why")));
        }
        words.extend(view.trouble.clone().filter(|_| hosts.is_empty()));
        let words = if words.is_empty() { "the order has failed".to_owned() } else { words.join("; ") };
        self.remove(view).await;
        orders::record_failures(&mut *self.db.conn().await?, order.account_id, &hosts).await?;
        self.end(order, Ending::Failed, &words).await?;
        Err(StepError::Failed(words))
    }

    /// Removes the answers. Those that stay are of no use to others.
    async fn remove(&self, view: &OrderView) {
        let all = view.validations.iter();
        let removed = match &self.answers {
            Answers::Http(port) => port.remove(&all.filter_map(http_answer).collect::<Vec<_>>()).await,
            Answers::Dns(port) => port.remove(&all.filter_map(dns_answer).collect::<Vec<_>>()).await,
        };
        if let Err(error) = removed {
            tracing::warn!(%error, "answers to the certificate authority were not removed");
        }
    }
}

/// Whether a chain is what was ordered.
fn check(chain: &str, key: Option<&SecretString>, order: &OrderRow) -> Result<pem::Facts, String> {
    let facts = pem::read(chain)?;
    pem::check_key(chain, key.ok_or("its key is lost")?)?;
    if !names::cover_all(&facts.names, &order.names) {
        return Err(format!("it is for {}", facts.names.join(", ")));
    }
    Ok(facts)
}

fn http_answer(one: &Validation) -> Option<Http01> {
    let Validation { hostname, token, key_authorization, has_http, .. } = one;
    has_http.then(|| Http01 {
        hostname: hostname.clone(),
        token: token.clone(),
        key_authorization: key_authorization.clone(),
    })
}

fn dns_answer(one: &Validation) -> Option<Dns01> {
    let name = format!("_acme-challenge.{}", one.hostname);
    one.dns_value.as_ref().map(|value| Dns01 { name, value: value.clone() })
}

/// The answers for all of these. The last argument is for the message about a name without one: the way, and the other word of
/// the setting.
fn answers<T>(
    all: &[&Validation],
    answer: impl Fn(&Validation) -> Option<T>,
    (way, other): (&str, &str),
) -> Result<Vec<T>, StepError> {
    let missing = |one: &Validation| {
        let host = &one.hostname;
        StepError::Failed(format!(
            "the authority does not validate {host} by {way}; set OCIM_ACME_CHALLENGE to {other}"
        ))
    };
    all.iter().map(|one| answer(one).ok_or_else(|| missing(one))).collect()
}
