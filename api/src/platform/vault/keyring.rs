//! The keys that encrypt secrets. The first key encrypts; all keys decrypt.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::Value;

use super::VaultError;
use super::store::{NewSecret, SecretRow};

/// The length of a nonce in bytes; the nonce precedes the ciphertext.
const NONCE: usize = 24;
/// The length of a key in bytes.
const KEY: usize = 32;
/// The maximum length of a key's id, in characters.
const KEY_ID_MAX: usize = 32;

/// An encryption key with its id.
#[derive(Clone)]
pub struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Parses a key: `id:64 hexadecimal digits`.
///
/// # Errors
/// [`VaultError::NoKey`] says what is wrong, without any part of the key.
pub fn parse(line: &str) -> Result<Key, VaultError> {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let wrong = |what: &str| VaultError::NoKey(format!("{what}; `ocim admin generate-key` prints one"));
    let (id, digits) = line.trim().split_once(':').ok_or_else(|| wrong("a key must read id:64 hexadecimal digits"))?;
    if id.is_empty() || id.len() > KEY_ID_MAX || !id.chars().all(is_letter) {
        return Err(wrong("the id of a key must be 1 to 32 small letters, digits, hyphens and underlines"));
    }
    let mut bytes = [0u8; KEY];
    hex::decode_to_slice(digits, &mut bytes)
        .map_err(|_| wrong(&format!("key «{id}» must have 64 hexadecimal digits")))?;
    Ok(Key { id: id.to_owned(), cipher: XChaCha20Poly1305::new(&bytes.into()) })
}

/// A new key, in the form that [`parse`] reads.
///
/// # Errors
/// [`VaultError::Broken`] if the system provides no random bits.
pub fn generate() -> Result<String, VaultError> {
    let (name, key) = (random::<4>()?, random::<KEY>()?);
    Ok(format!("k{}:{}", hex::encode(name), hex::encode(key)))
}

/// A random text of uniformly distributed letters and digits, for passwords of other programs.
///
/// # Errors
/// [`VaultError::Broken`] if the system provides no random bits.
pub fn letters(length: usize) -> Result<String, VaultError> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // Bytes from 248 on are skipped, since they would make the first letters more likely.
        let drawn = random::<64>()?.into_iter().filter(|byte| usize::from(*byte) < 4 * LETTERS.len());
        let drawn = drawn.filter_map(|byte| LETTERS.get(usize::from(byte) % LETTERS.len()));
        text.extend(drawn.take(length - text.len()).map(|letter| char::from(*letter)));
    }
    Ok(text)
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bits = [0u8; N];
    getrandom::fill(&mut bits).map_err(|error| VaultError::Broken(error.to_string()))?;
    Ok(bits)
}

/// Authenticated with a secret (as associated data), so that one row's ciphertext cannot be used in another.
fn place(id: &str) -> Vec<u8> {
    format!("secrets/{id}").into_bytes()
}

/// Like [`place`], for values that are not stored.
fn errand(purpose: &str) -> Vec<u8> {
    format!("errands/{purpose}").into_bytes()
}

impl Key {
    /// The key's id, as secrets store it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Encrypts a secret under a new id.
    pub(super) fn encrypt(&self, secret: &Value) -> Result<NewSecret, VaultError> {
        self.encrypt_as(hex::encode(random::<16>()?), secret)
    }

    /// Encrypts a secret under its existing id.
    pub(super) fn encrypt_as(&self, id: String, secret: &Value) -> Result<NewSecret, VaultError> {
        let sealed = self.seal(&place(&id), secret)?;
        Ok(NewSecret { id, key_id: self.id.clone(), sealed })
    }

    fn decrypt(&self, row: &SecretRow) -> Result<Value, VaultError> {
        let changed = || VaultError::Changed { secret: row.id.clone(), key: self.id.clone() };
        self.unseal(&place(&row.id), &row.sealed).ok_or_else(changed)
    }

    /// The nonce followed by the ciphertext; it can only be decrypted for the same place.
    fn seal(&self, place: &[u8], value: &Value) -> Result<Vec<u8>, VaultError> {
        let nonce = random::<NONCE>()?;
        let text = value.to_string();
        let payload = Payload { msg: text.as_bytes(), aad: place };
        let encrypted = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|error| VaultError::Broken(error.to_string()))?;
        Ok([nonce.as_slice(), &encrypted].concat())
    }

    fn unseal(&self, place: &[u8], sealed: &[u8]) -> Option<Value> {
        let (nonce, encrypted) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: encrypted, aad: place };
        let text = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// Modification time and length, to detect that a file has changed.
type Stamp = (SystemTime, u64);

#[derive(Debug, Clone)]
struct Held {
    keys: Arc<[Key]>,
    stamp: Option<Stamp>,
}

/// All keys of this program. Cheap to clone; clones share their state.
///
/// A file of keys is read again when it has changed, so that a rotation needs no restart.
#[derive(Debug, Clone)]
pub struct Keyring {
    file: Option<Arc<PathBuf>>,
    held: Arc<RwLock<Held>>,
}

impl Keyring {
    /// A keyring of these keys, each `id:64 hexadecimal digits`.
    ///
    /// # Errors
    /// [`VaultError::NoKey`] if there is none, one is invalid, or two have the same id.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, VaultError> {
        let held = Held { keys: read(lines)?, stamp: None };
        Ok(Self { file: None, held: Arc::new(RwLock::new(held)) })
    }

    /// A keyring of the keys in a file, one per line.
    ///
    /// # Errors
    /// [`VaultError::File`] if it cannot be read, or as [`Keyring::of`].
    pub fn of_file(path: PathBuf) -> Result<Self, VaultError> {
        let held = load(&path)?;
        Ok(Self { file: Some(Arc::new(path)), held: Arc::new(RwLock::new(held)) })
    }

    /// The ids of all keys, starting with the one that encrypts.
    pub fn ids(&self) -> Vec<String> {
        self.held().keys.iter().map(|key| key.id.clone()).collect()
    }

    /// Encrypts and authenticates a value that leaves this program and returns, such as a cookie, as letters, digits
    /// and `-_.`. The value is bound to `purpose` and cannot be used for another.
    ///
    /// # Errors
    /// [`VaultError`] if the keys cannot be read.
    pub fn hand_out(&self, purpose: &str, value: &Value) -> Result<String, VaultError> {
        let key = self.first()?;
        let sealed = key.seal(&errand(purpose), value)?;
        Ok(format!("{}.{}", key.id, URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// The value given to [`Keyring::hand_out`] for this purpose. None: the text is not from it, or its key is gone.
    pub fn take_back(&self, purpose: &str, wrapped: &str) -> Option<Value> {
        let (id, sealed) = wrapped.split_once('.')?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        self.read_if_changed();
        self.held().keys.iter().find(|key| key.id == id)?.unseal(&errand(purpose), &sealed)
    }

    /// The key that encrypts.
    pub(super) fn first(&self) -> Result<First, VaultError> {
        self.read_if_changed();
        let keys = self.held().keys;
        if keys.is_empty() { Err(VaultError::NoKey("there is no key".into())) } else { Ok(First(keys)) }
    }

    /// Decrypts the secret in a row.
    pub(super) fn decrypt(&self, row: &SecretRow) -> Result<Value, VaultError> {
        if let Some(secret) = self.try_decrypt(row) {
            return secret;
        }
        // The key may have been added to the file since it was read.
        self.read_again();
        self.try_decrypt(row)
            .unwrap_or_else(|| Err(VaultError::UnknownKey { secret: row.id.clone(), key: row.key_id.clone() }))
    }

    fn try_decrypt(&self, row: &SecretRow) -> Option<Result<Value, VaultError>> {
        self.held().keys.iter().find(|key| key.id == row.key_id).map(|key| key.decrypt(row))
    }

    fn held(&self) -> Held {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Without this, new secrets could be encrypted with a key that a rotation has reported as spare.
    fn read_if_changed(&self) {
        let now = self.file.as_deref().and_then(|file| stamp(file));
        // A file that is missing for a moment removes no keys.
        if now.is_some() && self.held().stamp != now {
            self.read_again();
        }
    }

    /// Known keys are kept until the program ends, to decrypt rows that were read before a rotation. A file that is
    /// only partly written changes nothing.
    fn read_again(&self) {
        let Some(file) = self.file.as_deref() else { return };
        match load(file) {
            Ok(Held { keys, stamp }) => {
                let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
                let old = held.keys.iter().filter(|old| keys.iter().all(|key| key.id != old.id));
                *held = Held { keys: keys.iter().chain(old).cloned().collect(), stamp };
            }
            Err(error) => tracing::warn!(%error, "the keys of secrets stay those that were read before"),
        }
    }
}

/// The keys at the time when a secret is encrypted.
pub(super) struct First(Arc<[Key]>);

impl std::ops::Deref for First {
    type Target = Key;

    #[expect(clippy::expect_used, reason = "made only of what is not empty")]
    fn deref(&self) -> &Key {
        self.0.first().expect("a key")
    }
}

fn load(path: &Path) -> Result<Held, VaultError> {
    // Read the stamp first: a change in between is then found at the next check.
    let stamp = stamp(path);
    let text =
        std::fs::read_to_string(path).map_err(|error| VaultError::File(format!("{}: {error}", path.display())))?;
    let keys = read(text.lines().filter(|line| !line.trim().is_empty()))?;
    Ok(Held { keys, stamp })
}

fn stamp(path: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Arc<[Key]>, VaultError> {
    let keys = lines.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(VaultError::NoKey("there is no key; `ocim admin generate-key` prints one".into()));
    }
    let mut ids: Vec<_> = keys.iter().map(Key::id).collect();
    ids.sort_unstable();
    if let Some(twice) = ids.windows(2).find_map(|pair| pair.first().filter(|first| Some(*first) == pair.last())) {
        return Err(VaultError::NoKey(format!("two keys are called «{twice}»; give each an id of its own")));
    }
    Ok(keys.into())
}

#[cfg(test)]
#[path = "keyring_tests.rs"]
mod tests;
