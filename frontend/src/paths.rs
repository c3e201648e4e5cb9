//! Maps URLs to pages: the only module that builds and parses the application's paths.

mod activity_filter;
mod instance_filter;
mod machine_filter;

use std::fmt;

pub use activity_filter::ActivityFilter;
pub use instance_filter::{InstanceFilter, Only, Order};
pub use machine_filter::{MachineFilter, MachineState, MachineTab};
use shared_types::pull_request::PullRequestState;
use shared_types::{AppServerId, InstanceId};

/// The page at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The sign-in page.
    Login,
    /// The first page: the greeting and current events.
    Home,
    /// The list of instances as a page, for small screens.
    Instances,
    NewInstance,
    /// The build queue.
    Queue,
    /// The machines: all of them, and those that end, are orphaned or missing.
    Servers,
    /// The watched pull requests.
    PullRequests,
    /// The audit trail.
    Activity,
    /// The user's password, tokens and sessions.
    Account,
    /// The user accounts.
    Users,
    /// The parts of the program, its sandbox, and the settings that open a wall.
    System,
    Instance(InstanceId, Tab),
    /// The small components of all screens together.
    #[cfg(debug_assertions)]
    Design,
    /// No page has this path.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Its app servers, with the selected one; the newest without one.
    AppServers(Option<AppServerId>),
    Settings,
    /// Where its data is: databases outside its machines.
    Data,
    /// The instance's own log.
    Log,
    /// The pull request that created it.
    PullRequest,
}

impl Page {
    /// Parses a path. A trailing slash is ignored.
    pub fn parse(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            [] => Self::Home,
            ["login"] => Self::Login,
            ["queue"] => Self::Queue,
            ["servers"] => Self::Servers,
            ["pull-requests"] => Self::PullRequests,
            ["activity"] => Self::Activity,
            ["account"] => Self::Account,
            ["admin", "users"] => Self::Users,
            ["system"] => Self::System,
            #[cfg(debug_assertions)]
            ["design"] => Self::Design,
            ["instances"] => Self::Instances,
            ["instances", "new"] => Self::NewInstance,
            ["instances", id, tab @ ..] => match (id.parse(), Tab::parse(tab)) {
                (Ok(id), Some(tab)) => Self::Instance(id, tab),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }
}

impl Page {
    /// The instance that the page shows, if any.
    pub fn instance(self) -> Option<InstanceId> {
        if let Self::Instance(id, _) = self { Some(id) } else { None }
    }
}

impl Tab {
    fn parse(parts: &[&str]) -> Option<Self> {
        match parts {
            [] => Some(Self::AppServers(None)),
            ["app-servers", id] => id.parse().ok().map(|id| Self::AppServers(Some(id))),
            ["settings"] => Some(Self::Settings),
            ["data"] => Some(Self::Data),
            ["log"] => Some(Self::Log),
            ["pull-request"] => Some(Self::PullRequest),
            _ => None,
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login => f.write_str("/login"),
            Self::Home | Self::Unknown => f.write_str("/"),
            Self::Queue => f.write_str("/queue"),
            Self::Servers => f.write_str("/servers"),
            Self::PullRequests => f.write_str("/pull-requests"),
            Self::Activity => f.write_str("/activity"),
            Self::Account => f.write_str("/account"),
            Self::Users => f.write_str("/admin/users"),
            Self::System => f.write_str("/system"),
            #[cfg(debug_assertions)]
            Self::Design => f.write_str("/design"),
            Self::Instances => f.write_str("/instances"),
            Self::NewInstance => f.write_str("/instances/new"),
            Self::Instance(id, Tab::AppServers(None)) => write!(f, "/instances/{id}"),
            Self::Instance(id, Tab::AppServers(Some(app_server))) => {
                write!(f, "/instances/{id}/app-servers/{app_server}")
            }
            Self::Instance(id, Tab::Settings) => write!(f, "/instances/{id}/settings"),
            Self::Instance(id, Tab::Data) => write!(f, "/instances/{id}/data"),
            Self::Instance(id, Tab::Log) => write!(f, "/instances/{id}/log"),
            Self::Instance(id, Tab::PullRequest) => write!(f, "/instances/{id}/pull-request"),
        }
    }
}

pub fn instance(id: InstanceId) -> String {
    Page::Instance(id, Tab::AppServers(None)).to_string()
}

pub fn app_server(instance: InstanceId, id: AppServerId) -> String {
    Page::Instance(instance, Tab::AppServers(Some(id))).to_string()
}

pub fn pull_request(instance: InstanceId) -> String {
    Page::Instance(instance, Tab::PullRequest).to_string()
}

/// Which pull requests are listed. The page's URL and the API's use the same parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullRequestFilter {
    /// Only pull requests in this state; in any state without one.
    pub state: Option<PullRequestState>,
    /// Only pull requests that wait for approval.
    pub is_waiting: bool,
    /// Only pull requests that contain these words.
    pub words: String,
}

impl PullRequestFilter {
    /// Parses the query of a URL. Invalid parameters are ignored.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Self {
        let word = get("state").unwrap_or_default();
        Self {
            state: PullRequestState::ALL.iter().copied().find(|state| state.as_str() == word),
            is_waiting: get("needs_approval").is_some_and(|word| word == "true"),
            words: get("q").unwrap_or_default(),
        }
    }

    /// The query, without its question mark.
    pub fn query(&self) -> String {
        let state = self.state.map(|state| format!("state={}", state.as_str()));
        let approval = self.is_waiting.then(|| "needs_approval=true".to_owned());
        let words = self.words.trim();
        let words = (!words.is_empty()).then(|| format!("q={}", encode(words)));
        [state, approval, words].into_iter().flatten().collect::<Vec<_>>().join("&")
    }

    /// The path of the list with this filter.
    pub fn path(&self) -> String {
        let query = self.query();
        let question = if query.is_empty() { "" } else { "?" };
        format!("{}{question}{query}", Page::PullRequests)
    }

    /// Whether nothing is filtered out.
    pub fn is_empty(&self) -> bool {
        self.query().is_empty()
    }
}

/// The path of the sign-in page that leads back to `here`.
pub fn login(here: &str) -> String {
    if here == "/" { Page::Login.to_string() } else { format!("{}?next={}", Page::Login, encode(here)) }
}

/// The path to go to after signing in: the previous page if it is a path of this application, else home.
pub fn after_login(next: Option<&str>) -> String {
    let is_ours =
        |next: &&str| next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && !is_login(next);
    next.filter(is_ours).map_or_else(|| Page::Home.to_string(), ToOwned::to_owned)
}

/// The path that signs in at the external provider at path `provider` and leads back to the previous page.
pub fn sign_in_at(provider: &str, next: Option<&str>) -> String {
    let next = after_login(next);
    // The server does not redirect to paths that are not ASCII or too long: those lead home.
    let is_home = next == "/" || next.len() > 1000 || !next.bytes().all(|byte| byte.is_ascii_graphic());
    if is_home { provider.to_owned() } else { format!("{provider}?next={}", encode(&next)) }
}

fn is_login(path: &str) -> bool {
    Page::parse(path.split(['?', '#']).next().unwrap_or_default()) == Page::Login
}

/// The line of a log that a URL's fragment (`#L123`) names.
pub fn line_of(fragment: &str) -> Option<i64> {
    fragment.trim_start_matches('#').strip_prefix('L')?.parse().ok().filter(|line| *line > 0)
}

/// Percent-encodes a text for a query.
pub fn encode(text: &str) -> String {
    use fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut query, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            query.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(query, "%{byte:02X}");
        }
        query
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_page_is_read_back_from_its_path() {
        let id = InstanceId(7);
        let tabs = [
            Tab::AppServers(None),
            Tab::AppServers(Some(AppServerId(9))),
            Tab::Settings,
            Tab::Data,
            Tab::Log,
            Tab::PullRequest,
        ];
        let pages = [
            Page::Login,
            Page::Home,
            Page::Queue,
            Page::Servers,
            Page::PullRequests,
            Page::Activity,
            Page::Account,
            Page::Users,
            Page::System,
            Page::Instances,
            Page::NewInstance,
        ];
        for page in pages.into_iter().chain(tabs.map(|tab| Page::Instance(id, tab))) {
            assert_eq!(Page::parse(&page.to_string()), page);
        }
        assert_eq!(Page::parse("/instances/7/"), Page::Instance(id, Tab::AppServers(None)));
        for unknown in ["/nowhere", "/instances/x", "/instances/7/x", "/instances/7/settings/1"] {
            assert_eq!(Page::parse(unknown), Page::Unknown, "{unknown}");
        }
    }

    #[test]
    fn signing_in_leads_back_but_never_away() {
        assert_eq!(login("/instances/7?x=1#L2"), "/login?next=/instances/7%3Fx%3D1%23L2");
        assert_eq!(after_login(Some("/instances/7#L2")), "/instances/7#L2");
        for elsewhere in
            [None, Some("https://evil.example"), Some("//evil.example"), Some("/\\evil"), Some("/login?next=/")]
        {
            assert_eq!(after_login(elsewhere), "/");
        }
    }

    #[test]
    fn signing_in_elsewhere_leads_back_too() {
        let at = |next| sign_in_at("/api/v1/auth/oidc/login", next);
        assert_eq!(at(Some("/instances/7?x=1#L2")), "/api/v1/auth/oidc/login?next=/instances/7%3Fx%3D1%23L2");
        for home in [None, Some("/"), Some("//evil.example"), Some("/ü")] {
            assert_eq!(at(home), "/api/v1/auth/oidc/login");
        }
    }

    #[test]
    fn the_url_says_which_pull_requests_are_listed() {
        let filter =
            PullRequestFilter { state: Some(PullRequestState::Open), is_waiting: true, words: "a&b ü".into() };
        assert_eq!(filter.path(), "/pull-requests?state=open&needs_approval=true&q=a%26b%20%C3%BC");
        let asked = |name: &str| match name {
            "state" => Some("open".to_owned()),
            "needs_approval" => Some("true".to_owned()),
            "q" => Some("a&b ü".to_owned()),
            _ => None,
        };
        assert_eq!(PullRequestFilter::parse(asked), filter);
        let nonsense = PullRequestFilter::parse(|_| Some(" ".into()));
        assert_eq!((nonsense.path().as_str(), nonsense.is_empty()), ("/pull-requests", true));
    }

    #[test]
    fn a_fragment_names_a_line() {
        assert_eq!(line_of("#L123"), Some(123));
        for none in ["", "#", "#L", "#L0", "#L-1", "#Lx", "#123"] {
            assert_eq!(line_of(none), None, "{none}");
        }
    }
}
