//! An Ansible whose playbooks end when the test lets them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ocim::ansible::fake::FakeAnsible;
use ocim::ansible::port::{Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolPosition, SpoolSink};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Counts concurrent playbooks and holds each one until the test lets it end.
#[derive(Debug)]
pub struct GatedAnsible {
    inner: FakeAnsible,
    gate: Semaphore,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl GatedAnsible {
    pub fn new() -> Arc<Self> {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { inner: FakeAnsible::with_tasks(1), gate: Semaphore::new(0), running, most })
    }

    /// Lets this many playbooks end, running or future ones.
    pub fn let_go(&self, playbooks: usize) {
        self.gate.add_permits(playbooks);
    }

    /// Runs that have ended, earliest first.
    pub fn ended(&self) -> Vec<RunSpec> {
        self.inner.specs()
    }

    /// The number of playbooks that run now.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// The highest number of playbooks that ran at the same time.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Ansible for GatedAnsible {
    async fn prepare(
        &self,
        spec: &LoadSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        self.inner.prepare(spec, sink, cancel).await
    }

    async fn run(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError> {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        let outcome = self.inner.run(spec, sink, cancel).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        outcome
    }

    async fn recover(
        &self,
        dir: &Path,
        position: SpoolPosition,
        sink: &mut dyn SpoolSink,
    ) -> Result<bool, AnsibleError> {
        self.inner.recover(dir, position, sink).await
    }
}
