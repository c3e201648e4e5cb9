//! The program embeds the SPA, the demo and the migrations; a change there is a change of the program.

fn main() {
    // Cargo's own working directory is the crate's; a fresh checkout has no SPA yet and is checked and tested without.
    let _ = std::fs::create_dir_all("../dist");
    for path in ["../dist", "../migrations", "../ansible"] {
        println!("cargo:rerun-if-changed={path}");
    }
}
