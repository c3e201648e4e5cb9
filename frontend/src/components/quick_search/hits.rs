//! The results of quick search, in display order, and the page that each leads to.

use shared_types::{AppServerSummary, InstanceId, InstanceSummary, PullRequest};

use super::asked::Answer;
use crate::paths::{self, PullRequestFilter};

/// The kind of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Instances,
    AppServers,
    PullRequests,
}

impl Group {
    /// All kinds, in display order.
    pub const ALL: &[Self] = &[Self::Instances, Self::AppServers, Self::PullRequests];

    /// The heading of the group.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Instances => "Instances",
            Self::AppServers => "App servers",
            Self::PullRequests => "Pull requests",
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
pub fn hits(instances: Vec<InstanceSummary>, answer: &Answer, name: impl Fn(InstanceId) -> Option<String>) -> Vec<Hit> {
    let instances = instances.into_iter().map(|row| Hit {
        group: Group::Instances,
        path: paths::instance(row.id),
        title: row.name,
        more: row.domain,
    });
    let (app_servers, pull_requests) =
        answer.found().map(|found| (found.0.as_slice(), found.1.as_slice())).unwrap_or_default();
    let app_servers = app_servers.iter().map(|one| of_app_server(one, name(one.instance_id)));
    instances.chain(app_servers).chain(pull_requests.iter().map(of_pull_request)).collect()
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
        let hits = hits(vec![samples::instance_summary()], &answer, |_| None);
        let told: Vec<_> = hits.iter().map(|hit| (hit.group, hit.title.as_str(), hit.path.as_str())).collect();
        assert_eq!(
            told,
            [
                (Group::Instances, "PR#27", "/instances/7"),
                (Group::PullRequests, "#27 Show the grade", "/pull-requests?q=27"),
                (Group::PullRequests, "#27 Show the grade", "/instances/7/pull-request"),
            ]
        );
    }
}
