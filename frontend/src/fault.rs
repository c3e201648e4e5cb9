//! What a fault of the application itself looks like: a page with its words and a way on, never a dead screen.

use leptos::prelude::document;

/// Shows every panic in the console and on the page.
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        // The view's state is lost; only plain calls of the DOM are safe from here on.
        if show(&panic.to_string()).is_none() {
            web_sys::console::error_1(&"the page of the fault could not be drawn".into());
        }
    }));
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
