//! The thread that starts child processes.
//!
//! Linux sends the parent-death signal when the *thread* that started the child ends, not the process. A thread of
//! tokio's blocking pool ends after ten idle seconds, and a worker thread may become one. So a dedicated thread, which
//! lives as long as this program, starts every child that must die with this program.

use std::io;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A command to start, the runtime that reaps the child, and the channel for the answer.
struct Request {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

static SPAWNER: LazyLock<Option<Sender<Request>>> = LazyLock::new(|| {
    let (sender, requests) = channel();
    thread::Builder::new().name("ocim-spawner".to_owned()).spawn(move || serve(&requests)).ok().map(|_| sender)
});

/// Starts the command from the dedicated thread.
///
/// # Errors
/// [`io::Error`] if the system cannot start the program, for instance because it does not exist.
pub async fn spawn(command: Command) -> io::Result<Child> {
    let gone = || io::Error::other("the thread that starts processes is gone");
    let (reply, answer) = oneshot::channel();
    let request = Request { command, runtime: Handle::current(), reply };
    SPAWNER.as_ref().ok_or_else(gone)?.send(request).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

fn serve(requests: &Receiver<Request>) {
    for Request { mut command, runtime, reply } in requests {
        let _context = runtime.enter();
        // The receiver may be gone by now: the child is then dropped, which kills it (`kill_on_drop`).
        drop(reply.send(command.spawn()));
    }
}
