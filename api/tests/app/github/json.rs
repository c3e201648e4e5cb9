//! JSON in GitHub's format: the fields of the real answers that a client is likely to read.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::world::{Deployment, Pull, Remark, World};

pub fn user(login: &str) -> Value {
    let id = login.bytes().fold(7_u32, |id, byte| id.wrapping_mul(31).wrapping_add(byte.into())) >> 1;
    json!({ "login": login, "id": id, "type": "User", "site_admin": false })
}

pub fn repository(world: &World, id: i64) -> Value {
    let full = &world.repositories[&id].name;
    let (owner, name) = full.split_once('/').unwrap();
    json!({
        "id": id,
        "name": name,
        "full_name": full,
        "private": false,
        "owner": user(owner),
        "html_url": format!("https://github.com/{full}"),
        "url": format!("{}/repos/{full}", world.base),
        "clone_url": format!("https://github.com/{full}.git"),
        "default_branch": "main",
    })
}

pub fn pull(world: &World, id: i64, pull: &Pull) -> Value {
    let name = &world.repositories[&id].name;
    let time = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let fork = pull.fork.map(|fork| repository(world, fork));
    let owner = fork.as_ref().map_or("unknown repository", |fork| fork["owner"]["login"].as_str().unwrap());
    json!({
        "id": id * 10_000 + i64::from(pull.number),
        "number": pull.number,
        "url": format!("{}/repos/{name}/pulls/{}", world.base, pull.number),
        "html_url": format!("https://github.com/{name}/pull/{}", pull.number),
        "state": if pull.is_open { "open" } else { "closed" },
        "locked": false,
        "title": pull.title,
        "body": pull.body,
        "user": pull.author.as_deref().map(user),
        "draft": pull.is_draft,
        "created_at": time(pull.created),
        "updated_at": time(pull.updated),
        "closed_at": pull.closed.map(time),
        "merged_at": pull.merged.map(time),
        "merged": pull.merged.is_some(),
        "mergeable": null,
        "author_association": "CONTRIBUTOR",
        "head": {
            "label": format!("{owner}:{}", pull.branch),
            "ref": pull.branch,
            "sha": pull.head,
            "user": fork.as_ref().map(|fork| fork["owner"].clone()),
            "repo": fork,
        },
        "base": {
            "label": format!("{}:main", name.split('/').next().unwrap()),
            "ref": "main",
            "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e",
            "user": user(name.split('/').next().unwrap()),
            "repo": repository(world, id),
        },
    })
}

pub fn remark(remark: &Remark) -> Value {
    json!({ "id": remark.id, "body": remark.body, "user": user(&remark.author) })
}

pub fn deployment(deployment: &Deployment) -> Value {
    json!({
        "id": deployment.id,
        "sha": deployment.commit,
        "ref": deployment.commit,
        "task": "deploy",
        "environment": deployment.environment,
        "description": deployment.description,
        "transient_environment": true,
        "production_environment": false,
    })
}
