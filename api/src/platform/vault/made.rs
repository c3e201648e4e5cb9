//! Generates secrets of particular formats from the system's random bits.

use ed25519_dalek::SigningKey;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{EncodeRsaPrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{LineEnding as SshLineEnding, PrivateKey};

use super::VaultError;

/// A private RSA key in PEM (PKCS #1). Takes up to a few seconds of one processor for 2,048 bits.
///
/// # Errors
/// [`VaultError::Broken`] if no key of this size can be made.
pub fn rsa_private_key(bits: usize) -> Result<String, VaultError> {
    let broken = |error: &dyn std::fmt::Display| VaultError::Broken(error.to_string());
    let key = RsaPrivateKey::new(&mut OsRng, bits).map_err(|error| broken(&error))?;
    let pem = key.to_pkcs1_pem(LineEnding::LF).map_err(|error| broken(&error))?;
    Ok(pem.trim_end().to_owned())
}

/// An Ed25519 key pair for SSH: the private key in OpenSSH's format, and the line for `authorized_keys`.
///
/// # Errors
/// [`VaultError::Broken`] if the system gives no random bits.
pub fn ssh_key_pair(comment: &str) -> Result<(String, String), VaultError> {
    let broken = |error: ssh_key::Error| VaultError::Broken(error.to_string());
    let mut seed = [0u8; 32];
    getrandom::fill(&mut seed).map_err(|error| VaultError::Broken(error.to_string()))?;
    let public = Ed25519PublicKey(SigningKey::from_bytes(&seed).verifying_key().to_bytes());
    let pair = Ed25519Keypair { public, private: Ed25519PrivateKey::from_bytes(&seed) };
    let key = PrivateKey::new(KeypairData::Ed25519(pair), comment).map_err(broken)?;
    let public = key.public_key().to_openssh().map_err(broken)?;
    Ok((key.to_openssh(SshLineEnding::LF).map_err(broken)?.to_string(), public))
}

/// A random UUID (version 4, RFC 9562), in lower case.
///
/// # Errors
/// [`VaultError::Broken`] if the system gives no random bits.
pub fn uuid() -> Result<String, VaultError> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| VaultError::Broken(error.to_string()))?;
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let text = hex::encode(bytes);
    let (first, rest) = text.split_at(8);
    let (second, rest) = rest.split_at(4);
    let (third, rest) = rest.split_at(4);
    let (fourth, last) = rest.split_at(4);
    Ok([first, second, third, fourth, last].join("-"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rsa::pkcs1::DecodeRsaPrivateKey;
    use rsa::traits::PublicKeyParts;

    use super::*;

    #[test]
    fn an_rsa_key_is_read_again_and_has_its_size() {
        let pem = rsa_private_key(2048).unwrap();
        assert!(pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"), "{pem}");
        assert_eq!(RsaPrivateKey::from_pkcs1_pem(&pem).unwrap().size() * 8, 2048);
    }

    #[test]
    fn an_ssh_key_pair_is_one_pair_and_differs_each_time() {
        let (private, public) = ssh_key_pair("ocim").unwrap();
        assert!(private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n") && private.ends_with('\n'), "{private}");
        assert!(public.starts_with("ssh-ed25519 AAAA") && public.ends_with(" ocim"), "{public}");
        let read = PrivateKey::from_openssh(&private).unwrap();
        assert_eq!(read.public_key().to_openssh().unwrap(), public);
        assert_ne!(ssh_key_pair("ocim").unwrap().1, public);
    }

    #[test]
    fn a_uuid_has_the_form_of_version_4() {
        let uuid = uuid().unwrap();
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(uuid.chars().nth(14), Some('4'), "{uuid}");
        assert!(matches!(uuid.chars().nth(19), Some('8' | '9' | 'a' | 'b')), "{uuid}");
    }
}
