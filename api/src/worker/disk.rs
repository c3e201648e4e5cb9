//! Checks whether builds may begin: free space on the disks of runs and cache, a writable database, and a sandbox for
//! foreign code. If not, no build begins and none is launched; running app servers are not affected.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::instances::Manager;
use crate::platform::db::DbError;
use crate::platform::jobs::{holder, workers};

/// The size of the test file, in bytes: too large to be stored inline in the file system's metadata.
const TRIAL: usize = 16 * 1024;

/// Checks, and stores the result in the manager's [`Trouble`](crate::platform::trouble::Trouble). Logs one line when a
/// problem begins and one when it ends.
pub async fn watch(manager: &Manager) {
    let (before, now) = (manager.trouble.now(), look(manager).await);
    match (&before, &now) {
        (None, Some(trouble)) => tracing::error!(trouble, "no build begins from now on"),
        (Some(trouble), None) => tracing::info!(trouble, "builds begin again; this is over"),
        (Some(_), Some(_)) | (None, None) => {}
    }
    manager.trouble.set(now);
}

/// Why no build may begin, in words that do not change while the problem lasts; none if builds may begin.
pub async fn look(manager: &Manager) -> Option<String> {
    let mut words = Vec::new();
    for dir in [&manager.options.runs_dir, &manager.options.cache_dir] {
        let (dir, min_free_mb) = (dir.clone(), manager.options.min_free_mb);
        let tried = tokio::task::spawn_blocking(move || try_disk(&dir, min_free_mb)).await;
        match tried {
            Ok(Ok(())) => {}
            Ok(Err(trouble)) => words.push(trouble),
            Err(error) => words.push(error.to_string()),
        }
    }
    match try_database(manager).await {
        Err(error @ DbError::ReadOnly(_)) => words.push(error.to_string()),
        // If the database does not answer, no build begins anyway, and other code reports it.
        Ok(()) | Err(DbError::Unavailable(_) | DbError::Query(_) | DbError::Replaced(_) | DbError::Corrupt(_)) => {}
    }
    if let Some(sandbox) = &manager.sandbox {
        words.extend(sandbox.refusal().await);
    }
    (!words.is_empty()).then(|| words.join("; "))
}

async fn try_database(manager: &Manager) -> Result<(), DbError> {
    workers::try_write(&mut *manager.db.conn().await?, &holder::this_process()).await
}

fn try_disk(dir: &Path, min_free_mb: u64) -> Result<(), String> {
    let refused = |error: &std::io::Error| format!("{} cannot be written ({error})", dir.display());
    fs::create_dir_all(dir).map_err(|error| refused(&error))?;
    try_write(dir).map_err(|error| refused(&error))?;
    let room = rustix::fs::statvfs(dir).map_err(|error| refused(&error.into()))?;
    if room.f_bavail.saturating_mul(room.f_frsize) < min_free_mb.saturating_mul(1 << 20) {
        return Err(format!("the disk of {} has less than {min_free_mb} MB free (OCIM_MIN_FREE_MB)", dir.display()));
    }
    Ok(())
}

/// Writes a test file and removes it.
fn try_write(dir: &Path) -> std::io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!(".trial-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = dir.join(name);
    let written = fs::File::create(&path).and_then(|mut file| {
        file.write_all(&[0; TRIAL])?;
        file.sync_data()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)
}
