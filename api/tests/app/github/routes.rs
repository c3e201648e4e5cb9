//! The endpoints that read.

use std::cmp::Reverse;

use serde_json::{Value, json};
use url::Url;

use super::serve::{Asked, Reply};
use super::world::{Pull, World};
use super::{app, json as shown, pages, writes};

pub fn not_found() -> Reply {
    Reply::message(404, "Not Found")
}

pub fn answer(world: &mut World, asked: &Asked) -> Reply {
    let url = Url::parse(&format!("{}{}", world.base, asked.path)).unwrap();
    let parts: Vec<&str> = url.path_segments().unwrap().collect();
    match parts.as_slice() {
        ["repos", owner, name, rest @ ..] => {
            let full = format!("{owner}/{name}");
            let Some(id) = world.names.get(&full.to_lowercase()).copied() else { return not_found() };
            if *rest == ["installation"] {
                return app::installation(world, asked, owner);
            }
            if !world.repositories[&id].name.eq_ignore_ascii_case(&full) {
                return moved(world, asked, id, rest, &url);
            }
            within(world, asked, id, rest, &url)
        }
        ["repositories", id, rest @ ..] => match id.parse() {
            Ok(id) if world.repositories.contains_key(&id) => within(world, asked, id, rest, &url),
            Ok(_) | Err(_) => not_found(),
        },
        ["orgs", organization, "installation"] => app::installation(world, asked, organization),
        ["orgs", organization, "teams", team, "members"] => {
            match world.teams.get(&format!("{organization}/{team}").to_lowercase()) {
                Some(logins) => {
                    let members: Vec<_> = logins.iter().map(|login| shown::user(login)).collect();
                    let at = format!("{}{}", world.base, url.path());
                    pages::page(&members, &url, &at, world.moods.page)
                }
                None => not_found(),
            }
        }
        ["users", login, "keys"] => {
            let keys = world.keys.get(&login.to_lowercase()).cloned().unwrap_or_default();
            let keys: Vec<_> = (1..).zip(&keys).map(|(id, key)| json!({ "id": id, "key": key })).collect();
            pages::page(&keys, &url, &format!("{}{}", world.base, url.path()), world.moods.page)
        }
        ["app", "installations", id, "access_tokens"] => app::token(world, asked, id),
        _ => not_found(),
    }
}

/// The redirect from a repository's former name to its path by id.
fn moved(world: &World, asked: &Asked, id: i64, rest: &[&str], url: &Url) -> Reply {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let rest: String = rest.iter().map(|part| format!("/{part}")).collect();
    let to = format!("{}/repositories/{id}{rest}{query}", world.base);
    let status = if asked.method == "GET" { 301 } else { 307 };
    Reply::new(status, json!({ "message": "Moved Permanently", "url": to })).with("location", &to)
}

fn within(world: &mut World, asked: &Asked, id: i64, rest: &[&str], url: &Url) -> Reply {
    if asked.method != "GET" {
        return writes::answer(world, asked, id, rest);
    }
    let at = format!("{}/repositories/{id}/{}", world.base, rest.join("/"));
    let most = world.moods.page;
    let repository = &world.repositories[&id];
    match rest {
        [] => Reply::new(200, shown::repository(world, id)),
        ["pulls"] => pages::page(&pulls(world, id, url), url, &at, most),
        ["pulls", number] => {
            let pull = number.parse().ok().and_then(|number: i32| repository.pulls.get(&number));
            match pull {
                Some(pull) if world.moods.is_broken(id, pull.number) => {
                    Reply::raw(502, b"<html>Unicorn!</html>".to_vec())
                }
                Some(pull) => Reply::new(200, shown::pull(world, id, pull)),
                None => not_found(),
            }
        }
        ["issues", number, "comments"] => {
            let Some(number) = number.parse().ok().filter(|number| repository.pulls.contains_key(number)) else {
                return not_found();
            };
            let remarks = repository.remarks.values().filter(|remark| remark.number == number);
            let remarks: Vec<_> = remarks.map(shown::remark).collect();
            pages::page(&remarks, url, &at, most)
        }
        ["deployments"] => {
            let query = pages::query(url);
            let fits = |name: &str, is: &str| query.get(name).is_none_or(|wanted| wanted == is);
            let found = repository.deployments.iter().rev();
            let found = found.filter(|one| fits("sha", &one.commit) && fits("environment", &one.environment));
            let found: Vec<_> = found.map(shown::deployment).collect();
            pages::page(&found, url, &at, most)
        }
        _ => not_found(),
    }
}

fn pulls(world: &World, id: i64, url: &Url) -> Vec<Value> {
    let query = pages::query(url);
    let get = |name: &str, default: &'static str| query.get(name).map_or(default, String::as_str);
    let state = get("state", "open");
    let is_wanted = |pull: &&Pull| state == "all" || (state == "open") == pull.is_open;
    let mut found: Vec<&Pull> = world.repositories[&id].pulls.values().filter(is_wanted).collect();
    let is_updated = get("sort", "created") == "updated";
    let time = |pull: &&Pull| (if is_updated { pull.updated } else { pull.created }, pull.number);
    match get("direction", "desc") {
        "asc" => found.sort_by_key(time),
        _ => found.sort_by_key(|pull| Reverse(time(pull))),
    }
    found.into_iter().map(|pull| shown::pull(world, id, pull)).collect()
}
