//! A mailer that records mail in memory, for tests.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{MailError, Mailer, Message};

/// Records mail. By default, every mail is accepted.
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
    /// Makes the next mail without a planned failure fail with this error. May be called several times.
    pub fn next_fails(&self, error: MailError) {
        self.state().failures.push_back(error);
    }

    /// The accepted mail, earliest first.
    pub fn sent(&self) -> Vec<Message> {
        self.state().sent.clone()
    }

    /// How often [`Mailer::send`] was called.
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
