//! Light, dark, or as the system says; kept in the browser. `theme.js` sets it before the first paint.

use leptos::ev;
use leptos::prelude::*;

use super::kept;

const KEY: &str = "theme";

/// The choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Always light.
    Light,
    /// Always dark.
    Dark,
    /// As the system says.
    System,
}

impl Theme {
    /// The choice that was kept; the system's without one.
    pub fn kept() -> Self {
        let kept = kept::read(KEY);
        match kept.as_deref() {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            Some(_) | None => Self::System,
        }
    }

    /// The one after this in the round light, dark, system.
    pub const fn next(self) -> Self {
        match self {
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
            Self::System => Self::Light,
        }
    }

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::System => "system",
        }
    }

    /// Shows what is chosen in another tab of the browser, and hands it on.
    pub fn follow(chosen: impl Fn(Self) + 'static) {
        let listener = window_event_listener(ev::storage, move |event| {
            if event.key().is_none_or(|key| key == KEY) {
                Self::kept().apply();
                chosen(Self::kept());
            }
        });
        on_cleanup(move || listener.remove());
    }

    /// Shows and keeps it. Where the browser keeps nothing, it holds until the page is left.
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
