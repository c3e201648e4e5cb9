//! Filter and order of the list of instances, as part of the page's URL.

use super::{Page, encode};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Only {
    /// All instances in use.
    #[default]
    All,
    /// Instances that need attention.
    Attention,
    /// Instances whose main site fails.
    Down,
    /// Instances where only other sites fail.
    Degraded,
    /// Instances whose health is unknown.
    Unknown,
    /// Instances with a build in progress.
    Building,
    Archived,
}

impl Only {
    /// All filters, in display order.
    pub const ALL: [Self; 7] =
        [Self::All, Self::Attention, Self::Down, Self::Degraded, Self::Unknown, Self::Building, Self::Archived];

    /// The label of its button; in lower case, the word in the URL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Attention => "Attention",
            Self::Down => "Down",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
            Self::Building => "Building",
            Self::Archived => "Archived",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By name, A to Z.
    #[default]
    Name,
    /// Failing instances first.
    Health,
    Created,
    /// Last changed first.
    Changed,
}

impl Order {
    /// All orders, in display order.
    pub const ALL: [Self; 4] = [Self::Name, Self::Health, Self::Created, Self::Changed];

    /// The label in the list of options.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Health => "Health",
            Self::Created => "Created",
            Self::Changed => "Last changed",
        }
    }

    /// The word in the URL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Health => "health",
            Self::Created => "created",
            Self::Changed => "changed",
        }
    }
}

/// Which instances are listed, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceFilter {
    pub only: Only,
    pub order: Order,
    /// Words that the name or domain must contain, as typed.
    pub words: String,
}

impl InstanceFilter {
    /// Parses the query of a URL; `None` if it has no parameter of the list.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let (show, sort, words) = (get("show"), get("sort"), get("q"));
        if show.is_none() && sort.is_none() && words.is_none() {
            return None;
        }
        let (show, sort) = (show.unwrap_or_default(), sort.unwrap_or_default());
        Some(Self {
            only: Only::ALL.into_iter().find(|only| only.word().to_lowercase() == show).unwrap_or_default(),
            order: Order::ALL.into_iter().find(|order| order.word() == sort).unwrap_or_default(),
            words: words.unwrap_or_default(),
        })
    }

    /// The path of a page with this filter in its query.
    pub fn path(&self, page: Page) -> String {
        let show = (self.only != Only::All).then(|| format!("show={}", self.only.word().to_lowercase()));
        let sort = (self.order != Order::Name).then(|| format!("sort={}", self.order.word()));
        let words = (!self.words.trim().is_empty()).then(|| format!("q={}", encode(self.words.trim())));
        let query = [show, sort, words].into_iter().flatten().collect::<Vec<_>>().join("&");
        let question = if query.is_empty() { "" } else { "?" };
        format!("{page}{question}{query}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(query: &str) -> Option<InstanceFilter> {
        InstanceFilter::parse(|name| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(ToOwned::to_owned)
        })
    }

    #[test]
    fn the_address_holds_filter_and_order() {
        for only in Only::ALL {
            for order in Order::ALL {
                let filter = InstanceFilter { only, order, words: String::new() };
                let path = filter.path(Page::Instances);
                let back = path.strip_prefix("/instances").unwrap();
                let read = read(back.trim_start_matches('?')).unwrap_or_default();
                assert_eq!(read, filter, "{path}");
            }
        }
        let failing = InstanceFilter { only: Only::Down, words: " a b".into(), ..Default::default() };
        assert_eq!(failing.path(Page::Home), "/?show=down&q=a%20b");
        assert_eq!(InstanceFilter::default().path(Page::Instances), "/instances");
    }

    #[test]
    fn an_address_without_a_filter_says_nothing_and_a_wrong_one_shows_all() {
        assert_eq!(read(""), None);
        assert_eq!(read("show=nonsense&sort=sideways"), Some(InstanceFilter::default()));
    }
}
