//! The keys of age: public ones that backups are encrypted for, and private ones that open them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use age::x25519::{Identity, Recipient};
use secrecy::{ExposeSecret as _, SecretString};

/// What a private key begins with.
const PRIVATE: &str = "AGE-SECRET-KEY-";
/// The bits of a mode that let others than the owner read or write.
const OTHERS: u32 = 0o077;

/// Reads a public key.
///
/// # Errors
/// A message. It never repeats a private key that was given instead.
pub(super) fn recipient(text: &str) -> Result<Recipient, String> {
    let text = text.trim();
    if text.to_ascii_uppercase().contains(PRIVATE) {
        return Err("A recipient of backups is a private key (AGE-SECRET-KEY-…). Give the public key, which \
             `age-keygen -y` prints, and replace the private key if others could read the settings."
            .to_owned());
    }
    text.parse().map_err(|reason| {
        format!("The recipient “{text}” of backups is no public key of age ({reason}). One begins with `age1`; `age-keygen` prints it.")
    })
}

/// Reads a file of private keys: one a line, and comments that begin with `#`.
///
/// # Errors
/// A message with the path: the file is missing, open to other users, or has no key, or another line than these.
pub(super) fn identities(file: &Path) -> Result<Vec<Identity>, String> {
    let shown = file.display();
    let failed = |error: std::io::Error| format!("The file of private keys {shown} cannot be read: {error}.");
    let mode = fs::metadata(file).map_err(failed)?.mode();
    if mode & OTHERS != 0 {
        return Err(format!(
            "The file of private keys {shown} is open to other users (mode {:04o}). Run: chmod 600 {shown}",
            mode & 0o7777
        ));
    }
    let text = SecretString::from(fs::read_to_string(file).map_err(failed)?);
    let lines = (1..).zip(text.expose_secret().lines().map(str::trim));
    let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let found = keys.map(|(number, line)| {
        // The line may be a secret with a mistake in it.
        line.parse().map_err(|reason| format!("Line {number} of {shown} is no private key of age: {reason}."))
    });
    let found = found.collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        return Err(format!("The file of private keys {shown} has no key. `age-keygen` makes one."));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_private_key_is_refused_as_a_recipient_and_not_repeated() {
        let key = Identity::generate();
        let text = key.to_string();
        for given in [text.expose_secret().to_owned(), text.expose_secret().to_lowercase()] {
            let words = recipient(&given).unwrap_err();
            assert!(words.contains("is a private key"), "{words}");
            assert!(!words.to_uppercase().contains(&given.to_uppercase()[PRIVATE.len()..]), "{words}");
        }
        assert_eq!(recipient(&format!(" {} ", key.to_public())).unwrap(), key.to_public());
        for bad in ["", "age1", "ssh-ed25519 AAAA", "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"] {
            let words = recipient(bad).unwrap_err();
            assert!(words.contains("is no public key of age"), "{words}");
        }
    }

    #[test]
    fn a_file_of_private_keys_must_exist_be_private_and_hold_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        let write = |text: &str, mode: u32| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        };
        let words = |expected: &str| {
            let words = identities(&file).map(|keys| keys.len()).unwrap_err();
            assert!(words.contains(expected) && words.contains(&file.display().to_string()), "{words}");
            words
        };
        words("cannot be read: No such file");
        let (one, two) = (Identity::generate().to_string(), Identity::generate().to_string());
        let both = format!("# created\n\n{}\n{}\n", one.expose_secret(), two.expose_secret());
        for mode in [0o640, 0o604, 0o620] {
            write(&both, mode);
            words(&format!("is open to other users (mode {mode:04o})"));
        }
        for mode in [0o600, 0o400] {
            write(&both, mode);
            assert_eq!(identities(&file).map(|keys| keys.len()), Ok(2));
        }
        write("# none\n", 0o600);
        words("has no key");
        write(&format!("{both}{}x\n", one.expose_secret()), 0o600);
        assert!(!words("Line 5").contains(one.expose_secret()));
    }
}
