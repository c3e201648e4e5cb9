//! The same verbs for other programs: `POST /_control/<verb>` with JSON.

use std::time::Duration;

use actix_web::web::{Data, Json, Path};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FakeGithub, PullSpec};

/// What a verb is about. Which of these it needs, the code below says.
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

/// Does it; what there is to say of it.
pub async fn control(fake: Data<FakeGithub>, verb: Path<String>, order: Json<Order>) -> actix_web::Result<Json<Value>> {
    let order = order.into_inner();
    let (repository, number) = (order.repository.as_str(), order.number);
    let answer = match verb.as_str() {
        "repository" => json!({ "id": fake.repository(repository) }),
        "open_pull" => json!({ "number": fake.open_pull(repository, order.pull) }),
        "push" => json!({ "commit": fake.push(repository, number) }),
        "force_push" => json!({ "commit": fake.force_push(repository, number) }),
        "edit_title" => done(fake.edit_title(repository, number, &order.text)),
        "edit_body" => done(fake.edit_body(repository, number, &order.text)),
        "set_draft" => done(fake.set_draft(repository, number, order.is_on)),
        "close" => done(fake.close(repository, number)),
        "merge" => done(fake.merge(repository, number)),
        "reopen" => done(fake.reopen(repository, number)),
        "delete_author" => done(fake.delete_author(repository, number)),
        "delete_repository" => done(fake.delete_repository(repository)),
        "rename_repository" => done(fake.rename_repository(repository, &order.to)),
        "comment" => json!({ "id": fake.comment(repository, number, &order.author, &order.text) }),
        "delete_comment" => done(fake.delete_comment(repository, order.id)),
        "set_team" => {
            let logins: Vec<_> = order.logins.iter().map(String::as_str).collect();
            done(fake.set_team(&order.organization, &order.team, &logins))
        }
        "delete_team" => done(fake.delete_team(&order.organization, &order.team)),
        "advance" => done(fake.advance(TimeDelta::seconds(order.seconds))),
        "set_token" => done(fake.set_token(Some(order.text.as_str()).filter(|text| !text.is_empty()))),
        "set_read_only" => done(fake.set_read_only(order.is_on)),
        "set_secret" => done(fake.set_secret(&order.text)),
        "set_page" => done(fake.set_page(usize::try_from(order.count).unwrap())),
        "limit" => done(fake.limit(order.count, order.seconds)),
        "secondary_limit" => {
            let after = u32::try_from(order.seconds).ok().filter(|seconds| *seconds > 0);
            done(fake.secondary_limit(order.is_on.then_some(after)))
        }
        "fail_next" => done(fake.fail_next(order.count, order.status)),
        "garble_next" => done(fake.garble_next(order.count)),
        "break_pull" => done(fake.break_pull(repository, number, order.is_on)),
        "slow" => done(fake.slow(Duration::from_secs(u64::try_from(order.seconds).unwrap_or(0)))),
        "send_elsewhere" => done(fake.send_elsewhere(Some(order.to.as_str()).filter(|to| !to.is_empty()))),
        "payload" => json!(fake.payload(repository, number, &order.text)),
        "repository_payload" => json!(fake.repository_payload(repository, &order.text)),
        "deployments" => json!(fake.deployments(repository)),
        "statuses" => json!(fake.statuses(repository)),
        "comments" => json!(fake.comments(repository, number)),
        "head" => json!({ "commit": fake.head(repository, number), "updated": fake.updated(repository, number) }),
        "asked" => json!({ "asked": fake.asked(), "left": fake.left(), "now": fake.now() }),
        _ => return Err(actix_web::error::ErrorNotFound("there is no such verb")),
    };
    Ok(Json(answer))
}

fn done((): ()) -> Value {
    json!({})
}
