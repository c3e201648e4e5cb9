//! Derives an instance's name and settings from its pull request. Pure functions.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use shared_types::instance::NAME_MAX;

use super::rules::Rules;
use super::store::Row;
use crate::applications::openedx::code;

/// How many words of the title an instance's name has.
const TITLE_WORDS: usize = 4;
/// How many digits of the commit an instance's name has.
const COMMIT_DIGITS: usize = 7;
/// The longest label of a domain that stands for a repository, in characters.
const SLUG_MAX: usize = 30;
/// How many hexadecimal digits of the hash make such a label unique.
const SLUG_TAIL: usize = 8;

/// The actor of automatic changes for a pull request, in logs and audit.
pub fn actor(repository: &str, number: i32) -> String {
    format!("pull request {repository}#{number}")
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
pub fn sub_domain(rules: &Rules, repository: &str, number: i32) -> String {
    let is_first = rules.forks.first().is_none_or(|fork| fork.name.eq_ignore_ascii_case(repository));
    if is_first { format!("pr{number}.sandbox") } else { own_sub_domain(repository, number) }
}

/// The form with the repository in it, for any watched repository.
pub fn own_sub_domain(repository: &str, number: i32) -> String {
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

/// The full domain of an instance with this subdomain.
pub fn domain(rules: &Rules, sub_domain: &str) -> String {
    format!("{sub_domain}.{}", rules.base_domain)
}

/// The fields of a new instance.
pub fn new_instance(rules: &Rules, sub_domain: &str, row: &Row) -> Map<String, Value> {
    let mut fields = description_settings(row);
    fields.extend(source_settings(rules, row));
    fields.insert("sub_domain".into(), sub_domain.into());
    fields.insert("tier".into(), "preview".into());
    fields
}

/// The settings from the description. It changes configuration repository and version only if it names them.
pub fn description_settings(row: &Row) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("configuration_extra_settings".into(), row.extra_settings.clone().into());
    let wanted = |name: &str| row.wanted.as_ref().and_then(|wanted| wanted.get(name)).cloned().unwrap_or_default();
    fields.insert("use_ephemeral_databases".into(), wanted("use_ephemeral_databases"));
    for name in ["configuration_source_repo_url", "configuration_version"] {
        let value = wanted(name);
        if !value.is_null() {
            fields.insert(name.into(), value);
        }
    }
    fields
}

/// The settings that choose the commit to deploy; empty if the fork is gone.
pub fn source_settings(rules: &Rules, row: &Row) -> Map<String, Value> {
    let fork = row.fork_name.as_ref();
    fork.map(|fork| code::settings(&rules.clone_url(fork), &row.head_commit)).unwrap_or_default()
}

/// The settings of the description that are not in `extra_settings`, as the column `wanted` stores them.
pub fn wanted(
    use_ephemeral_databases: Option<bool>,
    configuration_source_repo_url: Option<&str>,
    configuration_version: Option<&str>,
) -> Value {
    json!({
        "use_ephemeral_databases": use_ephemeral_databases,
        "configuration_source_repo_url": configuration_source_repo_url,
        "configuration_version": configuration_version,
    })
}

#[cfg(test)]
#[path = "describe_tests.rs"]
mod tests;
