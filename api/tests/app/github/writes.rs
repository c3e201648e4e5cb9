//! The endpoints that write, with the requests that GitHub refuses.

use serde_json::{Value, json};

use super::json as shown;
use super::routes::not_found;
use super::serve::{Asked, Reply};
use super::world::{Deployment, DeploymentStatus, Remark, Status, World};

/// The login that GitHub shows as author of the comments.
const WRITER: &str = "ocim-bot";

fn invalid(words: &str) -> Reply {
    Reply::new(422, json!({ "message": words, "errors": [{ "resource": "Deployment", "code": "custom" }] }))
}

pub fn answer(world: &mut World, asked: &Asked, id: i64, rest: &[&str]) -> Reply {
    let Ok(body) = serde_json::from_slice::<Value>(&asked.body) else {
        return Reply::message(400, "Problems parsing JSON");
    };
    match (asked.method.as_str(), rest) {
        ("POST", ["deployments"]) => deploy(world, id, &body),
        ("POST", ["deployments", deployment, "statuses"]) => deployment_status(world, id, deployment, &body),
        ("POST", ["statuses", commit]) => status(world, id, commit, &body),
        ("POST", ["issues", number, "comments"]) => comment(world, id, number, &body),
        ("PATCH", ["issues", "comments", comment]) => edit(world, id, comment, &body),
        _ => not_found(),
    }
}

fn text(body: &Value, name: &str) -> Option<String> {
    body[name].as_str().map(str::to_owned)
}

/// The description, refused above GitHub's limit of 140 characters.
fn description(body: &Value) -> Result<String, Reply> {
    let description = text(body, "description").unwrap_or_default();
    match description.chars().count() {
        ..=140 => Ok(description),
        _ => Err(invalid("Validation Failed: description is too long (maximum is 140 characters)")),
    }
}

fn deploy(world: &mut World, id: i64, body: &Value) -> Reply {
    let commit = text(body, "ref").unwrap_or_default();
    let description = match description(body) {
        Ok(description) => description,
        Err(reply) => return reply,
    };
    let deployment = world.fresh();
    let repository = world.repositories.get_mut(&id).unwrap();
    if !repository.commits.contains(&commit) {
        return invalid(&format!("No ref found for: {commit}"));
    }
    // The fake has no other checks, so each required one would be missing.
    if body["required_contexts"].as_array().is_none_or(|contexts| !contexts.is_empty()) {
        return Reply::message(409, "Conflict: Commit status checks failed for this commit.");
    }
    if body["auto_merge"] != false {
        return Reply::message(409, "Conflict merging the default branch into it.");
    }
    if body["transient_environment"] != true || body["production_environment"] != false {
        return invalid("The tests want a deployment that goes with its pull request");
    }
    let environment = text(body, "environment").unwrap_or_else(|| "production".into());
    let made = Deployment { id: deployment, commit, environment, description, states: vec![] };
    repository.deployments.push(made.clone());
    Reply::new(201, shown::deployment(&made))
}

fn deployment_status(world: &mut World, id: i64, deployment: &str, body: &Value) -> Reply {
    let description = match description(body) {
        Ok(description) => description,
        Err(reply) => return reply,
    };
    let state = text(body, "state").unwrap_or_default();
    let states = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];
    if !states.contains(&state.as_str()) {
        return invalid("Validation Failed: state is not included in the list");
    }
    let number = world.fresh();
    let repository = world.repositories.get_mut(&id).unwrap();
    let found = repository.deployments.iter_mut().find(|known| known.id.to_string() == deployment);
    let Some(found) = found else { return not_found() };
    let (environment_url, log_url) = (text(body, "environment_url"), text(body, "log_url"));
    found.states.push(DeploymentStatus { state: state.clone(), environment_url, log_url, description });
    Reply::new(201, json!({ "id": number, "state": state, "environment": found.environment }))
}

fn status(world: &mut World, id: i64, commit: &str, body: &Value) -> Reply {
    let description = match description(body) {
        Ok(description) => description,
        Err(reply) => return reply,
    };
    let state = text(body, "state").unwrap_or_default();
    let number = world.fresh();
    let repository = world.repositories.get_mut(&id).unwrap();
    if !repository.commits.contains(commit) {
        return invalid(&format!("No commit found for SHA: {commit}"));
    }
    if !["error", "failure", "pending", "success"].contains(&state.as_str()) {
        return invalid("Validation Failed: state is not included in the list");
    }
    let context = text(body, "context").unwrap_or_else(|| "default".into());
    let made = Status { commit: commit.into(), state, target_url: text(body, "target_url"), description, context };
    let reply = json!({ "id": number, "state": made.state, "context": made.context, "description": made.description });
    repository.statuses.push(made);
    Reply::new(201, reply)
}

fn is_comment(body: &Value) -> bool {
    body["body"].as_str().is_some_and(|body| !body.trim().is_empty() && body.chars().count() <= 65_536)
}

fn comment(world: &mut World, id: i64, number: &str, body: &Value) -> Reply {
    let name = world.repositories[&id].name.clone();
    let number = number.parse().ok().filter(|number| world.repositories[&id].pulls.contains_key(number));
    let Some(number) = number else { return not_found() };
    if !is_comment(body) {
        return invalid("Validation Failed: body is blank or too long (maximum is 65536 characters)");
    }
    let remark = world.fresh();
    // A comment also changes the pull request's `updated_at`.
    world.change(&name, number, |_| ());
    let remark = Remark { id: remark, number, author: WRITER.into(), body: text(body, "body").unwrap(), edits: 0 };
    world.known_mut(&name).remarks.insert(remark.id, remark.clone());
    Reply::new(201, shown::remark(&remark))
}

fn edit(world: &mut World, id: i64, remark: &str, body: &Value) -> Reply {
    let repository = world.repositories.get_mut(&id).unwrap();
    let found = remark.parse().ok().and_then(|id: i64| repository.remarks.get_mut(&id));
    let Some(found) = found else { return not_found() };
    if !is_comment(body) {
        return invalid("Validation Failed: body is blank or too long (maximum is 65536 characters)");
    }
    found.body = text(body, "body").unwrap();
    found.edits += 1;
    Reply::new(200, shown::remark(found))
}
