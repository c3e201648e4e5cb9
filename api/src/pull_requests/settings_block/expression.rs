//! Texts that old versions of Ansible evaluate although they are no templates.
//!
//! Where a task says `when: NAME`, Ansible before 2.12 puts the *value* of the variable between `{% if` and `%}`, so that
//! `NAME: lookup('pipe', 'id')` runs `id` on the manager; playbooks of Open edX releases use such versions. `until`, `failed_when`
//! and `assert` do the same. Nothing else evaluates a text without the signs of a template.
//!
//! # What is refused
//! An expression does harm only by calling something: operators, filters and tests compute, and what comes out is only asked
//! whether it is true. And what can be called is known:
//!
//! - functions of Jinja and Ansible ([`FUNCTIONS`]): they do more than compute, or lead to what does;
//! - methods of what Ansible itself puts among the variables ([`RESERVED`]): `hostvars` can be changed. Brackets and operators
//!   hand such a variable on (`(hostvars).x()`), so it must not stand in an expression that takes something from anything;
//! - whatever can be reached through the inner attributes of Python ([`is_inner`]), of any value: `''.__class__.__mro__`. Jinja's own
//!   sandbox keeps the same ones away. A name that is computed (`a[b]`, `a | attr(b)`) may be any of them.
//!
//! All other variables are data, from this block, the playbooks or the machines: the methods of texts, numbers, lists and maps
//! compute. A name that is none of these is not defined, and Ansible fails at it. So names of places and people stay what they
//! are, although Jinja could read some of them: `Univ. Ada (Paris)` would be the method `Ada` of `Univ`.
//!
//! An expression without a call is taken, and so is every text that is no expression: prose, Markdown, Python, regular
//! expressions.

use super::jinja::{self, Expression};
use super::vet::RESERVED;

/// Functions that Jinja and Ansible, or their extensions, define for every template.
const FUNCTIONS: &[&str] = &[
    "caller",
    "context",
    "cycler",
    "debug",
    "dict",
    "get_flashed_messages",
    "gettext",
    "joiner",
    "lipsum",
    "lookup",
    "namespace",
    "ngettext",
    "now",
    "q",
    "query",
    "range",
    "self",
    "super",
    "undef",
    "url_for",
];

/// Attributes of functions, generators and classes that do not begin with `_`, and of Ansible's encrypted texts.
const INNER: &[&str] = &[
    "ag_code",
    "ag_frame",
    "cr_code",
    "cr_frame",
    "f_back",
    "f_builtins",
    "f_globals",
    "f_locals",
    "func_closure",
    "func_code",
    "func_defaults",
    "func_dict",
    "func_globals",
    "gi_code",
    "gi_frame",
    "im_class",
    "im_func",
    "im_self",
    "mro",
    "tb_frame",
    "vault",
];

/// What a text calls that must not be called, in words; none: nothing.
pub(super) fn dangerous_call(text: &str) -> Option<String> {
    // Most texts call nothing, and that is seen at once.
    if !text.contains('(') {
        return None;
    }
    let found = jinja::parse(text)?;
    if found.is_too_deep {
        return Some("its brackets are nested too deep".to_owned());
    }
    let function = |names: &[&str]| names.iter().copied().find(|name| FUNCTIONS.contains(name)).map(str::to_owned);
    // There is no such filter; one that a playbook adds may do what the function does.
    if let Some(filter) = function(&found.filters) {
        return Some(format!("it calls `{filter}`"));
    }
    if !found.has_call {
        return None;
    }
    let name = function(&found.names).map(|name| format!("it calls `{name}`"));
    name.or_else(|| inner(&found)).or_else(|| computed(&found))
}

fn inner(found: &Expression<'_>) -> Option<String> {
    let takes = found.has_subscript || !found.attributes.is_empty();
    let is_ansibles = |name: &&str| takes && (RESERVED.contains(name) || name.starts_with("ansible_"));
    let ansibles = found.names.iter().copied().find(is_ansibles);
    let inner = found.attributes.iter().chain(&found.names).copied().find(|name| is_inner(name));
    ansibles.or(inner).map(|name| format!("it calls something with `{name}`"))
}

fn computed(found: &Expression<'_>) -> Option<String> {
    let words = "it calls something, and has a computed name (`a[b]`) or a filter (`a | b`)";
    (found.has_subscript || !found.filters.is_empty()).then(|| words.to_owned())
}

/// Whether a name is one of the inner attributes of Python.
fn is_inner(name: &str) -> bool {
    name.starts_with('_') || INNER.contains(&name)
}
