//! The types that settings have, and how their values are shown.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Serialize;

/// A type that a setting may have.
pub trait Setting {
    /// Whether it is a list.
    const IS_LIST: bool = false;

    /// The value in Markdown; none if it is unset, empty or a secret.
    fn shown(&self) -> Option<String>;

    /// The value that limits apply to.
    fn number(&self) -> Option<u64> {
        None
    }
}

fn code(text: impl fmt::Display) -> Option<String> {
    Some(format!("`{text}`")).filter(|code| code.len() > 2)
}

/// The word of an enumeration in the settings file.
pub(super) fn word(value: &impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok().and_then(|word| code(word.as_str()?))
}

macro_rules! numbers {
    ($($kind:ty),+) => {
        $(impl Setting for $kind {
            fn shown(&self) -> Option<String> {
                Some(self.to_string())
            }

            fn number(&self) -> Option<u64> {
                u64::try_from(*self).ok()
            }
        })+
    };
}
numbers!(u16, u32, u64, usize);

impl Setting for bool {
    fn shown(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for String {
    fn shown(&self) -> Option<String> {
        code(self)
    }
}

impl Setting for PathBuf {
    fn shown(&self) -> Option<String> {
        code(self.display())
    }
}

impl Setting for SocketAddr {
    fn shown(&self) -> Option<String> {
        code(self)
    }
}

impl Setting for SecretString {
    fn shown(&self) -> Option<String> {
        None
    }
}

impl<T: Setting> Setting for Option<T> {
    fn shown(&self) -> Option<String> {
        self.as_ref().and_then(Setting::shown)
    }

    fn number(&self) -> Option<u64> {
        self.as_ref().and_then(Setting::number)
    }
}

impl Setting for Vec<String> {
    const IS_LIST: bool = true;

    fn shown(&self) -> Option<String> {
        code(self.join(","))
    }
}

impl Setting for Vec<SecretString> {
    const IS_LIST: bool = true;

    fn shown(&self) -> Option<String> {
        None
    }
}
