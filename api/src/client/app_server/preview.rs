use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::preview_link::{CreatedPreviewLink, DEFAULT_HOURS, MAX_HOURS, PreviewLink};
use shared_types::{AppServerId, Page, PreviewLinkId};

use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::text::shown;

/// Make a preview link: who opens it sees the app server under the instance's own host names
///
/// The app server must be running and not active. Prints the link, which is not shown again. It ends after the given
/// time, when it is revoked, and when the app server is activated or terminated.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server preview 7
    ocim app-server preview 7 --hours 2
    ocim app-server preview 7 --list
    ocim app-server preview 7 --revoke 3")]
pub struct Arguments {
    /// Id of the app server
    id: AppServerId,
    /// How long the link works, in hours
    #[arg(long, default_value_t = DEFAULT_HOURS, value_parser = clap::value_parser!(i64).range(1..=MAX_HOURS))]
    hours: i64,
    /// List the links that work instead, without their addresses
    #[arg(long, conflicts_with_all = ["hours", "revoke"])]
    list: bool,
    /// Revoke the link with this id instead
    #[arg(long, value_name = "LINK", conflicts_with = "hours")]
    revoke: Option<PreviewLinkId>,
}

/// Makes, lists or revokes preview links.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn preview(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { id, hours, list, revoke } = arguments;
    let path = format!("/app-servers/{id}/preview-links");
    if *list {
        let links = api.json(api.request(Method::GET, &path, &[])).await?;
        let Page { items, .. } = decode(&links)?;
        return told(out, &links, &lines(&items));
    }
    if let Some(link) = revoke {
        api.json(api.request(Method::DELETE, &format!("{path}/{link}"), &[])).await?;
        return out.told(&json!({ "revoked": link }), &format!("Preview link {link} is revoked."));
    }
    let request = api.request(Method::POST, &path, &[]).header("Prefer", "wait=10").json(&json!({ "hours": hours }));
    let made = api.json(request).await?;
    let CreatedPreviewLink { urls, .. } = decode(&made)?;
    told(out, &made, &urls)
}

/// The document, or these lines.
fn told(out: &Output, document: &Value, lines: &[String]) -> Result<(), ClientError> {
    if out.is_json() {
        return out.document(document);
    }
    lines.iter().try_for_each(|line| out.line(&shown(line)))
}

fn lines(links: &[PreviewLink]) -> Vec<String> {
    if links.is_empty() {
        return vec!["No preview links.".to_owned()];
    }
    let line = |link: &PreviewLink| {
        let PreviewLink { id, created_at: _, created_by, ends_at } = link;
        format!("{id}  ends {}, made by {created_by}", ends_at.format("%Y-%m-%d %H:%M UTC"))
    };
    links.iter().map(line).collect()
}
