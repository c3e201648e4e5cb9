use actix_web::{HttpResponse, post, web};
use shared_types::FieldError;
use shared_types::client_error::{ClientError, MESSAGE_MAX, PAGE_MAX, VERSION_MAX};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Viewer;

/// Report an error of the frontend
///
/// The error is written to the program's log, with the request's id, and is not stored elsewhere. A user may
/// report 60 an hour.
#[utoipa::path(tag = "health", request_body = ClientError, responses(
    (status = 204, description = "It is in the log"),
    (status = 422, description = "A text is missing or too long; nothing was written"),
))]
#[post("/client-errors")]
pub async fn report_client_error(
    app: web::Data<App>,
    Viewer(who): Viewer,
    Json(ClientError { message, page, version }): Json<ClientError>,
) -> Result<HttpResponse, ApiError> {
    let version = version.unwrap_or_default();
    let texts = [("message", &message, MESSAGE_MAX), ("page", &page, PAGE_MAX), ("version", &version, VERSION_MAX)];
    let too_long = texts.iter().filter(|(_, text, max)| text.chars().count() > *max);
    let mut errors: Vec<FieldError> =
        too_long.map(|(name, _, max)| FieldError::new(name, format!("At most {max} characters."))).collect();
    if message.trim().is_empty() {
        errors.push(FieldError::new("message", "Say what went wrong."));
    }
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    app.guard.rates.client_error(who.user_id).map_err(ApiError::too_many)?;
    let [message, page, version] = [&message, &page, &version].map(|text| on_one_line(text));
    tracing::warn!(user = %who.actor, page, version, fault = message, "the pages have failed in a browser");
    Ok(HttpResponse::NoContent().finish())
}

/// The text as one line of a log: line ends and other control characters are escaped.
fn on_one_line(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_the_line_is_spelled_out() {
        assert_eq!(on_one_line("a\nb\r\u{1b}[31m ü"), "a\\nb\\r\\u{1b}[31m ü");
        assert_eq!(on_one_line("a\u{202e}b\u{2028}"), "a\\u{202e}b\\u{2028}");
    }
}
