//! Databases outside the machines: made by the build of the first app server, shared by the later ones, deleted by a purge. The
//! servers are in memory and fail on request; real ones are in `system::resources`.

use std::sync::Arc;

use ocim::instances::builds::Builder;
use ocim::resources::providers::fake::{FakeCall, FakeServer};
use ocim::resources::registry::{Named, Servers};
use ocim::resources::server::ServerError;
use serde_json::{Value, json};
use shared_types::{AppServerId, ResourceKind, Role};

use crate::app::{Setup, TestApp, until};

const PATH: &str = "/api/v1/instances";
/// What a notebook with databases has at a server of MySQL: an account and two databases.
const OWN: usize = 3;

/// A default server of its kind.
pub fn named(name: &str, server: &Arc<FakeServer>) -> Named {
    Named { name: name.parse().unwrap(), server: server.clone(), is_default: true, is_exclusive: false }
}

/// The program with a server of MySQL, and others. Builds run only when the test advances them.
pub async fn with_mysql(others: impl IntoIterator<Item = Named>) -> (TestApp, Arc<FakeServer>) {
    let server = Arc::new(FakeServer::new(ResourceKind::Mysql));
    let resources = Servers::new([named("main", &server)].into_iter().chain(others));
    (TestApp::with(Setup { works: false, resources, ..Setup::default() }).await, server)
}

/// Creates a notebook whose edition has databases; gives its id.
pub async fn stored(app: &TestApp, address: &str) -> i64 {
    let body = json!({
        "name": address, "instance_type": "notebook", "address": format!("{address}.campus.example"), "edition": "stored",
        "max_builds": 4,
    });
    app.operator().await.post(PATH, body).await.expect(201)["id"].as_i64().unwrap()
}

async fn list(app: &TestApp, id: i64) -> Vec<Value> {
    app.viewer().await.get(&format!("{PATH}/{id}/resources")).await.expect(200)["items"].as_array().unwrap().clone()
}

async fn states(app: &TestApp, id: i64) -> Vec<String> {
    list(app, id)
        .await
        .iter()
        .map(|one| format!("{} {}", one["name"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect()
}

/// Archives an instance, lets its machines end, and purges it; gives what is deleted.
async fn purge(app: &TestApp, id: i64) -> Value {
    let operator = app.operator().await;
    operator.delete(&format!("{PATH}/{id}?terminate=true")).await.expect(200);
    app.execute("UPDATE servers SET status = 'terminated' WHERE status <> 'terminated'").await;
    let domain = app.read_instance(id).await["domain"].clone();
    app.person(Role::Admin).await.post(&format!("{PATH}/{id}/purge"), json!({ "confirm": domain })).await.expect(200)
}

#[tokio::test]
async fn the_first_build_makes_databases_and_later_ones_share_them() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    let first = app.built(id).await;
    assert_eq!(first["status"], "running", "{first:#}");
    let kinds: Vec<_> = first["steps"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["pin", "checkout", "resources", "server", "playbooks", "reboot", "checks"]);
    assert_eq!(states(&app, id).await, ["account present", "pages present", "readers present"]);
    let databases = server.databases();
    let (user, password) = server.accounts().pop_first().unwrap();
    assert_eq!(databases.len(), 2);
    assert!(databases.values().all(|users| users.len() == 1 && users.contains(&user)), "{databases:?}");
    let given = json!(app.ansible.specs().pop().unwrap().variables)["store_mysql"].to_string();
    assert!(given.contains(&password) && databases.keys().all(|name| given.contains(name)), "{given}");
    let changes = server.changes();
    let second = app.built(id).await;
    assert_eq!((&second["status"], server.changes()), (&json!("running"), changes), "nothing is made twice");
    assert_eq!((server.databases(), server.accounts().len()), (databases, 1));
    for shown in [second, app.read_instance(id).await, json!(list(&app, id).await)] {
        assert!(!shown.to_string().contains(&password), "{shown}");
    }
    let clear = format!("SELECT count(*) AS n FROM app_servers AS t WHERE to_jsonb(t)::text LIKE '%{password}%'");
    assert_eq!(app.number(&clear).await, 0, "the password is in the database in clear");
    app.end().await;
}

#[tokio::test]
async fn two_launches_at_once_make_one_set() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    let (one, other) = tokio::join!(app.launched(id), app.launched(id));
    let build = async |builder: Builder, id: i64| builder.advance(AppServerId(id)).await.unwrap();
    tokio::join!(build(app.builder(), one), build(app.builder(), other));
    for id in [one, other] {
        let built = app.until_built(id).await;
        assert_eq!(built["status"], "running", "{built:#}");
    }
    assert_eq!((server.databases().len(), server.accounts().len(), server.changes()), (2, 1, 3));
    assert_eq!(list(&app, id).await.len(), OWN);
    app.end().await;
}

#[tokio::test]
async fn without_a_server_a_launch_is_refused_and_an_optional_one_is_left_out() {
    let app = TestApp::idle().await;
    let id = stored(&app, "one").await;
    let operator = app.operator().await;
    let problem = operator.post(&format!("{PATH}/{id}/app-servers"), json!({})).await.problem(409);
    let words = problem["detail"].as_str().unwrap();
    assert!(words.contains("no server of MySQL") && words.contains("[resources.NAME]"), "{words}");
    assert_eq!(app.number("SELECT count(*) AS n FROM resources").await, 0);
    app.end().await;
    let (app, _) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    app.built(id).await;
    let variables = json!(app.ansible.specs().pop().unwrap().variables);
    assert!(variables["store_mysql"].is_object() && variables["store_redis"].is_null(), "{variables}");
    app.end().await;
}

#[tokio::test]
async fn a_server_that_is_away_delays_the_build_and_no_machine_is_made_meanwhile() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    let app_server = app.launched(id).await;
    server.set_away(true);
    let builder = app.builder();
    let building = tokio::spawn(async move { builder.advance(AppServerId(app_server)).await.unwrap() });
    until("the log says so", async || app.log_says(app_server, "the server does not answer (trying again)").await)
        .await;
    assert!(app.provider.machines().is_empty());
    let shown = list(&app, id).await;
    assert!(shown[0]["trouble"].as_str().unwrap().contains("does not answer"), "{shown:?}");
    server.set_away(false);
    building.await.unwrap();
    assert_eq!(app.until_built(app_server).await["status"], "running");
    assert!(list(&app, id).await.iter().all(|one| one["trouble"].is_null()));
    app.end().await;
}

#[tokio::test]
async fn a_refusal_ends_the_build_with_the_servers_words_and_the_next_one_tries_again() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    server.next_call(FakeCall::Fails(ServerError::Refused("no grant option".to_owned())));
    let failed = app.built(id).await;
    assert_eq!(failed["status"], "error");
    assert!(failed["failure"].as_str().unwrap().contains("no grant option"), "{failed:#}");
    assert!(app.provider.machines().is_empty());
    assert_eq!(states(&app, id).await, ["account failed", "pages wanted", "readers wanted"]);
    assert_eq!(app.built(id).await["status"], "running");
    assert_eq!(states(&app, id).await, ["account present", "pages present", "readers present"]);
    app.end().await;
}

#[tokio::test]
async fn a_lost_answer_makes_nothing_twice() {
    let (app, server) = with_mysql([]).await;
    for (number, address) in ["a", "b", "c"].into_iter().enumerate() {
        let id = stored(&app, address).await;
        (0..number).for_each(|_| server.next_call(FakeCall::AnswerLost));
        assert_eq!(app.built(id).await["status"], "running");
        assert_eq!((server.accounts().len(), server.databases().len()), (number + 1, 2 * (number + 1)));
    }
    app.end().await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_not_touched_and_the_next_launch_uses_another() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    let first = app.launched(id).await;
    let name = list(&app, id).await[1]["remote_name"].as_str().unwrap().to_owned();
    server.add_stranger(&name);
    app.builder().advance(AppServerId(first)).await.unwrap();
    let failed = app.read_app_server(first).await;
    assert_eq!(failed["status"], "error");
    assert!(failed["failure"].as_str().unwrap().contains("is not ours has this name"), "{failed:#}");
    assert_eq!(app.built(id).await["status"], "running");
    let strangers = &server.databases()[&name];
    assert!(strangers.len() == 1 && strangers.contains("stranger"), "{strangers:?}");
    assert!(list(&app, id).await.iter().all(|one| one["remote_name"] != name.as_str()));
    purge(&app, id).await;
    app.manager.works().sweep().await.unwrap();
    assert_eq!(server.databases().into_keys().collect::<Vec<_>>(), [name]);
    app.end().await;
}

#[tokio::test]
async fn a_second_build_does_not_use_the_taken_name_that_it_was_launched_with() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    let (first, second) = (app.launched(id).await, app.launched(id).await);
    let name = list(&app, id).await[1]["remote_name"].as_str().unwrap().to_owned();
    server.add_stranger(&name);
    for app_server in [first, second] {
        app.builder().advance(AppServerId(app_server)).await.unwrap();
        assert_eq!(app.read_app_server(app_server).await["status"], "error");
    }
    let failure = app.read_app_server(second).await["failure"].as_str().unwrap().to_owned();
    assert!(failure.contains("it got this name after the launch"), "{failure}");
    assert_eq!(app.built(id).await["status"], "running");
    assert_eq!((server.databases()[&name].len(), server.databases().len()), (1, 3));
    app.end().await;
}

#[tokio::test]
async fn a_database_that_has_vanished_is_reported_and_not_made_again_empty() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    app.built(id).await;
    let name = list(&app, id).await[1]["remote_name"].as_str().unwrap().to_owned();
    server.lose(&name);
    let failed = app.built(id).await;
    assert_eq!(failed["status"], "error");
    assert!(failed["failure"].as_str().unwrap().contains("the server has it no more"), "{failed:#}");
    assert!(!server.databases().contains_key(&name));
    assert!(list(&app, id).await[1]["trouble"].as_str().unwrap().contains("restore it there"));
    app.end().await;
}

#[tokio::test]
async fn an_archived_instance_keeps_its_databases_and_a_purge_deletes_them_and_no_others() {
    let (app, server) = with_mysql([]).await;
    let (id, other) = (stored(&app, "one").await, stored(&app, "two").await);
    app.built(id).await;
    app.built(other).await;
    server.add_stranger("wordpress");
    let before = server.databases();
    app.operator().await.delete(&format!("{PATH}/{id}?terminate=true")).await.expect(200);
    app.manager.works().sweep().await.unwrap();
    assert_eq!(server.databases(), before, "an archived instance keeps them");
    app.operator().await.post(&format!("{PATH}/{id}/restore"), json!({})).await.expect(200);
    let own: Vec<_> = list(&app, id).await.iter().map(|one| one["remote_name"].as_str().unwrap().to_owned()).collect();
    let deleted = purge(&app, id).await;
    assert_eq!(deleted["deleted"].as_array().unwrap().len(), 1 + OWN, "{deleted}");
    server.set_away(true);
    app.manager.works().sweep().await.unwrap();
    assert_eq!(states(&app, id).await, ["account deleting", "pages deleting", "readers deleting"]);
    assert!(list(&app, id).await[1]["trouble"].as_str().unwrap().contains("does not answer"));
    server.set_away(false);
    app.execute("UPDATE resources SET next_try = now()").await;
    app.manager.works().sweep().await.unwrap();
    assert!(list(&app, id).await.is_empty());
    let mut left = before.clone();
    left.retain(|name, _| !own.contains(name));
    assert_eq!((server.databases(), left.len(), server.accounts().len()), (left, 3, 1));
    let secrets = format!("SELECT count(*) AS n FROM resources WHERE instance_id = {id} AND secret <> '{{}}'");
    assert_eq!(app.number(&secrets).await, 0, "passwords end with their accounts");
    app.end().await;
}

#[tokio::test]
async fn a_restored_instance_launches_once_its_earlier_databases_are_gone() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    app.built(id).await;
    let first = server.databases();
    purge(&app, id).await;
    let operator = app.operator().await;
    operator.post(&format!("{PATH}/{id}/restore"), json!({})).await.expect(200);
    let problem = operator.post(&format!("{PATH}/{id}/app-servers"), json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("still being deleted"), "{problem}");
    app.manager.works().sweep().await.unwrap();
    assert_eq!(app.built(id).await["status"], "running");
    assert!(server.databases().keys().all(|name| !first.contains_key(name)), "they have other names");
    app.end().await;
}

#[tokio::test]
async fn administrators_are_shown_credentials_and_each_request_is_audited() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    app.built(id).await;
    let path = format!("{PATH}/{id}/resources/mysql/credentials");
    for role in [Role::Viewer, Role::Operator] {
        app.person(role).await.post(&path, json!({})).await.problem(403);
    }
    let administrator = app.person(Role::Admin).await;
    let shown = administrator.post(&path, json!({})).await.expect(200);
    let (user, password) = server.accounts().pop_first().unwrap();
    assert_eq!((&shown["username"], &shown["password"]), (&json!(user), &json!(password)));
    assert_eq!(shown["databases"].as_object().unwrap().len(), 2);
    let entries = "SELECT count(*) AS n FROM audit_log WHERE action = 'show_resource_credentials' AND outcome = 'done'";
    assert_eq!(app.number(entries).await, 1);
    let quoted = format!("SELECT count(*) AS n FROM audit_log AS t WHERE to_jsonb(t)::text LIKE '%{password}%'");
    assert_eq!(app.number(&quoted).await, 0);
    administrator.post(&format!("{PATH}/{id}/resources/redis/credentials"), json!({})).await.problem(409);
    administrator.post(&format!("{PATH}/{id}/resources/cheese/credentials"), json!({})).await.problem(404);
    app.end().await;
}

#[tokio::test]
async fn a_password_is_replaced_only_where_no_app_server_loses_it_or_on_request() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    app.built(id).await;
    let administrator = app.person(Role::Admin).await;
    let path = format!("{PATH}/{id}/resources/mysql/rotate");
    let (user, first) = server.accounts().pop_first().unwrap();
    let problem = administrator.post(&path, json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().starts_with("AppServer 1 would lose the connection"), "{problem}");
    assert_eq!(server.accounts()[&user], first);
    administrator.post(&path, json!({ "cuts_off": true })).await.expect(200);
    let second = server.accounts()[&user].clone();
    assert_ne!(second, first);
    server.set_away(true);
    let told = administrator.post(&path, json!({ "cuts_off": true })).await.expect(200);
    assert_eq!((&told["items"][0]["password_due"], &server.accounts()[&user]), (&json!(true), &second));
    server.set_away(false);
    app.execute("UPDATE resources SET next_try = now()").await;
    app.manager.works().sweep().await.unwrap();
    let third = server.accounts()[&user].clone();
    assert_ne!(third, second);
    assert_eq!(list(&app, id).await[0]["password_due"], false);
    app.built(id).await;
    let variables = json!(app.ansible.specs().pop().unwrap().variables).to_string();
    assert!(variables.contains(&third), "the next app server has the new one");
    app.end().await;
}

#[tokio::test]
async fn entered_credentials_are_used_as_they_are_and_nothing_is_made_or_deleted() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    let operator = app.operator().await;
    let path = format!("{PATH}/{id}/resources/mysql");
    let given = |databases: Value| json!({ "given": { "host": "rds.example", "username": "campus", "password": "otters-juggle", "databases": databases } });
    let bad = json!({ "given": { "host": "/var/lib/mysql", "username": "campus", "password": "otters-juggle" } });
    let problem = operator.put(&path, bad).await.problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "/given/host");
    operator.put(&path, json!({})).await.problem(422);
    operator.put(&path, json!({ "server": "elsewhere" })).await.problem(422);
    operator.put(&path, given(json!({ "pages": "campus_pages" }))).await.expect(200);
    let problem = operator.post(&format!("{PATH}/{id}/app-servers"), json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("names no database `readers`"), "{problem}");
    let answer = operator.put(&path, given(json!({ "pages": "campus_pages", "readers": "r".repeat(64) }))).await;
    assert!(!answer.body.contains("otters-juggle"), "{}", answer.body);
    answer.expect(200);
    assert_eq!(app.built(id).await["status"], "running");
    let variables = json!(app.ansible.specs().pop().unwrap().variables);
    assert_eq!(variables["store_mysql"]["host"], "rds.example");
    assert_eq!(variables["store_mysql"]["databases"]["readers"], "r".repeat(64));
    let administrator = app.person(Role::Admin).await;
    administrator.post(&format!("{path}/rotate"), json!({ "cuts_off": true })).await.problem(409);
    purge(&app, id).await;
    app.manager.works().sweep().await.unwrap();
    assert!(list(&app, id).await.is_empty());
    assert_eq!((server.changes(), server.accounts().len()), (0, 0));
    app.end().await;
}

#[tokio::test]
async fn an_instance_chooses_its_server_until_it_has_data_there() {
    let second = Arc::new(FakeServer::new(ResourceKind::Mysql));
    let other = Named { is_default: false, ..named("second", &second) };
    let (app, main) = with_mysql([other]).await;
    let id = stored(&app, "one").await;
    let operator = app.operator().await;
    let path = format!("{PATH}/{id}/resources/mysql");
    let chosen = operator.put(&path, json!({ "server": "second" })).await.expect(200);
    assert_eq!((&chosen["items"][0]["server"], &chosen["items"][0]["state"]), (&json!("second"), &json!("wanted")));
    operator.put(&path, json!({ "server": "main" })).await.expect(200);
    operator.put(&path, json!({ "server": "second" })).await.expect(200);
    app.built(id).await;
    assert_eq!((second.databases().len(), main.changes()), (2, 0));
    let problem = operator.put(&path, json!({ "server": "main" })).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("another place would begin empty"), "{problem}");
    app.end().await;
}

#[tokio::test]
async fn instances_get_different_numbers_of_a_redis_and_an_exclusive_one_alone() {
    let (redis, own) = (Arc::new(FakeServer::new(ResourceKind::Redis)), Arc::new(FakeServer::new(ResourceKind::Redis)));
    redis.add_stranger("0");
    let exclusive = Named { is_default: false, is_exclusive: true, ..named("own", &own) };
    let (app, _) = with_mysql([named("shared", &redis), exclusive]).await;
    let ids = [stored(&app, "a").await, stored(&app, "b").await, stored(&app, "c").await];
    let operator = app.operator().await;
    operator.put(&format!("{PATH}/{}/resources/redis", ids[2]), json!({ "server": "own" })).await.expect(200);
    let problem =
        operator.put(&format!("{PATH}/{}/resources/redis", ids[1]), json!({ "server": "own" })).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("for one instance"), "{problem}");
    // The first number has keys of a stranger, so that the first build fails, and the next ones use others.
    assert_eq!(app.built(ids[0]).await["status"], "error");
    let mut numbers = Vec::new();
    for id in ids {
        assert_eq!(app.built(id).await["status"], "running");
        let rows = list(&app, id).await;
        let row = rows.iter().find(|row| row["kind"] == "redis" && row["part"] == "database").unwrap();
        numbers.push(format!("{} {}", row["server"].as_str().unwrap(), row["remote_name"].as_str().unwrap()));
    }
    assert_eq!(numbers, ["shared 1", "shared 2", "own 0"]);
    app.end().await;
}
