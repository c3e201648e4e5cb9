//! An authority in memory, whose failures are set by tests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chrono::Utc;
use rcgen::{CertificateParams, CertificateSigningRequestParams, Issuer, KeyPair};
use secrecy::SecretString;
use tokio::sync::Notify;

use super::authority::{
    Authority, AuthorityError, ChallengeKind, OrderStatus, OrderView, Validation, ValidationStatus, Window,
};
use super::challenges::{ChallengeError, Challenges, Http01};

/// An authority in memory. It validates a name as soon as it is told of the answer.
#[derive(Debug)]
pub struct FakeAuthority {
    directory: String,
    days: i64,
    state: Mutex<State>,
    halted: Notify,
}

#[derive(Debug, Default)]
struct State {
    orders: BTreeMap<String, Order>,
    accounts: usize,
    asked: Vec<String>,
    failures: VecDeque<AuthorityError>,
    refused: BTreeMap<String, String>,
    window: Option<Window>,
    halt: Option<(String, Moment)>,
}

/// When a request is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The authority never gets it.
    Before,
    /// The authority has done it, and its answer is lost.
    After,
}

#[derive(Debug)]
struct Order {
    names: Vec<String>,
    status: OrderStatus,
    chain: Option<String>,
}

impl FakeAuthority {
    /// An authority with this directory, whose certificates are valid for so many days.
    pub fn new(directory: &str, days: i64) -> Self {
        Self { directory: directory.to_owned(), days, state: Mutex::default(), halted: Notify::new() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails the next request.
    pub fn fail_next(&self, error: AuthorityError) {
        self.state().failures.push_back(error);
    }

    /// Fails the validation of this name with these words, until they are none.
    pub fn refuse(&self, hostname: &str, words: Option<&str>) {
        let mut state = self.state();
        match words {
            Some(words) => state.refused.insert(hostname.to_owned(), words.to_owned()),
            None => state.refused.remove(hostname),
        };
    }

    /// Suggests this window for every certificate.
    pub fn suggest(&self, window: Option<Window>) {
        self.state().window = window;
    }

    /// Forgets all orders, as if they had never been made.
    pub fn forget_orders(&self) {
        self.state().orders.clear();
    }

    /// Lets the next request of this name never end; once.
    pub fn halt_at(&self, request: &str, moment: Moment) {
        self.state().halt = Some((request.to_owned(), moment));
    }

    /// Waits until a request is halted.
    pub async fn is_halted(&self) {
        self.halted.notified().await;
    }

    async fn gate(&self, request: &str, moment: Moment) {
        let is_here = self.state().halt.take_if(|halt| halt.0 == request && halt.1 == moment).is_some();
        if is_here {
            self.halted.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// The requests until now, by name.
    pub fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    /// How many accounts were made.
    pub fn accounts(&self) -> usize {
        self.state().accounts
    }

    fn begin(&self, request: &str) -> Result<std::sync::MutexGuard<'_, State>, AuthorityError> {
        let mut state = self.state();
        state.asked.push(request.to_owned());
        match state.failures.pop_front() {
            Some(error) => Err(error),
            None => Ok(state),
        }
    }

    fn issue(&self, request: &[u8]) -> Result<String, rcgen::Error> {
        let (key, params) = (KeyPair::generate()?, CertificateParams::new(vec!["ca.example".to_owned()])?);
        let issuer = Issuer::new(params, key);
        let mut signed = CertificateSigningRequestParams::from_der(&request.to_vec().into())?;
        let now = time::OffsetDateTime::now_utc();
        (signed.params.not_before, signed.params.not_after) = (now, now + time::Duration::days(self.days));
        Ok(signed.signed_by(&issuer)?.pem())
    }
}

fn unknown(url: &str) -> AuthorityError {
    AuthorityError::Unknown(format!("there is no order {url}"))
}

impl FakeAuthority {
    fn do_register(&self) -> Result<SecretString, AuthorityError> {
        let mut state = self.begin("register")?;
        state.accounts += 1;
        Ok(format!("account {}", state.accounts).into())
    }

    fn do_order(&self, names: &[String]) -> Result<String, AuthorityError> {
        let mut state = self.begin("order")?;
        let url = format!("{}/order/{}", self.directory, state.orders.len() + 1);
        let order = Order { names: names.to_vec(), status: OrderStatus::Pending, chain: None };
        state.orders.insert(url.clone(), order);
        Ok(url)
    }

    fn do_look(&self, url: &str) -> Result<OrderView, AuthorityError> {
        let state = self.begin("look")?;
        let order = state.orders.get(url).ok_or_else(|| unknown(url))?;
        let status = |name: &String| match order.status {
            OrderStatus::Pending => ValidationStatus::Waiting,
            OrderStatus::Invalid if state.refused.contains_key(name) => ValidationStatus::Failed,
            OrderStatus::Invalid | OrderStatus::Ready | OrderStatus::Processing | OrderStatus::Valid => {
                ValidationStatus::Valid
            }
        };
        let one = |name: &String| Validation {
            hostname: name.clone(),
            status: status(name),
            token: format!("token-{}", name.replace('.', "-")),
            key_authorization: format!("answer-{name}"),
            dns_value: Some(format!("value-{name}")),
            has_http: true,
            trouble: state.refused.get(name).cloned(),
        };
        let validations = order.names.iter().map(one).collect();
        Ok(OrderView { status: order.status, validations, trouble: None, retry_at: None })
    }

    fn do_answered(&self, url: &str) -> Result<(), AuthorityError> {
        let mut state = self.begin("answered")?;
        let State { orders, refused, .. } = &mut *state;
        let order = orders.get_mut(url).ok_or_else(|| unknown(url))?;
        let is_refused = order.names.iter().any(|name| refused.contains_key(name));
        order.status = if is_refused { OrderStatus::Invalid } else { OrderStatus::Ready };
        Ok(())
    }

    fn do_finalize(&self, url: &str, request: &[u8]) -> Result<(), AuthorityError> {
        let mut state = self.begin("finalize")?;
        let chain = self.issue(request).map_err(|error| AuthorityError::Refused(error.to_string()))?;
        let order = state.orders.get_mut(url).ok_or_else(|| unknown(url))?;
        (order.status, order.chain) = (OrderStatus::Valid, Some(chain));
        Ok(())
    }

    fn do_certificate(&self, url: &str) -> Result<Option<String>, AuthorityError> {
        let state = self.begin("certificate")?;
        Ok(state.orders.get(url).ok_or_else(|| unknown(url))?.chain.clone())
    }

    fn do_window(&self) -> Result<Option<Window>, AuthorityError> {
        let state = self.begin("window")?;
        let now = Utc::now();
        Ok(state.window.map(|window| Window { ask_again_at: window.ask_again_at.max(now), ..window }))
    }
}

#[async_trait]
impl Authority for FakeAuthority {
    fn directory(&self) -> &str {
        &self.directory
    }

    async fn register(&self) -> Result<SecretString, AuthorityError> {
        self.gate("register", Moment::Before).await;
        let done = self.do_register();
        self.gate("register", Moment::After).await;
        done
    }

    async fn order(&self, _: &SecretString, names: &[String], _: Option<&str>) -> Result<String, AuthorityError> {
        self.gate("order", Moment::Before).await;
        let done = self.do_order(names);
        self.gate("order", Moment::After).await;
        done
    }

    async fn look(&self, _: &SecretString, url: &str) -> Result<OrderView, AuthorityError> {
        self.gate("look", Moment::Before).await;
        let done = self.do_look(url);
        self.gate("look", Moment::After).await;
        done
    }

    async fn answered(&self, _: &SecretString, url: &str, _: ChallengeKind) -> Result<(), AuthorityError> {
        self.gate("answered", Moment::Before).await;
        let done = self.do_answered(url);
        self.gate("answered", Moment::After).await;
        done
    }

    async fn finalize(&self, _: &SecretString, url: &str, request: &[u8]) -> Result<(), AuthorityError> {
        self.gate("finalize", Moment::Before).await;
        let done = self.do_finalize(url, request);
        self.gate("finalize", Moment::After).await;
        done
    }

    async fn certificate(&self, _: &SecretString, url: &str) -> Result<Option<String>, AuthorityError> {
        self.gate("certificate", Moment::Before).await;
        let done = self.do_certificate(url);
        self.gate("certificate", Moment::After).await;
        done
    }

    async fn window(&self, _: &SecretString, _: &str) -> Result<Option<Window>, AuthorityError> {
        self.gate("window", Moment::Before).await;
        let done = self.do_window();
        self.gate("window", Moment::After).await;
        done
    }
}

/// Publishes answers in memory.
#[derive(Debug, Default)]
pub struct FakeChallenges {
    published: Mutex<BTreeMap<String, String>>,
    behind: Mutex<usize>,
}

impl FakeChallenges {
    /// Says so many times that gateways are behind.
    pub fn be_behind(&self, times: usize) {
        *self.behind.lock().unwrap_or_else(PoisonError::into_inner) = times;
    }

    /// The answers that are published now, by token.
    pub fn published(&self) -> BTreeMap<String, String> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Challenges for FakeChallenges {
    async fn put(&self, answers: &[Http01]) -> Result<(), ChallengeError> {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.extend(answers.iter().map(|one| (one.token.clone(), one.key_authorization.clone())));
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        match behind.checked_sub(1) {
            Some(left) => {
                *behind = left;
                Err(ChallengeError::NotYet("gateway gw1 is behind".to_owned()))
            }
            None => Ok(()),
        }
    }

    async fn remove(&self, answers: &[Http01]) -> Result<(), ChallengeError> {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        for one in answers {
            published.remove(&one.token);
        }
        Ok(())
    }
}
