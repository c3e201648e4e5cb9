//! Writes the man pages of `ocim` and of each of its commands, from the command line's definition, into a directory:
//!
//! ```text
//! cargo run --example man_pages -- target/package/man
//! ```
//!
//! An example, so that the program does not contain what only its package needs.
#![allow(dead_code, reason = "the definition is read, and no command is run")]

#[path = "../src/cli.rs"]
mod cli;

use clap::CommandFactory as _;

fn main() -> std::io::Result<()> {
    let directory = std::env::args_os().nth(1).ok_or_else(|| std::io::Error::other("usage: man_pages DIRECTORY"))?;
    std::fs::create_dir_all(&directory)?;
    clap_mangen::generate_to(cli::Arguments::command(), &directory)
}
