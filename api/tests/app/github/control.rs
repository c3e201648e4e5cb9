//! The fake's verbs over HTTP for other programs: `POST /_control/<verb>` with JSON.

use std::time::Duration;

use actix_web::web::{Data, Json, Path};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FakeGithub, PullSpec};

/// The arguments of a verb. Each verb reads only the ones it needs; see `tell` and `change` below.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Order {
    repository: String,
    number: i32,
    pull: PullSpec,
    text: String,
    author: String,
    to: String,
    organization: String,
    team: String,
    logins: Vec<String>,
    id: i64,
    count: u32,
    status: u16,
    seconds: i64,
    is_on: bool,
}

/// Handles a verb: its result, `{}` if it has none, 404 if there is no such verb.
pub async fn control(fake: Data<FakeGithub>, verb: Path<String>, order: Json<Order>) -> actix_web::Result<Json<Value>> {
    let answer = tell(&fake, &verb, &order).or_else(|| change(&fake, &verb, &order).then(|| json!({})));
    answer.map(Json).ok_or_else(|| actix_web::error::ErrorNotFound("there is no such verb"))
}

/// Runs a verb that has a result; `None` if `verb` is not one of these.
fn tell(fake: &FakeGithub, verb: &str, order: &Order) -> Option<Value> {
    let (repository, number) = (order.repository.as_str(), order.number);
    Some(match verb {
        "repository" => json!({ "id": fake.repository(repository) }),
        "open_pull" => json!({ "number": fake.open_pull(repository, order.pull.clone()) }),
        "push" => json!({ "commit": fake.push(repository, number) }),
        "force_push" => json!({ "commit": fake.force_push(repository, number) }),
        "comment" => json!({ "id": fake.comment(repository, number, &order.author, &order.text) }),
        "payload" => json!(fake.payload(repository, number, &order.text)),
        "repository_payload" => json!(fake.repository_payload(repository, &order.text)),
        "deployments" => json!(fake.deployments(repository)),
        "statuses" => json!(fake.statuses(repository)),
        "comments" => json!(fake.comments(repository, number)),
        "head" => json!({ "commit": fake.head(repository, number), "updated": fake.updated(repository, number) }),
        "asked" => json!({ "asked": fake.asked(), "left": fake.left(), "now": fake.now() }),
        _ => return None,
    })
}

/// Runs a verb without a result; false if `verb` is not one of these.
fn change(fake: &FakeGithub, verb: &str, order: &Order) -> bool {
    let (repository, number, text) = (order.repository.as_str(), order.number, order.text.as_str());
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    match verb {
        "push_back" => fake.push_back(repository, number, text),
        "edit_title" => fake.edit_title(repository, number, text),
        "edit_body" => fake.edit_body(repository, number, text),
        "set_draft" => fake.set_draft(repository, number, order.is_on),
        "close" => fake.close(repository, number),
        "merge" => fake.merge(repository, number),
        "reopen" => fake.reopen(repository, number),
        "delete_author" => fake.delete_author(repository, number),
        "delete_repository" => fake.delete_repository(repository),
        "rename_repository" => fake.rename_repository(repository, &order.to),
        "delete_comment" => fake.delete_comment(repository, order.id),
        "set_team" => {
            let logins: Vec<_> = order.logins.iter().map(String::as_str).collect();
            fake.set_team(&order.organization, &order.team, &logins);
        }
        "delete_team" => fake.delete_team(&order.organization, &order.team),
        "advance" => fake.advance(TimeDelta::seconds(order.seconds)),
        "set_token" => fake.set_token(given(text).as_deref()),
        "set_read_only" => fake.set_read_only(order.is_on),
        "set_secret" => fake.set_secret(text),
        "set_page" => fake.set_page(usize::try_from(order.count).unwrap()),
        "limit" => fake.limit(order.count, order.seconds),
        "secondary_limit" => {
            let after = u32::try_from(order.seconds).ok().filter(|seconds| *seconds > 0);
            fake.secondary_limit(order.is_on.then_some(after));
        }
        "fail_next" => fake.fail_next(order.count, order.status),
        "garble_next" => fake.garble_next(order.count),
        "break_pull" => fake.break_pull(repository, number, order.is_on),
        "slow" => fake.slow(Duration::from_secs(u64::try_from(order.seconds).unwrap_or(0))),
        "send_elsewhere" => fake.send_elsewhere(given(&order.to).as_deref()),
        _ => return false,
    }
    true
}
