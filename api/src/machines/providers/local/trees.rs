//! The base trees of this host over time: which one new machines get, when it is made again, and when an old one goes.
//!
//! A tree's name has its version and the day it was made. A new one is made beside the old one, which machines keep as long
//! as they live. It goes an hour or more after it has been replaced, at the next start or when another one is made, if no machine on
//! this host is on it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;

use super::base_tree;
use super::error::LocalError;
use super::files::remove_tree;
use super::record::base_trees_in;
use super::{own_tree, prepare_tree, site};

const DAY: Duration = Duration::from_secs(86_400);
/// A machine whose record is written just now may still be on the tree that has just been replaced.
pub(super) const GRACE: Duration = Duration::from_secs(3600);

/// The base trees in a cache directory.
#[derive(Debug, Clone)]
pub(super) struct Trees {
    cache_dir: PathBuf,
    /// The operator's tree, in place of ours.
    base: Option<PathBuf>,
    /// After how many days a tree is made again.
    days: u32,
    /// Held while a tree is made again.
    renewing: Arc<Mutex<()>>,
}

impl Trees {
    pub(super) fn new(cache_dir: PathBuf, days: u32, base: Option<PathBuf>) -> Self {
        Self { cache_dir, base, days, renewing: Arc::default() }
    }

    /// The tree for a new machine: the operator's as it is now, or our newest. If ours is old, another one is made in the
    /// background, and old ones are removed.
    pub(super) async fn current(&self) -> Result<PathBuf, LocalError> {
        let progress = |step: &str| tracing::info!("base tree: {step}");
        let tree = prepare_tree(&self.cache_dir, self.base.as_deref(), &progress).await?;
        if self.base.is_none() && made_at(&tree).is_some_and(|made| is_older(made, DAY * self.days)) {
            self.renew();
        }
        Ok(tree)
    }

    fn renew(&self) {
        let Ok(held) = Arc::clone(&self.renewing).try_lock_owned() else { return };
        let this = self.clone();
        tokio::spawn(async move {
            let _held = held;
            let progress = |step: &str| tracing::info!("base tree: {step}");
            // Machines go on with the old tree; the next launch tries again.
            match base_tree::renew(&this.cache_dir, DAY * this.days, &progress).await {
                Ok(tree) => {
                    tracing::info!(tree = %tree.display(), "the base tree is made again");
                    this.remove_unused().await;
                }
                Err(error) => {
                    tracing::warn!(%error, days = this.days, "the base tree is old, and no new one could be made")
                }
            }
        });
    }

    /// Removes the trees that are replaced and that no machine of this host is on. An old one that cannot be removed stays.
    pub(super) async fn remove_unused(&self) {
        let this = self.clone();
        let removal = tokio::task::spawn_blocking(move || this.remove_unused_blocking());
        if let Err(error) = removal.await {
            tracing::warn!(%error, "old base trees could not be removed");
        }
    }

    fn remove_unused_blocking(&self) {
        let mut used = Vec::new();
        for dir in site::machines_dirs() {
            match base_trees_in(&dir) {
                Ok(trees) => used.extend(trees),
                // Which trees its machines are on is not known.
                Err(error) => return tracing::warn!(%error, "old base trees are kept"),
            }
        }
        own_tree::remove_unused(&self.cache_dir, &used);
        let present = base_tree::all(&self.cache_dir);
        let earlier = base_tree::of_earlier_versions(&self.cache_dir);
        for tree in unused(present, earlier, &used) {
            match remove_tree(&tree) {
                Ok(()) => tracing::info!(tree = %tree.display(), "an old base tree is removed"),
                Err(error) => tracing::warn!(%error, "an old base tree could not be removed"),
            }
        }
    }
}

/// All trees but the newest, if that is older than the grace time, and but those that are used. `trees`: of the present
/// version, the oldest first; `earlier`: of earlier versions.
fn unused(mut trees: Vec<PathBuf>, earlier: Vec<PathBuf>, used: &[PathBuf]) -> Vec<PathBuf> {
    let newest = trees.pop();
    if !newest.and_then(|tree| made_at(&tree)).is_some_and(|made| is_older(made, GRACE)) {
        return Vec::new();
    }
    let name = |path: &Path| path.file_name().map(OsStr::to_owned);
    let used: Vec<_> = used.iter().map(|path| name(path)).collect();
    trees.extend(earlier);
    trees.retain(|tree| !used.contains(&name(tree)));
    trees
}

/// Nothing writes into a tree's directory after it was made.
pub(super) fn made_at(tree: &Path) -> Option<SystemTime> {
    fs::metadata(tree).and_then(|found| found.modified()).ok()
}

pub(super) fn is_older(made: SystemTime, than: Duration) -> bool {
    SystemTime::now().duration_since(made).is_ok_and(|age| age > than)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[test]
    fn a_replaced_tree_goes_when_no_machine_is_on_it() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["base-a", "base-a-20260101", "base-a-20260201"];
        let trees: Vec<PathBuf> = names.iter().map(|name| dir.path().join(name)).collect();
        for tree in &trees {
            fs::create_dir(tree).unwrap();
        }
        let earlier = vec![dir.path().join("base-b-20250101")];
        assert!(unused(trees.clone(), earlier.clone(), &[]).is_empty(), "the newest is of this moment");
        let old = fs::File::open(&trees[2]).unwrap();
        old.set_modified(SystemTime::now() - 2 * GRACE).unwrap();
        assert_eq!(unused(trees.clone(), Vec::new(), &[]), trees[..2]);
        assert_eq!(unused(trees[2..].to_vec(), earlier.clone(), &[]), earlier);
        let used = PathBuf::from("/elsewhere/base-a");
        assert_eq!(
            unused(trees.clone(), Vec::new(), &[used]),
            trees[1..2],
            "by its name: the cache may be mounted elsewhere"
        );
        assert!(unused(Vec::new(), earlier, &[]).is_empty());
    }
}
