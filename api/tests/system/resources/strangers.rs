//! Twenty instances and twenty strangers at three real servers: what a purge deletes, compared by listing.

use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use shared_types::{AppServerId, Role};

use super::mariadb::MariaDb;
use super::postgresql::Postgres;
use super::redis::Redis;
use crate::app::{Setup, TestApp};

const PATH: &str = "/api/v1/instances";
const COUNT: usize = 20;

/// Creates a site with these resources; gives its id.
pub(super) async fn create(app: &TestApp, name: &str, resources: Value) -> i64 {
    let body = json!({
        "name": name, "instance_type": "site", "hostnames": [format!("{name}.campus.example")], "resources": resources,
        "playbooks": [{ "repository": "https://git.example/school.git" }], "max_builds": 4,
    });
    app.operator().await.post(PATH, body).await.expect(201)["id"].as_i64().unwrap()
}

/// Creates a site with these resources, and lets two builds make them at once; gives its id.
pub(super) async fn built_twice(app: &TestApp, name: &str, resources: Value) -> i64 {
    let id = create(app, name, resources).await;
    let (one, other) = tokio::join!(app.launched(id), app.launched(id));
    let build = async |app_server: i64| app.builder().advance(AppServerId(app_server)).await.unwrap();
    tokio::join!(build(one), build(other));
    for app_server in [one, other] {
        let built = app.until_built(app_server).await;
        assert_eq!(built["status"], "running", "{built:#}");
    }
    id
}

/// Archives these instances, lets their machines end, and purges them.
pub(super) async fn purge(app: &TestApp, ids: &[i64]) {
    let (operator, administrator) = (app.operator().await, app.person(Role::Admin).await);
    for id in ids {
        operator.delete(&format!("{PATH}/{id}?terminate=true")).await.expect(200);
    }
    app.execute("UPDATE servers SET status = 'terminated' WHERE status <> 'terminated'").await;
    for id in ids {
        let domain = app.read_instance(*id).await["domain"].clone();
        administrator.post(&format!("{PATH}/{id}/purge"), json!({ "confirm": domain })).await.expect(200);
    }
}

/// The name of a stranger's database; every second one is almost one of ours.
fn stranger(number: usize) -> String {
    if number.is_multiple_of(2) { format!("wordpress_{number}") } else { format!("ocim_00000000_{number}_main_abcdef") }
}

/// Gives each server databases and users of strangers, some with names that are almost ours.
async fn add_strangers(mariadb: &MariaDb, postgres: &Postgres, redis: &Redis) {
    for number in 0..COUNT {
        let name = stranger(number);
        mariadb.execute(&format!("CREATE DATABASE {name}")).await;
        mariadb.execute(&format!("CREATE TABLE {name}.t (a INT)")).await;
        mariadb.execute(&format!("INSERT INTO {name}.t VALUES ({number})")).await;
        mariadb.execute(&format!("CREATE USER ocim_s{number}@'%' IDENTIFIED BY 'x'")).await;
        mariadb.execute(&format!("GRANT ALL ON {name}.* TO ocim_s{number}@'%'")).await;
        postgres.execute(&format!("CREATE ROLE ocim_s{number} LOGIN PASSWORD 'x'")).await;
        postgres.execute(&format!("CREATE DATABASE {name} OWNER ocim_s{number}")).await;
        let rules = ["ACL", "SETUSER", &format!("ocim_s{number}"), "on", ">x", "~*", "+@all"];
        ::redis::Cmd::new().arg(&rules).exec_async(&mut redis.root(0).await).await.unwrap();
        let keys = ["SET", &name, "1"];
        ::redis::Cmd::new()
            .arg(&keys)
            .exec_async(&mut redis.root(20 + u32::try_from(number).unwrap()).await)
            .await
            .unwrap();
    }
}

#[tokio::test]
#[ignore = "needs MariaDB, PostgreSQL and Redis: make test-resources"]
async fn a_purge_of_twenty_instances_touches_none_of_twenty_strangers() {
    let (mariadb, postgres, redis) = (MariaDb::start().await, Postgres::start().await, Redis::start(true).await);
    add_strangers(&mariadb, &postgres, &redis).await;
    let listing = async || [mariadb.listing().await, postgres.listing().await, redis.listing().await];
    let before = listing().await;
    let tables = [mariadb.table(""), postgres.table(), redis.table()].concat();
    let app = TestApp::with(Setup { works: false, resources: super::servers(&tables), ..Setup::default() }).await;
    let wanted = json!([{ "kind": "mysql" }, { "kind": "mysql", "name": "more" }, { "kind": "postgresql" }, { "kind": "redis" }]);
    let mut ids = Vec::new();
    for number in 0..COUNT {
        ids.push(built_twice(&app, &format!("site{number}"), wanted.clone()).await);
    }
    let during = listing().await;
    let counts: Vec<_> = during.iter().zip(&before).map(|(now, then)| now.len() - then.len()).collect();
    // A user and two databases each, with two grants; a role and a database each; a user each.
    assert_eq!(counts, [5 * COUNT, 2 * COUNT, COUNT]);
    assert_eq!(app.number("SELECT count(*) AS n FROM resources WHERE state = 'present'").await, 7 * 20);
    log_in_as_the_applications(&app, (&mariadb, &postgres, &redis)).await;
    purge(&app, &ids).await;
    while app.number("SELECT count(*) AS n FROM resources WHERE state = 'deleting' AND trouble IS NULL").await > 0 {
        app.manager.works().sweep().await.unwrap();
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM resources WHERE state <> 'deleted'").await, 0);
    assert_eq!(listing().await, before);
    let mut root = mariadb.root().await;
    for number in 0..COUNT {
        let kept: Option<usize> = root.query_first(format!("SELECT a FROM {}.t", stranger(number))).await.unwrap();
        assert_eq!(kept, Some(number));
    }
    app.end().await;
    postgres.stop().await;
}

/// Uses what the last playbook was given, as its application would.
async fn log_in_as_the_applications(app: &TestApp, (mariadb, postgres, redis): (&MariaDb, &Postgres, &Redis)) {
    let variables = json!(app.ansible.specs().pop().unwrap().variables);
    let of = |kind: &str| {
        let own = &variables["ocim_resources"][kind];
        let password = own["password"].as_str().unwrap();
        // Marked as a secret for those who read the variables.
        let password = shared_types::yaml::typed::scalar(password).text.to_owned();
        (own["username"].as_str().unwrap().to_owned(), password, own["databases"]["main"].as_str().unwrap().to_owned())
    };
    let (user, password, database) = of("mysql");
    let mut conn = mariadb.connect(&user, &password, None).await.unwrap();
    conn.query_drop(format!("CREATE TABLE {database}.t (a INT)")).await.unwrap();
    let (user, password, database) = of("postgresql");
    postgres.connect(&user, &password, &database).await.unwrap().batch_execute("CREATE TABLE t (a INT)").await.unwrap();
    let (user, password, number) = of("redis");
    let mut conn = redis.connect(&user, &password, number.parse().unwrap()).await.unwrap();
    ::redis::cmd("SET").arg("a").arg(1).exec_async(&mut conn).await.unwrap();
}
