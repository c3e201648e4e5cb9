//! The tests' fake GitHub as a program, for browser tests and for trying things out:
//!
//! ```text
//! cargo run --example fake_github -- 127.0.0.1:9099     # without an address: a free port, which it prints
//! GITHUB_API_URL=http://127.0.0.1:9099 WATCH_FORK=acme/edx … target/debug/ocim server
//! curl -d '{"repository":"acme/edx","pull":{"title":"A change"}}' -H 'content-type: application/json' \
//!   http://127.0.0.1:9099/_control/open_pull             # {"number":1}
//! ```
//!
//! `/_control/<verb>`: see `api/tests/app/github/control.rs`. It starts empty and keeps nothing after it ends.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "it is for tests"
)]
#![allow(dead_code, unused_imports, reason = "tests use more of it")]

#[path = "../tests/app/github/mod.rs"]
mod github;

use std::io::Write;
use std::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    let fake = github::FakeGithub::start_on(TcpListener::bind(&address)?).await;
    println!("{}", fake.base);
    std::io::stdout().flush()?;
    tokio::signal::ctrl_c().await?;
    fake.stop().await;
    Ok(())
}
