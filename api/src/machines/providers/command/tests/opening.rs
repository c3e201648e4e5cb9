//! The settings, the environment, and the first question.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::machines::provider::{MachineOffer, Provider};

/// A variable that Cargo sets for tests.
const VARIABLE: &str = "CARGO_MANIFEST_DIR";

#[tokio::test]
async fn a_program_that_cannot_be_run_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("program");
    std::fs::write(&file, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    for (program, fault) in [
        (PathBuf::from("sh"), "is no absolute path"),
        (dir.path().join("missing"), "cannot be read (No such file or directory"),
        (dir.path().to_owned(), "is not a file"),
        (file, "is not executable"),
    ] {
        let words = permanent(CommandProvider::open(CommandConfig { program, ..config("") }).await);
        assert!(words.contains(fault) && words.ends_with("set OCIM_COMMAND_PROVIDER"), "{words}");
    }
    for ssh_user in ["", "-oProxyCommand=id"].map(str::to_owned) {
        let words = permanent(CommandProvider::open(CommandConfig { ssh_user, ..config("") }).await);
        assert!(words.starts_with("OCIM_COMMAND_PROVIDER_SSH_USER is no name of a user"), "{words}");
    }
    for name in ["", "A=B", "A B", "A,B"] {
        let environment = vec!["HOME".to_owned(), name.to_owned()];
        let words = permanent(CommandProvider::open(CommandConfig { environment, ..config("") }).await);
        assert!(words.starts_with("OCIM_COMMAND_PROVIDER_ENVIRONMENT: "), "{words}");
    }
}

#[tokio::test]
async fn a_file_that_the_system_cannot_start_is_an_error_with_its_words() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    std::fs::write(&program, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let provider = CommandProvider::open(CommandConfig { program, ..config("") }).await.unwrap();
    let words = transient(provider.list().await);
    assert!(words.contains("failed to execute") && words.contains("No such file or directory"), "{words}");
}

#[tokio::test]
async fn offers_that_cannot_be_used_are_refused_and_an_outage_is_waited_for() {
    let raw = |script: String| CommandConfig { arguments: vec!["-c".to_owned(), script], ..config("") };
    let offers = |text: &str| raw(format!("echo '{{\"version\": 1, \"offers\": {text}}}'"));
    for (text, fault) in [
        (r#"{"has_own_kernel": true, "memory_mb": 0, "disk_gb": null}"#, "offers.memory_mb is 0"),
        (r#"{"has_own_kernel": true, "memory_mb": 1, "disk_gb": 0}"#, "offers.disk_gb is 0"),
        (r#"{"has_own_kernel": true, "memory_mb": -1, "disk_gb": 1}"#, "offers.memory_mb: invalid value"),
        (r#"{"has_own_kernel": true, "memory_mb": 1}"#, "missing field `disk_gb`"),
        (r#"{"has_own_kernel": "yes", "memory_mb": 1, "disk_gb": 1}"#, "offers.has_own_kernel: invalid type"),
    ] {
        let words = permanent(CommandProvider::open(offers(text)).await);
        assert!(words.contains(fault) && words.ends_with("(offers)."), "{words}");
    }
    permanent(CommandProvider::open(raw("echo '{\"version\": 2}'".to_owned())).await);

    let dir = tempfile::tempdir().unwrap();
    let up = dir.path().join("up");
    let script = format!(
        r#"read -r request
        [ -e {} ] || {{ echo '{{"version": 1, "error": {{"kind": "transient", "message": "503"}}}}'; exit 1; }}
        case $request in *'"offers"'*) echo '{OFFERS}';; *) echo '{{"version": 1, "machine": {}}}';; esac"#,
        up.display(),
        SEVEN.replace('\n', "")
    );
    let provider = CommandProvider::open(raw(script)).await.unwrap();
    assert_eq!(provider.offers(), MachineOffer::ANY);
    assert!(transient(provider.create(&spec()).await).ends_with("reports: 503 (offers)."));
    std::fs::write(up, "").unwrap();
    provider.create(&spec()).await.unwrap();
    assert_eq!(provider.offers(), MachineOffer { has_own_kernel: true, memory_mb: Some(2048), disk_gb: None });
}

#[tokio::test]
async fn the_program_gets_the_named_variables_and_no_shell_reads_its_arguments() {
    let script = r#"echo "$(env | cut -d= -f1 | grep -vx -e PWD -e SHLVL -e _ -e OLDPWD | sort | tr '\n' ' ')|$PWD|$1" >&2; exit 1"#;
    let mut config = config(script);
    config.environment = vec![VARIABLE.to_owned(), "NO_SUCH_VARIABLE".to_owned()];
    config.arguments.extend(["name".to_owned(), "$(id) `id`; id".to_owned()]);
    let provider = CommandProvider::open(config).await.unwrap();
    let words = transient(provider.list().await);
    let mut names = vec![VARIABLE];
    names.extend(["HOME", "LANG", "PATH"].into_iter().filter(|name| std::env::var_os(name).is_some()));
    names.sort_unstable();
    assert!(words.contains(&format!("exit status 1: {} |/|$(id) `id`; id (list)", names.join(" "))), "{words}");
}

#[tokio::test]
async fn values_of_the_named_variables_are_masked() {
    let value = std::env::var(VARIABLE).unwrap();
    let told = r#"printf '{"version": 1, "error": {"kind": "permanent", "message": "bad %s!"}}' "$CARGO_MANIFEST_DIR""#;
    for (script, shown) in [
        ("echo \"bad $CARGO_MANIFEST_DIR!\" >&2; exit 1".to_owned(), "bad ***!"),
        ("printf '%300s' x >&2; echo \"$CARGO_MANIFEST_DIR\" >&2; exit 1".to_owned(), "exit status 1"),
        (told.to_owned(), "bad ***!"),
        ("echo \"[\\\"$CARGO_MANIFEST_DIR\\\"]\"".to_owned(), "***"),
    ] {
        let environment = vec![VARIABLE.to_owned()];
        let provider = CommandProvider::open(CommandConfig { environment, ..config(&script) }).await.unwrap();
        let words = provider.list().await.unwrap_err().to_string();
        assert!(words.contains(shown) && !words.contains(value.get(..4).unwrap()), "{words}");
        assert!(!format!("{provider:?}").contains(&value));
        let control = CommandProvider::open(config(&script)).await.unwrap();
        assert!(!control.list().await.unwrap_err().to_string().contains("***"), "the control");
    }
}
