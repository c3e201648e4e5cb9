//! Reads what a service says in an error. OpenStack has five shapes of errors, and proxies add pages of their own.

use serde_json::{Map, Value};

/// An error as a service words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// The code in the body, which may differ from the HTTP status where a proxy changed that; none: the body has none.
    pub(super) code: Option<u16>,
    /// The message as it came: cut and scrub it before it is shown. Empty: the body has none.
    pub(super) message: String,
}

/// What the body of an error says.
pub(super) fn said(body: &[u8]) -> Said {
    if let Ok(Value::Object(object)) = serde_json::from_slice(body) {
        return of_object(&object).unwrap_or_else(|| Said { code: None, message: String::new() });
    }
    let text = String::from_utf8_lossy(body);
    let is_page = text.trim_start().starts_with('<');
    let message = if is_page { format!("an HTML page: {}", text_of_page(&text)) } else { text.trim().to_owned() };
    Said { code: None, message }
}

/// `{"message", "code", "title"}`, or one of the shapes that wrap this: `{"badRequest": {…}}`, `{"error": {…}}`,
/// `{"NeutronError": {…}}`.
fn of_object(object: &Map<String, Value>) -> Option<Said> {
    if let Some(message) = text(object.get("message")) {
        let detail = text(object.get("detail")).filter(|detail| !message.contains(*detail));
        let message = detail.map_or_else(|| message.to_owned(), |detail| format!("{message} ({detail})"));
        return Some(Said { code: object.get("code").and_then(code), message });
    }
    // Neutron's older errors have a text in place of an object.
    if let Some(message) = text(object.get("NeutronError")) {
        return Some(Said { code: None, message: message.to_owned() });
    }
    object
        .values()
        .find_map(|inner| inner.as_object().filter(|inner| inner.contains_key("message")).and_then(of_object))
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// A number, or a text that begins with one: `404 Not Found`.
fn code(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Value::String(text) => text.split_whitespace().next()?.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The words of a page without its tags, styles and scripts.
fn text_of_page(page: &str) -> String {
    let mut words = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        words.push_str(before);
        words.push(' ');
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        let after = match name.to_ascii_lowercase().as_str() {
            // What these hold is no text for people; the title is repeated as a heading.
            "style" | "script" | "title" => tag.split_once("</").map_or("", |(_, after)| after),
            _ => tag,
        };
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    words.push_str(rest);
    let words = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
        .into_iter()
        .fold(words, |words, (entity, character)| words.replace(entity, character));
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (Option<u16>, String) {
        let Said { code, message } = said(body.as_bytes());
        (code, message)
    }

    #[test]
    fn novas_errors_are_named_by_their_kind() {
        for kind in ["badRequest", "forbidden", "conflictingRequest", "itemNotFound", "computeFault"] {
            let body =
                format!(r#"{{"{kind}": {{"code": 409, "message": "Cannot 'reboot' while in task_state deleting"}}}}"#);
            assert_eq!(read(&body), (Some(409), "Cannot 'reboot' while in task_state deleting".to_owned()), "{kind}");
        }
    }

    #[test]
    fn keystones_errors_have_a_title() {
        let body = r#"{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#;
        assert_eq!(read(body), (Some(401), "The request you have made requires authentication.".to_owned()));
    }

    #[test]
    fn a_code_may_be_a_text() {
        let body = r#"{"message": "The resource could not be found.<br /><br />\n\n\n", "code": "404 Not Found", "title": "Not Found"}"#;
        assert_eq!(read(body), (Some(404), "The resource could not be found.<br /><br />".to_owned()));
    }

    #[test]
    fn neutrons_errors_have_a_type_and_a_detail() {
        let body = r#"{"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['port'].", "detail": ""}}"#;
        assert_eq!(read(body), (None, "Quota exceeded for resources: ['port'].".to_owned()));
        let body = r#"{"NeutronError": {"type": "X", "message": "Bad", "detail": "no subnet"}}"#;
        assert_eq!(read(body).1, "Bad (no subnet)");
        assert_eq!(read(r#"{"NeutronError": "gone"}"#).1, "gone");
    }

    #[test]
    fn pages_are_read_without_their_tags() {
        let glance = "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  \
                      No image found with ID x &lt;y&gt;<br /><br />\n </body>\n</html>";
        assert_eq!(read(glance).1, "an HTML page: 404 Not Found No image found with ID x <y>");
        let proxy = "<!DOCTYPE html><style>b { c: 1 }</style><b>503 Service Unavailable</b><script>x<1</script>\nTry";
        assert_eq!(read(proxy).1, "an HTML page: 503 Service Unavailable Try");
        assert_eq!(read("<html").1, "an HTML page: ");
    }

    #[test]
    fn a_body_without_words_gives_none() {
        for body in ["", "{}", "[]", "null", r#"{"versions": [{"id": "v2"}]}"#, r#"{"error": {"message": 7}}"#] {
            let Said { code, message } = said(body.as_bytes());
            assert!(code.is_none() && (message.is_empty() || message == body), "{body}: {message}");
        }
        assert_eq!(read("upstream connect error").1, "upstream connect error");
    }
}
