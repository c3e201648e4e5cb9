use std::path::PathBuf;

use secrecy::SecretString;

use crate::config::table::settings;

settings! {
    /// Access to GitHub's API, and GitHub's webhooks.
    pub struct GitHub = "GitHub";

    /// The URL of GitHub's API.
    github_api_url: String = "https://api.github.com".into();
    /// The URL of GitHub's pages and repositories. For GitHub Enterprise, set both.
    github_url: String = "https://github.com".into();
    /// The token for requests to GitHub. Without token and App GitHub answers 60 requests an hour, and nothing is
    /// reported to it.
    github_access_token: Option<SecretString> = None;
    /// The id of a GitHub App, to be used instead of a token.
    github_app_id: Option<u64> = None;
    /// The file with the private key (PEM) of the GitHub App.
    github_app_private_key_file: Option<PathBuf> = None;
    /// The secret that GitHub signs its webhooks with; two, separated by a comma, while it is being replaced. Unset:
    /// webhooks are refused.
    github_webhook_secrets: Vec<SecretString> = Vec::new();
}
