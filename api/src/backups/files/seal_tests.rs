#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::sync::atomic::AtomicU64;

use tokio_util::sync::CancellationToken;

use super::seal::*;
use super::*;

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
    assert_eq!(sum(&file, &CancellationToken::new()).unwrap(), (written.bytes, written.sha256));
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
    assert_eq!(sum(&tempfile::tempfile().unwrap(), &stop).unwrap_err().kind(), ErrorKind::Interrupted);
}
