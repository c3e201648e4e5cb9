//! Reads the settings and the choice of databases from a pull request's body.
//!
//! ````text
//! pr12.sandbox.example.com (with persistent databases)
//!
//! **Settings**
//! ```yaml
//! FEATURES:
//!   NOTES: true
//! ```
//! ````
//!
//! The author of a pull request is untrusted, and the block becomes variables of a playbook that runs on this host. So
//! any setting that could make Ansible run code here is refused, with its line, and never dropped silently. See [`vet`]
//! for what is refused, [`body`] for where a block begins and ends, and [`almost`] for blocks that are not read
//! although their authors may think so.
//!
//! A body is read as GitHub stores it: with its tabs and invisible characters. They are made visible where a part is
//! shown.
//!
//! Pure functions: no database, no network, no clock.

mod almost;
mod body;
mod comments;
mod databases;
mod expression;
mod fence;
mod jinja;
mod repository;
mod vet;

use serde_json::{Map, Value};
use shared_types::applications::Choice;
use shared_types::{FieldWarning, yaml};

use self::body::Block;
use crate::instances::previews::Previews;

/// The most bytes of a body. GitHub's own limit of 65,536 characters is never more than that.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// The most bytes of a block.
pub const MAX_BLOCK_BYTES: usize = 16 * 1024;
/// The most levels of nested maps and lists in a block.
pub const MAX_DEPTH: usize = 20;

/// The longest detail of a [`Trouble`], in characters.
const MAX_DETAIL: usize = 600;

/// What a pull request's body asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodySettings {
    /// The block's text, a YAML map; every line ends with LF, the last one too. Blank when there is no block.
    pub extra_settings: String,
    /// Whether the databases are on the machine and are deleted with it; `None`: the default.
    pub ephemeral_databases: Option<bool>,
    /// The repository of the playbooks, as the list of those allowed spells it; `None`: the default.
    pub playbooks_repository: Option<String>,
    /// The branch or tag of the playbooks; `None`: the default.
    pub playbooks_version: Option<String>,
    /// Advice for the author, which refuses nothing; line numbers are of the body.
    pub warnings: Vec<FieldWarning>,
}

/// Why a body's settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {detail}", .column.map(|column| format!(", column {column}")).unwrap_or_default())]
pub struct Trouble {
    /// Counts from 1, in the body (not in the block).
    pub line: u32,
    /// Counts from 1, in characters; none: the whole line.
    pub column: Option<u32>,
    /// What is wrong, for the person who wrote it: at most 600 characters, none of them a control character.
    pub detail: String,
}

impl Trouble {
    fn new(line: u32, detail: &str) -> Self {
        let mut shown = String::new();
        let mut count = 0;
        for character in detail.chars() {
            let written = match character {
                '"' | '\'' | '\\' => character.to_string(),
                character => character.escape_debug().to_string(),
            };
            count += written.chars().count();
            if count >= MAX_DETAIL {
                shown.push('…');
                break;
            }
            shown.push_str(&written);
        }
        Self { line, column: None, detail: shown }
    }
}

/// What a body is read for.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The instance's domain; blank: the body chooses no databases.
    pub domain: &'a str,
    /// The repositories whose playbooks may be run.
    pub repositories: &'a [String],
    /// The variables and settings of the instance's application type.
    pub previews: &'static Previews,
}

/// Reads a body.
///
/// # Errors
/// The first [`Trouble`]. A body that is too long is refused as a whole, since the part cut off might matter.
pub fn read(body: &str, terms: Terms<'_>) -> Result<BodySettings, Trouble> {
    let Terms { domain, repositories, previews } = terms;
    let body = body::with_plain_ends(body)?;
    let lines: Vec<&str> = body.split('\n').collect();
    let found = body::find(&lines)?;
    let ephemeral_databases = databases::asked_for(&found.shown, domain);
    let mut warnings = found.warnings;
    let Some(block) = found.block else {
        return Ok(BodySettings { ephemeral_databases, warnings, ..BodySettings::default() });
    };
    let map = yaml::parse_map(&block.text).map_err(|error| block.no_yaml(&error))?;
    vet::check(&map, &block, previews)?;
    warnings.extend(block.advice(previews, domain));
    Ok(BodySettings {
        warnings,
        ephemeral_databases,
        playbooks_repository: repository(&map, &block, previews, repositories)?,
        playbooks_version: version(&map, &block, previews)?,
        extra_settings: block.text,
    })
}

/// Whether two blocks have the same settings. The version before this one stored blocks without their tabs and
/// invisible characters; blocks that differ only in those, and parse to the same map, are the same.
pub fn is_same(one: &str, other: &str) -> bool {
    let sets = |text: &str| yaml::parse_map(text).ok();
    one == other || as_formerly(one) == as_formerly(other) && sets(one).is_some_and(|map| sets(other) == Some(map))
}

/// A block as the version before this one stored it.
fn as_formerly(text: &str) -> String {
    let is_dropped = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace('\t', " ").chars().filter(|c| !is_dropped(c)).collect()
}

fn repository(
    map: &Map<String, Value>,
    block: &Block,
    previews: &Previews,
    allowed: &[String],
) -> Result<Option<String>, Trouble> {
    let choice = &previews.choices.playbooks_repository;
    let Some(url) = text(map, block, previews, choice)? else { return Ok(None) };
    let name = choice.variable;
    if repository::has_credentials(&url) {
        let detail = format!(
            "`{name}` must not have a password or a token in it: everybody can read it here. Write the address without it"
        );
        return Err(block.trouble_of_key(name, &detail));
    }
    match repository::allowed(&url, allowed) {
        Some(known) => Ok(Some(known.to_owned())),
        None => {
            let detail = format!(
                "`{name}`: {url} is not one of the repositories whose playbooks may be run. {}, or ask an administrator to add it \
                 to WATCH_CONFIGURATION_REPOSITORIES; a repository that was renamed has one name here, the one in that list",
                repository::choices(allowed)
            );
            Err(block.trouble_of_key(name, &detail))
        }
    }
}

/// A branch or a tag. A repository also serves the commits of its forks and pull requests, by hash and below
/// `refs/pull/`; the administrator did not allow those.
fn version(map: &Map<String, Value>, block: &Block, previews: &Previews) -> Result<Option<String>, Trouble> {
    let choice = &previews.choices.playbooks_version;
    let Some(version) = text(map, block, previews, choice)? else { return Ok(None) };
    let name = choice.variable;
    let is_hash = (4..=64).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash || version.starts_with("refs/") {
        let detail = format!(
            "`{name}`: must be the name of a branch or a tag, without `refs/`: under {version}, anybody's commit could be fetched"
        );
        return Err(block.trouble_of_key(name, &detail));
    }
    Ok(Some(version))
}

/// The text of a variable, validated like the setting that it fills; `None` when it is absent or blank.
fn text(
    map: &Map<String, Value>,
    block: &Block,
    previews: &Previews,
    choice: &Choice,
) -> Result<Option<String>, Trouble> {
    let name = choice.variable;
    let refuse = |why: &str| Err(block.trouble_of_key(name, &format!("`{name}`: {why}")));
    let found = match map.get(name) {
        None => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            return refuse("must be a text: put the value in quotes, or remove the line to get the default");
        }
    };
    match previews.schema.field(choice.setting).map(|field| field.check_text(found)) {
        Some(Err(why)) => refuse(&why),
        Some(Ok(())) | None => Ok(Some(found.clone())),
    }
}

#[cfg(test)]
#[path = "settings_block_almost_tests.rs"]
mod almost_tests;
#[cfg(test)]
#[path = "settings_block_calls_tests.rs"]
mod calls_tests;
#[cfg(test)]
#[path = "settings_block_exact_tests.rs"]
mod exact_tests;
#[cfg(test)]
#[path = "settings_block_properties_tests.rs"]
mod properties;
#[cfg(test)]
#[path = "settings_block_tests.rs"]
mod tests;
