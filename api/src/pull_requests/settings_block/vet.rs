//! Refuses variables that untrusted authors may not set.
//!
//! Ansible runs on this host, and some variables are not data to it:
//! - names that begin with `ansible_` configure the connection to a machine (`ansible_connection: local`,
//!   `ansible_ssh_common_args`), and Ansible's own names choose the machine or are keywords of a task;
//! - texts with `{{`, `{%` or `{#` are templates, evaluated here (`{{ lookup('pipe', …) }}` runs a command), and so are texts
//!   that begin with `#jinja2:`, which may choose other signs;
//! - Ansible before 2.12 evaluates a variable that a `when` names alone: see [`super::expression`];
//! - its JSON parser gives maps with `__ansible_unsafe`, `__ansible_vault` or `__ansible_type` another meaning.
//!
//! Variables that choose the deployed code ([`Previews::decides_code`]) are refused too: the commit that runs must be the one
//! that is reported to GitHub and that an operator approves.
//!
//! In this program, `$secret` names a secret (see [`crate::platform::vault`]), and [`HIDDEN`] masks a stored one.
//!
//! This is one of several defenses: only known repositories are run, and without access to this program's own secrets.

use serde_json::{Map, Value};
use shared_types::secret::HIDDEN;
use shared_types::yaml::typed;

use super::body::Block;
use super::{MAX_DEPTH, Trouble, expression};
use crate::instances::previews::Previews;

/// Prefixes that no top-level name may have.
const PREFIXES: &[&str] = &["ansible_", "_ansible_"];

/// Names that Ansible reserves: its facts of hosts and plays, keywords that say where and how a task runs, and
/// functions of templates.
pub(super) const RESERVED: &[&str] = &[
    "action",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "collections",
    "connection",
    "delegate_facts",
    "delegate_to",
    "delegated_vars",
    "environment",
    "group_names",
    "groups",
    "hosts",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "local_action",
    "lookup",
    "module_defaults",
    "omit",
    "play_hosts",
    "playbook_dir",
    "q",
    "query",
    "remote_user",
    "role_name",
    "role_names",
    "role_path",
    "role_uuid",
    "roles",
    "run_once",
    "tasks",
    "vars",
    "vars_files",
    "vars_prompt",
];

/// The opening signs of templates.
const TEMPLATE_SIGNS: &[&str] = &["{{", "{%", "{#"];
/// The header of a template that chooses its own signs.
const TEMPLATE_HEADER: &str = "#jinja2:";

/// Refuses variables that untrusted authors may not set.
///
/// # Errors
/// The first [`Trouble`], with its line.
pub(super) fn check(map: &Map<String, Value>, block: &Block, previews: &Previews) -> Result<(), Trouble> {
    for name in map.keys() {
        if let Some(why) = wrong_variable(name, previews) {
            return Err(block.trouble_of_key(name, &format!("`{name}` is not allowed: {why}")));
        }
    }
    check_map(map, block, 1)
}

fn wrong_variable(name: &str, previews: &Previews) -> Option<&'static str> {
    if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Some(
            "it would change how Ansible runs. Remove the line; how machines are reached is not up to a \
             pull request",
        );
    }
    if RESERVED.contains(&name) {
        return Some("Ansible keeps this name for itself. Remove the line, or give your variable another name");
    }
    (previews.decides_code)(name).then_some(
        "a preview runs the head commit of its pull request and no other code. Remove the line; to preview other code, push it \
         to the branch of this pull request, or open a pull request for it",
    )
}

fn check_map(map: &Map<String, Value>, block: &Block, depth: usize) -> Result<(), Trouble> {
    check_depth(block, depth)?;
    for (name, value) in map {
        let name = typed::shown(name);
        refuse(block, &name, true, wrong_name)?;
        refuse(block, &name, true, wrong_text)?;
        refuse_call(block, &name, true)?;
        check_value(value, block, depth)?;
    }
    Ok(())
}

fn check_value(value: &Value, block: &Block, depth: usize) -> Result<(), Trouble> {
    if let Value::String(text) = value
        && typed::has_mark(value)
    {
        let text = typed::shown(text);
        let detail =
            "`!secret` may not be used here: everybody can read a pull request; set the variable in the instance";
        return Err(block.trouble_where(|place| !place.is_key && place.text == text, |_| false, detail));
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) => {
            // The text without the marker of its YAML tag.
            let text = typed::shown(text);
            refuse(block, &text, false, wrong_text)?;
            refuse_call(block, &text, false)
        }
        Value::Array(items) => {
            check_depth(block, depth + 1)?;
            items.iter().try_for_each(|item| check_value(item, block, depth + 1))
        }
        Value::Object(map) => check_map(map, block, depth + 1),
    }
}

fn check_depth(block: &Block, depth: usize) -> Result<(), Trouble> {
    if depth <= MAX_DEPTH {
        return Ok(());
    }
    let detail = format!("nested deeper than {MAX_DEPTH} levels: maps and lists in it must be nested less");
    Err(block.trouble_where(|place| place.depth > MAX_DEPTH, |_| false, &detail))
}

fn refuse(block: &Block, text: &str, is_key: bool, wrong: fn(&str) -> Option<&'static str>) -> Result<(), Trouble> {
    let Some(detail) = wrong(text) else { return Ok(()) };
    let is_such = |other: &str| wrong(other) == Some(detail);
    Err(block.trouble_where(|place| place.is_key == is_key && is_such(&place.text), is_such, detail))
}

/// Refuses a text that Ansible might evaluate as an expression with a dangerous call.
fn refuse_call(block: &Block, text: &str, is_key: bool) -> Result<(), Trouble> {
    let Some(call) = expression::dangerous_call(text) else { return Ok(()) };
    let detail = format!(
        "old versions of Ansible would run this text on the manager as an expression: {call}. Write the result itself; if it is \
         only text, write it without the round brackets, or with words between that make it no expression"
    );
    let is_such = |other: &str| other == text;
    Err(block.trouble_where(|place| place.is_key == is_key && is_such(&place.text), is_such, &detail))
}

fn wrong_name(name: &str) -> Option<&'static str> {
    if name.starts_with("__ansible_") {
        return Some(
            "a name that begins with `__ansible_` has a meaning of its own to Ansible, so it may not be set here; give it another \
             name",
        );
    }
    let is_secret = name.starts_with('$') && name.trim_start_matches('$') == "secret";
    is_secret
        .then_some("a map with `$secret` stands for a stored secret, so it may not be set here; give it another name")
}

fn wrong_text(text: &str) -> Option<&'static str> {
    if TEMPLATE_SIGNS.iter().any(|sign| text.contains(sign)) || text.trim_start().starts_with(TEMPLATE_HEADER) {
        return Some(
            "templates (`{{`, `{%`, `{#`, `#jinja2:`) may not be used here: Ansible would run them on the manager. Write the value \
             itself, or a space between the two characters if it is only text",
        );
    }
    text.contains(HIDDEN).then_some("`••••••` only stands for a secret that is hidden; write the value itself")
}
