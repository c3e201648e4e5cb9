//! What a fault of the application itself looks like: a page with its words and a way on, never a dead screen. The server's
//! log hears of it, too.

use std::sync::atomic::{AtomicBool, Ordering};

use leptos::prelude::document;
use shared_types::API_BASE;
use shared_types::client_error::ClientError;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use web_sys::js_sys;

/// Shows every panic in the console and on the page, and tells the server of the first one.
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        let words = panic.to_string();
        // The view's state is lost; only plain calls of the DOM are safe from here on.
        if show(&words).is_none() {
            web_sys::console::error_1(&"the page of the fault could not be drawn".into());
        }
        if is_first() && tell(&words).is_none() {
            web_sys::console::error_1(&"the server could not be told of the fault".into());
        }
    }));
}

/// A fault often causes others, which say nothing new. Until the page is loaded anew.
fn is_first() -> bool {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    !IS_TOLD.swap(true, Ordering::Relaxed)
}

/// Sends it off. Nobody waits for the answer: whoever is not signed in is refused, and there is nothing to do about it.
fn tell(words: &str) -> Option<()> {
    let window = web_sys::window()?;
    let request = web_sys::RequestInit::new();
    request.set_method("POST");
    request.set_body(&JsValue::from_str(&body(words, &window.location().pathname().ok()?)?));
    // A reload does not break it off.
    js_sys::Reflect::set(&request, &"keepalive".into(), &true.into()).ok()?;
    let headers = js_sys::Object::new();
    js_sys::Reflect::set(&headers, &"Content-Type".into(), &"application/json".into()).ok()?;
    request.set_headers(&headers);
    let answer = window.fetch_with_str_and_init(&format!("{API_BASE}/client-errors"), &request);
    // That a failure is nobody's affair must be said, or the browser complains of it.
    let ignore = Closure::<dyn FnMut(JsValue)>::new(|_| ());
    let _answered = answer.catch(&ignore);
    ignore.forget();
    Some(())
}

fn body(words: &str, page: &str) -> Option<String> {
    serde_json::to_string(&ClientError::cut(words, page, Some(env!("CARGO_PKG_VERSION")))).ok()
}

fn show(words: &str) -> Option<()> {
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
        element("p", "What you see here is lost; what the server did is not. Reload to go on.")?,
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

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use shared_types::client_error::MESSAGE_MAX;
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_page_of_the_fault_takes_the_place_of_what_was_there() {
        let body = document().body().unwrap();
        // The tests' own page lives there, too.
        let mut kept = Vec::new();
        while let Some(child) = body.first_child() {
            kept.push(body.remove_child(&child).unwrap());
        }
        let before = document().create_element("div").unwrap();
        body.append_child(&before).unwrap();
        show("panicked at <b>src/app.rs</b>").unwrap();
        let (text, children, reload) =
            (body.text_content().unwrap(), body.child_element_count(), body.query_selector("a[href='']").unwrap());
        let is_text = body.query_selector("pre b").unwrap().is_none();
        body.set_text_content(None);
        for child in kept {
            body.append_child(&child).unwrap();
        }
        assert!(text.contains("panicked at <b>src/app.rs</b>") && is_text, "{text}");
        assert_eq!((children, reload.is_some()), (1, true));
    }

    #[test]
    fn the_server_is_told_once_and_briefly() {
        let window = web_sys::window().unwrap();
        let fetch = js_sys::Reflect::get(&window, &"fetch".into()).unwrap();
        let instead = "window.told = [path, init.method, init.keepalive, init.headers['Content-Type'], init.body]; \
            return Promise.reject('nobody is there');";
        let instead = js_sys::Function::new_with_args("path, init", instead);
        js_sys::Reflect::set(&window, &"fetch".into(), &instead).unwrap();
        tell(&"x".repeat(MESSAGE_MAX + 1)).unwrap();
        js_sys::Reflect::set(&window, &"fetch".into(), &fetch).unwrap();
        let told = js_sys::Reflect::get(&window, &"told".into()).unwrap();
        let told = |place: u32| js_sys::Reflect::get_u32(&told, place).unwrap();
        assert_eq!(told(0).as_string().as_deref(), Some("/api/v1/client-errors"));
        assert_eq!((told(1).as_string().as_deref(), told(2).as_bool()), (Some("POST"), Some(true)));
        assert_eq!(told(3).as_string().as_deref(), Some("application/json"));
        let sent: ClientError = serde_json::from_str(&told(4).as_string().unwrap()).unwrap();
        assert_eq!((sent.message.len(), sent.version.as_deref()), (MESSAGE_MAX, Some(env!("CARGO_PKG_VERSION"))));
        assert_eq!(Some(sent.page), window.location().pathname().ok());
        assert_eq!([is_first(), is_first(), is_first()], [true, false, false]);
    }
}
