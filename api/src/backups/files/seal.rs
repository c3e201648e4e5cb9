//! The content of a file: a dump, compressed by zstd, encrypted by age. Constant memory; these functions block.

use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, IntoInnerError, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use age::stream::StreamReader;
use age::x25519::{Identity, Recipient};
use age::{DecryptError, Decryptor, Encryptor};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::place::carried;

/// The level of zstd's compression: its default, faster than dump programs are.
const LEVEL: i32 = 3;
/// The size of the buffer between two steps.
const CHUNK: usize = 128 << 10;
/// How many bytes of a dump's end are kept to look for its last line. PostgreSQL's has further lines after it.
const TAIL: usize = 512;
/// The beginning of the first line of MariaDB's dumps. Clients of MySQL and older ones of MariaDB refuse it.
const SANDBOX: &[u8] = b"/*M!999999\\-";

/// What was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) bytes: u64,
    pub(super) sha256: String,
    /// The last bytes of the dump.
    pub(super) tail: Tail,
}

/// Where a transfer failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// At its source.
    Reading(io::Error),
    /// At its destination.
    Writing(io::Error),
}

/// Why a file cannot be opened.
#[derive(Debug)]
pub(super) enum Locked {
    /// It was encrypted for other keys.
    NoKey,
    /// It is no file of age, or is damaged.
    Broken(String),
    /// It could not be read.
    Io(io::Error),
}

/// The last bytes of a dump.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, chunk: &[u8]) {
        self.0.extend_from_slice(chunk.get(chunk.len().saturating_sub(TAIL)..).unwrap_or(chunk));
        self.0.drain(..self.0.len().saturating_sub(TAIL));
    }

    /// Whether a line at the end begins with this marker.
    pub(super) fn has(&self, marker: &str) -> bool {
        String::from_utf8_lossy(&self.0).lines().any(|line| line.starts_with(marker))
    }
}

/// Reads a dump to its end and writes it compressed and encrypted. Counts its bytes as they are read.
pub(super) fn seal(
    from: impl Read,
    into: impl Write,
    recipients: &[Recipient],
    count: &AtomicU64,
) -> Result<Sealed, Failed> {
    let recipients = recipients.iter().map(|one| one as &dyn age::Recipient);
    let encryptor =
        Encryptor::with_recipients(recipients).map_err(|error| Failed::Writing(io::Error::other(error.to_string())))?;
    let hashed = Hashed { into, sha: Sha256::new(), bytes: 0 };
    // The header is written with the first chunk: age hides why the header alone could not be.
    let buffered = BufWriter::with_capacity(CHUNK, hashed);
    let encrypted = encryptor.wrap_output(buffered).map_err(Failed::Writing)?;
    let mut compressed = zstd::Encoder::new(encrypted, LEVEL).map_err(Failed::Writing)?;
    compressed.include_checksum(true).map_err(Failed::Writing)?;
    let mut tail = Tail::default();
    copy(from, &mut compressed, |chunk| {
        count.fetch_add(u64::try_from(chunk.len()).unwrap_or_default(), Ordering::Relaxed);
        tail.push(chunk);
    })?;
    let buffered = compressed.finish().and_then(age::stream::StreamWriter::finish).map_err(Failed::Writing)?;
    let hashed = buffered.into_inner().map_err(IntoInnerError::into_error).map_err(Failed::Writing)?;
    Ok(Sealed { bytes: hashed.bytes, sha256: hex::encode(hashed.sha.finalize()), tail })
}

/// Reads a file, and sums up what was read.
pub(super) struct Summed<R> {
    from: R,
    sha: Sha256,
    bytes: u64,
}

impl<R: Read> Summed<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, sha: Sha256::new(), bytes: 0 }
    }

    /// Reads the rest. The length of the file and its SHA-256.
    ///
    /// # Errors
    /// [`io::Error`] of reading; [`ErrorKind::Interrupted`] if it was cancelled.
    pub(super) fn finish(mut self, cancel: &CancellationToken) -> io::Result<(u64, String)> {
        let mut buffer = vec![0; CHUNK];
        loop {
            if cancel.is_cancelled() {
                return Err(ErrorKind::Interrupted.into());
            }
            if read(&mut self, &mut buffer)?.is_empty() {
                return Ok((self.bytes, hex::encode(self.sha.finalize())));
            }
        }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(buffer)?;
        self.sha.update(buffer.get(..length).unwrap_or_default());
        self.bytes += u64::try_from(length).unwrap_or_default();
        Ok(length)
    }
}

/// The dump in a file. Its end is reached without an error only if both layers are complete.
pub(super) struct Opened<R: Read>(BufReader<zstd::Decoder<'static, BufReader<StreamReader<BufReader<R>>>>>);

impl<R: Read> Opened<R> {
    /// Decrypts the key in the file's header.
    pub(super) fn of(file: R, identities: &[Identity]) -> Result<Self, Locked> {
        let decryptor = Decryptor::new_buffered(BufReader::with_capacity(CHUNK, file)).map_err(locked)?;
        let identities = identities.iter().map(|one| one as &dyn age::Identity);
        let decrypted = decryptor.decrypt(identities).map_err(locked)?;
        let dump = zstd::Decoder::new(decrypted).map_err(Locked::Io)?;
        Ok(Self(BufReader::with_capacity(CHUNK, dump)))
    }

    /// What is in it.
    pub(super) fn reader(&mut self) -> &mut impl BufRead {
        &mut self.0
    }

    /// Reads all of it and keeps the last bytes: whether another key or a missing end would stop it half-way.
    ///
    /// # Errors
    /// [`io::Error`] of reading; [`ErrorKind::Interrupted`] if it was cancelled.
    pub(super) fn prove(mut self, cancel: &CancellationToken) -> io::Result<Tail> {
        let (mut tail, mut buffer) = (Tail::default(), vec![0; CHUNK]);
        loop {
            if cancel.is_cancelled() {
                return Err(ErrorKind::Interrupted.into());
            }
            let read = read(&mut self.0, &mut buffer)?;
            if read.is_empty() {
                return Ok(tail);
            }
            tail.push(read);
        }
    }

    /// Writes the dump, without the line that only MariaDB's clients understand. Counts its bytes as they are written.
    pub(super) fn feed(mut self, into: impl Write, count: &AtomicU64) -> Result<(), Failed> {
        if self.0.fill_buf().map_err(Failed::Reading)?.starts_with(SANDBOX) {
            self.0.read_until(b'\n', &mut Vec::new()).map_err(Failed::Reading)?;
        }
        copy(self.0, into, |chunk| {
            count.fetch_add(u64::try_from(chunk.len()).unwrap_or_default(), Ordering::Relaxed);
        })
    }
}

/// Copies all bytes, and shows each chunk before it is written.
fn copy(mut from: impl Read, mut into: impl Write, mut seen: impl FnMut(&[u8])) -> Result<(), Failed> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let chunk = read(&mut from, &mut buffer).map_err(Failed::Reading)?;
        if chunk.is_empty() {
            return Ok(());
        }
        seen(chunk);
        into.write_all(chunk).map_err(Failed::Writing)?;
    }
}

/// The next bytes; none at the end. A signal is no error.
fn read<'a>(from: &mut impl Read, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read.map(|length| buffer.get(..length).unwrap_or_default()),
        }
    }
}

/// Whether an error of reading is one of the content, which ends too early or is not what was written, and not of the place.
pub(super) fn is_damage(error: &io::Error) -> bool {
    // Those of the system have a number; those of age and zstd have none.
    error.raw_os_error().is_none() && carried(error).is_none()
}

fn locked(error: DecryptError) -> Locked {
    if matches!(error, DecryptError::NoMatchingKeys) {
        return Locked::NoKey;
    }
    if let DecryptError::Io(error) = error {
        return if is_damage(&error) { Locked::Broken(error.to_string()) } else { Locked::Io(error) };
    }
    Locked::Broken(error.to_string())
}

/// Writes to a file, and sums up what was written.
struct Hashed<W> {
    into: W,
    sha: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.sha.update(bytes.get(..written).unwrap_or_default());
        self.bytes += u64::try_from(written).unwrap_or_default();
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
