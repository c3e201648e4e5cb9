//! Host keys of machines. Where the provider tells none, the key of the first login is recorded, and no login accepts another
//! one after that.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::advance::{MachineError, Machines};
use super::probe::{Login, SshError};
use super::store::{self, MachineRow};

/// The most characters of a key's line: an RSA key of 16,384 bits has 2,800.
const MAX_TEXT: usize = 4000;

impl Machines<'_> {
    /// Logs in to a machine whose host key is not known, and records the key with which it answers. Gives the recorded one,
    /// which another worker may have recorded just before. None: the probe has no host keys.
    ///
    /// # Errors
    /// [`MachineError::Away`] if the login failed; a database error.
    pub(super) async fn record_host_key(
        &self,
        row: &MachineRow,
        login: &Login,
    ) -> Result<Option<String>, MachineError> {
        let failed = |why: SshError| MachineError::Away(format!("VM {} does not let ocim in: {why}", row.name));
        let Some(seen) = self.probe.host_key(login).await.map_err(failed)? else { return Ok(None) };
        let kept = store::keep_first_host_key(&mut *self.db.conn().await?, row.id, &seen).await?;
        if let Some(key) = &kept {
            tracing::info!(server = %row.id, name = row.name, host_key = named(key), "the host key of a machine was recorded");
        }
        Ok(kept)
    }
}

/// The key that ssh has written to an empty `known_hosts` file: its algorithm and its Base64.
pub(super) fn of_known_hosts(text: &str) -> Option<String> {
    let mut words = text.lines().next()?.split_whitespace().skip(1);
    let (algorithm, data) = (words.next()?, words.next()?);
    let is_key = is_algorithm(algorithm) && STANDARD.decode(data).is_ok() && text.len() <= MAX_TEXT;
    is_key.then(|| format!("{algorithm} {data}"))
}

fn is_algorithm(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'@'))
}

/// The algorithms of ssh that prove this key, as its option `HostKeyAlgorithms` names them. None: it is no key.
pub(super) fn algorithms(key: &str) -> Option<&str> {
    match key.split_whitespace().next()? {
        "ssh-rsa" => Some("rsa-sha2-512,rsa-sha2-256"),
        word => is_algorithm(word).then_some(word),
    }
}

/// A key's fingerprint, as `ssh-keygen -l` prints it, and its algorithm.
pub fn named(key: &str) -> String {
    let mut words = key.split_whitespace();
    let (algorithm, data) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match STANDARD.decode(data) {
        Ok(blob) => format!("SHA256:{} ({algorithm})", STANDARD_NO_PAD.encode(Sha256::digest(&blob))),
        Err(_) => "not readable".to_owned(),
    }
}

/// Why a machine is not logged in to that answers with another key than the expected one. `seen`: none if ssh did not
/// get that key a second time.
pub(super) fn refusal(login: &Login, expected: &str, seen: Option<&str>) -> String {
    let Login { name, address, .. } = login;
    let seen = seen.map_or_else(|| "another host key".to_owned(), |key| format!("the host key {}", named(key)));
    format!(
        "VM {name} at {address} answers with {seen}, but its recorded host key is {}. ocim does not log in to it: another \
         machine has its address, or its host key was replaced. Compare the keys on the machine's console, and launch \
         another app server",
        named(expected)
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvFOWNs7imHHStqzdq3XANO9/b09kOXKCFdrjQudOCR";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGj0Zk7bO3Gj1m4yPzq0w4p0m9pQdV2s8b8m1tq4yJ3a";

    #[test]
    fn the_key_is_read_from_a_line_of_known_hosts_and_nothing_else_is() {
        for host in ["10.0.0.1", "[10.0.0.1]:2222", "[2001:db8::7]:22"] {
            assert_eq!(of_known_hosts(&format!("{host} {KEY}\n")).as_deref(), Some(KEY));
        }
        let long = format!("h ssh-rsa {}", "AAAA".repeat(MAX_TEXT / 4));
        for other in ["", "\n", "host", "host ssh-ed25519", "host ssh-ed25519 not/base64!", "h a,b AAAA", &long] {
            assert_eq!(of_known_hosts(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_key_is_asked_for_again_with_the_algorithms_that_prove_it() {
        assert_eq!(algorithms(KEY), Some("ssh-ed25519"));
        assert_eq!(algorithms("ssh-rsa AAAA"), Some("rsa-sha2-512,rsa-sha2-256"));
        assert_eq!((algorithms(""), algorithms("a,b AAAA")), (None, None));
    }

    #[test]
    fn a_refusal_names_the_machine_both_fingerprints_and_the_remedy() {
        let address = "10.0.0.4:22".parse().unwrap();
        let login = Login { name: "demo-7".into(), address, user: "ubuntu".into(), host_key: None, keys: Vec::new() };
        let words = refusal(&login, KEY, Some(OTHER));
        let fingerprint = |key| crate::platform::public_key::PublicKey::parse(key).unwrap().0.fingerprint().to_owned();
        for part in ["VM demo-7 at 10.0.0.4:22", &fingerprint(KEY), &fingerprint(OTHER), "launch another app server"] {
            assert!(words.contains(part), "{part} in {words}");
        }
        let words = refusal(&login, "ssh-ed25519 !", None);
        assert!(words.contains("answers with another host key, but its recorded host key is not readable."));
    }
}
