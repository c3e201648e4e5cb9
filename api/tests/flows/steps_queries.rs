//! The number of queries of each step of a build, of each change of a status, and of storing log entries; a further
//! query must be a decision. Not counted: ends of transactions, and queries that connections need themselves.

use std::cell::RefCell;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use ocim::instances::store::app_servers;
use ocim::machines::store::{self as servers, Owner};
use ocim::platform::logs::{self, About, Line};
use shared_types::app_server::BuildStepKind;
use shared_types::{AppServerId, AppServerStatus as A, InstanceId, ServerId, ServerStatus as S};

use crate::app::TestApp;

thread_local! {
    /// This thread's queries, while they are recorded. A test and all that it starts run on one thread.
    static QUERIES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Makes new connections record their queries. Other tests only pay for a check of their own thread's list.
fn note_queries() {
    fn noting() -> Option<Box<dyn Instrumentation>> {
        Some(Box::new(|event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                QUERIES.with_borrow_mut(|queries| {
                    if let Some(queries) = queries {
                        queries.push(query.to_string());
                    }
                });
            }
        }))
    }
    set_default_instrumentation(noting).unwrap();
}

/// Starts recording.
fn begin() {
    QUERIES.set(Some(Vec::new()));
}

/// Stops recording; gives the queries.
fn end() -> Vec<String> {
    let is_query = |query: &String| {
        // The heartbeat depends on the clock. The pool's liveness check and the setup of a connection depend on how
        // often connections are borrowed and made.
        let others = ["BEGIN", "COMMIT", "ROLLBACK", "SET ", "SELECT $1 --", "WITH ours AS (SELECT b.app_server_id"];
        !others.iter().any(|start| query.starts_with(start))
    };
    QUERIES.take().unwrap().into_iter().filter(is_query).collect()
}

/// The step of a build that begins with this query.
fn begun(query: &str) -> Option<&'static str> {
    if query.starts_with("UPDATE builds SET lease_holder = NULL") {
        return Some("afterwards");
    }
    let inserts = query.starts_with("WITH ended AS (UPDATE build_steps");
    let is_bound = |step: &BuildStepKind| inserts && query.ends_with(&format!(", {step:?}]"));
    BuildStepKind::ALL.iter().copied().find(is_bound).map(BuildStepKind::as_str)
}

#[tokio::test]
async fn each_step_of_a_build_takes_its_number_of_queries() {
    note_queries();
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    begin();
    app.builder().advance(AppServerId(id)).await.unwrap();
    let queries = end();
    let mut steps = vec![("taking it up", 0)];
    for query in &queries {
        if let Some(step) = begun(query).filter(|step| steps.iter().all(|(known, _)| known != step)) {
            steps.push((step, 0));
        }
        steps.last_mut().unwrap().1 += 1;
    }
    assert_eq!(app.read_app_server(id).await["status"], "running");
    // The last queries of a step begin the next one. Each login to the machine reads its key: one for the playbooks, two
    // for the reboot. Taking it up locks a provider with a budget; each wait for the machine reads its provider's pace once, and
    // the machine's being ready ends a pause of its provider. Before the first playbook, three read who may log in to the machine.
    let expected = [
        ("taking it up", 10),
        ("pin", 11),
        ("checkout", 9),
        ("server", 28),
        ("playbooks", 33),
        ("reboot", 21),
        ("checks", 19),
        ("afterwards", 1),
    ];
    assert_eq!(steps, expected, "{}", queries.join("\n"));
    app.end().await;
}

#[tokio::test]
async fn each_move_of_a_status_takes_three_queries() {
    note_queries();
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let mut conn = app.db.dedicated().await.unwrap();
    let paths: [&[A]; 5] = [
        &[A::New, A::Waiting, A::Configuring, A::Running, A::Terminated],
        &[A::New, A::Error],
        &[A::New, A::Waiting, A::Error],
        &[A::New, A::Waiting, A::Configuring, A::Failed],
        &[A::New, A::Waiting, A::Configuring, A::Stopped],
    ];
    for path in paths {
        let id = AppServerId(app.launched(instance).await);
        for (from, to) in path.iter().zip(&path[1..]) {
            let row = app_servers::find(&mut conn, id).await.unwrap().unwrap();
            let failure = matches!(to, A::Error | A::Failed).then_some("the reason");
            begin();
            assert!(app_servers::transition(&mut conn, &row, *to, failure).await.unwrap(), "{from:?} {to:?}");
            let queries = end();
            assert_eq!(queries.len(), 3, "{from:?} → {to:?}: status, event, log; {queries:#?}");
        }
    }
    app.execute("UPDATE servers SET provider_id = 'x', ssh_address = '192.0.2.1:22', http_address = '192.0.2.1:80'")
        .await;
    let path = [S::Pending, S::Building, S::Booting, S::Ready, S::Booting, S::Unknown, S::Building, S::Failed];
    let owner = Owner { instance: InstanceId(instance), app_server: AppServerId(1) };
    for (from, to) in path.iter().zip(&path[1..]).chain([(&S::Failed, &S::Terminated)]) {
        begin();
        assert!(servers::transition(&mut conn, owner, ServerId(1), *from, *to).await.unwrap(), "{from:?} {to:?}");
        let queries = end();
        assert_eq!(queries.len(), 3, "{from:?} → {to:?}: status, event, log; {queries:#?}");
    }
    begin();
    assert!(!servers::transition(&mut conn, owner, ServerId(1), S::Ready, S::Booting).await.unwrap());
    assert_eq!(end().len(), 1, "a move from a status that it has not");
    drop(conn);
    app.end().await;
}

#[tokio::test]
async fn a_log_entry_takes_one_query_and_so_does_a_batch() {
    note_queries();
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let mut conn = app.db.dedicated().await.unwrap();
    let of_app_server = About::AppServer(InstanceId(instance), AppServerId(id));
    for about in [of_app_server, About::Instance(InstanceId(instance))] {
        for count in [1, 2, 50_000] {
            let lines = vec![Line::info("a line of a log"); count];
            begin();
            logs::append(&mut conn, about, &lines).await.unwrap();
            // Number, rows and notification in one query.
            assert_eq!(end().len(), 1, "{count} lines");
        }
    }
    begin();
    logs::append(&mut conn, of_app_server, &[]).await.unwrap();
    assert_eq!(end().len(), 0);
    drop(conn);
    app.end().await;
}
