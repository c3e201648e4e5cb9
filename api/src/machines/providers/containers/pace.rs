//! How long the requests to an engine may take.

use std::time::Duration;

/// Time limits and pauses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The limit for a whole read.
    pub(super) read: Duration,
    /// The limit for a whole change.
    pub(super) write: Duration,
    /// The limit for the import of an image.
    pub(super) import: Duration,
    /// How long an engine that is started here may take until it answers.
    pub(super) start: Duration,
    /// Between two looks at what the engine still does.
    pub(super) poll: Duration,
    /// How long a container that has just ended is not started again.
    pub(super) ended: Duration,
    /// How long another operation on the same name, and a removal, are waited for.
    pub(super) settle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(20),
            write: Duration::from_secs(60),
            import: Duration::from_secs(900),
            start: Duration::from_secs(20),
            poll: Duration::from_millis(100),
            ended: Duration::from_secs(2),
            settle: Duration::from_secs(15),
        }
    }
}
