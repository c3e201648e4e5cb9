//! Playbooks of an application that run on an app server's machine when traffic moves.

use serde::{Deserialize, Serialize};

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before an app server gets its first visitors, or gets them again by a rollback. A failure refuses the activation.
    BeforeTraffic,
    /// After an app server was replaced, the gateway has the switch, and its last request has ended; also on one whose
    /// activation was refused after its hooks had begun.
    AfterTraffic,
    /// Before the machine of an app server that ran is removed.
    BeforeEnd,
}

impl Moment {
    /// Every moment, in the order of declaration.
    pub const ALL: &[Self] = &[Self::BeforeTraffic, Self::AfterTraffic, Self::BeforeEnd];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeTraffic => "before_traffic",
            Self::AfterTraffic => "after_traffic",
            Self::BeforeEnd => "before_end",
        }
    }

    /// The step's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeTraffic => "Hook before traffic",
            Self::AfterTraffic => "Hook after traffic",
            Self::BeforeEnd => "Hook before the end",
        }
    }
}

/// A playbook to run when traffic moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// When the playbook runs.
    pub moment: Moment,
    /// The path in the repository of the app server's first playbook, whose commit, variables and requirements it
    /// shares. It may run twice.
    pub playbook: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_word_is_the_one_in_json() {
        for moment in Moment::ALL {
            assert_eq!(serde_json::json!(moment), moment.as_str());
        }
    }
}
