//! Copying a text. Browsers offer the clipboard API only in a secure context (https, localhost); elsewhere the text is
//! selected in a text area and copied with `execCommand`; if that is refused, too, the user is told what to do.

use std::time::Duration;

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlDocument, HtmlElement, HtmlTextAreaElement, js_sys};

use super::{Icon, Shape};

/// How long the button shows that it has copied.
const TOLD_FOR: Duration = Duration::from_secs(3);
const REFUSED: &str = "The browser did not allow copying. Select the text and press Ctrl+C.";

/// The result of the last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Copied,
    Refused,
}

/// Copies a text, and shows the result beside itself: a notice would be hidden behind an open dialog.
#[component]
pub fn CopyButton(
    /// The text to be copied.
    #[prop(into)]
    text: String,
    /// The text on the button.
    #[prop(default = "Copy")]
    label: &'static str,
    /// Whether only the icon is shown.
    #[prop(optional)]
    is_small: bool,
) -> impl IntoView {
    let node = NodeRef::<html::Button>::new();
    let told = RwSignal::new(Told::Nothing);
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            let button = || node.try_get_untracked().flatten();
            let is_copied = write(&text).await || button().is_some_and(|button| write_as_before(&text, &button));
            told.try_set(if is_copied { Told::Copied } else { Told::Refused });
            set_timeout(
                move || {
                    told.try_update(|told| *told = if *told == Told::Copied { Told::Nothing } else { *told });
                },
                TOLD_FOR,
            );
        });
    };
    let shape = move || if told.get() == Told::Copied { Shape::Check } else { Shape::Copy };
    let words = move || (!is_small).then(|| if told.get() == Told::Copied { "Copied" } else { label });
    view! {
        <button
            node_ref=node
            class=if is_small { "quiet icon-only small" } else { "quiet" }
            type="button"
            aria-label=is_small.then_some(label)
            title=is_small.then_some(label)
            on:click=copy
        >
            {move || view! { <Icon shape=shape()/> }}
            {words}
        </button>
        <span role="status" class=move || if told.get() == Told::Refused { "why" } else { "unseen" }>
            {move || match told.get() {
                Told::Nothing => "",
                Told::Copied => "Copied.",
                Told::Refused => REFUSED,
            }}
        </span>
    }
}

/// Writes a text to the clipboard; false if there is none or the browser refuses.
async fn write(text: &str) -> bool {
    let clipboard = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("clipboard"));
    let Some(clipboard) = clipboard.ok().filter(JsValue::is_object) else { return false };
    let writing = clipboard.unchecked_into::<web_sys::Clipboard>().write_text(text);
    JsFuture::from(writing).await.is_ok()
}

/// The fallback: selects the text in a text area beside the button, because an open dialog keeps the focus inside.
fn write_as_before(text: &str, button: &HtmlElement) -> bool {
    let Some(area) = text_area(text, button) else { return false };
    let before = document().active_element().and_then(|element| element.dyn_into::<HtmlElement>().ok());
    area.select();
    let is_copied = document().unchecked_into::<HtmlDocument>().exec_command("copy").unwrap_or(false);
    area.remove();
    if let Some(before) = before {
        // Fails only for elements that cannot have the focus, and this one had it.
        let _ = before.focus();
    }
    is_copied
}

fn text_area(text: &str, button: &HtmlElement) -> Option<HtmlTextAreaElement> {
    let area = document().create_element("textarea").ok()?.dyn_into::<HtmlTextAreaElement>().ok()?;
    area.set_value(text);
    area.set_read_only(true);
    area.set_class_name("copy-area");
    button.parent_element()?.append_child(&area).ok()?;
    Some(area)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Interfaces that browsers offer only in a secure context. Code that uses one needs a fallback, as copying has;
    /// then remove its name from this list.
    const SECURE_ONLY: &[&str] = &[
        "CacheStorage",
        "Credential",
        "Crypto",
        "FileSystem",
        "Geolocation",
        "Lock",
        "MediaDevices",
        "Notification",
        "Payment",
        "Permissions",
        "Push",
        "SensorSubscription",
        "ServiceWorker",
        "Share",
        "StorageManager",
        "Usb",
        "WakeLock",
        "Worklet",
    ];

    #[test]
    fn no_interface_is_used_that_is_missing_over_plain_http() {
        let manifest = include_str!("../../Cargo.toml");
        let features = manifest.lines().find(|line| line.starts_with("web-sys")).unwrap_or_default();
        assert!(features.contains("\"Navigator\""), "{features}");
        for name in SECURE_ONLY {
            assert!(!features.contains(&format!("\"{name}")), "{name} needs a secure context: {features}");
        }
    }
}
