//! A fake GitHub with repositories, pull requests, teams, deployments, statuses and comments. Serves the endpoints that
//! the program uses, with paging, ETags, rate limits, failures. `api/examples/fake_github.rs` runs it as a program.

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

/// The running fake. Clones share one state.
#[derive(Clone)]
pub struct FakeGithub {
    /// The value for GITHUB_API_URL.
    pub base: String,
    world: Arc<Mutex<World>>,
    server: Arc<OnceLock<ServerHandle>>,
}

impl FakeGithub {
    /// Starts on a free port of this machine, without any repository.
    pub async fn start() -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").unwrap()).await
    }

    /// Starts on this listener.
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

    /// Stops the web server; later requests are refused.
    pub async fn stop(&self) {
        self.server.get().unwrap().stop(false).await;
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A verb on an unknown object panics in its test; the state stays intact, so a poisoned lock is usable.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All requests so far, earliest first.
    pub fn asked(&self) -> Vec<Asked> {
        self.world().asked.clone()
    }

    /// All requests so far, which are forgotten.
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.world().asked)
    }

    /// The deployments of a repository, earliest first.
    pub fn deployments(&self, repository: &str) -> Vec<Deployment> {
        self.world().known(repository).deployments.clone()
    }

    /// The commit statuses in a repository, earliest first.
    pub fn statuses(&self, repository: &str) -> Vec<Status> {
        self.world().known(repository).statuses.clone()
    }

    /// The comments on a pull request, earliest first.
    pub fn comments(&self, repository: &str, number: i32) -> Vec<Remark> {
        let world = self.world();
        let remarks = world.known(repository).remarks.values();
        remarks.filter(|remark| remark.number == number).cloned().collect()
    }
}
