//! The list of the pool's files that a backup uses: a line for each, sorted, with the SHA-256 of the file once it is known. It is not
//! encrypted, so that files which no backup uses are found without a private key.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::super::Files;
use super::super::place::{PlacePath, blocking};
use super::super::seal::Summed;
use super::{Id, Sum};
use crate::backups::port::BackupError;

/// The length of a line.
const LINE: u64 = 130;
/// What the last line begins with. A list without it is cut off.
const END: &str = "# ";

/// Writes a list, in place of one that is there. Returns its SHA-256.
pub(super) async fn write(
    own: &Files,
    path: &PlacePath,
    lines: impl Iterator<Item = (Id, Option<Sum>)> + Send + 'static,
    cancel: &CancellationToken,
) -> Result<String, BackupError> {
    let mut unfinished = own.place.begin(path, cancel).await?;
    let (own, path) = (own.clone(), path.clone());
    blocking(move || {
        let (mut sha, mut count) = (Sha256::new(), 0_u64);
        let mut into = BufWriter::new(&mut *unfinished);
        let mut line = |text: String| {
            sha.update(text.as_bytes());
            into.write_all(text.as_bytes()).map_err(|error| own.place.failed(&path, &error))
        };
        for (id, sum) in lines {
            count += 1;
            line(match sum {
                Some(sum) => format!("{} {}\n", hex::encode(id), hex::encode(sum)),
                None => format!("{}\n", hex::encode(id)),
            })?;
        }
        line(format!("{END}{count}\n"))?;
        into.flush().map_err(|error| own.place.failed(&path, &error))?;
        drop(into);
        unfinished.keep()?;
        Ok(hex::encode(sha.finalize()))
    })
    .await
}

/// Reads a list; none: it is missing. With it, its SHA-256.
///
/// # Errors
/// [`BackupError::Damaged`] if it is none.
pub(super) async fn read<T: Send + 'static>(
    own: &Files,
    path: &PlacePath,
    cancel: &CancellationToken,
    line: impl Fn(Id, Option<Sum>) -> Option<T> + Send + 'static,
) -> Result<Option<(Vec<T>, String)>, BackupError> {
    let Some(stored) = own.place.open(path, cancel).await? else { return Ok(None) };
    let (own, path, cancel) = (own.clone(), path.clone(), cancel.clone());
    blocking(move || {
        let lines = usize::try_from(stored.bytes / LINE).unwrap_or_default();
        let (mut found, mut count, mut end) = (Vec::with_capacity(lines), 0_u64, None);
        let mut summed = Summed::new(stored.content);
        for text in BufReader::new(&mut summed).lines() {
            let text = text.map_err(|error| own.unread(&path, &error))?;
            if cancel.is_cancelled() {
                return Err(BackupError::Cancelled);
            }
            if let Some(number) = text.strip_prefix(END) {
                end = number.parse().ok();
                continue;
            }
            let no_line = || own.damaged(&path, "a line names no file");
            let (id, sum) = parse(&text).ok_or_else(no_line)?;
            count += 1;
            found.extend(line(id, sum));
        }
        if end != Some(count) {
            return Err(own.damaged(&path, "its end is missing"));
        }
        let (_, sha256) = summed.finish(&cancel).map_err(|error| own.unread(&path, &error))?;
        Ok(Some((found, sha256)))
    })
    .await
}

fn parse(line: &str) -> Option<(Id, Option<Sum>)> {
    let bytes = |text: &str| hex::decode(text).ok()?.try_into().ok();
    match line.split_once(' ') {
        Some((id, sum)) => Some((bytes(id)?, Some(bytes(sum)?))),
        None => Some((bytes(line)?, None)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use age::x25519::Identity;

    use super::*;

    #[tokio::test]
    async fn a_list_is_read_as_it_was_written_and_not_if_it_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path().to_owned(), &[Identity::generate().to_public().to_string()], None).unwrap();
        let (path, cancel) = (PlacePath::parse("1/2/s3-files.used").unwrap(), CancellationToken::new());
        assert!(read(&files, &path, &cancel, |id, _| Some(id)).await.unwrap().is_none());
        let lines = [([1; 32], Some([9; 32])), ([2; 32], None)];
        let written = write(&files, &path, lines.into_iter(), &cancel).await.unwrap();
        let (found, sha256) = read(&files, &path, &cancel, |id, sum| Some((id, sum))).await.unwrap().unwrap();
        assert_eq!((found.as_slice(), sha256), (lines.as_slice(), written));
        let file = dir.path().join(path.as_str());
        let text = std::fs::read_to_string(&file).unwrap();
        for cut in [text.len() - 2, text.len() - 4, 65 + 64, 65, 3, 0] {
            std::fs::write(&file, text.get(..cut).unwrap()).unwrap();
            let read = read(&files, &path, &cancel, |id, _| Some(id)).await;
            assert!(matches!(read, Err(BackupError::Damaged(_))), "{cut}");
        }
    }
}
