//! Finds the forms of secrets in a text: an automaton matches the first bytes of each form, then the rest is compared.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use shared_types::applications;
use shared_types::secret::Found;

use super::cuts::Cuts;
use super::{LONG, SHORT, Span, forms};

/// The automaton matches at most this many bytes of a form; that keeps it small, also for long keys.
const HEAD: usize = 12;
/// Short values that are frequent in logs.
const COMMON: &[&str] = &[
    "admin",
    "ansible",
    "debug",
    "default",
    "demo",
    "error",
    "false",
    "guest",
    "host",
    "info",
    "local",
    "localhost",
    "mongo",
    "mysql",
    "name",
    "none",
    "null",
    "play",
    "port",
    "public",
    "redis",
    "root",
    "task",
    "test",
    "true",
    "ubuntu",
    "user",
    "warn",
    "warning",
];

/// Whether the value is frequent in logs of any application or of one type.
fn is_common(value: &str) -> bool {
    COMMON.contains(&value) || applications::ALL.iter().any(|kind| kind.common_values.contains(&value))
}

/// Where a form must stand to count as a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    Anywhere,
    /// As a whole word.
    Word,
    /// After a prefix of this many bytes, which is not masked, and before `close`.
    Behind {
        prefix: usize,
        close: &'static str,
    },
}

struct Form {
    text: String,
    rule: Rule,
}

/// Matches all forms at once.
pub(super) struct Finder {
    heads: AhoCorasick,
    /// For each pattern of `heads`, the forms that start with it.
    forms: Vec<Vec<Form>>,
    cuts: Cuts,
}

impl Finder {
    /// None if there is nothing to mask.
    pub fn of(secrets: &[Found]) -> Option<Self> {
        let mut all: BTreeSet<(String, Rule)> = BTreeSet::new();
        for Found { name, text } in secrets {
            let is_short = text.len() < LONG;
            let is_common = is_short && is_common(&text.to_lowercase());
            if text.len() >= SHORT && !is_common {
                let rule = if is_short { Rule::Word } else { Rule::Anywhere };
                all.extend(forms::of(text).into_iter().filter(|form| form.len() >= SHORT).map(|form| (form, rule)));
            } else if !name.is_empty() && !text.is_empty() {
                for (before, close) in forms::named(name) {
                    let rule = Rule::Behind { prefix: before.len(), close };
                    all.insert((format!("{before}{text}"), rule));
                }
            }
        }
        if all.is_empty() {
            return None;
        }
        let cuts = Cuts::of(all.iter().filter(|(_, rule)| *rule == Rule::Anywhere).map(|(form, _)| form.as_str()));
        let mut by_head: BTreeMap<Vec<u8>, Vec<Form>> = BTreeMap::new();
        for (text, rule) in all {
            let head = text.as_bytes().get(..HEAD.min(text.len())).unwrap_or_default().to_vec();
            by_head.entry(head).or_default().push(Form { text, rule });
        }
        let (heads, forms): (Vec<_>, Vec<_>) = by_head.into_iter().unzip();
        // The only possible error is the total size limit, at some gigabytes.
        let heads =
            AhoCorasick::new(heads).inspect_err(|error| tracing::error!(%error, "secrets cannot be hidden")).ok()?;
        Some(Self { heads, forms, cuts })
    }

    /// The spans of all secrets, unordered.
    pub fn spans(&self, text: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        for found in self.heads.find_overlapping_iter(text) {
            let forms = self.forms.get(found.pattern().as_usize()).map(Vec::as_slice).unwrap_or_default();
            spans.extend(forms.iter().filter_map(|form| form.at(text, found.start())));
        }
        self.cuts.add(text, &mut spans);
        spans
    }
}

impl Form {
    /// The span to mask if the form starts here.
    fn at(&self, text: &str, start: usize) -> Option<Span> {
        let rest = text.get(start..)?;
        let after = rest.strip_prefix(self.text.as_str())?;
        let end = start + self.text.len();
        let is_free = |of_form: Option<char>, beside: Option<char>| {
            let is_of_word =
                |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
            !(is_of_word(of_form) && is_of_word(beside))
        };
        let ends_free = || is_free(self.text.chars().next_back(), after.chars().next());
        let begins_free =
            || is_free(self.text.chars().next(), text.get(..start).and_then(|before| before.chars().next_back()));
        match self.rule {
            Rule::Anywhere => Some((start, end)),
            Rule::Word => (begins_free() && ends_free()).then_some((start, end)),
            Rule::Behind { prefix, close } => {
                let is_closed = if close.is_empty() { ends_free() } else { after.starts_with(close) };
                (begins_free() && is_closed).then_some((start + prefix, end))
            }
        }
    }
}
