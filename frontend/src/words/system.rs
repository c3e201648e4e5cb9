//! The system page's words: its parts, and the levels of the sandbox.

use shared_types::ProviderKind;
use shared_types::system::{SandboxLevel, SystemPart};

/// The name of a part.
pub const fn part(part: SystemPart) -> &'static str {
    match part {
        SystemPart::Database => "Database",
        SystemPart::Provider => "Machines",
        SystemPart::Gateway => "Gateway",
        SystemPart::Worker => "Worker",
        SystemPart::Checks => "Health checks",
        SystemPart::Mail => "Mail",
        SystemPart::SecretKeys => "Secret keys",
        SystemPart::Github => "GitHub",
        SystemPart::Oidc => "Single sign-on",
        SystemPart::Databases => "External databases",
        SystemPart::Dns => "DNS",
    }
}

/// The name of a kind of machines.
pub const fn provider_kind(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Local => "Machines on this host",
        ProviderKind::Containers => "Containers on this host",
        ProviderKind::OpenStack => "OpenStack",
        ProviderKind::Fake => "Simulated machines",
        ProviderKind::Command => "A program",
    }
}

/// The label of a level.
pub const fn level(level: SandboxLevel) -> &'static str {
    match level {
        SandboxLevel::Full => "Full",
        SandboxLevel::Partial => "Partial",
        SandboxLevel::Missing => "Missing",
        SandboxLevel::Off => "Off",
    }
}

/// What a level means for the manager.
pub const fn meaning(level: SandboxLevel) -> &'static str {
    match level {
        SandboxLevel::Full => {
            "Git, pip and Ansible run other people's code inside a wall. On this host, every protection works."
        }
        SandboxLevel::Partial => {
            "Git, pip and Ansible run other people's code inside a wall. On this host, some limits cannot be set."
        }
        SandboxLevel::Missing => {
            "This host cannot wall off the code that git, pip and Ansible run. Builds are refused until it can."
        }
        SandboxLevel::Off => {
            "OCIM_SANDBOX=none: the code that git, pip and Ansible run has all rights of this program, and can read its keys and its database."
        }
    }
}

/// What every page says while there is no wall; none while there is one.
pub const fn banner(level: SandboxLevel) -> Option<&'static str> {
    match level {
        SandboxLevel::Full | SandboxLevel::Partial => None,
        SandboxLevel::Missing => Some("This host has no sandbox: builds are refused."),
        SandboxLevel::Off => {
            Some("The sandbox is off: the code that builds run can read this manager's keys and database.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_page_says_it_while_the_sandbox_is_off_or_missing_and_only_then() {
        use SandboxLevel::{Full, Missing, Off, Partial};
        assert!(banner(Off).is_some_and(|words| words.contains("off")));
        assert!(banner(Missing).is_some_and(|words| words.contains("builds are refused")));
        assert_eq!([Full, Partial].map(banner), [None; 2]);
    }
}
