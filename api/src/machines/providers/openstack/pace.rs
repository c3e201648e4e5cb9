//! How long the requests to a cloud may take, and how often it is asked.

use std::time::Duration;

/// Time limits and pauses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The limit for a connection.
    pub(super) connect: Duration,
    /// The limit for a whole read. A read is not retried once this much time has passed.
    pub(super) read: Duration,
    /// The limit for a whole write, which is never retried here.
    pub(super) write: Duration,
    /// How often a failed read is retried.
    pub(super) read_retries: u32,
    /// The longest pause before the first retry; it doubles with each.
    pub(super) retry: Duration,
    /// How long the error of a login is given again without another login, so that a wrong password does not lock the
    /// account.
    pub(super) login: Duration,
    /// Between two looks at a server that is being deleted.
    pub(super) poll: Duration,
    /// How long a deletion is waited for. The caller retries after that.
    pub(super) delete: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            write: Duration::from_secs(60),
            read_retries: 3,
            retry: Duration::from_millis(500),
            login: Duration::from_secs(5),
            poll: Duration::from_secs(1),
            delete: Duration::from_secs(120),
        }
    }
}

/// Waits for a random time between half of this and all of it.
pub(super) async fn pause(longest: Duration) {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    let part = 0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0;
    tokio::time::sleep(longest.mul_f64(part)).await;
}
