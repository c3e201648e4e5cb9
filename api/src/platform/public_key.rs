//! Public SSH keys of people: what is accepted, and how it is written. Nothing of a key's text reaches a machine but its
//! algorithm, which is one of a list, and its Base64, which is encoded anew.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

/// The most characters of a key's line: an RSA key of 16,384 bits has 2,800.
pub const MAX_TEXT: usize = 8000;
/// The most characters of a comment that are kept.
const MAX_COMMENT: usize = 255;
/// The fewest and the most bits of an RSA key.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=16384;
/// The most bytes of the name that a security key signs for.
const MAX_APPLICATION: usize = 255;

/// What keys may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ed25519,
    /// The name of the curve, and the bytes of a point on it.
    Ecdsa(&'static str, usize),
    Rsa,
    SkEd25519,
    SkEcdsa,
}

const KINDS: &[(&str, Kind)] = &[
    ("ssh-ed25519", Kind::Ed25519),
    ("ecdsa-sha2-nistp256", Kind::Ecdsa("nistp256", 65)),
    ("ecdsa-sha2-nistp384", Kind::Ecdsa("nistp384", 97)),
    ("ecdsa-sha2-nistp521", Kind::Ecdsa("nistp521", 133)),
    ("ssh-rsa", Kind::Rsa),
    ("sk-ssh-ed25519@openssh.com", Kind::SkEd25519),
    ("sk-ecdsa-sha2-nistp256@openssh.com", Kind::SkEcdsa),
];

/// A public key that may let a person in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: &'static str,
    data: String,
    fingerprint: String,
}

impl PublicKey {
    /// A key from a line of a `.pub` file, and its comment, which is blank if there is none.
    ///
    /// # Errors
    /// What is wrong with it and what to do, in sentences.
    pub fn parse(text: &str) -> Result<(Self, String), String> {
        let text = text.trim();
        if let Some(words) = fault(text) {
            return Err(words);
        }
        let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        let Some((algorithm, kind)) = KINDS.iter().find(|(name, _)| *name == word) else {
            return Err(not_accepted(word, rest));
        };
        let (data, comment) = rest.trim_start().split_once([' ', '\t']).unwrap_or((rest.trim(), ""));
        let damaged = || "The key is damaged or not complete. Copy the whole line of the .pub file again.".to_owned();
        let blob = STANDARD.decode(data).map_err(|_| damaged())?;
        check(algorithm, *kind, &blob).ok_or_else(damaged)??;
        let fingerprint = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&blob)));
        let comment = comment.trim().chars().take(MAX_COMMENT).collect();
        Ok((Self { algorithm, data: STANDARD.encode(blob), fingerprint }, comment))
    }

    /// The first word of its line.
    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// The key in Base64, without its algorithm.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// `SHA256:` and the hash in Base64, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Algorithm and key, without a comment: one line of `authorized_keys`.
    pub fn line(&self) -> String {
        format!("{} {}", self.algorithm, self.data)
    }
}

/// What is wrong with a text before its parts are looked at.
fn fault(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("Paste a public key: the line in a file such as ~/.ssh/id_ed25519.pub.".to_owned());
    }
    if text.contains("PRIVATE KEY") {
        let words = "This is a private key, which must stay with its owner. Paste the public key instead: the line in the file \
                     that ends with .pub. If others may have seen the private key, make a new pair.";
        return Some(words.to_owned());
    }
    if text.chars().count() > MAX_TEXT {
        return Some(format!("Must have {MAX_TEXT} characters at most."));
    }
    if text.starts_with("---- BEGIN SSH2") || text.starts_with("-----BEGIN") {
        return Some("Must be a key in OpenSSH's format: `ssh-keygen -i -f FILE` converts it.".to_owned());
    }
    if text.contains(['\n', '\r']) {
        return Some("Must be one key on one line. Add each key of its own.".to_owned());
    }
    text.contains(|c: char| c.is_control() && c != '\t').then(|| "May hold no control characters.".to_owned())
}

/// Why a line that does not begin with an accepted algorithm is refused.
fn not_accepted(word: &str, rest: &str) -> String {
    let is_kind = |word: &str| KINDS.iter().any(|(name, _)| *name == word);
    if word == "ssh-dss" {
        return "DSA keys are too weak, and no current sshd accepts them. Make a key with `ssh-keygen -t ed25519`."
            .to_owned();
    }
    if word.ends_with("-cert-v01@openssh.com") {
        return "Certificates are not accepted. Paste the public key itself.".to_owned();
    }
    if rest.split([' ', '\t']).any(is_kind) {
        return "Options in front of a key are not accepted. Begin with the algorithm, such as ssh-ed25519.".to_owned();
    }
    let names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
    format!("Must be a public key that begins with one of: {}.", names.join(", "))
}

/// Whether the bytes are a key of this kind. None: they are not; an error: the key is too weak.
fn check(algorithm: &str, kind: Kind, blob: &[u8]) -> Option<Result<(), String>> {
    let mut rest = blob;
    let mut string = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (taken, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        rest = after;
        Some(taken)
    };
    let is_point = |point: &[u8], bytes: usize| point.len() == bytes && point.first() == Some(&4);
    let is_application = |text: &[u8]| !text.is_empty() && text.len() <= MAX_APPLICATION;
    let mut strength = Ok(());
    let mut is_kind = string()? == algorithm.as_bytes();
    match kind {
        Kind::Ed25519 => is_kind &= string()?.len() == 32,
        Kind::Ecdsa(curve, bytes) => is_kind &= string()? == curve.as_bytes() && is_point(string()?, bytes),
        Kind::SkEd25519 => is_kind &= string()?.len() == 32 && is_application(string()?),
        Kind::SkEcdsa => is_kind &= string()? == b"nistp256" && is_point(string()?, 65) && is_application(string()?),
        Kind::Rsa => {
            let (exponent, bits) = (number(string()?)?, number(string()?)?);
            is_kind &= exponent > 1;
            if !RSA_BITS.contains(&bits) {
                strength = Err(format!(
                    "An RSA key must have {} to {} bits; this one has {bits}. Make a key with `ssh-keygen -t ed25519`.",
                    RSA_BITS.start(),
                    RSA_BITS.end()
                ));
            }
        }
    }
    (is_kind && rest.is_empty()).then_some(strength)
}

/// The bits of a positive number in its shortest form. None: it is none.
fn number(bytes: &[u8]) -> Option<usize> {
    let significant = match bytes {
        [0, second, ..] if *second >= 0x80 => bytes.get(1..)?,
        [first, ..] if (1..0x80).contains(first) => bytes,
        _ => return None,
    };
    let zeros = usize::try_from(significant.first()?.leading_zeros()).ok()?;
    Some(significant.len() * 8 - zeros)
}

#[cfg(test)]
#[path = "public_key_tests.rs"]
mod tests;
