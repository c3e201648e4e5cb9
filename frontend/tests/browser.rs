//! What only a browser can show: dialogs and the focus, the window of a long list, the page of a fault, the theme.
//!
//! `CHROMEDRIVER=… CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner \
//!  cargo test -p frontend --target wasm32-unknown-unknown --test browser`

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used)]

use gloo_timers::future::TimeoutFuture;
use leptos::mount::mount_to;
use leptos::prelude::*;
use ocim_web::fault;
use ocim_web::state::State;
use ocim_web::state::theme::Theme;
use ocim_web::ui::window::Scroll;
use ocim_web::ui::{CopyButton, Dialog, Icon, Loading, Location, Shape};
use shared_types::client_error::{ClientError, MESSAGE_MAX};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Element, HtmlElement, js_sys};

wasm_bindgen_test_configure!(run_in_browser);

/// A place of its own in the page, taken away by the next test's.
fn stage() -> HtmlElement {
    let stage = document().create_element("div").unwrap().unchecked_into::<HtmlElement>();
    document().body().unwrap().append_child(&stage).unwrap();
    stage
}

fn find(stage: &HtmlElement, selector: &str) -> Option<Element> {
    stage.query_selector(selector).unwrap()
}

/// Effects and frames run after the test's own task.
async fn settle() {
    TimeoutFuture::new(60).await;
}

#[wasm_bindgen_test]
async fn a_dialog_is_modal_and_gives_the_focus_back() {
    let stage = stage();
    let is_open = RwSignal::new(false);
    let _mounted = mount_to(stage.clone(), move || {
        view! {
            <button id="opener" on:click=move |_| is_open.set(true)>"Open"</button>
            <Show when=move || is_open.get()>
                <Dialog label="Sure?" on_close=move |()| is_open.set(false)>
                    <button id="inside">"Yes"</button>
                </Dialog>
            </Show>
        }
    });
    let opener = find(&stage, "#opener").unwrap().unchecked_into::<HtmlElement>();
    opener.focus().unwrap();
    opener.click();
    settle().await;
    let dialog = find(&stage, "dialog").unwrap();
    assert!(dialog.matches(":modal").unwrap());
    assert_eq!(dialog.get_attribute("aria-label").as_deref(), Some("Sure?"));
    assert_eq!(document().active_element().unwrap().id(), "inside");

    dialog.dispatch_event(&web_sys::Event::new("cancel").unwrap()).unwrap();
    settle().await;
    assert!(find(&stage, "dialog").is_none(), "Escape closes it");
    assert_eq!(document().active_element().unwrap().id(), "opener");
}

#[wasm_bindgen_test]
async fn a_busy_dialog_stays() {
    let stage = stage();
    let is_open = RwSignal::new(true);
    let _mounted = mount_to(stage.clone(), move || {
        view! {
            <Show when=move || is_open.get()>
                <Dialog label="Working" is_busy=Signal::stored(true) on_close=move |()| is_open.set(false)>"…"</Dialog>
            </Show>
        }
    });
    settle().await;
    let dialog = find(&stage, "dialog").unwrap();
    dialog.dispatch_event(&web_sys::Event::new("cancel").unwrap()).unwrap();
    settle().await;
    assert!(is_open.get_untracked());
}

#[wasm_bindgen_test]
async fn only_the_rows_in_sight_are_in_the_document() {
    let stage = stage();
    let rows = 100_000_usize;
    let _mounted = mount_to(stage.clone(), move || {
        let scroll = Scroll::watch();
        view! {
            <div
                id="window"
                style:height="200px"
                style:overflow="auto"
                node_ref=scroll.node
                on:scroll=move |_| scroll.look()
            >
                <div style:height="2000000px">
                    <For each=move || scroll.visible(20.0, rows) key=|row| *row let:row>
                        <p>{row}</p>
                    </For>
                </div>
            </div>
        }
    });
    settle().await;
    let count = || find(&stage, "#window > div").unwrap().child_element_count();
    assert!((10..60).contains(&count()), "{} rows", count());
    find(&stage, "#window").unwrap().set_scroll_top(1_000_000);
    settle().await;
    assert!((10..60).contains(&count()), "{} rows", count());
    let first: usize = find(&stage, "p").unwrap().text_content().unwrap().parse().unwrap();
    assert!((49_900..=50_000).contains(&first), "row {first}");
}

#[wasm_bindgen_test]
async fn signs_say_nothing_and_waiting_says_so() {
    let stage = stage();
    let _mounted = mount_to(stage.clone(), || view! { <Icon shape=Shape::Cube/> <Loading/> });
    settle().await;
    assert_eq!(find(&stage, "svg").unwrap().get_attribute("aria-hidden").as_deref(), Some("true"));
    assert_eq!(find(&stage, "[role=status]").unwrap().text_content().as_deref(), Some("Loading…"));
}

#[wasm_bindgen_test]
async fn a_text_is_copied_where_the_browser_has_no_clipboard() {
    let without_clipboard = "Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true }); \
        window.copied = []; \
        document.execCommand = (verb) => window.copied.push(verb, document.activeElement.value) < 3;";
    js_sys::Function::new_no_args(without_clipboard).call0(&JsValue::NULL).unwrap();
    let stage = stage();
    let _mounted = mount_to(stage.clone(), || view! { <CopyButton text="two\nlines"/> });
    let button = find(&stage, "button").unwrap().unchecked_into::<HtmlElement>();
    let told = || find(&stage, "[role=status]").unwrap().text_content().unwrap();
    button.focus().unwrap();
    button.click();
    settle().await;
    let copied = js_sys::Array::from(&js_sys::Reflect::get(&window(), &"copied".into()).unwrap());
    assert_eq!([0, 1].map(|place| copied.get(place).as_string().unwrap()), ["copy", "two\nlines"]);
    assert_eq!(told(), "Copied.");
    assert!(find(&stage, "textarea").is_none());
    assert_eq!(document().active_element().as_ref(), Some(button.as_ref()), "the focus stays");
    // The second time the browser refuses.
    button.click();
    settle().await;
    assert!(told().contains("Select the text and press Ctrl+C."), "{}", told());
    let restore = "delete navigator.clipboard; delete document.execCommand;";
    js_sys::Function::new_no_args(restore).call0(&JsValue::NULL).unwrap();
}

#[wasm_bindgen_test]
fn the_theme_is_kept() {
    let shown = || document().document_element().unwrap().get_attribute("data-theme");
    Theme::Dark.apply();
    assert_eq!((shown().as_deref(), Theme::kept()), (Some("dark"), Theme::Dark));
    Theme::System.apply();
    assert_eq!((shown(), Theme::kept()), (None, Theme::System));
}

#[wasm_bindgen_test]
fn numbers_are_read_as_the_server_reads_them() {
    let read =
        |text: &str| shared_types::yaml::parse_map(text).map(|map| map.get("a").and_then(serde_json::Value::as_f64));
    for (text, number) in
        [("a: 0.1", 0.1), ("a: -1_000.5", -1000.5), ("a: 1.7976931348623157e+308", f64::MAX), ("a: 1:30.5", 90.5)]
    {
        assert_eq!(read(text).unwrap().map(f64::to_bits), Some(number.to_bits()), "{text}");
    }
    assert_eq!(read("a: 1.0e+999").unwrap(), None, "JSON has no number for infinity: it is kept as a typed value");
}

#[wasm_bindgen_test]
fn the_page_of_a_fault_takes_the_place_of_what_was_there() {
    let body = document().body().unwrap();
    // The tests' own page lives there, too.
    let mut kept = Vec::new();
    while let Some(child) = body.first_child() {
        kept.push(body.remove_child(&child).unwrap());
    }
    body.append_child(&document().create_element("nav").unwrap()).unwrap();
    fault::show("panicked at <b>src/app.rs</b>").unwrap();
    let text = find(&body, "main[role=alert] > pre").and_then(|pre| pre.text_content());
    let (children, reload) = (body.child_element_count(), find(&body, "main > a[href='']").is_some());
    body.set_text_content(None);
    for child in kept {
        body.append_child(&child).unwrap();
    }
    assert_eq!((text.as_deref(), children, reload), (Some("panicked at <b>src/app.rs</b>"), 1, true));
}

#[wasm_bindgen_test]
fn the_server_is_told_of_a_fault_once_and_briefly() {
    let fetch = js_sys::Reflect::get(&window(), &"fetch".into()).unwrap();
    let instead = "window.told = window.told || []; \
        window.told.push(path, init.method, init.keepalive, init.headers['Content-Type'], init.body); \
        return Promise.reject('the server is unreachable');";
    let instead = js_sys::Function::new_with_args("path, init", instead);
    js_sys::Reflect::set(&window(), &"fetch".into(), &instead).unwrap();
    let sent = [fault::tell(&"x".repeat(MESSAGE_MAX + 1)), fault::tell("another"), fault::tell("and another")];
    js_sys::Reflect::set(&window(), &"fetch".into(), &fetch).unwrap();
    assert_eq!(sent, [Some(()); 3]);
    let told = js_sys::Array::from(&js_sys::Reflect::get(&window(), &"told".into()).unwrap());
    assert_eq!(told.length(), 5, "the others say nothing new");
    let [path, method, content_type, body] = [0, 1, 3, 4].map(|place| told.get(place).as_string().unwrap());
    assert_eq!((path.as_str(), method.as_str()), ("/api/v1/client-errors", "POST"));
    assert_eq!((told.get(2).as_bool(), content_type.as_str()), (Some(true), "application/json"));
    let said: ClientError = serde_json::from_str(&body).unwrap();
    assert_eq!((said.message.len(), said.version.as_deref()), (MESSAGE_MAX, Some(env!("CARGO_PKG_VERSION"))));
    assert_eq!(Some(said.page), window().location().pathname().ok());
}

#[cfg(debug_assertions)]
#[wasm_bindgen_test]
async fn the_page_of_the_design_has_every_part() {
    let stage = stage();
    let _mounted = mount_to(stage.clone(), || {
        Location::provide();
        State::provide();
        view! { <ocim_web::DesignPage/> }
    });
    settle().await;
    for part in [
        "[aria-label=Colours] figure:nth-of-type(22)",
        "[aria-label=Sizes] figure",
        "[aria-label=Icons] figure:nth-of-type(30) svg.i path",
        "[aria-label=Buttons] button[aria-busy=true] .spin",
        "[aria-label=Buttons] button[aria-disabled=true][title]",
        "[aria-label=Fields] input.wrong",
        "[aria-label=Labels] .label.bad",
        "[aria-label=Marks] .mark.ring.busy",
        "[aria-label=Marks] .mark.degraded:not(.ring)",
        "[aria-label=Marks] .mark.unknown:not(.ring)",
        "[aria-label=Progress] [role=progressbar][aria-valuenow='40']",
        "[aria-label=Notices] .notice.bad",
        "[aria-label=Editor] textarea",
        "[aria-label=Differences] .plus",
        "[aria-label=Log] .line.bad.named",
        "[aria-label=Backups] tbody .label.busy",
        "[aria-label=Backups] tbody .label.bad ~ .why",
        "[aria-label=Backups] [role=note]",
    ] {
        assert!(find(&stage, part).is_some(), "{part}");
    }
    find(&stage, "[aria-label=Dialog] button").unwrap().unchecked_into::<HtmlElement>().click();
    settle().await;
    assert!(find(&stage, "dialog").unwrap().matches(":modal").unwrap());
}

#[wasm_bindgen_test]
async fn a_restore_is_confirmed_by_the_name_of_the_instance() {
    let stage = stage();
    let _mounted = mount_to(stage.clone(), || {
        Location::provide();
        State::provide();
        view! { <ocim_web::DesignPage/> }
    });
    settle().await;
    let restore = "[aria-label=Backups] tbody button:nth-of-type(2)[aria-disabled=false]";
    find(&stage, restore).unwrap().unchecked_into::<HtmlElement>().click();
    settle().await;
    let title = find(&stage, "dialog h1").unwrap().text_content().unwrap();
    assert!(title.starts_with("Restore the backup of "), "{title}");
    let is_disabled =
        || find(&stage, "dialog button.danger").unwrap().get_attribute("aria-disabled").unwrap() == "true";
    let input = find(&stage, "dialog input").unwrap().unchecked_into::<web_sys::HtmlInputElement>();
    for (text, refuses) in [("", true), ("astronomy academy", true), ("Astronomy Academy", false)] {
        input.set_value(text);
        input.dispatch_event(&web_sys::Event::new("input").unwrap()).unwrap();
        settle().await;
        assert_eq!(is_disabled(), refuses, "{text:?}");
    }
}
