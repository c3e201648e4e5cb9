//! Which repositories are watched and how, from the WATCH_* settings.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::TimeDelta;
use secrecy::SecretString;

use crate::config::gateway::GatewaySettings;
use crate::config::{OnCommit, Settings};
use crate::routing::public::PublicUrls;

/// The most webhook secrets at a time: the old and the new one during a rotation.
const MAX_SECRETS: usize = 2;

/// A watched repository, whose pull requests get instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// `owner/name`, spelled as in WATCH_FORK.
    pub name: String,
    /// What a new commit triggers.
    pub on_commit: OnCommit,
}

/// A way to report builds to GitHub (WATCH_REPORT).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Report {
    /// A deployment, with its address and state.
    Deployments,
    /// A status of the commit.
    Statuses,
    /// One comment, which is edited.
    Comments,
}

#[derive(Debug, Clone)]
pub struct Rules {
    /// The address of GitHub's pages and repositories, without a slash at the end.
    pub github_url: String,
    /// The time between two sweeps of a repository.
    pub interval: TimeDelta,
    /// The watched repositories; pull requests of the first one get the shortest domains.
    pub forks: Vec<Fork>,
    /// The organization whose team is trusted; blank: no author is trusted.
    pub organization: String,
    /// The trusted team of that organization.
    pub team: String,
    /// Whether commits of others may be approved although they run on machines of this host.
    pub strangers_on_local_machines: bool,
    /// How long the instance of a closed pull request stays.
    pub archive_after: TimeDelta,
    /// How long the instance of an unchanged open pull request stays; none: as long as it is open.
    pub time_to_live: Option<TimeDelta>,
    /// The configuration repositories that a pull request may name.
    pub configuration_repositories: Vec<String>,
    /// The ways to report builds to GitHub.
    pub reports: BTreeSet<Report>,
    /// The secrets that webhooks may be signed with.
    pub webhook_secrets: Vec<SecretString>,
    /// The parent domain of all instances.
    pub base_domain: String,
    /// Makes the addresses of instances.
    pub public_urls: PublicUrls,
    /// The public address of this program; none: reports do not link to it.
    pub public_url: Option<String>,
}

impl Rules {
    /// Reads the settings. `default_configuration` is the configuration repository of instances that name none.
    ///
    /// # Errors
    /// Which setting is not valid, and why, in words.
    pub fn new(settings: &Settings, default_configuration: &str) -> Result<Self, String> {
        let forks = settings.watch.watch_fork.iter().filter(|text| !text.is_empty());
        let forks = forks.map(|text| fork(text, settings.watch.watch_on_commit)).collect::<Result<Vec<_>, _>>()?;
        let mut names = BTreeSet::new();
        if let Some(twice) = forks.iter().find(|fork| !names.insert(fork.name.to_lowercase())) {
            return Err(format!("WATCH_FORK names {} twice", twice.name));
        }
        if settings.github.github_webhook_secrets.len() > MAX_SECRETS {
            return Err(format!("GITHUB_WEBHOOK_SECRETS are {MAX_SECRETS} at most: the new one and the old one"));
        }
        let named = settings.watch.watch_report.iter().filter(|name| !name.is_empty() && *name != "nothing");
        let configuration_repositories = match settings.watch.watch_configuration_repositories.as_slice() {
            [] => vec![default_configuration.to_owned()],
            named => named.to_vec(),
        };
        Ok(Self {
            github_url: settings.github.github_url.trim_end_matches('/').to_owned(),
            interval: TimeDelta::seconds(i64::try_from(settings.watch.watch_interval).unwrap_or(i64::MAX)),
            forks,
            organization: settings.watch.watch_organization.clone(),
            team: settings.watch.watch_team.clone(),
            strangers_on_local_machines: settings.machines.ocim_local_machines_for_strangers,
            archive_after: TimeDelta::minutes(settings.watch.watch_archive_minutes.into()),
            time_to_live: (settings.watch.watch_ttl_days > 0)
                .then(|| TimeDelta::days(settings.watch.watch_ttl_days.into())),
            configuration_repositories,
            reports: named.map(|name| name.parse()).collect::<Result<_, String>>()?,
            webhook_secrets: settings.github.github_webhook_secrets.clone(),
            base_domain: settings.instances.instances_base_domain.clone(),
            public_urls: PublicUrls::new(&GatewaySettings::new(settings)?),
            public_url: settings.server.ocim_public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        })
    }

    /// The watched repository with this name, ignoring case.
    pub fn fork(&self, name: &str) -> Option<&Fork> {
        self.forks.iter().find(|fork| fork.name.eq_ignore_ascii_case(name))
    }

    /// The clone address of a repository at GitHub.
    pub fn clone_url(&self, repository: &str) -> String {
        format!("{}/{repository}.git", self.github_url)
    }
}

/// Reads an entry of WATCH_FORK: `owner/name` or `owner/name=rebuild`.
fn fork(text: &str, on_commit: OnCommit) -> Result<Fork, String> {
    let (name, rule) = text.split_once('=').map_or((text, None), |(name, rule)| (name, Some(rule)));
    if !is_repository(name) {
        return Err(format!("WATCH_FORK has «{name}»; it must be owner/name, as in the address of a repository"));
    }
    let on_commit = match rule {
        None => on_commit,
        Some("nothing") => OnCommit::Nothing,
        Some("update") => OnCommit::Update,
        Some("rebuild") => OnCommit::Rebuild,
        Some(other) => return Err(format!("WATCH_FORK has «={other}»; it must be =nothing, =update or =rebuild")),
    };
    Ok(Fork { name: name.to_owned(), on_commit })
}

/// Whether this is a valid `owner/name`: only names that pass this check are put into a URL.
pub fn is_repository(name: &str) -> bool {
    let is_part = |part: &str| {
        (1..=100).contains(&part.len())
            && !matches!(part, "." | "..")
            && !part.starts_with('-')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    name.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name))
}

impl FromStr for Report {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "deployments" => Ok(Self::Deployments),
            "statuses" => Ok(Self::Statuses),
            "comments" => Ok(Self::Comments),
            other => Err(format!("WATCH_REPORT has «{other}»; there are deployments, statuses, comments and nothing")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rules(forks: &[&str], reports: &[&str]) -> Result<Rules, String> {
        let settings = Settings::with(|settings| {
            settings.watch.watch_fork = forks.iter().map(ToString::to_string).collect();
            settings.watch.watch_report = reports.iter().map(ToString::to_string).collect();
        });
        Rules::new(&settings, "https://github.com/edx/configuration.git")
    }

    #[test]
    fn each_fork_has_a_rule() {
        let rules = rules(&["acme/edx", "acme/other=rebuild"], &["comments"]).unwrap();
        assert_eq!(rules.fork("Acme/EDX").unwrap().on_commit, OnCommit::Nothing);
        assert_eq!(rules.fork("acme/other").unwrap().on_commit, OnCommit::Rebuild);
        assert!(rules.fork("acme/third").is_none());
        assert_eq!(rules.reports, BTreeSet::from([Report::Comments]));
        assert_eq!(rules.configuration_repositories, ["https://github.com/edx/configuration.git"]);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for wrong in ["edx", "acme/edx/x", "acme/..", "-o/x", "acme/edx=never", "https://github.com/acme/edx", "a b/c"]
        {
            assert!(rules(&[wrong], &[]).unwrap_err().contains("WATCH_FORK"), "{wrong}");
        }
        assert!(rules(&["a/b", "A/B=update"], &[]).unwrap_err().contains("twice"));
        assert!(rules(&[], &["letters"]).unwrap_err().contains("WATCH_REPORT"));
        assert!(rules(&[], &["nothing"]).unwrap().reports.is_empty());
    }
}
