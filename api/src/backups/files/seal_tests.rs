#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek as _, Write as _};
use std::sync::atomic::AtomicU64;

use age::x25519::Identity;
use sha2::Digest as _;
use tokio_util::sync::CancellationToken;

use super::place::carry;
use super::seal::*;
use crate::backups::BackupError;

/// A dump of some chunks, of which no two lines are the same.
fn dump() -> Vec<u8> {
    let lines: String =
        (0..60_000_u64).map(|n| format!("INSERT {}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    format!("/*M!999999\\- enable the sandbox mode */ \n{lines}-- Dump completed\n").into_bytes()
}

fn sealed(text: &[u8], keys: &[Identity]) -> (File, Sealed) {
    let mut file = tempfile::tempfile().unwrap();
    let recipients: Vec<_> = keys.iter().map(Identity::to_public).collect();
    let count = AtomicU64::new(0);
    let sealed = seal(text, &file, &recipients, &count).unwrap();
    assert_eq!(count.into_inner(), text.len() as u64);
    file.rewind().unwrap();
    (file, sealed)
}

#[test]
fn each_recipient_opens_the_file_and_no_other_key_does() {
    let (text, keys) = (dump(), [Identity::generate(), Identity::generate()]);
    let (file, written) = sealed(&text, &keys);
    let summed = Summed::new(&file).finish(&CancellationToken::new()).unwrap();
    assert_eq!(summed, (written.bytes, written.sha256));
    assert!(written.tail.has("-- Dump completed") && !written.tail.has("Dump completed"));
    let without_first_line = text.splitn(2, |c| *c == b'\n').nth(1).unwrap();
    for key in keys {
        let again = || {
            let mut file = file.try_clone().unwrap();
            file.rewind().unwrap();
            Opened::of(file, &[Identity::generate(), key.clone()]).unwrap()
        };
        assert!(again().prove(&CancellationToken::new()).unwrap().has("-- Dump completed"));
        let (mut read, count) = (Vec::new(), AtomicU64::new(0));
        again().feed(&mut read, &count).unwrap();
        assert!(read == without_first_line, "it is not what was written");
        assert_eq!(count.into_inner(), read.len() as u64);
    }
    let mut file = file;
    file.rewind().unwrap();
    assert!(matches!(Opened::of(file, &[Identity::generate()]), Err(Locked::NoKey)));
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_never_read_to_an_end() {
    let (text, key) = (dump(), Identity::generate());
    let (mut file, written) = sealed(&text, std::slice::from_ref(&key));
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert!(bytes.len() > 3 * 65_552, "it has several chunks: {}", bytes.len());
    let header = bytes.windows(4).position(|part| part == b"\n---").unwrap();
    let chunk = bytes.len() - (bytes.len() - header) % 65_552;
    for length in [0, 1, header, header + 60, 70_000, chunk, bytes.len() - 17, bytes.len() - 16, bytes.len() - 1] {
        let mut cut = tempfile::tempfile().unwrap();
        cut.write_all(&bytes[..length]).unwrap();
        cut.rewind().unwrap();
        match Opened::of(cut, std::slice::from_ref(&key)) {
            Err(Locked::Broken(_)) => {}
            Err(other) => panic!("{length}: {other:?}"),
            Ok(opened) => {
                let error = opened.prove(&CancellationToken::new()).unwrap_err();
                assert!(is_damage(&error), "{length}: {error:?}");
            }
        }
    }
    assert_eq!(written.bytes, bytes.len() as u64);
}

#[test]
fn a_complete_file_of_an_incomplete_compression_is_never_read_to_an_end() {
    let (key, text) = (Identity::generate(), dump());
    let compressed = zstd::encode_all(text.as_slice(), 3).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&key.to_public() as &dyn age::Recipient)).unwrap();
    let mut encrypted = encryptor.wrap_output(&mut file).unwrap();
    encrypted.write_all(&compressed[..compressed.len() / 2]).unwrap();
    encrypted.finish().unwrap();
    file.rewind().unwrap();
    let mut read = Vec::new();
    let fed = Opened::of(file, &[key]).unwrap().feed(&mut read, &AtomicU64::new(0));
    assert!(matches!(fed, Err(Failed::Reading(error)) if is_damage(&error)));
    assert!(read.len() < text.len());
}

#[test]
fn a_disk_that_is_full_is_told_from_a_source_that_fails() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let key = [Identity::generate().to_public()];
    let failed = seal(dump().as_slice(), &full, &key, &AtomicU64::new(0)).unwrap_err();
    assert!(matches!(failed, Failed::Writing(error) if error.kind() == ErrorKind::StorageFull));
    let stop = CancellationToken::new();
    stop.cancel();
    let stopped = Summed::new(tempfile::tempfile().unwrap()).finish(&stop).unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Interrupted);
}

/// Gives these bytes, and then an error of the place.
struct Breaks<'b>(&'b [u8]);

impl Read for Breaks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(carry(BackupError::Transient("away".to_owned()))),
            length => Ok(length),
        }
    }
}

#[test]
fn a_place_that_fails_is_told_from_a_file_that_is_damaged() {
    let (text, key) = (dump(), Identity::generate());
    let (mut file, _) = sealed(&text, std::slice::from_ref(&key));
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    for length in [0, 100, 70_000, bytes.len() - 1] {
        let mut summed = Summed::new(Breaks(&bytes[..length]));
        let error = match Opened::of(&mut summed, std::slice::from_ref(&key)) {
            Err(Locked::Io(error)) => error,
            Err(other) => panic!("{length}: {other:?}"),
            Ok(opened) => opened.prove(&CancellationToken::new()).unwrap_err(),
        };
        assert!(!is_damage(&error), "{length}: {error:?}");
    }
    // What is summed up is the whole file, also where its content ends before.
    let longer = [bytes.as_slice(), b"more"].concat();
    let mut summed = Summed::new(longer.as_slice());
    drop(Opened::of(&mut summed, std::slice::from_ref(&key)).unwrap());
    let (length, sha256) = summed.finish(&CancellationToken::new()).unwrap();
    assert_eq!((length, sha256), (longer.len() as u64, hex::encode(sha2::Sha256::digest(&longer))));
}
