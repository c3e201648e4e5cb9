//! Cleans up a run that an earlier holder left.

use std::path::Path;

use tokio::time::{Instant, sleep};

use super::port::{AnsibleError, SpoolPosition, SpoolSink};
use super::printing::failed;
use super::process;
use super::run_dir::{Record, RunDir};
use super::runner::KILL_LIMIT;
use super::spool::{POLL, Spool};

/// Ends the run's processes, gives the sink the output after `position`, and removes variables and record. True if
/// there was a run that had not ended properly, or output that had not been taken in.
pub(super) async fn recover(
    dir: &Path,
    position: SpoolPosition,
    sink: &mut dyn SpoolSink,
) -> Result<bool, AnsibleError> {
    let dir = RunDir::at(dir);
    let record = dir.record()?;
    if let Some(record) = &record {
        end_orphans(record).await?;
    }
    let key = record.as_ref().and_then(|record| record.key.as_deref());
    let had_lines = Spool::open(dir.path(), position, key).hiding(&dir.private_key()?).take_rest(sink).await?;
    dir.remove_variables()?;
    if let Some(record) = &record {
        dir.remove_record(&record.mark)?;
    }
    Ok(record.is_some() || had_lines)
}

async fn end_orphans(record: &Record) -> Result<(), AnsibleError> {
    // Kill all but the outermost process first: its own exit then proves that its namespace is empty.
    if record.process.is_alive() {
        process::kill_marked(&record.mark, Some(record.process.pid));
        let deadline = Instant::now() + KILL_LIMIT / 4;
        while record.process.is_alive() && Instant::now() < deadline {
            sleep(POLL).await;
        }
    }
    process::end_marked(&record.mark, KILL_LIMIT).await.map(drop).map_err(failed)
}
