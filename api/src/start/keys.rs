//! Secrets that the program makes for people, and the place of one that earlier versions made.

use std::path::{Path, PathBuf};

use super::StartError;

/// The private SSH key that machines of earlier versions share; its public half is beside it. Never made any more.
pub(super) fn shared_key(data_dir: &Path) -> PathBuf {
    data_dir.join("ssh").join("id_ed25519")
}

/// A random password: four groups of five lower-case letters and digits, without characters that look alike.
pub(super) fn random_password() -> Result<String, StartError> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bits = [0u8; 20];
    getrandom::fill(&mut bits)?;
    let groups: Vec<String> = bits
        .chunks(5)
        .map(|group| {
            group.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).map(|b| char::from(*b)).collect()
        })
        .collect();
    Ok(groups.join("-"))
}
