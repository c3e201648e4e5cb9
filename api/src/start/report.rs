//! Output for the operator while the program starts and stops.

use std::io::Write;
use std::time::Instant;

use super::StartError;

/// Prints a line; errors are ignored, since standard output may be closed.
pub(super) fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Runs a step and prints its name and duration.
pub(super) async fn step<T, E: Into<StartError>>(
    what: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StartError> {
    let began = Instant::now();
    let done = work.await.map_err(Into::into)?;
    say(format_args!("▸ {what} … {:.1} s", began.elapsed().as_secs_f64()));
    Ok(done)
}
