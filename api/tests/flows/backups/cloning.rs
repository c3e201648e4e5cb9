//! Restores into another instance: neutralised before any data arrive, and without a trace at the source.

use ocim::backups::BackupError;
use ocim::backups::fake::FakeOperation;
use ocim::instances::backups::RESTORING;
use serde_json::{Value, json};
use shared_types::{AppServerId, Role};

use super::super::resources::stored;
use super::{NEW, OLD, PATH, World};
use crate::app::Answer;

/// A world with a backup, and another instance that was never launched, called `two`.
struct Pair {
    world: World,
    backup: i64,
    target: i64,
}

impl Pair {
    async fn new() -> Self {
        Self::of(World::new().await).await
    }

    async fn of(world: World) -> Self {
        for name in world.names().await {
            world.backups.set_database(&name, OLD);
        }
        let backup = world.complete().await;
        for name in world.names().await {
            world.backups.set_database(&name, NEW);
        }
        let target = stored(&world.app, "two").await;
        Self { world, backup, target }
    }

    /// Asks for the restore into the other instance; gives the answer's status and body.
    async fn ask(&self) -> Answer {
        let body = json!({ "confirm": "two", "into": self.target });
        let path = format!("{}/{}/restore", self.world.path(), self.backup);
        self.world.app.person(Role::Admin).await.post(&path, body).await
    }

    async fn refused(&self, words: &str) {
        let problem = self.ask().await.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    }

    async fn copy(&self) -> Value {
        self.world.app.read_instance(self.target).await["copy"].clone()
    }

    /// The names of the target's databases at the server: `pages`, `readers`.
    async fn names(&self) -> [String; 2] {
        let listed = self.world.app.viewer().await.get(&format!("{PATH}/{}/resources", self.target)).await.expect(200);
        [1, 2].map(|nth| listed["items"][nth]["remote_name"].as_str().unwrap().to_owned())
    }

    async fn cloned(&self) {
        self.ask().await.expect(202);
        self.world.work().await;
        assert_eq!(
            (&self.world.newest().await["work"], &self.world.newest().await["trouble"]),
            (&Value::Null, &Value::Null)
        );
        assert!(self.world.hold(&self.names().await, OLD));
    }

    /// The variables of an app server that is launched now, as YAML.
    async fn variables(&self) -> String {
        let id = self.world.app.built(self.target).await["id"].as_i64().unwrap();
        let shown = self.world.app.read_app_server(id).await;
        shown["configuration_settings"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_fresh_instance_gets_databases_and_the_data_and_the_source_goes_on() {
    let pair = Pair::new().await;
    let world = &pair.world;
    let asked = pair.ask().await.expect(202);
    assert_eq!((&asked["work"], &asked["into_instance_id"]), (&json!("restore"), &json!(pair.target)));
    let copy = pair.copy().await;
    assert_eq!(
        (&copy["is_neutralised"], &copy["replaced_at"], &copy["instance_name"]),
        (&json!(true), &Value::Null, &json!("one")),
        "before any data arrive"
    );
    let incoming = world.app.viewer().await.get(&format!("{PATH}/{}/backups", pair.target)).await.expect(200);
    assert_eq!((&incoming["incoming"]["id"], &incoming["items"]), (&json!(pair.backup), &json!([])));
    // The source is not blocked.
    world.requested().await;
    world.work().await;
    let items = world.shown().await["items"].clone();
    assert_eq!((&items[0]["state"], &items[1]["work"]), (&json!("complete"), &Value::Null));
    assert_eq!((&items[1]["into_instance_id"], &items[1]["restored"]), (&Value::Null, &Value::Null));
    let names = pair.names().await;
    assert!(world.hold(&names, OLD) && world.hold(&world.names().await, NEW));
    assert_eq!(world.server.databases().len(), 4);
    let copy = pair.copy().await;
    assert_eq!(
        (&copy["instance_id"], &copy["backup_id"], copy["replaced_at"].is_string(), &copy["is_neutralised"]),
        (&json!(world.instance), &json!(pair.backup), true, &json!(true))
    );
    assert_eq!((world.notice(), world.app.traffic.notice("two.campus.example")), (None, None));
    let of = |instance: i64, words: &str| {
        format!("SELECT count(*) AS n FROM log_entries WHERE instance_id = {instance} AND text LIKE '%{words}%'")
    };
    let words = format!("Backup {} of instance {} is restored", pair.backup, world.instance);
    assert_eq!(world.app.number(&of(pair.target, &words)).await, 1);
    let words = format!("asked to restore backup {} into instance {}", pair.backup, pair.target);
    assert_eq!(world.app.number(&of(world.instance, &words)).await, 1);
    let entries = format!(
        "SELECT count(*) AS n FROM audit_log WHERE action = 'restore_backup' AND instance_id = {}",
        pair.target
    );
    assert_eq!(world.app.number(&entries).await, 1);
    pair.world.app.end().await;
}

#[tokio::test]
async fn app_servers_of_a_copy_are_neutralised_until_an_administrator_ends_that() {
    let pair = Pair::new().await;
    let (app, target) = (&pair.world.app, pair.target);
    pair.cloned().await;
    let etag = app.read_instance(target).await["etag"].as_str().unwrap().to_owned();
    let operator = app.operator().await;
    let request = operator.request(reqwest::Method::PATCH, &format!("{PATH}/{target}")).header("if-match", etag);
    Answer::to(request.json(&json!({ "notes": "post: loud\n" }))).await.expect(200);
    let render = app.viewer().await.get(&format!("{PATH}/{target}/render")).await.expect(200);
    assert_eq!(render["origins"]["/post"], "neutralised copy", "{render:#}");
    let variables = pair.variables().await;
    assert!(
        variables.contains("post: off") || variables.contains("post: \"off\"") || variables.contains("post: 'off'"),
        "{variables}"
    );
    let warned = "Mail and payments are off, because the data is a copy of one. This overrides /post (notes)";
    assert_eq!(pair.world.lines(warned).await, 1);
    assert_eq!(app.number("SELECT count(*) AS n FROM app_servers WHERE is_neutralised").await, 1);
    let path = format!("{PATH}/{target}/neutralisation");
    operator.delete(&path).await.problem(403);
    let administrator = app.person(Role::Admin).await;
    for _ in 0..2 {
        let ended = administrator.delete(&path).await.expect(200);
        assert_eq!((&ended["copy"]["is_neutralised"], &ended["copy"]["instance_name"]), (&json!(false), &json!("one")));
    }
    assert_eq!(
        app.number("SELECT count(*) AS n FROM audit_log WHERE action = 'end_neutralisation' AND outcome = 'done'")
            .await,
        1
    );
    assert!(pair.variables().await.contains("loud"));
    // The source's were never.
    let built = app.built(pair.world.instance).await["id"].as_i64().unwrap();
    assert!(!app.read_app_server(built).await["configuration_settings"].as_str().unwrap().contains("post"));
    pair.world.app.end().await;
}

#[tokio::test]
async fn app_servers_that_could_mail_people_must_be_terminated_first() {
    let pair = Pair::new().await;
    let (app, target) = (&pair.world.app, pair.target);
    let first = app.built(target).await["id"].as_i64().unwrap();
    pair.refused(&format!(
        "AppServer 1 of instance {target} was launched before and could send mail from the copied data; terminate it first."
    ))
    .await;
    let second = app.built(target).await["id"].as_i64().unwrap();
    pair.refused("AppServer 1, AppServer 2 of instance").await;
    assert_eq!(pair.copy().await, Value::Null);
    for id in [first, second] {
        app.operator().await.post(&format!("/api/v1/app-servers/{id}/terminate"), json!({})).await.expect(202);
    }
    app.execute("UPDATE servers SET status = 'terminated' WHERE id IN (SELECT server_id FROM app_servers WHERE instance_id = 2)").await;
    let names = pair.names().await;
    names.iter().for_each(|name| pair.world.backups.set_database(name, NEW));
    pair.cloned().await;
    assert_eq!(pair.names().await, names, "its own databases, with the data of the other instance");
    // One that is neutralised may stay.
    app.built(target).await;
    pair.cloned().await;
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_copies").await, 2);
    pair.world.app.end().await;
}

#[tokio::test]
async fn a_target_that_cannot_have_the_data_is_refused_with_what_to_do() {
    let pair = Pair::new().await;
    let (app, target) = (&pair.world.app, pair.target);
    let administrator = app.person(Role::Admin).await;
    let path = format!("{}/{}/restore", pair.world.path(), pair.backup);
    let into =
        async |into: i64, confirm: &str| administrator.post(&path, json!({ "confirm": confirm, "into": into })).await;
    assert!(into(target, "one").await.field_error("/confirm").contains("Type the instance's name, two,"));
    into(999, "two").await.problem(404);
    let other = app.instance("demo").await;
    let problem = into(other, "demo").await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("choose one of the same type"), "{problem}");
    let plain =
        json!({ "name": "plain", "instance_type": "notebook", "address": "plain.campus.example", "edition": "plain" });
    let plain = app.operator().await.post(PATH, plain).await.expect(201)["id"].as_i64().unwrap();
    let problem = into(plain, "plain").await.problem(409);
    let words = problem["detail"].as_str().unwrap();
    assert!(words.contains("ask for no MySQL database pages outside its machines"), "{words}");
    assert!(words.contains("change them so that its data is there"), "{words}");
    let given = stored(app, "given").await;
    let own = json!({ "given": { "host": "rds.example", "username": "campus", "password": "otters-juggle",
        "databases": { "pages": "campus", "readers": "campus_readers" } } });
    app.operator().await.put(&format!("{PATH}/{given}/resources/mysql"), own).await.expect(200);
    let problem = into(given, "given").await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("was entered by an operator"), "{problem}");
    let building = app.launched(target).await;
    pair.refused("is being built with the databases").await;
    app.builder().advance(AppServerId(building)).await.unwrap();
    app.operator().await.delete(&format!("{PATH}/{target}?terminate=true")).await.expect(200);
    pair.refused(&format!("Instance {target} is archived")).await;
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_copies").await, 0);
    assert_eq!(app.number("SELECT count(*) AS n FROM backups WHERE work IS NOT NULL").await, 0);
    pair.world.app.end().await;
}

#[tokio::test]
async fn what_would_disturb_the_target_waits() {
    let pair = Pair::new().await;
    let (app, target) = (&pair.world.app, pair.target);
    let (operator, administrator) = (app.operator().await, app.person(Role::Admin).await);
    pair.ask().await.expect(202);
    pair.refused("is being restored").await;
    let own = format!("{PATH}/{target}");
    let refused = async |answer: Answer, words: &str| {
        let problem = answer.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    };
    refused(operator.post(&format!("{own}/app-servers"), json!({})).await, "are being replaced by those of backup")
        .await;
    refused(operator.delete(&format!("{own}?terminate=true")).await, "are being replaced by those of backup").await;
    refused(
        operator.put(&format!("{own}/resources/mysql"), json!({ "server": "main" })).await,
        "choose when that has ended",
    )
    .await;
    refused(administrator.delete(&format!("{own}/neutralisation")).await, "end its neutralisation when that has ended")
        .await;
    refused(operator.post(&format!("{own}/backups"), json!({})).await, "it is not made yet").await;
    // The backup itself is needed.
    administrator.delete(&format!("{}/{}", pair.world.path(), pair.backup)).await.problem(409);
    let again = format!("{}/{}/restore", pair.world.path(), pair.backup);
    refused(administrator.post(&again, json!({ "confirm": "one" })).await, "is being restored").await;
    pair.world.work().await;
    assert!(pair.world.hold(&pair.names().await, OLD));
    // A backup of the target is written; the other way round, the restore waits.
    operator.post(&format!("{own}/backups"), json!({})).await.expect(202);
    pair.refused("is being written").await;
    pair.world.work().await;
    assert_eq!(app.built(target).await["status"], "running");
    pair.world.app.end().await;
}

#[tokio::test]
async fn a_copy_whose_worker_died_begins_again_from_the_start() {
    let pair = Pair::new().await;
    let world = &pair.world;
    for call in [FakeOperation::Check, FakeOperation::Load, FakeOperation::Tables] {
        pair.ask().await.expect(202);
        world.dies_in(call).await;
        let is_replacing = call != FakeOperation::Check;
        let notice = world.app.traffic.notice("two.campus.example");
        assert_eq!(notice.as_deref() == Some(RESTORING), is_replacing, "{call:?}");
        assert_eq!(pair.copy().await["replaced_at"].is_string(), is_replacing, "{call:?}");
        world.outlive_claims().await;
        world.work().await;
        assert!(world.hold(&pair.names().await, OLD) && world.hold(&world.names().await, NEW), "{call:?}");
        assert_eq!((world.newest().await["work"].clone(), world.notice()), (Value::Null, None), "{call:?}");
        assert_eq!((world.app.traffic.notice("two.campus.example"), world.server.databases().len()), (None, 4));
    }
    pair.world.app.end().await;
}

#[tokio::test]
async fn the_mark_goes_if_nothing_was_copied_and_stays_if_something_was() {
    let pair = Pair::new().await;
    let world = &pair.world;
    world.backups.next_fails(FakeOperation::Check, BackupError::Damaged("the file is cut off".to_owned()));
    pair.ask().await.expect(202);
    world.work().await;
    let trouble = world.newest().await["trouble"].clone();
    assert_eq!(trouble, "MySQL database pages: the file is cut off. Nothing was deleted.");
    assert_eq!(pair.copy().await, Value::Null);
    world.backups.next_fails(FakeOperation::Load, BackupError::Permanent("unknown collation".to_owned()));
    pair.ask().await.expect(202);
    world.work().await;
    let trouble = world.newest().await["trouble"].clone();
    assert!(
        trouble
            .as_str()
            .unwrap()
            .contains(&format!("The databases or the files of instance {} are incomplete", pair.target)),
        "{trouble}"
    );
    assert_eq!(pair.copy().await["is_neutralised"], true);
    assert_eq!(world.app.traffic.notice("two.campus.example").as_deref(), Some(RESTORING));
    assert_eq!(world.notice(), None);
    pair.cloned().await;
    assert_eq!(world.app.traffic.notice("two.campus.example"), None);
    pair.world.app.end().await;
}

#[tokio::test]
async fn a_server_that_is_away_delays_the_making_of_databases() {
    let pair = Pair::new().await;
    let world = &pair.world;
    world.server.set_away(true);
    pair.ask().await.expect(202);
    world.work().await;
    let waiting = world.newest().await;
    assert_eq!((&waiting["work"], world.app.traffic.notice("two.campus.example")), (&json!("restore"), None));
    assert!(waiting["trouble"].as_str().unwrap().contains("does not answer"), "{waiting:#}");
    world.server.set_away(false);
    world.hurry().await;
    world.work().await;
    assert!(world.hold(&pair.names().await, OLD));
    pair.world.app.end().await;
}

#[tokio::test]
async fn the_next_build_of_a_copy_migrates_from_the_release_of_the_source() {
    let pair = Pair::new().await;
    let (app, target) = (&pair.world.app, pair.target);
    assert_eq!(app.read_instance(target).await["next_migration"], Value::Null);
    pair.cloned().await;
    let etag = app.read_instance(target).await["etag"].as_str().unwrap().to_owned();
    let request = app.operator().await;
    let request = request.request(reqwest::Method::PATCH, &format!("{PATH}/{target}")).header("if-match", etag);
    Answer::to(request.json(&json!({ "edition": "stored 2" }))).await.expect(200);
    let next = app.read_instance(target).await["next_migration"].clone();
    assert_eq!((&next["from"], &next["to"]), (&json!("stored"), &json!("stored 2")));
    // Of the source, nothing has changed.
    assert_eq!(app.read_instance(pair.world.instance).await["next_migration"], Value::Null);
    pair.world.app.end().await;
}
