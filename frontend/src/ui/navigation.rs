//! The address bar: its parts as signals, and changing it without reloading the page.
//!
//! There is no router: `paths` alone decides which screen an address shows. A router's own routes would duplicate that
//! and add a tenth to the download.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlAnchorElement, MouseEvent, UrlSearchParams};

/// The parts of the current address.
#[derive(Debug, Clone, Copy)]
pub struct Location {
    /// The path, beginning with `/`.
    pub pathname: RwSignal<String>,
    /// The query with its question mark; empty without one.
    pub search: RwSignal<String>,
    /// The fragment with its `#`; empty without one.
    pub hash: RwSignal<String>,
}

#[derive(Debug, Clone, Copy)]
pub struct NavigateOptions {
    /// Whether it replaces the current history entry, which “back” then skips.
    pub replace: bool,
    /// Whether the page scrolls to its top.
    pub scroll: bool,
}

impl Default for NavigateOptions {
    fn default() -> Self {
        Self { replace: false, scroll: true }
    }
}

impl Location {
    /// Tracks the address, and intercepts every plain click on a link within this site, for the whole application.
    pub fn provide() {
        let location = Self { pathname: RwSignal::default(), search: RwSignal::default(), hash: RwSignal::default() };
        location.look();
        let moved = window_event_listener(ev::popstate, move |_| location.look());
        let clicked = window_event_listener(ev::click, move |event| location.follow(&event));
        on_cleanup(move || (moved.remove(), clicked.remove()).0);
        provide_context(location);
        TitleParts::provide();
    }

    /// A parameter of the query, by its name.
    pub fn parameter(self, name: &str) -> Option<String> {
        self.search.with(|search| UrlSearchParams::new_with_str(search).ok().and_then(|query| query.get(name)))
    }

    /// Changes the address.
    pub fn go(self, to: &str, options: NavigateOptions) {
        let Ok(history) = window().history() else { return };
        let moved = if options.replace {
            history.replace_state_with_url(&JsValue::NULL, "", Some(to))
        } else {
            history.push_state_with_url(&JsValue::NULL, "", Some(to))
        };
        // The browser refuses only addresses of other sites, and the application has no such links.
        if moved.is_ok() {
            self.look();
            if options.scroll {
                window().scroll_to_with_x_and_y(0.0, 0.0);
            }
        }
    }

    fn look(self) {
        let location = window().location();
        let set = |signal: RwSignal<String>, now: Result<String, JsValue>| {
            let now = now.unwrap_or_default();
            if signal.with_untracked(|before| *before != now) {
                signal.set(now);
            }
        };
        set(self.pathname, location.pathname());
        set(self.search, location.search());
        set(self.hash, location.hash());
    }

    /// Handles a click that the browser would follow within this tab.
    fn follow(self, event: &MouseEvent) {
        let is_plain = event.button() == 0
            && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key())
            && !event.default_prevented();
        let Some(link) = is_plain.then(|| link_of(event)).flatten() else { return };
        let is_elsewhere = !link.target().is_empty()
            || link.has_attribute("download")
            || link.rel().split_ascii_whitespace().any(|word| word == "external")
            || Ok(link.origin()) != window().location().origin();
        if !is_elsewhere {
            event.prevent_default();
            let is_here = link.pathname() == self.pathname.get_untracked();
            let to = format!("{}{}{}", link.pathname(), link.search(), link.hash());
            self.go(&to, NavigateOptions { replace: false, scroll: !is_here });
        }
    }
}

/// The link that was clicked, or that contains the clicked element.
fn link_of(event: &MouseEvent) -> Option<HtmlAnchorElement> {
    let element = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    let link = element.closest("a[href]").ok()??;
    link.dyn_into().ok()
}

/// The parts of the current address, as signals.
pub fn use_location() -> Location {
    expect_context::<Location>()
}

/// A function that changes the address.
pub fn use_navigate() -> impl Fn(&str, NavigateOptions) + Copy {
    let location = use_location();
    move |to, options| location.go(to, options)
}

/// The parts of the tab's title: an alarm if there is one, the page's title, the program's name.
#[derive(Debug, Clone, Copy)]
struct TitleParts {
    alarm: RwSignal<Option<String>>,
    page: RwSignal<String>,
}

impl TitleParts {
    /// Keeps the document's title up to date with both parts.
    fn provide() {
        let parts = Self { alarm: RwSignal::default(), page: RwSignal::default() };
        Effect::new(move || {
            let page = parts.page.get();
            let parts = [parts.alarm.get(), (!page.is_empty()).then_some(page), Some(NAME.to_owned())];
            document().set_title(&parts.into_iter().flatten().collect::<Vec<_>>().join(" · "));
        });
        provide_context(parts);
    }
}

/// Puts a text before the title of every page while it is not empty.
pub fn alarm_in_title(words: impl Fn() -> Option<String> + 'static) {
    let alarm = expect_context::<TitleParts>().alarm;
    Effect::new(move || {
        let words = words();
        if alarm.with_untracked(|before| *before != words) {
            alarm.set(words);
        }
    });
    on_cleanup(move || alarm.set(None));
}

/// Sets the page's part of the title.
#[component]
pub fn Title(
    /// Blank on the page that has no title of its own.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    expect_context::<TitleParts>().page.set(text);
}

/// The program's name in titles.
const NAME: &str = "OpenCraft Instance Manager";
