//! The colour theme: light, dark, or the system's; kept in the browser. `theme.js` applies it before the first paint.

use leptos::ev;
use leptos::prelude::*;

use super::kept;

const KEY: &str = "theme";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
    /// Follows the system's setting.
    System,
}

impl Theme {
    /// The stored choice; the system's theme without one.
    pub fn kept() -> Self {
        let kept = kept::read(KEY);
        match kept.as_deref() {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            Some(_) | None => Self::System,
        }
    }

    /// The next choice in the cycle light, dark, system.
    pub const fn next(self) -> Self {
        match self {
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
            Self::System => Self::Light,
        }
    }

    /// Its name in lower case, as stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::System => "system",
        }
    }

    /// Applies the theme that is chosen in another tab, and passes it to `chosen`.
    pub fn follow(chosen: impl Fn(Self) + 'static) {
        let listener = window_event_listener(ev::storage, move |event| {
            if event.key().is_none_or(|key| key == KEY) {
                Self::kept().apply();
                chosen(Self::kept());
            }
        });
        on_cleanup(move || listener.remove());
    }

    /// Applies and stores the theme. Without storage it lasts until the page is left.
    pub fn apply(self) {
        let root = document().document_element();
        match self {
            Self::Light | Self::Dark => {
                drop(root.map(|root| root.set_attribute("data-theme", self.word())));
                kept::write(KEY, self.word());
            }
            Self::System => {
                drop(root.map(|root| root.remove_attribute("data-theme")));
                kept::remove(KEY);
            }
        }
    }
}
