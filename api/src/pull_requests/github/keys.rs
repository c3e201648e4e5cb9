//! The public SSH keys of a user.

use serde::Deserialize;

use super::auth::Place;
use super::members::is_name;
use super::said::GithubError;
use super::web::Ask;
use super::{Github, PAGE};

#[derive(Deserialize)]
struct Key {
    key: String,
}

impl Github {
    /// The public SSH keys of a user, as algorithm and Base64: the first page, a hundred. The credentials are those for the
    /// organization.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if there is no such user.
    pub async fn keys(&self, organization: &str, login: &str) -> Result<Vec<String>, GithubError> {
        let what = format!("the SSH keys of {login}");
        if !is_name(login) {
            return Err(GithubError::NotFound(what));
        }
        let url = self.web.url(&["users", login, "keys"], &[("per_page", PAGE)])?;
        let answer = self.ask(Place::Organization(organization), Ask::get(url, &what)).await?;
        Ok(answer.read::<Vec<Key>>(&what)?.into_iter().map(|key| key.key).collect())
    }
}
