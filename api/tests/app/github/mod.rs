//! A GitHub in small: it keeps repositories, pull requests, teams and what it is told, and plays the endpoints that the program
//! asks, with GitHub's pages, tags, limits and moods. `api/examples/fake_github.rs` runs it as a program.

mod app;
mod control;
mod hooks;
mod json;
mod moods;
mod pages;
mod routes;
mod serve;
mod verbs;
mod world;
mod writes;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use actix_web::dev::ServerHandle;

pub use hooks::Delivery;
pub use serve::Asked;
pub use verbs::PullSpec;
pub use world::{Deployment, Remark, Status};

use world::World;

/// The running GitHub. Clones are the same one.
#[derive(Clone)]
pub struct FakeGithub {
    /// What GITHUB_API_URL is set to.
    pub base: String,
    world: Arc<Mutex<World>>,
    server: Arc<OnceLock<ServerHandle>>,
}

impl FakeGithub {
    /// On a free port of this machine, without any repository.
    pub async fn start() -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").unwrap()).await
    }

    /// There.
    pub async fn start_on(listener: TcpListener) -> Self {
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World::new(&base)));
        let fake = Self { base, world, server: Arc::default() };
        let server = serve::server(fake.clone(), listener);
        assert!(fake.server.set(server.handle()).is_ok());
        tokio::spawn(server);
        fake
    }

    /// Answers nobody any more.
    pub async fn stop(&self) {
        self.server.get().unwrap().stop(false).await;
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A verb about what there is not panics in its test, and spoils nothing.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked, the first first.
    pub fn asked(&self) -> Vec<Asked> {
        self.world().asked.clone()
    }

    /// The same, and from now on anew.
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.world().asked)
    }

    /// The deployments of a repository, the first first.
    pub fn deployments(&self, repository: &str) -> Vec<Deployment> {
        self.world().known(repository).deployments.clone()
    }

    /// The commits' statuses in a repository, the first first.
    pub fn statuses(&self, repository: &str) -> Vec<Status> {
        self.world().known(repository).statuses.clone()
    }

    /// The comments on a pull request, the first first.
    pub fn comments(&self, repository: &str, number: i32) -> Vec<Remark> {
        let world = self.world();
        let remarks = world.known(repository).remarks.values();
        remarks.filter(|remark| remark.number == number).cloned().collect()
    }
}
