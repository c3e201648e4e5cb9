//! Certificates from an authority in memory: every step is failed, interrupted and repeated. A real server of ACME is in
//! `system::certificates`.

mod files;
mod interrupting;
mod limiting;
mod mailing;
mod ordering;
mod renewing;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::RunQueryDsl;
use ocim::certificates::advance::{Answers, Parts};
use ocim::certificates::authority::Authority;
use ocim::certificates::challenges::Challenges;
use ocim::certificates::fake::{FakeAuthority, FakeChallenges};
use ocim::certificates::limits::Limits;
use ocim::certificates::store::delivery::{self, Served};
use ocim::certificates::store::{self, CertificateRow, wanted};
use ocim::certificates::{Certifier, Pace};
use ocim::platform::db::Db;
use shared_types::{CertificateId, CertificateState, InstanceId};

use crate::app::{Database, install_tls, number, settings};

/// The authority of these tests.
pub const DIRECTORY: &str = "https://ca.example/dir";
/// No pauses between the steps of an order.
pub const NO_PAUSE: Pace =
    Pace { poll: TimeDelta::zero(), order_limit: TimeDelta::hours(1), shortest_use: TimeDelta::zero() };

/// A database with instances, and what certificates are ordered with.
pub struct World {
    pub db: Db,
    /// None: another one ends it.
    database: Option<Database>,
}

impl World {
    pub async fn new() -> Self {
        install_tls();
        let database = Database::migrated().await;
        Self { db: database.open(), database: Some(database) }
    }

    /// A world in a database that others use, too.
    pub fn beside(db: Db) -> Self {
        Self { db, database: None }
    }

    pub fn end(self) {
        self.database.unwrap().discard();
    }

    /// A certifier of this authority that publishes answers there.
    pub fn certifier(&self, authority: Arc<dyn Authority>, challenges: Arc<dyn Challenges>, pace: Pace) -> Certifier {
        let (db, keyring) = (self.db.clone(), settings::keyring());
        let limits = Limits::LETS_ENCRYPT;
        Certifier::new(Parts { db, keyring, authority, answers: Answers::Http(challenges), limits, pace })
    }

    /// A new instance with these host names.
    pub async fn instance(&self, names: &[&str]) -> InstanceId {
        self.instance_with("https", names).await
    }

    /// A new instance with these host names and this protocol.
    pub async fn instance_with(&self, protocol: &str, names: &[&str]) -> InstanceId {
        let insert = format!(
            "INSERT INTO instances (instance_type, name, domain, settings) VALUES ('notebook', '{0}', '{0}', '{{}}') \
             RETURNING id AS n",
            names[0]
        );
        let id = number(&mut self.db.conn().await.unwrap(), &insert).await;
        self.name(InstanceId(id), protocol, names).await;
        InstanceId(id)
    }

    /// Gives an instance exactly these host names.
    pub async fn name(&self, id: InstanceId, protocol: &str, names: &[&str]) {
        self.execute(&format!("DELETE FROM instance_hostnames WHERE instance_id = {id}")).await;
        for name in names {
            self.execute(&format!("INSERT INTO instance_hostnames VALUES ('{name}', {id}, '{protocol}')")).await;
        }
    }

    /// Archives an instance, which loses its host names.
    pub async fn archive(&self, id: InstanceId) {
        self.execute(&format!("UPDATE instances SET archived_at = now(), archived_by = 'test' WHERE id = {id}")).await;
        self.name(id, "https", &[]).await;
    }

    pub async fn execute(&self, statement: &str) {
        diesel::sql_query(statement).execute(&mut *self.db.conn().await.unwrap()).await.unwrap();
    }

    pub async fn number(&self, query: &str) -> i64 {
        number(&mut self.db.conn().await.unwrap(), query).await
    }

    /// Lets the pauses after failures, waits and renewals be over.
    pub async fn pass_pauses(&self) {
        self.execute("UPDATE certificates SET next_attempt_at = now()").await;
    }

    /// Lets the claims of workers that are gone run out.
    pub async fn pass_claims(&self) {
        self.execute("UPDATE certificates SET claimed_until = now()").await;
    }

    /// The certificate of an instance.
    pub async fn certificate(&self, id: InstanceId) -> CertificateRow {
        let found = store::of_instance(&mut self.db.conn().await.unwrap(), id).await.unwrap();
        found.expect("the instance has no certificate")
    }

    /// The certificate of an instance, which must be valid.
    pub async fn valid(&self, id: InstanceId) -> CertificateRow {
        let row = self.certificate(id).await;
        assert_eq!((row.state, &row.last_error), (CertificateState::Valid, &None), "{row:?}");
        row
    }

    /// What a gateway that knows these revisions gets.
    pub async fn delivery(&self, known: &[(&CertificateRow, i64)]) -> Delivery {
        let known: BTreeMap<_, _> = known.iter().map(|(row, revision)| (row.id, *revision)).collect();
        let mut conn = self.db.conn().await.unwrap();
        let all = delivery::revisions(&mut conn).await.unwrap();
        let new: Vec<_> =
            all.iter().filter(|(id, revision)| known.get(id) != Some(revision)).map(|(id, _)| *id).collect();
        let changed = delivery::read(&mut conn, &settings::keyring(), &new).await.unwrap();
        Delivery { all, changed }
    }
}

/// What gateways serve, and what is new of it for one of them.
#[derive(Debug)]
pub struct Delivery {
    pub all: BTreeMap<CertificateId, i64>,
    pub changed: Vec<Served>,
}

/// A world with the authority in memory.
pub struct Faked {
    pub world: World,
    pub authority: Arc<FakeAuthority>,
    pub challenges: Arc<FakeChallenges>,
    pub certifier: Certifier,
}

impl Faked {
    pub async fn new() -> Self {
        Self::at(World::new().await, DIRECTORY, 90, NO_PAUSE)
    }

    pub fn at(world: World, directory: &str, days: i64, pace: Pace) -> Self {
        let authority = Arc::new(FakeAuthority::new(directory, days));
        let challenges = Arc::new(FakeChallenges::default());
        let certifier = world.certifier(authority.clone(), challenges.clone(), pace);
        Self { world, authority, challenges, certifier }
    }

    pub async fn sweep(&self) {
        self.certifier.sweep().await.unwrap();
    }

    /// Makes the rows what the instances want, and does no step.
    pub async fn want(&self) {
        wanted::sync(&mut self.world.db.conn().await.unwrap(), DIRECTORY).await.unwrap();
    }

    /// Does steps until a request is halted, as one worker: when that is dropped, no statement of another one is under way.
    pub async fn until_halted(&self) {
        self.want().await;
        let steps = async {
            while let Some(row) = self.certifier.claim().await.unwrap() {
                self.certifier.advance(&row).await.unwrap();
            }
        };
        tokio::select! {
            () = steps => panic!("no request was halted"),
            () = self.authority.is_halted() => {}
        }
    }

    /// How often a request of this name was made.
    pub fn count(&self, request: &str) -> usize {
        self.authority.asked().iter().filter(|asked| *asked == request).count()
    }
}

/// Whether a time is within some seconds of another one.
pub fn is_near(time: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    (time - other).abs() < TimeDelta::seconds(20)
}
