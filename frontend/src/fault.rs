//! Handles panics of the application itself: shows an error page instead of a dead screen, and reports the error to the
//! server's log.

use std::sync::atomic::{AtomicBool, Ordering};

use leptos::prelude::document;
use shared_types::API_BASE;
use shared_types::client_error::ClientError;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use web_sys::js_sys;

/// Shows every panic in the console and on the page, and reports the first one to the server.
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        let words = panic.to_string();
        // The reactive state is lost; from here on only plain DOM calls are safe.
        if show(&words).is_none() {
            web_sys::console::error_1(&"the page of the fault could not be drawn".into());
        }
        if tell(&words).is_none() {
            web_sys::console::error_1(&"the server could not be told of the fault".into());
        }
    }));
}

/// Reports the error to the server, once per page load: one fault often causes more. The response is ignored: without a
/// session the server refuses the report, and nothing can be done about that. `None`: it could not be sent.
pub fn tell(words: &str) -> Option<()> {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    if IS_TOLD.swap(true, Ordering::Relaxed) {
        return Some(());
    }
    let window = web_sys::window()?;
    let request = web_sys::RequestInit::new();
    request.set_method("POST");
    request.set_body(&JsValue::from_str(&body(words, &window.location().pathname().ok()?)?));
    // Lets the request survive a reload of the page.
    js_sys::Reflect::set(&request, &"keepalive".into(), &true.into()).ok()?;
    let headers = js_sys::Object::new();
    js_sys::Reflect::set(&headers, &"Content-Type".into(), &"application/json".into()).ok()?;
    request.set_headers(&headers);
    let answer = window.fetch_with_str_and_init(&format!("{API_BASE}/client-errors"), &request);
    // Handle the rejection, or the browser logs an unhandled promise rejection.
    let ignore = Closure::<dyn FnMut(JsValue)>::new(|_| ());
    let _answered = answer.catch(&ignore);
    ignore.forget();
    Some(())
}

fn body(words: &str, page: &str) -> Option<String> {
    serde_json::to_string(&ClientError::cut(words, page, Some(env!("CARGO_PKG_VERSION")))).ok()
}

/// Replaces the content of the page by the error page. `None`: the document does not allow it.
pub fn show(words: &str) -> Option<()> {
    let element = |tag: &str, text: &str| {
        let element = document().create_element(tag).ok()?;
        element.set_text_content(Some(text));
        Some(element)
    };
    let main = element("main", "")?;
    main.set_attribute("data-fault", "").ok()?;
    main.set_class_name("fault");
    main.set_attribute("role", "alert").ok()?;
    let again = element("a", "Reload")?;
    again.set_attribute("href", "").ok()?;
    again.set_class_name("btn");
    let parts = [
        element("h1", "Something went wrong in this page")?,
        element(
            "p",
            "The page crashed. What was sent to the server is unaffected; unsaved input may be lost. Reload to continue.",
        )?,
        element("pre", words)?,
        again,
    ];
    for part in parts {
        main.append_child(&part).ok()?;
    }
    let body = document().body()?;
    body.set_text_content(None);
    body.append_child(&main).ok()?;
    Some(())
}
