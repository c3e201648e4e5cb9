//! Property test: people, workers, failures and crashes in random order. After each move the invariants must hold; in
//! the end, all work must finish.

mod outside;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use ocim::instances::builds::terminate;
use ocim::instances::store::{builds, instances, routing};
use ocim::instances::traffic::{apply_routing, drain, when_running};
use ocim::resources::providers::fake::FakeServer;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::{AppServerId, InstanceId};

use self::outside::{Outside, outside};
use super::resources::{stored, with_mysql};
use crate::app::{Answer, Client, TestApp};

/// Moves per history.
const MOVES: usize = 30;
/// The number of histories, unless `OCIM_HISTORIES` is set.
const HISTORIES: u32 = 100;
/// Histories per database.
const HISTORIES_A_WORLD: usize = 20;

/// An action on one of two instances.
#[derive(Debug, Clone, Copy)]
enum Move {
    Launch {
        attempts: i32,
        activates: bool,
    },
    /// A worker advances the oldest build.
    Advance,
    /// A worker advances the oldest build and dies at this crash point.
    Crash {
        point: usize,
    },
    /// The next playbook fails.
    FailNext,
    Stop,
    Activate {
        nth: usize,
    },
    Rollback,
    Terminate {
        nth: usize,
    },
    Hold,
    Release,
    Archive,
    Restore,
    /// Runs all pending jobs that are not builds.
    Work,
    /// Something happens outside the machines.
    Outside(Outside),
}

fn moves() -> impl Strategy<Value = Vec<(usize, Move)>> {
    let one = prop_oneof![
        4 => (1..=2, any::<bool>()).prop_map(|(attempts, activates)| Move::Launch { attempts, activates }),
        6 => Just(Move::Advance),
        4 => (1..30usize).prop_map(|point| Move::Crash { point }),
        1 => Just(Move::FailNext),
        2 => Just(Move::Stop),
        4 => (0..3usize).prop_map(|nth| Move::Activate { nth }),
        2 => Just(Move::Rollback),
        2 => (0..3usize).prop_map(|nth| Move::Terminate { nth }),
        1 => Just(Move::Hold),
        1 => Just(Move::Release),
        1 => Just(Move::Archive),
        1 => Just(Move::Restore),
        6 => Just(Move::Work),
        5 => outside().prop_map(Move::Outside),
    ];
    proptest::collection::vec((0..2usize, one), MOVES)
}

/// The program, and the state kept between moves.
struct World<'a> {
    app: &'a TestApp,
    operator: Client,
    /// The second one has databases outside its machines.
    instances: [i64; 2],
    /// Their server.
    server: &'a FakeServer,
    /// A stranger's database there.
    stranger: String,
    /// Hash of each app server's immutable columns when it was first seen.
    configurations: HashMap<i64, i64>,
}

/// States that must never occur: a description, and a query for rows that are in it.
const NEVER: &[(&str, &str)] = &[
    (
        "an active app server that does not run, or is another instance's",
        "FROM instances AS i JOIN app_servers AS a ON a.id = i.active_app_server_id \
         WHERE a.status <> 'running' OR a.instance_id <> i.id",
    ),
    (
        "an archived instance with traffic",
        "FROM instances WHERE archived_at IS NOT NULL AND active_app_server_id IS NOT NULL",
    ),
    (
        "an active app server whose machine is to go",
        "FROM instances AS i JOIN app_servers AS a ON a.id = i.active_app_server_id JOIN servers AS s ON s.id = a.server_id \
         WHERE s.termination_requested_at IS NOT NULL OR s.status <> 'ready'",
    ),
    (
        "more builds of an instance at once than it may have",
        "FROM (SELECT i.id FROM instances AS i JOIN app_servers AS a ON a.instance_id = i.id \
         JOIN builds AS b ON b.app_server_id = a.id WHERE b.begun_at IS NOT NULL \
         AND a.status IN ('new', 'waiting', 'configuring') GROUP BY i.id HAVING count(*) > i.max_builds) AS x",
    ),
    (
        "a step without a deadline",
        "FROM builds AS b JOIN app_servers AS a ON a.id = b.app_server_id \
         WHERE a.status IN ('new', 'waiting', 'configuring') AND b.step IS NOT NULL AND b.deadline IS NULL",
    ),
    (
        "a stopped build whose machine is not gone",
        "FROM app_servers AS a JOIN servers AS s ON s.id = a.server_id WHERE a.status = 'stopped' AND s.status <> 'terminated'",
    ),
    ("an attempt too many", "FROM app_servers WHERE attempt > num_attempts"),
    (
        "a status that the log does not tell",
        "FROM app_servers AS a WHERE a.status IN ('running', 'stopped', 'terminated') AND NOT EXISTS (SELECT 1 FROM log_entries AS e \
         WHERE e.app_server_id = a.id AND lower(e.text) LIKE a.status || ':%')",
    ),
    (
        "a log with a gap",
        "FROM log_counters AS c WHERE c.last_seq <> ALL (ARRAY[\
         (SELECT count(*) FROM log_entries AS e WHERE e.app_server_id = c.app_server_id), \
         (SELECT coalesce(max(seq), 0) FROM log_entries AS e WHERE e.app_server_id = c.app_server_id)])",
    ),
    ("a gateway ahead of what was decided", "FROM instances WHERE routing_applied_generation > routing_generation"),
    (
        "an automatic activation during a hold",
        "FROM activations AS x JOIN instances AS i ON i.id = x.instance_id \
         WHERE x.kind = 'automatic' AND i.hold_at IS NOT NULL AND x.activated_at > i.hold_at",
    ),
];

impl World<'_> {
    async fn play(&mut self, (of, what): (usize, Move)) -> Result<(), String> {
        let instance = self.instances[of];
        let path = format!("/api/v1/instances/{instance}");
        let answer = match what {
            Move::Launch { attempts, activates } => {
                let body = json!({ "num_attempts": attempts, "activate_when_running": activates });
                Some(self.post(&format!("{path}/app-servers"), body).await)
            }
            Move::Advance => {
                if let Some(id) = self.building(instance).await {
                    self.app.builder().advance(AppServerId(id)).await.map_err(|error| error.to_string())?;
                }
                None
            }
            Move::Crash { point } => {
                if let Some(id) = self.building(instance).await {
                    self.app.advance_elsewhere(id, point).await;
                    self.app.outlive_leases().await;
                }
                None
            }
            Move::FailNext => {
                self.app.ansible.next_run_fails("lms : migrate", "no such table");
                None
            }
            Move::Stop => match self.building(instance).await {
                Some(id) => Some(self.post(&format!("/api/v1/app-servers/{id}/stop"), json!({})).await),
                None => None,
            },
            Move::Activate { nth } => self.act(instance, nth, "activate").await,
            Move::Terminate { nth } => self.act(instance, nth, "terminate").await,
            Move::Rollback => Some(self.post(&format!("{path}/rollback"), json!({})).await),
            Move::Hold => Some(self.send(Method::PUT, &format!("{path}/hold")).await),
            Move::Release => Some(self.send(Method::DELETE, &format!("{path}/hold")).await),
            Move::Archive => Some(self.send(Method::DELETE, &format!("{path}?terminate=true")).await),
            Move::Restore => Some(self.post(&format!("{path}/restore"), json!({})).await),
            Move::Work => {
                self.work().await?;
                None
            }
            Move::Outside(what) => {
                outside::play(self.app, self.server, instance, what).await?;
                None
            }
        };
        match answer {
            Some(answer) if answer.status.is_server_error() => Err(format!("{what:?} answered {}", answer.body)),
            Some(_) | None => Ok(()),
        }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.operator.post(path, body).await
    }

    async fn send(&self, method: Method, path: &str) -> Answer {
        Answer::to(self.operator.request(method, path).json(&json!({}))).await
    }

    /// Performs an operation on the nth newest app server of an instance.
    async fn act(&self, instance: i64, nth: usize, verb: &str) -> Option<Answer> {
        let list = self.operator.get(&format!("/api/v1/instances/{instance}/app-servers")).await.expect(200);
        let id = list["items"].as_array()?.get(nth)?["id"].as_i64()?;
        Some(self.post(&format!("/api/v1/app-servers/{id}/{verb}"), json!({})).await)
    }

    async fn building(&self, instance: i64) -> Option<i64> {
        let query = format!(
            "SELECT coalesce(min(id), 0) AS n FROM app_servers WHERE instance_id = {instance} \
             AND status IN ('new', 'waiting', 'configuring')"
        );
        Some(self.app.number(&query).await).filter(|id| *id > 0)
    }

    /// Runs all pending jobs that are not builds.
    async fn work(&self) -> Result<(), String> {
        let mut conn = self.app.conn().await;
        let manager = &self.app.manager;
        for id in routing::behind(&mut conn).await.map_err(|error| error.to_string())? {
            apply_routing::apply_routing(manager, id).await.map_err(|error| error.to_string())?;
        }
        for id in builds::to_activate(&mut conn).await.map_err(|error| error.to_string())? {
            when_running::when_running(manager, id).await.map_err(|error| error.to_string())?;
        }
        for id in routing::behind(&mut conn).await.map_err(|error| error.to_string())? {
            apply_routing::apply_routing(manager, id).await.map_err(|error| error.to_string())?;
        }
        drain::sweep(manager).await.map_err(|error| error.to_string())?;
        for id in ocim::machines::store::to_terminate(&mut conn, 100).await.map_err(|error| error.to_string())? {
            terminate::remove(manager, id).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn check(&mut self) -> Result<(), String> {
        for (what, query) in NEVER.iter().chain(outside::NEVER) {
            if self.app.number(&format!("SELECT count(*) AS n {query}")).await > 0 {
                return Err(format!("there is {what}"));
            }
        }
        self.check_machines().await?;
        outside::check(self.app, self.server, std::slice::from_ref(&self.stranger)).await?;
        self.check_configurations().await
    }

    /// Each machine has an owner, and each ready app server has its machine.
    async fn check_machines(&self) -> Result<(), String> {
        let there: Vec<String> = self.app.provider.machines().iter().map(ToString::to_string).collect();
        let list = if there.is_empty() { "0".to_owned() } else { there.join(",") };
        let owned = format!(
            "SELECT count(*) AS n FROM servers WHERE id IN ({list}) AND status NOT IN ('pending', 'terminated')"
        );
        if self.app.number(&owned).await != i64::try_from(there.len()).unwrap() {
            return Err(format!("of the machines {list} one has no owner"));
        }
        // A process may die between removing a machine and recording that; the recorded request then covers it.
        let lost = format!(
            "SELECT count(*) AS n FROM servers AS s JOIN app_servers AS a ON a.server_id = s.id \
             JOIN builds AS b ON b.app_server_id = a.id WHERE s.status = 'ready' AND s.id NOT IN ({list}) \
             AND s.termination_requested_at IS NULL AND b.stop_requested_at IS NULL"
        );
        if self.app.number(&lost).await != 0 {
            return Err("a machine that is ready is not there".to_owned());
        }
        Ok(())
    }

    /// The configuration of an app server never changes.
    async fn check_configurations(&mut self) -> Result<(), String> {
        for instance in self.instances {
            let last = format!("SELECT coalesce(max(id), 0) AS n FROM app_servers WHERE instance_id = {instance}");
            let first = format!("SELECT coalesce(min(id), 1) AS n FROM app_servers WHERE instance_id = {instance}");
            for id in self.app.number(&first).await..=self.app.number(&last).await {
                let hash = format!(
                    "SELECT hashtextextended((to_jsonb(a) - '{{status,failure,modified}}'::text[])::text, 0) AS n \
                     FROM app_servers AS a WHERE id = {id}"
                );
                let hash = self.app.number(&hash).await;
                if *self.configurations.entry(id).or_insert(hash) != hash {
                    return Err(format!("app server {id} has changed"));
                }
            }
        }
        Ok(())
    }

    /// Lets everything that is under way end.
    async fn settle(&mut self) -> Result<(), String> {
        for _ in 0..20 {
            self.app.outlive_leases().await;
            self.work().await?;
            outside::sweep(self.app).await?;
            let mut is_over = true;
            for instance in self.instances {
                if let Some(id) = self.building(instance).await {
                    is_over = false;
                    self.app.builder().advance(AppServerId(id)).await.map_err(|error| error.to_string())?;
                }
            }
            if is_over {
                outside::settle(self.app).await?;
                return self.check_rest().await;
            }
        }
        Err("it does not come to rest".to_owned())
    }

    async fn check_rest(&self) -> Result<(), String> {
        for instance in self.instances {
            let row = instances::find(&mut *self.app.conn().await, InstanceId(instance)).await.unwrap().unwrap();
            let hostname = row.domain;
            let active = match row.active_app_server_id {
                Some(id) => self.app.read_app_server(id.0).await["server"]["id"].as_i64(),
                None => None,
            };
            let target = self.app.traffic.table().get(&hostname).copied().flatten();
            if active.is_some() != target.is_some() {
                return Err(format!("{hostname} leads to {target:?}, and {active:?} is active"));
            }
        }
        let held = "SELECT coalesce(min(app_server_id), 0) AS n FROM builds WHERE lease_holder IS NOT NULL";
        match self.app.number(held).await {
            0 => {}
            id => return Err(format!("the build of app server {id} is held: {:#?}", self.app.log(id).await)),
        }
        let undone =
            "SELECT count(*) AS n FROM servers WHERE termination_requested_at IS NOT NULL AND status <> 'terminated'";
        if self.app.number(undone).await > 0 {
            return Err("a machine that was to go is still there".to_owned());
        }
        Ok(())
    }
}

async fn history((app, server): (&TestApp, &FakeServer), number: usize, moves: &[(usize, Move)]) -> Result<(), String> {
    let operator = app.operator().await;
    let instances = [app.instance(&format!("a{number}")).await, stored(app, &format!("b{number}")).await];
    let stranger = format!("ocim_of_others_{number}");
    server.add_stranger(&stranger);
    let mut world = World { app, operator, instances, server, stranger, configurations: HashMap::new() };
    for (n, one) in moves.iter().enumerate() {
        world.play(*one).await.map_err(|error| format!("move {n}: {error}"))?;
        world.check().await.map_err(|error| format!("after move {n}, {one:?}: {error}"))?;
    }
    world.settle().await?;
    world.check().await.map_err(|error| format!("in the end: {error}"))
}

#[test]
fn invariants_hold_in_random_histories() {
    let cases = std::env::var("OCIM_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(HISTORIES);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, max_shrink_iters: 40, ..Config::default() });
    // The queries of `NEVER` scan all tables, which gets slow with many histories in one database.
    let start = || {
        let (app, server) = runtime.block_on(with_mysql([]));
        (app, server, 0)
    };
    let world: RefCell<(TestApp, Arc<FakeServer>, usize)> = RefCell::new(start());
    let outcome = runner.run(&moves(), |moves| {
        let mut world = world.borrow_mut();
        if world.2 == HISTORIES_A_WORLD {
            let old = std::mem::replace(&mut *world, start());
            runtime.block_on(old.0.end());
        }
        world.2 += 1;
        runtime.block_on(history((&world.0, &world.1), world.2, &moves)).map_err(TestCaseError::fail)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    runtime.block_on(world.into_inner().0.end());
}
