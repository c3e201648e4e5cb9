//! docs/client.md is executable: every command of it is run, in order.

use shared_types::Role;

use super::{PASSWORD, Ran, Shell, user};
use crate::app::TestApp;

/// The shell blocks of the page.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[tokio::test]
async fn every_example_of_the_client_page_succeeds() {
    let page = include_str!("../../../docs/client.md");
    let app = TestApp::start().await;
    user(&app, "ann", Role::Operator).await;
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_ocim")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", program.display());
    let shell = Shell::new().with("PATH", &path);
    std::fs::write(shell.home().join("password.txt"), PASSWORD).unwrap();
    std::fs::write(shell.home().join("extra.yml"), "EDXAPP_FEATURES: {ENABLE_NOTES: true}\n").unwrap();
    let blocks = blocks(page);
    assert!(blocks.len() > 3);
    for block in blocks {
        let script = block.replace("https://ocim.example", app.anonymous().base());
        let ran = Ran::of(shell.command("sh", &["-e", "-c", &script]).spawn().unwrap()).await;
        assert_eq!(ran.code, 0, "{block}\n{ran:#?}");
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM activations").await, 3);
    app.end().await;
}
