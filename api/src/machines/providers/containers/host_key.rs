//! The public host key of a container, which it makes at its first start.

use std::io::Read;

use reqwest::Method;

use super::engine::{Ask, Engine};
use super::error::ContainersError;

const PATH: &str = "/etc/ssh/ssh_host_ed25519_key.pub";
/// A public key has 100 bytes, and a comment.
const MAX_BYTES: u64 = 4096;

/// Reads it from the container's file system; none until the container has made it.
///
/// # Errors
/// The engine's error.
pub(super) async fn read(engine: &Engine, id: &str) -> Result<Option<String>, ContainersError> {
    let what = format!("Read the host key of container {}", id.get(..12).unwrap_or(id));
    let ask = Ask::new(Method::GET, &what, ["containers", id, "archive"]).query("path", PATH);
    match engine.send(ask, engine.pace.read).await {
        Ok(archive) => Ok(of_archive(&archive)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The key in an archive with that file. Other files, which the machine's root may have put there, are no key.
fn of_archive(archive: &[u8]) -> Option<String> {
    let mut archive = tar::Archive::new(archive);
    let file = archive.entries().ok()?.next()?.ok()?;
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    let (kind, data) = text.trim_end().split_once(' ')?;
    let data = data.split(' ').next()?;
    let is_key = kind == "ssh-ed25519"
        && data.starts_with("AAAA")
        && data.len() < 200
        && data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    is_key.then(|| format!("{kind} {data}"))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// As an engine packs it.
    pub(in crate::machines::providers::containers) fn packed(text: &str) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_data(&mut header, "ssh_host_ed25519_key.pub", text.as_bytes()).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn only_a_host_key_is_one() {
        assert_eq!(of_archive(&packed("ssh-ed25519 AAAAC3Nz+/= demo\n")).unwrap(), "ssh-ed25519 AAAAC3Nz+/=");
        for other in ["", "ssh-ed25519", "ssh-rsa AAAA", "ssh-ed25519 AAAA\nb", "ssh-ed25519 xyz", "ssh-ed25519  AAAA"]
        {
            assert_eq!(of_archive(&packed(other)), None, "{other:?}");
        }
        assert_eq!(of_archive(&packed(&format!("ssh-ed25519 {}", "A".repeat(5000)))), None);
        assert_eq!(of_archive(b"no archive"), None);
    }
}
