//! What the pool of a bucket has already: 66 bytes of memory for each file, 66 MB for a million.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::super::Files;
use super::super::place::{Entry, PlacePath};
use super::{Id, Paths, Sum, id_of, used};
use crate::backups::port::{BackupError, Piece};

/// How many folders are listed at once.
const AT_ONCE: usize = 8;

/// The files of a pool, and which of them a backup uses.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Those that an earlier backup uses, by id.
    listed: Vec<(Id, Sum)>,
    /// Which of these are there.
    is_there: Vec<bool>,
    /// Which of these the backup uses.
    is_used: Vec<bool>,
    /// Others that are there, by id: those that an attempt has left.
    others: Vec<Id>,
    /// Those that the backup uses besides.
    added: Vec<(Id, Sum)>,
}

/// Whether the pool has a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It has, with this SHA-256.
    Listed(usize, Sum),
    /// It has; what is in it is to be summed up.
    Other,
    /// It has not.
    Missing,
}

impl Known {
    /// Reads the list of an earlier backup, and the names in the pool.
    pub(super) async fn read(
        own: &Files,
        paths: &Paths,
        earlier: Option<(&str, &Piece)>,
        cancel: &CancellationToken,
    ) -> Result<Self, BackupError> {
        let mut known = Self::default();
        if let Some((at, piece)) = earlier {
            match listed(own, at, piece, cancel).await {
                Ok(listed) => known.listed = listed,
                Err(error @ BackupError::Damaged(_)) => {
                    tracing::warn!(backup = at, %error, "the files of the pool are summed up anew");
                }
                Err(error) => return Err(error),
            }
        }
        known.is_there = vec![false; known.listed.len()];
        known.is_used = vec![false; known.listed.len()];
        let folders = files(own, &paths.pool).await?.into_iter().filter_map(|entry| match entry {
            Entry::Folder { name } => Some(paths.pool.join(&name)),
            Entry::File { .. } => None,
        });
        let read = folders.map(async |folder| files(own, &folder?).await);
        let mut read = stream::iter(read).buffer_unordered(AT_ONCE);
        while let Some(entries) = read.try_next().await? {
            for entry in entries {
                let Entry::File { name, .. } = entry else { continue };
                known.extend(id_of(&name));
            }
        }
        known.others.sort_unstable();
        Ok(known)
    }

    fn extend(&mut self, id: Option<Id>) {
        let Some(id) = id else { return };
        match self.listed.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => set(&mut self.is_there, at),
            Err(_) => self.others.push(id),
        }
    }

    pub(super) fn find(&self, id: &Id) -> Found {
        let at = self.listed.binary_search_by_key(id, |(id, _)| *id).ok();
        let listed =
            at.filter(|at| self.is_there.get(*at) == Some(&true)).and_then(|at| Some((at, self.listed.get(at)?)));
        match listed {
            Some((at, (_, sum))) => Found::Listed(at, *sum),
            None if self.others.binary_search(id).is_ok() => Found::Other,
            None => Found::Missing,
        }
    }

    /// Notes that the backup uses a file that was found.
    pub(super) fn use_listed(&mut self, at: usize) {
        set(&mut self.is_used, at);
    }

    /// Notes that the backup uses another file.
    pub(super) fn add(&mut self, id: Id, sum: Sum) {
        self.added.push((id, sum));
    }

    /// The files that the backup uses, by id.
    pub(super) fn into_used(mut self) -> impl Iterator<Item = (Id, Option<Sum>)> + Send + 'static {
        self.added.sort_unstable();
        self.added.dedup();
        let is_used = self.is_used;
        let listed = self.listed.into_iter().zip(is_used).filter_map(|(file, is_used)| is_used.then_some(file));
        let (mut listed, mut added) = (listed.peekable(), self.added.into_iter().peekable());
        std::iter::from_fn(move || match (listed.peek(), added.peek()) {
            (Some((one, _)), Some((other, _))) if one < other => listed.next(),
            (Some(_), None) => listed.next(),
            (Some(_) | None, Some(_)) => added.next(),
            (None, None) => None,
        })
        .map(|(id, sum)| (id, Some(sum)))
    }
}

fn set(all: &mut [bool], at: usize) {
    if let Some(one) = all.get_mut(at) {
        *one = true;
    }
}

/// The list of a complete backup, if it is the one that was written.
async fn listed(
    own: &Files,
    at: &str,
    piece: &Piece,
    cancel: &CancellationToken,
) -> Result<Vec<(Id, Sum)>, BackupError> {
    let path = Paths::of(at, piece.kind, &piece.name)?.used;
    let missing = || BackupError::Damaged(format!("{} is missing.", own.place.shown(&path)));
    let found = used::read(own, &path, cancel, |id, sum| Some((id, sum?))).await?;
    let (listed, sha256) = found.ok_or_else(missing)?;
    if piece.objects.as_ref().is_none_or(|objects| objects.used_sha256 != sha256) || !listed.is_sorted() {
        return Err(own.damaged(&path, "it is not what was written"));
    }
    Ok(listed)
}

async fn files(own: &Files, folder: &PlacePath) -> Result<Vec<Entry>, BackupError> {
    own.place.entries(Some(folder)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_listed_once_and_by_id() {
        let file = |one: u8| ([one; 32], [one; 32]);
        let mut known = Known {
            listed: vec![file(1), file(3), file(5)],
            is_there: vec![true, true, false],
            is_used: vec![false; 3],
            others: vec![[4; 32]],
            added: Vec::new(),
        };
        assert_eq!(
            [1, 3, 5, 4, 6].map(|one| known.find(&[one; 32])),
            [Found::Listed(0, [1; 32]), Found::Listed(1, [3; 32]), Found::Missing, Found::Other, Found::Missing,]
        );
        known.use_listed(1);
        for one in [6, 5, 4, 2, 6] {
            known.add([one; 32], [one; 32]);
        }
        let used: Vec<_> = known.into_used().collect();
        assert_eq!(used, [2, 3, 4, 5, 6].map(|one| ([one; 32], Some([one; 32]))));
    }
}
