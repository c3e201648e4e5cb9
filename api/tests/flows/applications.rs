//! The life of an instance does not depend on its application type.

mod kinds;
mod tutor;

use ocim::instances::settings::opened::Opened;
use ocim::instances::store::app_servers;
use ocim::machines::provider::MachineOffer;
use serde_json::{Value, json};
use shared_types::yaml::typed;
use shared_types::{AppServerId, Role, applications};

use self::kinds::{Kind, notebooks, open_edx, sites};
use crate::app::{TestApp, notebook, until};

const PATH: &str = "/api/v1/instances";

async fn notebook(app: &TestApp, notes: &str) -> i64 {
    notebooks().create(app, notes).await
}

async fn variables(app: &TestApp, app_server: i64) -> String {
    app.read_app_server(app_server).await["configuration_settings"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_open_edx_is_created_launched_activated_updated_rolled_back_and_purged() {
    lives_from_creation_to_purge(open_edx()).await;
}

#[tokio::test]
async fn a_tutor_is_created_launched_activated_updated_rolled_back_and_purged() {
    lives_from_creation_to_purge(kinds::tutor()).await;
}

#[tokio::test]
async fn a_site_is_created_launched_activated_updated_rolled_back_and_purged() {
    lives_from_creation_to_purge(sites()).await;
}

#[tokio::test]
async fn a_notebook_is_created_launched_activated_updated_rolled_back_and_purged() {
    lives_from_creation_to_purge(notebooks()).await;
}

async fn lives_from_creation_to_purge(kind: Kind) {
    let app = TestApp::start().await;
    let id = kind.create(&app, "PAGES: 12\n").await;
    let read = app.read_instance(id).await;
    assert_eq!((&read["domain"], &read["studio_url"]), (&json!(kind.domain), &json!(kind.studio_url)));
    assert_eq!(read["sites"], kind.sites);
    let first = app.running(id).await;
    app.activate(first).await.expect(200);
    assert!(kind.hosts().iter().all(|host| app.traffic.table()[*host] == Some(app.sites[0].address)));
    let operator = app.operator().await;
    let (name, value, line) = kind.change;
    let etag = app.read_instance(id).await["etag"].as_str().unwrap().to_owned();
    let changed = operator.patch(&format!("{PATH}/{id}"), &etag, json!({ name: value })).await.expect(200);
    assert_eq!(changed["pending_changes"], json!([name]));
    let second = app.running(id).await;
    app.activate(second).await.expect(200);
    assert!(!variables(&app, first).await.contains(line), "an app server's configuration changed");
    assert!(variables(&app, second).await.contains(line), "{}", variables(&app, second).await);
    assert!(kind.hosts().iter().all(|host| app.traffic.table()[*host] == Some(app.sites[1].address)));
    operator.post(&format!("{PATH}/{id}/rollback"), json!({})).await.expect(200);
    assert_eq!(app.read_instance(id).await["active_appserver"]["id"], first);
    assert!(kind.hosts().iter().all(|host| app.traffic.table()[*host] == Some(app.sites[0].address)));
    assert_eq!(app.number("SELECT count(*) AS n FROM hook_runs").await, 0, "these settings ask for no hooks");
    operator.delete(&format!("{PATH}/{id}?terminate=true")).await.expect(200);
    app.until_serving(first, "idle").await;
    let left = "SELECT count(*) AS n FROM servers WHERE status <> 'terminated'";
    until("the machines are gone", async || app.number(left).await == 0).await;
    let administrator = app.person(Role::Admin).await;
    administrator.post(&format!("{PATH}/{id}/purge"), json!({ "confirm": kind.domain })).await.expect(200);
    kind.create(&app, "").await;
    app.end().await;
}

#[tokio::test]
async fn secrets_in_a_types_own_yaml_are_sealed_and_never_shown() {
    let app = TestApp::start().await;
    for kind in kinds::all() {
        let id = kind.create(&app, "API_PASSWORD: hunter2-hunter2\n").await;
        let built = app.running(id).await;
        let given = app.ansible.specs().pop().map(|spec| json!(spec.variables).to_string());
        assert!(given.is_some_and(|given| given.contains("hunter2-hunter2")), "{}", kind.domain);
        for shown in [app.read_instance(id).await, app.read_app_server(built).await] {
            let shown = shown.to_string();
            assert!(!shown.contains("hunter2") && shown.contains("••••••"), "{shown}");
        }
    }
    for table in ["instances", "app_servers"] {
        let clear = format!("SELECT count(*) AS n FROM {table} AS t WHERE to_jsonb(t)::text LIKE '%hunter2%'");
        assert_eq!(app.number(&clear).await, 0, "{table}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_check_that_asks_for_a_text_fails_without_it() {
    let app = TestApp::start().await;
    let mut kind = sites();
    kind.body["checks"] = json!([{ "path": "/health", "statuses": "200", "text": "all is well" }]);
    let id = kind.create(&app, "").await;
    let built = app.launched(id).await;
    until("the checks were made", async || {
        let made = app.read_app_server(built).await["checks"].clone();
        made["items"][0]["detail"].as_str().is_some_and(|words| words.ends_with("without the text “all is well”"))
    })
    .await;
    let stop = format!("/api/v1/app-servers/{built}/stop");
    assert!(app.operator().await.post(&stop, json!({})).await.status.is_success());
    app.until_built(built).await;
    app.end().await;
}

#[tokio::test]
async fn templates_are_published_and_make_instances() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    let types = operator.get("/api/v1/instance-types").await.expect(200);
    let site = types["items"].as_array().unwrap().iter().find(|one| one["instance_type"] == "site").unwrap();
    let templates = site["templates"].as_array().unwrap();
    let names: Vec<_> = templates.iter().map(|template| template["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["kolibri", "wagtail"]);
    for template in templates {
        let mut body = template["settings"].clone();
        body["name"] = template["label"].clone();
        body["instance_type"] = "site".into();
        let made = operator.post(PATH, body).await.expect(201);
        let domain = format!("{}.campus.example", template["name"].as_str().unwrap());
        assert_eq!((&made["domain"], &made["protocol"]), (&json!(domain), &json!("https")));
    }
    app.end().await;
}

#[tokio::test]
async fn an_instance_has_secrets_of_its_own_which_all_its_app_servers_share() {
    let app = TestApp::start().await;
    let id = notebook(&app, "").await;
    let (one, other) = (app.running(id).await, app.running(id).await);
    let binding = async |app_server: i64| {
        let mut conn = app.conn().await;
        let row = app_servers::find(&mut conn, AppServerId(app_server)).await.unwrap().unwrap();
        let opened = Opened::of(&app.manager, &mut conn, &row).await.unwrap();
        assert!(opened.settings.get("binding").is_none(), "it is no setting");
        typed::scalar(opened.variables["binding"].as_str().unwrap()).text.to_owned()
    };
    let (first, second) = (binding(one).await, binding(other).await);
    assert_eq!(first, second);
    assert!(first.len() == 24 && first.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{first}");
    assert!(!app.read_app_server(one).await.to_string().contains(&first));
    app.end().await;
}

#[tokio::test]
async fn documents_of_an_earlier_version_are_read_launched_and_rolled_back_to() {
    let app = TestApp::start().await;
    let id = notebook(&app, "").await;
    let (old, new) = (app.running(id).await, app.running(id).await);
    app.execute("ALTER TABLE app_servers DISABLE TRIGGER app_servers_are_immutable").await;
    for table in ["instances", "app_servers"] {
        let earlier = "settings = settings - 'address' || '{\"host\": \"notes.example\"}', settings_version = 1";
        let only = if table == "app_servers" { format!("WHERE id = {old}") } else { String::new() };
        app.execute(&format!("UPDATE {table} SET {earlier} {only}")).await;
    }
    app.execute("ALTER TABLE app_servers ENABLE TRIGGER app_servers_are_immutable").await;
    let read = app.read_instance(id).await;
    assert_eq!((&read["address"], &read["warnings"]), (&json!("notes.example"), &json!([])));
    app.activate(old).await.expect(200);
    app.activate(new).await.expect(200);
    let operator = app.operator().await;
    operator.post(&format!("{PATH}/{id}/rollback"), json!({})).await.expect(200);
    assert_eq!(app.read_instance(id).await["active_appserver"]["id"], old);
    app.running(id).await;
    let etag = app.read_instance(id).await["etag"].as_str().unwrap().to_owned();
    operator.patch(&format!("{PATH}/{id}"), &etag, json!({ "edition": "third" })).await.expect(200);
    assert_eq!(app.number("SELECT settings_version::bigint AS n FROM instances").await, 2, "saved as today's");
    app.end().await;
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_named_and_the_rest_works() {
    let app = TestApp::start().await;
    let (broken, whole) = (notebook(&app, "").await, app.instance("demo").await);
    app.execute(&format!("UPDATE instances SET settings = '{{}}', settings_version = 1 WHERE id = {broken}")).await;
    let read = app.read_instance(broken).await;
    assert_eq!(read["warnings"][0]["detail"], "The stored settings are no document of version 1.");
    assert_eq!((&read["url"], &read["sites"], read.get("address")), (&json!(""), &json!([]), None));
    let operator = app.operator().await;
    let launch = format!("{PATH}/{broken}/app-servers");
    let problem = operator.post(&launch, json!({})).await.problem(409);
    assert_eq!(problem["detail"], "The stored settings are no document of version 1.");
    app.execute(&format!("UPDATE instances SET settings_version = 3 WHERE id = {broken}")).await;
    let problem = operator.post(&launch, json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("a later version of this program"), "{problem}");
    assert_eq!(operator.get(PATH).await.expect(200)["items"].as_array().map(Vec::len), Some(2));
    app.running(whole).await;
    app.end().await;
}

#[tokio::test]
async fn instances_of_a_type_that_is_gone_are_read_and_archived_and_not_launched() {
    let app = TestApp::start().await;
    let id = notebook(&app, "API_PASSWORD: hunter2-hunter2\n").await;
    app.running(id).await;
    app.execute("UPDATE instances SET instance_type = 'gone'").await;
    let read = app.read_instance(id).await;
    assert!(read["warnings"][0]["detail"].as_str().unwrap().contains("no application type `gone`"), "{read}");
    assert!(read.get("notes").is_none(), "nothing is known of its fields: {read}");
    let operator = app.operator().await;
    let problem = operator.post(&format!("{PATH}/{id}/app-servers"), json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("no application type `gone`"), "{problem}");
    let etag = read["etag"].as_str().unwrap();
    operator.patch(&format!("{PATH}/{id}"), etag, json!({ "edition": "x" })).await.problem(409);
    operator.delete(&format!("{PATH}/{id}?terminate=true")).await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn a_host_name_that_is_taken_is_refused_at_the_field_that_decides_it() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let body = json!({ "name": "Notes", "instance_type": "notebook", "address": "demo.localhost" });
    let detail = app.operator().await.post(PATH, body).await.field_error("/address");
    assert!(detail.contains("demo.localhost"), "{detail}");
    app.end().await;
}

#[tokio::test]
async fn fields_of_another_type_and_unknown_types_are_refused() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    let body = json!({ "name": "x", "instance_type": "notebook", "address": "a.example", "sub_domain": "a" });
    let detail = operator.post(PATH, body).await.field_error("/sub_domain");
    assert_eq!(detail, "There is no such setting. There are: address, edition, notes.");
    let detail =
        operator.post(PATH, json!({ "name": "x", "instance_type": "nothing" })).await.field_error("/instance_type");
    assert!(detail.contains("openedx") && detail.contains("notebook"), "{detail}");
    app.end().await;
}

#[tokio::test]
async fn a_launch_that_no_machine_of_the_provider_could_serve_is_refused() {
    let app = TestApp::start().await;
    let id = notebook(&app, "").await;
    app.provider.offer(MachineOffer { memory_mb: Some(256), ..MachineOffer::ANY });
    let operator = app.operator().await;
    let problem = operator.post(&format!("{PATH}/{id}/app-servers"), json!({})).await.problem(409);
    let words = "Notebook needs a machine with 512 MB of memory, which machines of the provider `fake` do not have.";
    assert!(problem["detail"].as_str().unwrap().starts_with(words), "{problem}");
    let types = operator.get("/api/v1/instance-types").await.expect(200);
    let of = |word: &str| -> Value {
        types["items"].as_array().unwrap().iter().find(|one| one["instance_type"] == word).unwrap().clone()
    };
    assert!(of("notebook")["unavailable"].as_str().unwrap().starts_with(words));
    assert_eq!((&of("openedx")["unavailable"], &of("openedx")["is_default"]), (&Value::Null, &json!(true)));
    app.end().await;
}

#[tokio::test]
async fn the_types_are_published_with_their_fields_and_defaults() {
    let app = TestApp::idle().await;
    let types = app.viewer().await.get("/api/v1/instance-types").await.expect(200);
    let notebook = types["items"].as_array().unwrap().iter().find(|one| one["instance_type"] == "notebook").unwrap();
    assert_eq!(notebook["defaults"], json!({ "edition": "first" }));
    assert_eq!((&notebook["headline"], &notebook["label"]), (&json!("edition"), &json!(notebook::TYPE.label)));
    let kinds: Vec<_> =
        notebook["fields"].as_array().unwrap().iter().map(|field| field["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["hostname", "line", "yaml"]);
    let address = &notebook["fields"][0];
    assert_eq!((&address["is_required"], &address["max_length"]), (&json!(true), &json!(250)));
    let id = notebooks().create(&app, "").await;
    let instance = app.viewer().await.get(&format!("{PATH}/{id}")).await.expect(200);
    let template = types["public_urls"]["https"].as_str().unwrap();
    assert_eq!(instance["url"], template.replace("{hostname}", instance["domain"].as_str().unwrap()));
    assert_eq!(types["public_urls"]["http"], "http://{hostname}:8080/");
    app.end().await;
}

#[tokio::test]
async fn a_type_without_previews_of_pull_requests_says_so() {
    let app = TestApp::idle().await;
    for application in &app.manager.applications {
        let kind = application.kind();
        assert_eq!(application.previews().is_some(), kind.previews.is_some(), "{}", kind.word);
        match app.manager.previews(kind.word) {
            Ok(previews) => assert!(kind.schema.field(previews.variables).is_some(), "{}", kind.word),
            Err(error) => {
                let words = format!("The application type {} has no previews of pull requests.", kind.label);
                assert_eq!(error.to_string(), words);
            }
        }
    }
    assert!(app.manager.previews(applications::DEFAULT.word).is_ok(), "pull requests become instances of this type");
    app.end().await;
}
