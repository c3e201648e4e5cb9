//! The results of quick search, in display order, and the page that each leads to.

use shared_types::{AppServerSummary, InstanceId, InstanceSummary, PullRequest};

use super::asked::Answer;
use crate::paths::{self, Page, PullRequestFilter};

/// The kind of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Instances,
    AppServers,
    PullRequests,
    Pages,
}

impl Group {
    /// All kinds, in display order.
    pub const ALL: &[Self] = &[Self::Instances, Self::AppServers, Self::PullRequests, Self::Pages];

    /// The heading of the group.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Instances => "Instances",
            Self::AppServers => "App servers",
            Self::PullRequests => "Pull requests",
            Self::Pages => "Pages",
        }
    }
}

/// A result of quick search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub group: Group,
    pub title: String,
    /// Details that distinguish it from others.
    pub more: String,
    /// The path of its page.
    pub path: String,
}

/// All results; `name` returns the name of an instance.
pub fn hits(
    instances: Vec<InstanceSummary>,
    answer: &Answer,
    name: impl Fn(InstanceId) -> Option<String>,
    pages: Vec<Hit>,
) -> Vec<Hit> {
    let instances = instances.into_iter().map(|row| Hit {
        group: Group::Instances,
        path: paths::instance(row.id),
        title: row.name,
        more: row.domain,
    });
    let (app_servers, pull_requests) =
        answer.found().map(|found| (found.0.as_slice(), found.1.as_slice())).unwrap_or_default();
    let app_servers = app_servers.iter().map(|one| of_app_server(one, name(one.instance_id)));
    instances.chain(app_servers).chain(pull_requests.iter().map(of_pull_request)).chain(pages).collect()
}

/// The pages that belong to no instance, with what else people call them.
const PAGES: &[(Page, &str, &str)] = &[
    (Page::Queue, "Build queue", "builds, workers"),
    (Page::PullRequests, "Pull requests", "previews, approvals"),
    (Page::Servers, "Machines", "orphans, expiry"),
    (Page::Activity, "Activity", "audit log"),
    (Page::System, "System", "version, health of the parts, sandbox, settings"),
    (Page::Account, "Account", "password, API tokens, sessions"),
    (Page::Users, "Users", "roles, access"),
];

/// The pages with these words, each at the beginning of a word; none without words. `is_admin`: whether pages for
/// administrators are among them.
pub fn pages(words: &str, is_admin: bool) -> Vec<Hit> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let has = |title: &str, more: &str, word: &String| {
        [title, more].iter().any(|text| text.to_lowercase().split([' ', ',']).any(|one| one.starts_with(word.as_str())))
    };
    let is_hit = |(page, title, more): &&(Page, &str, &str)| {
        !words.is_empty() && words.iter().all(|word| has(title, more, word)) && (is_admin || *page != Page::Users)
    };
    let hit = |(page, title, more): &(Page, &str, &str)| Hit {
        group: Group::Pages,
        title: (*title).to_owned(),
        more: (*more).to_owned(),
        path: page.to_string(),
    };
    PAGES.iter().filter(is_hit).map(hit).collect()
}

fn of_app_server(one: &AppServerSummary, instance: Option<String>) -> Hit {
    let instance = instance.unwrap_or_else(|| format!("instance {}", one.instance_id));
    Hit {
        group: Group::AppServers,
        title: format!("{instance}: {}", one.name),
        more: one.status_name.clone(),
        path: paths::app_server(one.instance_id, one.id),
    }
}

/// Leads to its instance's tab; without an instance, to the list of pull requests.
fn of_pull_request(one: &PullRequest) -> Hit {
    let listed =
        || PullRequestFilter { words: one.github_pr_number.to_string(), ..PullRequestFilter::default() }.path();
    Hit {
        group: Group::PullRequests,
        title: format!("#{} {}", one.github_pr_number, one.title),
        more: one.repository.clone(),
        path: one.instance.as_ref().map_or_else(listed, |instance| paths::pull_request(instance.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use std::sync::Arc;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn hits_are_grouped_and_lead_where_they_can_be_seen() {
        let with = PullRequest { instance: Some(samples::instance_summary()), ..samples::pull_request() };
        let answer = Answer::Here(Arc::new((Vec::new(), vec![samples::pull_request(), with])));
        let hits = hits(vec![samples::instance_summary()], &answer, |_| None, pages("sandbox", false));
        let told: Vec<_> = hits.iter().map(|hit| (hit.group, hit.title.as_str(), hit.path.as_str())).collect();
        assert_eq!(
            told,
            [
                (Group::Instances, "PR#27", "/instances/7"),
                (Group::PullRequests, "#27 Show the grade", "/pull-requests?q=27"),
                (Group::PullRequests, "#27 Show the grade", "/instances/7/pull-request"),
                (Group::Pages, "System", "/system"),
            ]
        );
    }

    #[test]
    fn pages_are_found_by_their_names_and_contents() {
        let titles =
            |words: &str, is_admin| pages(words, is_admin).into_iter().map(|hit| hit.title).collect::<Vec<_>>();
        assert_eq!(titles("Sys", false), ["System"]);
        assert_eq!(titles("health parts", false), ["System"]);
        assert_eq!(titles("api tok", false), ["Account"]);
        assert_eq!((titles("users", false), titles("users", true)), (Vec::new(), vec!["Users".to_owned()]));
        assert_eq!((titles("", true), titles("ystem", true)), (Vec::new(), Vec::new()));
    }
}
