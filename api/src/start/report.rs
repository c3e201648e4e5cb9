//! What the operator sees while the program starts and stops.

use std::io::Write;
use std::time::Instant;

use super::StartError;

/// Says a line. Whoever closed our output does not want to hear it.
pub(super) fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Does a step and says what it was and how long it took.
pub(super) async fn step<T, E: Into<StartError>>(
    what: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StartError> {
    let began = Instant::now();
    let done = work.await.map_err(Into::into)?;
    say(format_args!("▸ {what} … {:.1} s", began.elapsed().as_secs_f64()));
    Ok(done)
}
