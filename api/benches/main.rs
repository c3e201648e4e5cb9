//! The program's costs and speed: a table with one line per case. Each figure stands beside a floor measured in the
//! same run, on the same machine and database, so that their ratio can be compared between machines.
//!
//! `cargo bench --bench bench -- [--statements] [case …]`; without a case, all. Nothing is asserted here; that is the
//! task of `cargo test`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench may fail"
)]
#![allow(clippy::print_stdout, reason = "the table is what one wants to see")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures")]

#[path = "../tests/app/copies.rs"]
mod copies;
mod cost;
mod crowd;
mod lines;
mod measure;
mod pickup;
mod readers;
mod requests;
mod served;
#[path = "../tests/app/settings.rs"]
mod settings;
mod stream;
mod table;
mod world;

use std::path::PathBuf;

use table::Table;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use world::Server;

/// All cases, in the order they run.
const CASES: [&str; 7] = ["cost", "pickup", "crowd", "lines", "stream", "requests", "readers"];

fn main() {
    // rustls has one provider here; installing it again fails, which is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let filter = EnvFilter::try_from_env("OCIM_LOG").unwrap_or_else(|_| EnvFilter::new("error,ocim=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let [child, url, web] = arguments.as_slice()
        && child == crowd::CHILD
    {
        return runtime.block_on(crowd::build(url, web.parse().unwrap()));
    }
    if let [child, url] = arguments.as_slice()
        && child == readers::CHILD
    {
        return runtime.block_on(readers::read(url));
    }
    let (options, wanted): (Vec<String>, Vec<String>) = arguments.into_iter().partition(|word| word.starts_with('-'));
    let shows_statements = options.iter().any(|option| option == "--statements");
    if let Some(unknown) = wanted.iter().find(|word| !CASES.contains(&word.as_str())) {
        eprintln!("there is no case {unknown}; there are {}", CASES.join(", "));
        std::process::exit(2);
    }
    let is_fine = runtime.block_on(async {
        let server = Server::start().await;
        // The Postgres server would outlive this process, so a signal ends the cases and then the server.
        let made = tokio::spawn(cases(server.url(), server.dir().to_owned(), wanted, shows_statements));
        let is_fine = tokio::select! {
            made = made => made.unwrap_or(false),
            () = told_to_end() => false,
        };
        server.stop().await;
        is_fine
    });
    std::process::exit(i32::from(!is_fine));
}

/// Waits for SIGINT or SIGTERM.
async fn told_to_end() {
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Runs the cases; false if a target was missed.
async fn cases(url: String, postgres: PathBuf, wanted: Vec<String>, shows_statements: bool) -> bool {
    let mut table = Table::new();
    for case in CASES.iter().filter(|case| wanted.is_empty() || wanted.iter().any(|word| word == *case)) {
        match *case {
            "cost" => cost::run(&url, &mut table, shows_statements).await,
            "pickup" => pickup::run(&url, &mut table).await,
            "crowd" => crowd::run(&url, &mut table).await,
            "lines" => lines::run(&url, &mut table).await,
            "requests" => requests::run(&url, &postgres, &mut table).await,
            "readers" => readers::run(&url, &mut table).await,
            other => {
                assert_eq!(other, "stream");
                stream::run(&url, &mut table).await;
            }
        }
    }
    table.is_fine()
}
