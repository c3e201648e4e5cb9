//! Answers: what is believed, and what is refused with which words.

use std::net::SocketAddr;

use super::*;
use crate::machines::provider::{Endpoint, Machine, MachineOffer, MachineState, MadeFrom, Provider, ProviderError};

/// Machine 7 with a part of its text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(SEVEN.contains(from), "{from}");
    SEVEN.replace(from, to)
}

fn found(machine: &str) -> String {
    format!(r#"{{"version": 1, "machine": {machine}}}"#)
}

fn listed(machines: &[&str]) -> String {
    format!(r#"{{"version": 1, "machines": [{}]}}"#, machines.join(","))
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn every_operation_is_asked_and_its_answer_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        r#"echo "$request" >>{}/requests
        case $request in
        *'"find"'*|*'"create"'*) echo '{}';;
        *'"list"'*) echo '{}';;
        *) echo '{{"version": 1}}';;
        esac"#,
        dir.path().display(),
        found(SEVEN),
        listed(&[SEVEN]),
    );
    let provider = provider(&script).await;
    let (ssh, http) = (socket("192.0.2.7:22"), socket("192.0.2.7:80"));
    let endpoint = Some(Endpoint { public_ip: ssh.ip(), ssh, http });
    let machine = Machine {
        provider_id: "vm-7".into(),
        state: MachineState::Active,
        endpoint,
        host_key: None,
        made_from: MadeFrom::default(),
    };
    assert_eq!(provider.create(&spec()).await.unwrap(), machine);
    let known = MachineRef { provider_id: Some("vm-7".to_owned()), ..seven() };
    assert_eq!(provider.find(&known).await.unwrap(), Some(machine.clone()));
    provider.reboot(&seven()).await.unwrap();
    provider.terminate(&seven()).await.unwrap();
    assert_eq!(provider.list().await.unwrap(), [(ServerId(7), machine)]);
    assert_eq!(provider.offers(), MachineOffer { has_own_kernel: true, memory_mb: Some(2048), disk_gb: None });
    assert_eq!(provider.ssh_user(), "debian");
    let requests = std::fs::read_to_string(dir.path().join("requests")).unwrap();
    let line = |operation: &str, rest: &str| {
        format!("{{\"version\":1,\"operation\":\"{operation}\",\"installation\":\"{INSTALLATION}\",{rest}}}\n")
    };
    let expected = [
        line("create", r#""server_id":7,"provider_id":null,"name":"demo-7","authorized_key":"ssh-ed25519 AAAA""#),
        line("find", r#""server_id":7,"provider_id":"vm-7","name":null,"authorized_key":null"#),
        line("reboot", r#""server_id":7,"provider_id":null,"name":null,"authorized_key":null"#),
        line("terminate", r#""server_id":7,"provider_id":null,"name":null,"authorized_key":null"#),
        line("list", r#""server_id":null,"provider_id":null,"name":null,"authorized_key":null"#),
    ];
    assert_eq!(requests, expected.concat());
}

#[tokio::test]
async fn addresses_ports_host_keys_and_states_are_taken_over() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let rest = format!(
        r#""address": "2001:db8::7", "ssh": "127.0.0.1:2222", "http": "[::1]:8080", "host_key": "{key} me", "image": "Debian 12", "flavor": "s-2""#
    );
    let machine = printing(&found(&changed(r#""address": "192.0.2.7""#, &rest))).await.find(&seven()).await.unwrap();
    let machine = machine.unwrap();
    let endpoint = machine.endpoint.unwrap();
    assert_eq!(endpoint.public_ip.to_string(), "2001:db8::7");
    assert_eq!((endpoint.ssh, endpoint.http), (socket("127.0.0.1:2222"), socket("[::1]:8080")));
    assert_eq!(machine.host_key.as_deref(), Some(key));
    assert_eq!(machine.made_from, MadeFrom { image: Some("Debian 12".into()), flavor: Some("s-2".into()) });
    for (state, expected) in [
        (r#""building", "address": null"#, MachineState::Building),
        (r#""failed""#, MachineState::Failed("the provider gives no reason".to_owned())),
        (r#""failed", "message": "no \u001b[31mhost\u202e\n""#, MachineState::Failed("no  [31mhost".to_owned())),
    ] {
        let text = found(&changed(r#""active""#, state)).replace(",\n    \"address\": \"192.0.2.7\"", "");
        assert_eq!(printing(&text).await.find(&seven()).await.unwrap().unwrap().state, expected);
    }
    assert_eq!(printing(&found("null")).await.find(&seven()).await.unwrap(), None);
    assert_eq!(printing(&listed(&[])).await.list().await.unwrap(), []);
}

#[tokio::test]
async fn an_answer_of_another_form_is_refused_with_its_fault() {
    let twice = format!("{0}\n{0}", found("null"));
    let deep = format!("{}{}", r#"{"version": 1, "machine": "#, "[".repeat(50_000));
    for (answer, fault) in [
        ("", "nothing was printed on stdout"),
        ("Traceback (most recent call last):", "no JSON object; it begins with “Traceback (most"),
        ("<html><body>502</body></html>", "it begins with “<html><body>502</body></html>"),
        ("[1, null]", "it begins with “[1, null]"),
        ("null", "it begins with “null"),
        ("{}", "missing field `version`"),
        (r#"{"version": 1}"#, "missing field `machine`"),
        (r#"{"version": "1", "machine": null}"#, "version: invalid type: string"),
        (r#"{"version": 1, "machine": null, "machines": []}"#, "unknown field `machines`"),
        (r#"{"version": 1, "machine": []}"#, "machine: "),
        (r#"{"version": 1, "machine": null, "machine": null}"#, "duplicate field `machine`"),
        (r#"{"version": 1, "machine": nul"#, "machine: expected ident"),
        (r#"{"version": 1, "error": "no"}"#, "error: invalid type: string"),
        (r#"{"version": 1, "error": {"kind": "fatal", "message": ""}}"#, "error.kind: unknown variant `fatal`"),
        (deep.as_str(), "EOF while parsing a list"),
        (twice.as_str(), "more than one JSON document"),
    ] {
        let words = transient(printing(answer).await.find(&seven()).await);
        assert!(words.contains(fault), "{answer:.60}: {words}");
        assert!(words.starts_with("The provider program /bin/sh gave an answer that cannot be used: "), "{words}");
        assert!(words.ends_with("docs/provider-contract.md has the contract (find of server 7)."), "{words}");
    }
    let binary = provider(r#"printf '{"version": 1, "machine": "\377"}'"#).await;
    assert!(transient(binary.find(&seven()).await).contains("cannot be used"));
    let shown = transient(printing(&format!(r#"{{"version": "{}\u001b"}}"#, "x".repeat(100_000))).await.list().await);
    assert!(shown.len() < 600 && !shown.contains('\u{1b}'), "{shown}");
}

#[tokio::test]
async fn a_success_without_its_document_is_no_success() {
    for answer in ["", "ok", "{}", r#"{"version": 1, "machine": null}"#, r#"{"version": 1, "done": true}"#] {
        let provider = printing(answer).await;
        transient(provider.reboot(&seven()).await);
        transient(provider.terminate(&seven()).await);
        transient(provider.list().await);
        transient(provider.create(&spec()).await);
    }
    transient(printing(&found("null")).await.create(&spec()).await);
}

#[tokio::test]
async fn another_version_of_the_contract_is_refused_for_good() {
    for answer in [r#"{"version": 2, "machine": null}"#, r#"{"version": 2, "error": {"kind": "odd"}, "more": 1}"#] {
        let words = permanent(printing(answer).await.find(&seven()).await);
        assert!(words.contains("speaks version 2 of the provider contract, and this ocim speaks version 1"), "{words}");
    }
}

#[tokio::test]
async fn a_machine_that_cannot_be_the_requested_one_is_not_believed() {
    let long = format!("\"{}\"", "x".repeat(256));
    let key = r#""active", "host_key": "#;
    for (from, to, fault) in [
        (": 7", ": 8", "machine.server_id is 8, which is not the server that was asked about"),
        (": 7", ": 0", "machine.server_id: an id is 1 or more"),
        (": 7", ": -7", "an id is 1 or more"),
        (": 7", ": \"7\"", "machine.server_id: invalid type: string"),
        (": 7", ": 7.5", "machine.server_id: invalid type: floating point"),
        (": 7", ": 99999999999999999999", "machine.server_id"),
        ("11111111-aaaa", "22222222-bbbb", "machine.installation is another installation's"),
        ("\"vm-7\"", "\"\"", "machine.provider_id has 0 bytes"),
        ("\"vm-7\"", long.as_str(), "machine.provider_id has 256 bytes"),
        ("\"vm-7\"", "\"vm 7\"", "machine.provider_id has characters"),
        ("\"vm-7\"", "\"vm\\u00007\"", "machine.provider_id has characters"),
        ("\"vm-7\"", "7", "machine.provider_id: invalid type"),
        ("\"active\"", "\"running\"", "machine.state: unknown variant `running`"),
        ("\"active\"", "\"active\", \"message\": \"x\"", "machine.message is set"),
        ("\"active\"", "\"active\", \"adress\": \"x\"", "unknown field `adress`"),
        ("192.0.2.7", "web-7.example", "machine.address: invalid IP address syntax"),
        ("192.0.2.7", "192.0.2.7; id", "machine.address: invalid IP address syntax"),
        ("192.0.2.7", "0.0.0.0", "machine.address is 0.0.0.0, which is no address of a machine"),
        ("192.0.2.7", "::", "machine.address is ::"),
        ("192.0.2.7", "255.255.255.255", "machine.address is 255.255.255.255"),
        ("192.0.2.7", "224.0.0.1", "machine.address is 224.0.0.1"),
        ("\"192.0.2.7\"", "\"192.0.2.7\", \"ssh\": \"192.0.2.7:0\"", "machine.ssh has port 0"),
        ("\"192.0.2.7\"", "\"192.0.2.7\", \"ssh\": \"192.0.2.7\"", "machine.ssh: invalid socket address"),
        ("\"192.0.2.7\"", "\"192.0.2.7\", \"http\": \"0.0.0.0:80\"", "machine.http is 0.0.0.0"),
        ("\"192.0.2.7\"", "null, \"ssh\": \"192.0.2.7:22\"", "without machine.address"),
        ("\"active\"", &format!("{key}\"AAAA\""), "machine.host_key is no public key"),
        ("\"active\"", &format!("{key}\"ssh-ed25519 AAAA\\n* ssh-rsa AAAA\""), "machine.host_key is no public key"),
    ] {
        let answer = found(&changed(from, to));
        for words in [
            transient(printing(&answer).await.find(&seven()).await),
            transient(printing(&answer).await.create(&spec()).await),
        ] {
            assert!(words.contains(fault), "{to}: {words}");
        }
    }
}

#[tokio::test]
async fn of_a_list_with_a_wrong_entry_nothing_is_believed() {
    let eight = SEVEN.replace(": 7", ": 8").replace("vm-7", "vm-8");
    assert_eq!(printing(&listed(&[SEVEN, &eight])).await.list().await.unwrap().len(), 2, "the control");
    let whole = listed(&[SEVEN, &eight]);
    let cut = whole.get(..whole.len() - 40).unwrap();
    for (answer, fault) in [
        (listed(&[SEVEN, SEVEN]), "server 7 is listed twice, as vm-7 and as vm-7"),
        (listed(&[SEVEN, &SEVEN.replace("vm-7", "vm-8")]), "server 7 is listed twice, as vm-7 and as vm-8"),
        (listed(&[SEVEN, &SEVEN.replace(": 7", ": 8")]), "the provider_id vm-7 is listed for two servers"),
        (
            listed(&[SEVEN, &eight.replace("11111111-aaaa", "x")]),
            "entry 1 of machines: machine.installation is another",
        ),
        (listed(&[SEVEN, &eight.replace("192.0.2.7", "::")]), "entry 1 of machines: machine.address is ::"),
        (listed(&[SEVEN, &eight.replace("192.0.2.7", "x")]), "machines[1].address: invalid IP address syntax"),
        (listed(&[SEVEN, "null"]), "machines[1]"),
        (cut.to_owned(), "EOF while parsing"),
    ] {
        let words = transient(printing(&answer).await.list().await);
        assert!(words.contains(fault) && words.ends_with("(list)."), "{fault}: {words}");
    }
    let failed = provider(&format!("echo '{whole}'; echo 'page 2: 503' >&2; exit 1")).await;
    let words = transient(failed.list().await);
    assert!(words.contains("ended with exit status 1: page 2: 503"), "{words}");
}

#[tokio::test]
async fn errors_that_the_program_tells_keep_their_kind_and_words() {
    let error =
        |kind: &str| format!(r#"{{"version": 1, "error": {{"kind": "{kind}", "message": "quota: 20 of 20"}}}}"#);
    for exit in ["", "\nTHE_END\nexit 3\n: <<'THE_END'"] {
        let refused = printing(&format!("{}{exit}", error("permanent"))).await;
        let words = permanent(refused.create(&spec()).await);
        assert_eq!(words, "The provider program /bin/sh reports: quota: 20 of 20 (create of server 7).");
        permanent(refused.find(&seven()).await);
        permanent(refused.reboot(&seven()).await);
        permanent(refused.terminate(&seven()).await);
        permanent(refused.list().await);
        let full = printing(&format!("{}{exit}", error("quota"))).await;
        assert_eq!(full.create(&spec()).await, Err(ProviderError::Quota(words)));
        let away = printing(&format!("{}{exit}", error("transient"))).await;
        assert!(transient(away.list().await).contains("quota: 20 of 20"));
    }
    let long = printing(&error("permanent").replace("quota", &"\\u001b".repeat(1000))).await;
    let words = permanent(long.list().await);
    assert!(words.len() < 400 && !words.contains('\u{1b}'), "{words}");
}
