//! The tab and the filter of the list of machines, as part of a URL.

use shared_types::{MachineRole, ServerStatus};

use super::{Page, encode};

/// The tabs of the page of machines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MachineTab {
    /// The list of machines, with its filter.
    #[default]
    All,
    /// Machines that are going to be deleted.
    Ending,
    /// Machines of this installation that no app server owns.
    Orphans,
    /// Machines that the provider does not have any more.
    Missing,
}

impl MachineTab {
    /// Every tab, in the order of the page.
    pub const ALL: [Self; 4] = [Self::All, Self::Ending, Self::Orphans, Self::Missing];

    /// The word in the URL.
    const fn word(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Ending => "ending",
            Self::Orphans => "orphans",
            Self::Missing => "missing",
        }
    }

    /// The tab that a URL names; the first one if it names none.
    pub fn parse(word: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|tab| Some(tab.word()) == word).unwrap_or_default()
    }

    /// The path of the tab, without a filter.
    pub fn path(self) -> String {
        let page = Page::Servers;
        if self == Self::All { page.to_string() } else { format!("{page}?tab={}", self.word()) }
    }
}

/// Which states of machines are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MachineState {
    /// Machines that exist or are being made.
    #[default]
    Existing,
    /// Machines with this status.
    Only(ServerStatus),
    /// Machines that were deleted, or never made.
    Gone,
    /// All machines.
    Any,
}

impl MachineState {
    /// Every choice, in the order of the list to choose from.
    pub const ALL: [Self; 9] = [
        Self::Existing,
        Self::Only(ServerStatus::Pending),
        Self::Only(ServerStatus::Building),
        Self::Only(ServerStatus::Booting),
        Self::Only(ServerStatus::Ready),
        Self::Only(ServerStatus::Unknown),
        Self::Only(ServerStatus::Failed),
        Self::Gone,
        Self::Any,
    ];

    /// The word in the URL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Existing => "",
            Self::Only(status) => status.as_str(),
            Self::Gone => "gone",
            Self::Any => "any",
        }
    }

    /// The choice with this word; machines that exist if there is none.
    pub fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.word() == word).unwrap_or_default()
    }
}

/// Which machines are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineFilter {
    pub state: MachineState,
    /// Only machines with this role.
    pub role: Option<MachineRole>,
    /// Only machines of the provider with this name; blank: of any provider.
    pub provider: String,
    /// Only machines that contain these words.
    pub words: String,
}

impl MachineFilter {
    /// The roles to choose from. That of machines that are gone is chosen by their state.
    pub const ROLES: [MachineRole; 8] = [
        MachineRole::Active,
        MachineRole::Fallback,
        MachineRole::Newest,
        MachineRole::Building,
        MachineRole::Pinned,
        MachineRole::Draining,
        MachineRole::Unneeded,
        MachineRole::Ending,
    ];

    /// Parses the query of a URL. Invalid parameters are ignored.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).unwrap_or_default().trim().to_owned();
        Self {
            state: MachineState::parse(&text("state")),
            role: Self::role_of(&text("role")),
            provider: text("provider"),
            words: text("q"),
        }
    }

    /// The role with this word.
    pub fn role_of(word: &str) -> Option<MachineRole> {
        Self::ROLES.into_iter().find(|role| role.as_str() == word)
    }

    /// The query of the page's URL, without its question mark.
    fn query(&self) -> String {
        joined([Some(("state", self.state.word().to_owned())), self.role(), self.provider(), self.words()])
    }

    /// The query of the API that finds these machines, without its question mark.
    pub fn api_query(&self) -> String {
        let state = match self.state {
            MachineState::Existing => Some(("exists", "true".to_owned())),
            MachineState::Only(status) => Some(("status", status.as_str().to_owned())),
            MachineState::Gone => Some(("exists", "false".to_owned())),
            MachineState::Any => None,
        };
        // A pending machine whose build has ended is never made.
        let is_pending = self.state == MachineState::Only(ServerStatus::Pending);
        let exists = is_pending.then(|| ("exists", "true".to_owned()));
        joined([state, exists, self.role(), self.provider(), self.words()])
    }

    fn role(&self) -> Option<(&'static str, String)> {
        self.role.map(|role| ("role", role.as_str().to_owned()))
    }

    fn provider(&self) -> Option<(&'static str, String)> {
        Some(("provider", encode(self.provider.trim())))
    }

    fn words(&self) -> Option<(&'static str, String)> {
        Some(("q", encode(self.words.trim())))
    }

    /// The path of the list with this filter.
    pub fn path(&self) -> String {
        let query = self.query();
        let question = if query.is_empty() { "" } else { "?" };
        format!("{}{question}{query}", Page::Servers)
    }

    /// Whether it is the one that the page begins with.
    pub fn is_default(&self) -> bool {
        self.query().is_empty()
    }
}

/// The parameters that are given and not blank.
fn joined<const N: usize>(parts: [Option<(&str, String)>; N]) -> String {
    let given = parts.into_iter().flatten().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_url_says_which_machines_are_listed() {
        let filter = MachineFilter {
            state: MachineState::Only(ServerStatus::Ready),
            role: Some(MachineRole::Unneeded),
            provider: "frankfurt".into(),
            words: "10.213.0 ü".into(),
        };
        assert_eq!(filter.path(), "/servers?state=ready&role=unneeded&provider=frankfurt&q=10.213.0%20%C3%BC");
        assert_eq!(filter.api_query(), "status=ready&role=unneeded&provider=frankfurt&q=10.213.0%20%C3%BC");
        let asked = |name: &str| match name {
            "state" => Some("ready".to_owned()),
            "role" => Some("unneeded".to_owned()),
            "provider" => Some("frankfurt".to_owned()),
            "q" => Some("10.213.0 ü".to_owned()),
            _ => None,
        };
        assert_eq!(MachineFilter::parse(asked), filter);
        let nonsense = MachineFilter::parse(|name| (name == "state" || name == "role").then(|| "hero".to_owned()));
        assert_eq!((nonsense.path().as_str(), nonsense.is_default()), ("/servers", true));
    }

    #[test]
    fn machines_that_are_gone_are_listed_only_on_request() {
        let query = |state| MachineFilter { state, ..MachineFilter::default() }.api_query();
        assert_eq!(query(MachineState::Existing), "exists=true");
        assert_eq!(query(MachineState::Gone), "exists=false");
        assert_eq!(query(MachineState::Any), "");
        assert_eq!(query(MachineState::Only(ServerStatus::Pending)), "status=pending&exists=true");
        for state in MachineState::ALL {
            assert_eq!(MachineState::parse(state.word()), state);
        }
    }

    #[test]
    fn each_tab_has_a_url() {
        for tab in MachineTab::ALL {
            assert_eq!(MachineTab::parse(tab.path().strip_prefix("/servers?tab=")), tab);
        }
        assert_eq!(MachineTab::parse(Some("elsewhere")), MachineTab::All);
    }
}
