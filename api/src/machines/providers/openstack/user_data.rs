//! What cloud-init does at the first boot: make the login user and let the machine's key in. Key pairs of Nova are not
//! used: they belong to a user, whose quota is small.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::error::OpenStackError;

/// The limit of OpenSSH's line in `authorized_keys`; Nova's limit for all user data is 64 KiB.
const MAX_KEY_BYTES: usize = 16 * 1024;

/// Checks the name of the login user.
///
/// # Errors
/// [`OpenStackError::Settings`] names the setting.
pub(super) fn check_user(user: &str) -> Result<(), OpenStackError> {
    let is_first = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let is_name = user.as_bytes().first().is_some_and(is_first)
        && user.len() <= 32
        && user.bytes().all(|byte| is_first(&byte) || byte.is_ascii_digit() || byte == b'-');
    if is_name {
        return Ok(());
    }
    let words = "must be a user name of at most 32 lower-case letters, digits, `-` and `_`";
    Err(OpenStackError::Settings(format!("OPENSTACK_SANDBOX_SSH_USERNAME {words}")))
}

/// Checks the path of the Python interpreter, which is written into an inventory of Ansible.
///
/// # Errors
/// [`OpenStackError::Settings`] names the setting.
pub(super) fn check_python(path: Option<&str>) -> Result<(), OpenStackError> {
    let is_path = |path: &str| {
        path.starts_with('/')
            && path.len() <= 255
            && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._+-".contains(&byte))
    };
    if path.is_none_or(is_path) {
        return Ok(());
    }
    let words = "must be an absolute path of at most 255 letters, digits, `/`, `.`, `_`, `+` and `-`";
    Err(OpenStackError::Settings(format!("OPENSTACK_SANDBOX_PYTHON {words}")))
}

/// The user data of a server, in Base64.
///
/// # Errors
/// [`OpenStackError::Settings`] if the key is not one line.
pub(super) fn encoded(user: &str, authorized_key: &str) -> Result<String, OpenStackError> {
    if authorized_key.is_empty() || authorized_key.contains(['\n', '\r', '\0']) || authorized_key.len() > MAX_KEY_BYTES
    {
        return Err(OpenStackError::Settings("the public key must be one line of at most 16 KiB".to_owned()));
    }
    // JSON is YAML, and quotes reliably.
    let config = json!({
        "users": [{
            "name": user,
            "gecos": "ocim",
            "shell": "/bin/bash",
            "lock_passwd": true,
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "ssh_authorized_keys": [authorized_key],
        }],
        "disable_root": true,
        "ssh_pwauth": false,
    });
    Ok(STANDARD.encode(format!("#cloud-config\n{config}\n")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn a_key_stays_one_value() {
        let key = r#"ssh-ed25519 AAAA "x": y # {z}"#;
        let text = String::from_utf8(STANDARD.decode(encoded("debian", key).unwrap()).unwrap()).unwrap();
        let yaml = shared_types::yaml::parse(text.strip_prefix("#cloud-config\n").unwrap()).unwrap();
        assert_eq!(yaml["users"][0]["ssh_authorized_keys"], serde_json::json!([key]));
        assert_eq!(yaml["users"][0]["name"], "debian");
        assert_eq!(yaml["users"].as_array().unwrap().len(), 1, "no default user beside it");
    }

    #[test]
    fn what_is_no_user_no_path_and_no_key_is_refused() {
        for user in ["", "-a", "1a", "a b", "a:b", "Root", "ü", &"a".repeat(33)] {
            let error = check_user(user).unwrap_err().to_string();
            assert!(error.starts_with("OPENSTACK_SANDBOX_SSH_USERNAME"), "{user}: {error}");
        }
        for user in ["ubuntu", "debian", "_apt", "a-1"] {
            check_user(user).unwrap();
        }
        for path in
            ["", "python3", "/usr/bin/python3 x=1", "/usr/bin/{{ x }}", "/a\nb", &format!("/{}", "a".repeat(255))]
        {
            let error = check_python(Some(path)).unwrap_err().to_string();
            assert!(error.starts_with("OPENSTACK_SANDBOX_PYTHON"), "{path}: {error}");
        }
        check_python(None).unwrap();
        check_python(Some("/opt/python-3.11/bin/python3.11")).unwrap();
        for key in ["", "a\nb", &"k".repeat(MAX_KEY_BYTES + 1)] {
            assert!(encoded("a", key).is_err());
        }
    }
}
