//! The single-page application, embedded in the program. Browsers cache files with a hash in their name for ever, and
//! revalidate the page itself on each load.

use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY,
};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use rust_embed::RustEmbed;
use shared_types::ProblemType;

use super::error::ApiError;
use super::problems;

#[derive(RustEmbed)]
#[folder = "../dist"]
struct Dist;

const FOREVER: &str = "public, max-age=31536000, immutable";
const NOT_BUILT: &str =
    "<!doctype html><title>Not built</title><p>This program was built without its pages: run <code>make build</code>.";

/// Serves files of the SPA, and its page for every other path, where the SPA's router decides.
///
/// # Errors
/// [`ProblemType::NotFound`] for a file that does not exist.
pub async fn serve(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if let Some(answer) = problems::other_method(&request) {
        return Ok(answer);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let words = "There are only pages here; they can be read.";
        let mut answer = ApiError::new(ProblemType::MethodNotAllowed, words).error_response();
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(answer);
    }
    let path = request.path().trim_start_matches('/');
    if Dist::get(path).is_some() {
        return Ok(file(&request, path));
    }
    if path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
        return Err(ApiError::not_found("file", path));
    }
    Ok(file(&request, "index.html"))
}

fn file(request: &HttpRequest, path: &str) -> HttpResponse {
    let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let accepts =
        |name: &str| accepted.split(',').any(|part| part.split(';').next().is_some_and(|word| word.trim() == name));
    let choices = [("br", "br"), ("gzip", "gz")];
    let compressed = choices
        .into_iter()
        .filter(|(name, _)| accepts(name))
        .find_map(|(name, ending)| Dist::get(&format!("{path}.{ending}")).map(|file| (name, file)));
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_TYPE, content_type(path))).insert_header((VARY, "accept-encoding"));
    answer.insert_header((CACHE_CONTROL, if is_hashed(path) { FOREVER } else { "no-cache" }));
    match (compressed, Dist::get(path)) {
        (Some((name, file)), _) => answer.insert_header((CONTENT_ENCODING, name)).body(file.data.into_owned()),
        (None, Some(file)) => answer.insert_header((CONTENT_ENCODING, "identity")).body(file.data.into_owned()),
        (None, None) => answer.body(NOT_BUILT),
    }
}

fn content_type(path: &str) -> String {
    match path.rsplit('.').next() {
        Some("wasm") => "application/wasm".to_owned(),
        Some("html") => "text/html; charset=utf-8".to_owned(),
        Some("js") => "text/javascript; charset=utf-8".to_owned(),
        Some("css") => "text/css; charset=utf-8".to_owned(),
        Some(_) | None => mime_guess::from_path(path).first_or_octet_stream().to_string(),
    }
}

/// Whether a name carries its content's hash: `name-0123456789abcdef….ending`, as Trunk writes it.
fn is_hashed(path: &str) -> bool {
    let is_hash = |part: &str| part.len() >= 12 && part.bytes().all(|b| b.is_ascii_hexdigit());
    path.split(['/', '-', '.', '_']).any(is_hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        assert!(is_hashed("frontend-1a2b3c4d5e6f7a8b_bg.wasm"));
        assert!(is_hashed("parts-1a2b3c4d5e6f7a8b/settings.wasm"));
        assert!(!is_hashed("index.html"));
        assert!(!is_hashed("theme.js"));
    }
}
