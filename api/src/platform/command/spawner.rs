//! The thread that starts child processes.
//!
//! The parent-death signal of Linux comes when the *thread* that started the child ends, not when the process does. A thread
//! of tokio's blocking pool ends after ten idle seconds, and a worker thread may become one. So one thread of our own, which
//! ends with the program and not before, starts every child that is to die with the program.

use std::io;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A command to start, the runtime that waits for its end, and where to send the child.
struct Request {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

static SPAWNER: LazyLock<Option<Sender<Request>>> = LazyLock::new(|| {
    let (sender, requests) = channel();
    thread::Builder::new().name("ocim-spawner".to_owned()).spawn(move || serve(&requests)).ok().map(|_| sender)
});

/// Starts the command from the thread that lives as long as the program.
///
/// # Errors
/// What the system says, such as that there is no such program.
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
        // Whoever asked may be gone by now: the child is then dropped, which kills it (`kill_on_drop`).
        drop(reply.send(command.spawn()));
    }
}
