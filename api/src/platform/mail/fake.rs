//! A mailer that keeps what it is given, for tests of what stands above it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{MailError, Mailer, Message};

/// Keeps mail. By default all is taken.
#[derive(Debug, Default)]
pub struct FakeMailer {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Message>,
    failures: VecDeque<MailError>,
    tries: usize,
}

impl FakeMailer {
    /// The next mail that has no failure yet is not taken.
    pub fn next_fails(&self, error: MailError) {
        self.state().failures.push_back(error);
    }

    /// What was taken, the first first.
    pub fn sent(&self) -> Vec<Message> {
        self.state().sent.clone()
    }

    /// How often it was asked to send.
    pub fn tries(&self) -> usize {
        self.state().tries
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for FakeMailer {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mut state = self.state();
        state.tries += 1;
        if let Some(error) = state.failures.pop_front() {
            return Err(error);
        }
        state.sent.push(message.clone());
        Ok(())
    }

    async fn answers(&self) -> Result<(), MailError> {
        self.state().failures.front().cloned().map_or(Ok(()), Err)
    }
}
