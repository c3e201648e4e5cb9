//! Reads the two files of a run's output from a stored position on, so that no line is given twice or lost.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use secrecy::{ExposeSecret as _, SecretString};
use shared_types::LogLevel;
use shared_types::secret::Found;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::events::Parser;
use super::port::{AnsibleError, RunOutcome, SpoolLine, SpoolPosition, SpoolSink};
use crate::platform::logs::Mask;

/// Interval of the check for new output.
pub(super) const POLL: Duration = Duration::from_millis(100);

/// Limit of a line in bytes; a longer one is cut.
pub(super) const LINE_LIMIT: usize = 1_000_000;

/// A cut line ends between two words if the last word is shorter than this, in bytes.
const LONGEST_WORD: usize = 4096;

/// Size of one read, in bytes. Together with a line of the limit it stays under 1 MiB.
const CHUNK: usize = 32 * 1024;

/// Number of lines given to the sink at once.
const BATCH_LINES: usize = 500;

/// Chunks read before the runner checks timeouts and cancellation again.
const CHUNKS_A_ROUND: usize = 16;

/// File name of the callback's output, which also gets stdout.
pub(super) const EVENTS: &str = "events";

/// File name of stderr's output.
pub(super) const ERRORS: &str = "errors";

/// A line without its end, and the offset behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawLine {
    pub text: Vec<u8>,
    pub end: u64,
}

/// One growing file, read line by line.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    file: Option<File>,
    /// Offset behind the bytes that were read.
    read: u64,
    /// Beginning of a line whose end was not read yet.
    line: Vec<u8>,
    /// Bytes of that line beyond the limit.
    dropped: usize,
}

impl Tail {
    /// Reads from `offset`, the beginning of a line. The file may be created later.
    pub(super) fn new(path: &Path, offset: u64) -> Self {
        Self { path: path.to_owned(), file: None, read: offset, line: Vec::new(), dropped: 0 }
    }

    /// The lines of the next chunk (an empty list if it has no line end), or none at the present end of the file.
    pub(super) async fn read(&mut self) -> io::Result<Option<Vec<RawLine>>> {
        let mut piece = vec![0; CHUNK];
        let count = self.read_into(&mut piece).await?;
        piece.truncate(count);
        if piece.is_empty() {
            return Ok(None);
        }
        let mut lines = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.read += part.len() as u64;
            match part.strip_suffix(b"\n") {
                Some(rest) => {
                    self.append(rest);
                    lines.push(self.take_line());
                }
                None => self.append(part),
            }
        }
        Ok(Some(lines))
    }

    /// The last line, if it has no line end.
    pub(super) fn finish(&mut self) -> Option<RawLine> {
        (!self.line.is_empty()).then(|| self.take_line())
    }

    async fn read_into(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        if self.file.is_none() {
            match File::open(&self.path).await {
                Ok(mut file) => {
                    file.seek(SeekFrom::Start(self.read)).await?;
                    self.file = Some(file);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(error) => return Err(error),
            }
        }
        match &mut self.file {
            Some(file) => file.read(piece).await,
            None => Ok(0),
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = LINE_LIMIT.saturating_sub(self.line.len()).min(bytes.len());
        let (kept, rest) = bytes.split_at(room);
        self.line.extend_from_slice(kept);
        self.dropped += rest.len();
    }

    fn take_line(&mut self) -> RawLine {
        let mut text = std::mem::take(&mut self.line);
        let mut dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            // Cut between two words if possible: a part of a secret would not be recognized and masked.
            let space = text.iter().rposition(u8::is_ascii_whitespace).filter(|at| text.len() - at < LONGEST_WORD);
            let kept = space.unwrap_or(text.len());
            dropped += text.len() - kept;
            text.truncate(kept);
            text.extend_from_slice(format!(" [cut: {dropped} bytes more]").as_bytes());
        }
        RawLine { text, end: self.read }
    }
}

/// Both files of a run.
#[derive(Debug)]
pub(super) struct Spool {
    events: Tail,
    errors: Tail,
    parser: Parser,
    position: SpoolPosition,
    mask: Mask,
}

impl Spool {
    /// Continues from `position`. The callback's lines begin with `key`.
    pub(super) fn open(dir: &Path, position: SpoolPosition, key: Option<&str>) -> Self {
        Self {
            events: Tail::new(&dir.join(EVENTS), position.events),
            errors: Tail::new(&dir.join(ERRORS), position.errors),
            parser: Parser::new(key),
            position,
            mask: Mask::default(),
        }
    }

    /// Masks the machine's private key, which the playbook can read and print, but readers of the log must not have.
    pub(super) fn hiding(mut self, private_key: &SecretString) -> Self {
        let text = private_key.expose_secret().to_owned();
        self.mask = Mask::of(vec![Found { name: "private_key".to_owned(), text }]);
        self
    }

    /// The present end of both files.
    pub(super) fn end(dir: &Path) -> SpoolPosition {
        let length = |name| std::fs::metadata(dir.join(name)).map_or(0, |file| file.len());
        SpoolPosition { events: length(EVENTS), errors: length(ERRORS) }
    }

    /// Gives the sink complete lines, a bounded number of them. True if there was any output.
    pub(super) async fn take_in(&mut self, sink: &mut dyn SpoolSink) -> Result<bool, AnsibleError> {
        let mut is_new = false;
        for _ in 0..CHUNKS_A_ROUND {
            let events = self.events.read().await.map_err(unreadable)?;
            let errors = self.errors.read().await.map_err(unreadable)?;
            if events.is_none() && errors.is_none() {
                break;
            }
            is_new = true;
            self.give(Source::Events, events.unwrap_or_default(), sink).await?;
            self.give(Source::Errors, errors.unwrap_or_default(), sink).await?;
        }
        Ok(is_new)
    }

    /// Gives the sink the rest of the output once no process writes any more. True if there was any.
    pub(super) async fn take_rest(&mut self, sink: &mut dyn SpoolSink) -> Result<bool, AnsibleError> {
        let before = self.position;
        while self.take_in(sink).await? {}
        let (events, errors) = (self.events.finish(), self.errors.finish());
        self.give(Source::Events, events.into_iter().collect(), sink).await?;
        self.give(Source::Errors, errors.into_iter().collect(), sink).await?;
        Ok(self.position != before)
    }

    /// Says that output is missing, if the files have reached the largest size of a file.
    pub(super) async fn tell_loss(
        &self,
        dir: &Path,
        most_mb: u64,
        sink: &mut dyn SpoolSink,
    ) -> Result<(), AnsibleError> {
        let SpoolPosition { events, errors } = Self::end(dir);
        if events.max(errors) < most_mb << 20 {
            return Ok(());
        }
        let text =
            format!("The playbook printed more than {most_mb} MB (OCIM_RUN_FILE_MB): the rest of its output is lost");
        let line = SpoolLine { at: Utc::now(), level: LogLevel::Warning, text, task: None, progress: None };
        sink.take(vec![line], self.position).await.map_err(AnsibleError::Sink)
    }

    /// How long the present task may print nothing, by its own `async` limit.
    pub(super) const fn patience(&self) -> Duration {
        self.parser.patience()
    }

    /// The outcome of a run on this machine, from its exit status and its output. `checkout` is removed from paths.
    pub(super) fn outcome(&mut self, exit_status: Option<i32>, machine: &str, checkout: &str) -> RunOutcome {
        match exit_status {
            Some(0) => self.parser.missed(machine).map_or(RunOutcome::Succeeded, |hosts| RunOutcome::NoHost { hosts }),
            Some(_) | None => {
                // Paths are made relative to the repository.
                let mask = self.mask.clone();
                let relative = |words: String| mask.apply(words.replace(&format!("{checkout}/"), ""));
                let failed_task = self.parser.take_failed_task().map(|(task, message)| (task, relative(message)));
                RunOutcome::Failed { exit_status, failed_task, words: self.parser.error_words().map(relative) }
            }
        }
    }

    async fn give(
        &mut self,
        file: Source,
        raw_lines: Vec<RawLine>,
        sink: &mut dyn SpoolSink,
    ) -> Result<(), AnsibleError> {
        for batch in raw_lines.chunks(BATCH_LINES) {
            let mut lines: Vec<SpoolLine> = Vec::with_capacity(batch.len());
            for line in batch {
                match file {
                    Source::Events => {
                        self.position.events = line.end;
                        self.parser.event(&line.text, &mut lines);
                    }
                    Source::Errors => {
                        self.position.errors = line.end;
                        self.parser.error(&line.text, &mut lines);
                    }
                }
            }
            for line in &mut lines {
                line.text = self.mask.apply(std::mem::take(&mut line.text));
                line.task = line.task.take().map(|task| self.mask.apply(task));
            }
            sink.take(lines, self.position).await.map_err(AnsibleError::Sink)?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Events,
    Errors,
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn unreadable(error: io::Error) -> AnsibleError {
    AnsibleError::Transient(format!("what the playbook printed cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::io::Write as _;

    use super::*;

    #[derive(Default)]
    struct Texts(Vec<String>);

    #[async_trait::async_trait]
    impl SpoolSink for Texts {
        async fn take(&mut self, lines: Vec<SpoolLine>, _position: SpoolPosition) -> Result<(), String> {
            self.0.extend(lines.into_iter().map(|line| line.text));
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_log_that_lacks_output_says_so() {
        let (dir, mut texts) = (tempfile::tempdir().unwrap(), Texts::default());
        let spool = Spool::open(dir.path(), SpoolPosition::default(), None);
        for (bytes, expected) in [(1024 * 1024 - 1, 0), (1024 * 1024, 1)] {
            std::fs::write(dir.path().join(ERRORS), vec![b'x'; bytes]).unwrap();
            spool.tell_loss(dir.path(), 1, &mut texts).await.unwrap();
            assert_eq!(texts.0.len(), expected, "{bytes}: {:?}", texts.0);
        }
        assert!(texts.0[0].contains("more than 1 MB (OCIM_RUN_FILE_MB)"), "{:?}", texts.0);
    }

    async fn read_all(tail: &mut Tail) -> Vec<(String, u64)> {
        let mut lines = Vec::new();
        while let Some(more) = tail.read().await.unwrap() {
            lines.extend(more.into_iter().map(|line| (String::from_utf8(line.text).unwrap(), line.end)));
        }
        lines
    }

    #[tokio::test]
    async fn gives_each_complete_line_once_and_the_last_at_the_end() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut tail = Tail::new(file.path(), 0);
        assert_eq!(read_all(&mut tail).await, []);
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(read_all(&mut tail).await, [("one".to_owned(), 4)]);
        file.write_all(b"o\n\nthree").unwrap();
        assert_eq!(read_all(&mut tail).await, [("two".to_owned(), 8), (String::new(), 9)]);
        assert_eq!(tail.finish(), Some(RawLine { text: b"three".to_vec(), end: 14 }));
        assert_eq!(tail.finish(), None);
        let mut later = Tail::new(file.path(), 4);
        assert_eq!(read_all(&mut later).await, [("two".to_owned(), 8), (String::new(), 9)]);
    }

    #[tokio::test]
    async fn a_line_of_3_mb_is_cut_and_the_next_is_whole() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut tail = Tail::new(file.path(), 0);
        // Written in pieces: bytes beyond the limit are not kept.
        for _ in 0..3 {
            file.write_all(&vec![b'x'; 1_000_000]).unwrap();
            assert_eq!(read_all(&mut tail).await, []);
            assert!(tail.line.len() <= LINE_LIMIT);
        }
        file.write_all(b"\nnext\n").unwrap();
        let lines = read_all(&mut tail).await;
        let expected = format!("{} [cut: 2000000 bytes more]", "x".repeat(LINE_LIMIT));
        assert_eq!(lines, [(expected, 3_000_001), ("next".to_owned(), 3_000_006)]);
        let words = "a word ".repeat(200_000);
        file.write_all(words.as_bytes()).unwrap();
        file.write_all(b"\n").unwrap();
        let (text, _) = read_all(&mut tail).await.remove(0);
        assert!(text.ends_with(" word [cut: 400002 bytes more]"), "{}", &text[text.len() - 60..]);
    }
}
