//! Backups of buckets: copies of what has changed, in real files. The store is in memory, fails on request, and counts what is read.
//! Databases are those of the fake place. Real stores are in `system::backups`.

mod copying;
mod deleting;
mod entered;
mod interrupted;
mod restoring;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use async_trait::async_trait;
use ocim::backups::fake::FakeBackups;
use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups, Bucket, Files, Piece, Source};
use ocim::resources::connection::Connection;
use ocim::resources::objects::{Objects, OpenStore};
use ocim::resources::providers::fake::FakeServer;
use ocim::resources::providers::fake_objects::FakeObjects;
use ocim::resources::registry::{Named, Servers};
use serde_json::{Value, json};
use shared_types::ResourceKind;

use super::linked::Linked;
use super::{PATH, World};
use crate::app::{Setup, TestApp};

/// Dumps in memory, and copies of objects in files.
#[derive(Debug)]
struct Both {
    dumps: Arc<FakeBackups>,
    copies: Files,
}

#[async_trait]
impl Backups for Both {
    fn why_no_restore(&self) -> Option<String> {
        self.dumps.why_no_restore()
    }

    fn trouble(&self) -> Option<String> {
        self.dumps.trouble()
    }

    async fn dump(&self, at: &str, source: &Source, progress: &Progress) -> Result<Piece, BackupError> {
        self.dumps.dump(at, source, progress).await
    }

    async fn check(&self, at: &str, piece: &Piece, progress: &Progress) -> Result<(), BackupError> {
        match piece.objects {
            Some(_) => self.copies.check(at, piece, progress).await,
            None => self.dumps.check(at, piece, progress).await,
        }
    }

    async fn load(&self, at: &str, piece: &Piece, target: &Source, progress: &Progress) -> Result<(), BackupError> {
        self.dumps.load(at, piece, target, progress).await
    }

    async fn tables(&self, of: &Source) -> Result<u64, BackupError> {
        self.dumps.tables(of).await
    }

    async fn copy(
        &self,
        at: &str,
        bucket: &Bucket,
        earlier: Option<(&str, &Piece)>,
        progress: &Progress,
    ) -> Result<Piece, BackupError> {
        self.copies.copy(at, bucket, earlier, progress).await
    }

    async fn put_back(&self, at: &str, piece: &Piece, into: &Bucket, progress: &Progress) -> Result<u64, BackupError> {
        self.copies.put_back(at, piece, into, progress).await
    }

    async fn sweep(&self, at: &str, progress: &Progress) -> Result<(), BackupError> {
        self.copies.sweep(at, progress).await
    }

    async fn delete(&self, at: &str) -> Result<(), BackupError> {
        self.dumps.delete(at).await?;
        self.copies.delete(at).await
    }

    async fn has(&self, at: &str) -> Result<bool, BackupError> {
        Ok(self.dumps.has(at).await? || self.copies.has(at).await?)
    }

    async fn list(&self) -> Result<Vec<String>, BackupError> {
        self.dumps.list().await
    }
}

/// The store in memory for every account that an operator enters.
#[derive(Debug)]
struct Entered(Arc<FakeObjects>);

impl OpenStore for Entered {
    fn open(&self, _connection: &Connection) -> Result<Arc<dyn Objects>, String> {
        Ok(self.0.clone())
    }
}

/// A world whose instance has two databases, and the buckets `files` and `public`.
struct Store {
    world: World,
    objects: Arc<FakeObjects>,
    dir: tempfile::TempDir,
    /// The name of the bucket `files` at the store.
    files: String,
}

impl Store {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = Identity::generate();
        let (place, keys) = (dir.path().join("backups"), dir.path().join("keys"));
        std::fs::create_dir(&place).unwrap();
        std::fs::write(&keys, key.to_string().expose_secret()).unwrap();
        std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o600)).unwrap();
        let copies = Files::new(place, &[key.to_public().to_string()], Some(keys)).unwrap();
        let (mysql, dumps) = (Arc::new(FakeServer::new(ResourceKind::Mysql)), Arc::new(FakeBackups::default()));
        let store = Arc::new(FakeServer::new(ResourceKind::S3));
        let (linked, objects) = (Linked { server: mysql.clone(), backups: dumps.clone() }, store.objects.clone());
        let named =
            |name: &str, server| Named { name: name.parse().unwrap(), server, is_default: true, is_exclusive: false };
        let resources = Servers::new([named("main", Arc::new(linked)), named("store", store)]);
        let setup = Setup {
            works: false,
            resources: resources.opening(Arc::new(Entered(objects.clone()))),
            backups: Some(Arc::new(Both { dumps: dumps.clone(), copies })),
            ..Setup::default()
        };
        let app = TestApp::with(setup).await;
        let instance = create(&app, "one", "stored and filed").await;
        assert_eq!(app.built(instance).await["status"], "running");
        let files = app.text("SELECT remote_name AS text FROM resources WHERE name = 'files'").await;
        Self { world: World { app, server: mysql, backups: dumps, instance }, objects, dir, files }
    }

    /// With so many objects of this size in the bucket `files`: `o/00`, `o/01`, …
    async fn filled(count: usize, bytes: usize) -> Self {
        let store = Self::new().await;
        for number in 0..count {
            store.objects.put(&store.files, &format!("o/{number:02}"), &number.to_string().repeat(bytes));
        }
        store
    }

    fn put(&self, name: &str, content: &str) {
        self.objects.put(&self.files, name, content);
    }

    fn all(&self) -> BTreeMap<String, String> {
        self.objects.all(&self.files)
    }

    fn place(&self) -> PathBuf {
        self.dir.path().join("backups")
    }

    /// All files at the place.
    fn everything(&self) -> Vec<PathBuf> {
        files(&self.place())
    }

    /// The files of objects in the pool.
    fn pool(&self) -> Vec<PathBuf> {
        let files = self.everything().into_iter().filter(|file| file.to_str().unwrap().contains("/objects/"));
        files.collect()
    }

    /// The pieces of the newest backup that are buckets.
    async fn pieces(&self) -> Value {
        let newest = self.world.newest().await;
        let pieces = newest["pieces"].as_array().unwrap().iter().filter(|piece| piece["kind"] == "s3");
        pieces.map(|piece| json!([piece["name"], piece["objects"], piece["copied"], piece["bytes"]])).collect()
    }

    async fn trouble(&self) -> String {
        self.world.newest().await["trouble"].as_str().unwrap_or_default().to_owned()
    }
}

impl World {
    /// Changes what the database guards otherwise.
    async fn alter(&self, statement: &str) {
        self.app.execute("ALTER TABLE backups DISABLE TRIGGER backups_move_in_order").await;
        self.app.execute(statement).await;
        self.app.execute("ALTER TABLE backups ENABLE TRIGGER backups_move_in_order").await;
    }
}

/// Creates a notebook of this edition; gives its id.
async fn create(app: &TestApp, address: &str, edition: &str) -> i64 {
    let body = json!({
        "name": address, "instance_type": "notebook", "address": format!("{address}.campus.example"),
        "edition": edition, "max_builds": 4,
    });
    app.operator().await.post(PATH, body).await.expect(201)["id"].as_i64().unwrap()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found.retain(|file| !file.to_str().unwrap().ends_with(".partial"));
    found.sort();
    found
}
