//! Derives an instance's name and settings from its pull request. Pure functions.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use shared_types::applications::{Choice, PreviewChoices};
use shared_types::instance::NAME_MAX;

use super::rules::Rules;
use super::settings_block::BodySettings;
use super::store::Row;
use crate::instances::previews::Previews;
use crate::platform::origin::Actor;

/// How many words of the title an instance's name has.
const TITLE_WORDS: usize = 4;
/// How many digits of the commit an instance's name has.
const COMMIT_DIGITS: usize = 7;
/// The longest label of a domain that stands for a repository, in characters.
const SLUG_MAX: usize = 30;
/// How many hexadecimal digits of the hash make such a label unique.
const SLUG_TAIL: usize = 8;

/// The actor of automatic changes for a pull request, in logs and audit.
pub fn actor(repository: &str, number: i32) -> Actor {
    Actor::PullRequest { repository: repository.to_owned(), number }
}

/// `PR#27: Show the grade beside… (ada) - ada/grades (0b9ff8c)`.
pub fn name(row: &Row) -> String {
    let words: Vec<&str> = row.title.split_whitespace().collect();
    let mut title = words.iter().take(TITLE_WORDS).copied().collect::<Vec<_>>().join(" ");
    if words.len() > TITLE_WORDS {
        title.push('…');
    }
    let owner = row.fork_name.as_deref().and_then(|name| name.split('/').next()).unwrap_or("?");
    let commit: String = row.head_commit.chars().take(COMMIT_DIGITS).collect();
    let tail = format!(" ({}) - {owner}/{} ({commit})", row.author, cut(&row.branch_name, 80));
    let head = format!("PR#{}: {title}", row.number);
    let room = NAME_MAX.saturating_sub(tail.chars().count());
    format!("{}{tail}", cut(&head, room))
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// The part of the domain before the base domain: `pr27.sandbox`, and for other than the first watched repository
/// `pr27.acme-other.sandbox`.
pub fn subdomain(rules: &Rules, repository: &str, number: i32) -> String {
    let is_first = rules.forks.first().is_none_or(|fork| fork.name.eq_ignore_ascii_case(repository));
    if is_first { format!("pr{number}.sandbox") } else { own_subdomain(repository, number) }
}

/// The form with the repository in it, for any watched repository.
pub fn own_subdomain(repository: &str, number: i32) -> String {
    format!("pr{number}.{}.sandbox", slug(repository))
}

/// A repository as one label of a domain, unique for each: `acme/other` is `acme-other`. If the name has other signs or
/// is cut, digits of its hash are appended, so that `a-b/c` and `a/b-c` differ. A label without a hash has exactly one
/// hyphen, a label with one has two or more.
fn slug(repository: &str) -> String {
    let repository = repository.to_ascii_lowercase();
    let plain: String = repository.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    if plain.len() <= SLUG_MAX && plain.matches('-').count() == 1 {
        return plain;
    }
    let kept: String = plain.chars().take(SLUG_MAX - SLUG_TAIL - 1).collect();
    let tail: String = hex::encode(Sha256::digest(repository)).chars().take(SLUG_TAIL).collect();
    // A label must not have hyphens as third and fourth character: those mark an internationalized name (`xn--`).
    let mut parts: Vec<&str> = kept.split('-').filter(|word| !word.is_empty()).collect();
    while parts.len() < 2 {
        parts.push("x");
    }
    parts.push(&tail);
    parts.join("-")
}

/// The full domain of an instance with this part before the base domain.
pub fn domain(rules: &Rules, subdomain: &str) -> String {
    format!("{subdomain}.{}", rules.base_domain)
}

/// The fields of a new instance.
pub fn new_instance(previews: &Previews, rules: &Rules, subdomain: &str, row: &Row) -> Map<String, Value> {
    let mut fields = description_settings(previews, row);
    fields.extend(source_settings(previews, rules, row));
    fields.insert(previews.address.into(), subdomain.into());
    fields.insert("tier".into(), "preview".into());
    fields
}

/// The settings from the description. It changes repository and version of the playbooks only if it names them.
pub fn description_settings(previews: &Previews, row: &Row) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert(previews.variables.into(), row.extra_settings.clone().into());
    let wanted = |name: &str| row.wanted.as_ref().and_then(|wanted| wanted.get(name)).cloned().unwrap_or_default();
    fields.insert(previews.ephemeral_databases.into(), wanted(previews.ephemeral_databases));
    let PreviewChoices { playbooks_repository, playbooks_version, .. } = previews.choices;
    for Choice { setting, .. } in [playbooks_repository, playbooks_version] {
        let value = wanted(setting);
        if !value.is_null() {
            fields.insert((*setting).into(), value);
        }
    }
    fields
}

/// The settings that choose the commit to deploy; empty if the fork is gone.
pub fn source_settings(previews: &Previews, rules: &Rules, row: &Row) -> Map<String, Value> {
    let fork = row.fork_name.as_ref();
    fork.map(|fork| (previews.source)(&rules.clone_url(fork), &row.head_commit)).unwrap_or_default()
}

/// The settings of the description that are not in `extra_settings`, as the column `wanted` stores them: each by its
/// name, null where the description does not name it.
pub fn wanted(previews: &Previews, asked: &BodySettings) -> Value {
    json!({
        previews.ephemeral_databases: asked.ephemeral_databases,
        previews.choices.playbooks_repository.setting: asked.playbooks_repository,
        previews.choices.playbooks_version.setting: asked.playbooks_version,
    })
}

#[cfg(test)]
#[path = "describe_tests.rs"]
mod tests;
