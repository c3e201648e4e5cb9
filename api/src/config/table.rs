//! The table of settings: [`settings!`] declares a section with each setting's name, type, default, limits and help,
//! once. Reading, error messages, docs/settings.md and the command line's help come from it.

use std::fmt;
use std::ops::RangeInclusive;

use config::{Map, Value, ValueKind};
use serde::de::DeserializeOwned;

use super::ConfigError;
use super::setting::Setting;

/// A week in seconds, the longest timeout.
pub const WEEK: u64 = 604_800;

/// Declares a section: `/// about`, `pub struct Name = "Title";`, then for each setting `/// help` and
/// `name: type = default;`. The name is that of the environment variable in lower case. After the default,
/// `within(1..=9)` or `seconds(1..=9)` limits a number, and `unset("…")` says what holds without a value.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+ pub struct $section:ident = $title:literal;
        $($(#[doc = $help:literal])+ $name:ident: $kind:ty = $default:expr $(, $also:ident($value:expr))*;)+
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, serde::Deserialize)]
        #[serde(default)]
        pub struct $section {
            $($(#[doc = $help])+ pub $name: $kind,)+
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl $crate::config::table::Section for $section {
            const TITLE: &'static str = $title;
            const ABOUT: &'static [&'static str] = &[$($about),+];

            fn entries(&self) -> Vec<$crate::config::table::Entry> {
                vec![$(
                    $crate::config::table::Entry::new(stringify!($name), &[$($help),+], &self.$name)$(.$also($value))*
                ),+]
            }
        }
    };
}
pub(crate) use settings;

/// A group of settings that one part of the program reads.
pub trait Section: Default + DeserializeOwned {
    /// Its heading in docs/settings.md.
    const TITLE: &'static str;
    /// What the settings have in common, in Markdown: lines of one paragraph.
    const ABOUT: &'static [&'static str];

    /// The settings with the values of `self`, in the order of the declaration.
    fn entries(&self) -> Vec<Entry>;
}

/// A section as a value, so that `config` can read those that other rooms declare.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    pub(super) title: &'static str,
    pub(super) about: &'static [&'static str],
    /// The settings with their defaults.
    pub(super) entries: fn() -> Vec<Entry>,
    pub(super) check: fn(&Values) -> Result<(), ConfigError>,
}

impl Declared {
    /// The declaration of this section.
    pub const fn of<S: Section>() -> Self {
        Self {
            title: S::TITLE,
            about: S::ABOUT,
            entries: || S::default().entries(),
            check: |values| values.read::<S>().map(drop),
        }
    }
}

/// A setting and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// In lower case.
    pub(super) name: &'static str,
    /// Lines of one paragraph, in Markdown.
    help: &'static [&'static str],
    /// The value in Markdown; none if it is unset, empty or a secret.
    shown: Option<String>,
    number: Option<u64>,
    limits: Option<RangeInclusive<u64>>,
    /// The unit of the number in messages, after a space.
    unit: &'static str,
    /// Whether the environment separates items by commas.
    pub(super) is_list: bool,
}

impl Entry {
    pub(crate) fn new<T: Setting>(name: &'static str, help: &'static [&'static str], value: &T) -> Self {
        let (shown, number) = (value.shown(), value.number());
        Self { name, help, shown, number, limits: None, unit: "", is_list: T::IS_LIST }
    }

    /// Limits the number.
    pub(crate) fn within(self, limits: RangeInclusive<u64>) -> Self {
        Self { limits: Some(limits), ..self }
    }

    /// Limits the number, which counts seconds.
    pub(crate) fn seconds(self, limits: RangeInclusive<u64>) -> Self {
        Self { unit: " seconds", ..self.within(limits) }
    }

    /// What holds without a value.
    pub(crate) fn unset(self, words: &'static str) -> Self {
        Self { shown: self.shown.or_else(|| Some(words.to_owned())), ..self }
    }

    /// The name of the environment variable.
    pub(super) fn variable(&self) -> String {
        self.name.to_ascii_uppercase()
    }

    /// The value, or what holds without one.
    pub(super) fn value(&self) -> &str {
        self.shown.as_deref().unwrap_or("–")
    }

    /// The help with the limits, as one line of Markdown.
    pub(super) fn help(&self) -> String {
        let help = one_line(self.help);
        match &self.limits {
            Some(limits) => format!("{help} {} to {}.", grouped(*limits.start()), grouped(*limits.end())),
            None => help,
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        match (&self.limits, self.number) {
            (Some(limits), Some(number)) if !limits.contains(&number) => {
                let (name, unit, least, most) = (self.variable(), self.unit, limits.start(), limits.end());
                Err(ConfigError(format!("{name} is {number}{unit}; it must be {least} to {most}")))
            }
            _ => Ok(()),
        }
    }
}

/// The lines of a paragraph as one.
pub(super) fn one_line(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// `250,000`.
fn grouped(number: u64) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", grouped(number / 1000), number % 1000) }
}

/// Values by the names of their settings, before they have types. `Debug` shows only names: a value may be a secret.
#[derive(Clone, Default)]
pub(super) struct Values(pub(super) Map<String, Value>);

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Values {
    /// The tables below this key, by name; their values have no types yet.
    pub(super) fn tables(&self, key: &str) -> Result<Map<String, Map<String, Value>>, ConfigError> {
        let Some(tables) = self.0.get(key) else { return Ok(Map::new()) };
        let wrong = |_| ConfigError(format!("`{key}` must hold tables: [{key}.NAME]"));
        let tables = tables.clone().into_table().map_err(wrong)?;
        tables.into_iter().map(|(name, table)| Ok((name, table.into_table().map_err(wrong)?))).collect()
    }

    /// The values of a section, with defaults for those that are absent.
    pub(super) fn read<S: Section>(&self) -> Result<S, ConfigError> {
        let names = S::default().entries().into_iter().map(|entry| entry.name);
        let own = names.filter_map(|name| Some((name.to_owned(), self.0.get(name)?.clone()))).collect::<Map<_, _>>();
        let section: S = Value::new(None, ValueKind::Table(own)).try_deserialize()?;
        section.entries().iter().try_for_each(Entry::check)?;
        Ok(section)
    }
}
