//! Comments on a pull request; GitHub's API treats it as an issue.

use reqwest::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::auth::Place;
use super::listing::unasked;
use super::said::{Comment, GithubError};
use super::web::Ask;
use super::{Github, PAGE};

/// The most pages of comments that are read.
const PAGES: usize = 10;
/// The bytes of a comment that are kept: a thousand of them fit into memory.
const BODY: usize = 64 << 10;

#[derive(Deserialize)]
struct Entry {
    id: i64,
    body: Option<String>,
}

impl Github {
    /// The first thousand comments, the oldest first. The texts are raw, not cleaned for display, and cut to 64 KiB.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if the pull request is gone.
    pub async fn comments(&self, repository: &str, number: i32) -> Result<Vec<Comment>, GithubError> {
        let what = format!("the comments on pull request {number} of {repository}");
        let path = ["issues", &number.to_string(), "comments"];
        let mut url = self.below(repository, &path, &[("per_page", PAGE)], &what)?;
        let mut comments = Vec::new();
        for _ in 0..PAGES {
            let answer = self.ask(Place::Repository(repository), Ask::page(url, &what, None)).await?;
            if answer.is_unchanged() {
                return Err(unasked(&what));
            }
            let page: Vec<Entry> = answer.read(&what)?;
            comments.extend(page.into_iter().map(Entry::cut));
            match answer.next(&self.web, &what)? {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(comments)
    }

    /// Creates a comment and gives its id.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if the pull request is gone, `Refused` if it is locked.
    pub async fn create_comment(&self, repository: &str, number: i32, body: &str) -> Result<i64, GithubError> {
        let what = format!("a comment on pull request {number} of {repository}");
        let path = ["issues", &number.to_string(), "comments"];
        Ok(self.send::<Entry>(Method::POST, repository, &path, &json!({ "body": body }), &what).await?.id)
    }

    /// Replaces the text of a comment.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if the comment was deleted.
    pub async fn edit_comment(&self, repository: &str, comment: i64, body: &str) -> Result<(), GithubError> {
        let what = format!("comment {comment} on {repository}");
        let path = ["issues", "comments", &comment.to_string()];
        self.send::<IgnoredAny>(Method::PATCH, repository, &path, &json!({ "body": body }), &what).await?;
        Ok(())
    }
}

impl Entry {
    fn cut(self) -> Comment {
        let mut body = self.body.unwrap_or_default();
        body.truncate(body.floor_char_boundary(BODY));
        body.shrink_to_fit();
        Comment { id: self.id, body }
    }
}
