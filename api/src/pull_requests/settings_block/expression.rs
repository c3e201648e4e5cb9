//! Finds dangerous calls in texts that old versions of Ansible evaluate although they are no templates.
//!
//! Where a task says `when: NAME`, Ansible before 2.12 puts the *value* of the variable between `{% if` and `%}`, so that
//! `NAME: lookup('pipe', 'id')` runs `id` on the manager; playbooks in use pin such versions. `until`, `failed_when`
//! and `assert` do the same. No other keyword evaluates a text without the signs of a template.
//!
//! # What is refused
//! An expression is dangerous only if it calls a function or method: operators, filters and tests have no side effects,
//! and the result is only tested for truth. The dangerous calls are known:
//!
//! - functions of Jinja and Ansible ([`FUNCTIONS`]), which have side effects or give access to such functions;
//! - methods of Ansible's own variables ([`RESERVED`]): `hostvars` can be changed. Brackets and operators pass such a
//!   variable on (`(hostvars).x()`), so it must not occur in an expression that takes an attribute of any value;
//! - any object that Python's inner attributes ([`is_inner`]) of any value give access to: `''.__class__.__mro__`.
//!   Jinja's own sandbox blocks the same ones. A computed name (`a[b]`, `a | attr(b)`) may be any of them.
//!
//! All other variables are data, from this block, the playbooks or the machines, and methods of texts, numbers, lists
//! and maps have no side effects. Any other name is undefined, and Ansible fails at it. So names of places and people
//! are allowed, although Jinja could parse some of them: `Univ. Ada (Paris)` would be the method `Ada` of `Univ`.
//!
//! An expression without a call is allowed, and so is every text that is no expression: prose, Markdown, Python,
//! regular expressions.

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

/// The first dangerous call of a text, in words for its author; none: there is none.
pub(super) fn dangerous_call(text: &str) -> Option<String> {
    // Fast path: most texts call nothing.
    if !text.contains('(') {
        return None;
    }
    let found = jinja::parse(text)?;
    if found.is_too_deep {
        return Some("its brackets are nested too deep".to_owned());
    }
    let function = |names: &[&str]| names.iter().copied().find(|name| FUNCTIONS.contains(name)).map(str::to_owned);
    // Jinja has no such filters, but a playbook may add one that calls the function.
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
