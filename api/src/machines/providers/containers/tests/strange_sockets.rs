//! Sockets that belong to no engine, or to one that does not answer as it should.

use std::time::{Duration, Instant};

use super::engine::{Engine, Fault, permanent, reference, spec, transient};
use crate::machines::provider::Provider;

#[tokio::test]
async fn what_is_no_engine_is_said_with_the_socket_and_the_setting() {
    let page = "<html><body>Welcome to nginx!</body></html>";
    for (text, expected) in [
        (page, "is an HTML page: the socket belongs to a web server"),
        ("SSH-2.0", "is not that of an engine (line 1, column 1)"),
        ("[]", "is not that of an engine"),
        (r#"{"ApiVersion": "1.12"}"#, "is too old"),
        (r#"{"ApiVersion": "new"}"#, "names no version of its API"),
    ] {
        let engine = Engine::start().await;
        engine.fail("GET /version", [Fault::Garbage(text)]);
        let words = transient(engine.provider().find(&reference(7)).await);
        assert!(words.contains(expected) && words.contains("engine.sock"), "{words}");
        // The next question may be answered.
        assert_eq!(engine.provider().find(&reference(7)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_engine_that_hangs_is_given_up() {
    let engine = Engine::start().await;
    for request in ["GET /version", "GET /info", "GET /containers/json"] {
        engine.fail(request, [Fault::Hang]);
        let begun = Instant::now();
        let words = transient(engine.impatient().list().await);
        assert!(words.contains("gives no answer within 300ms"), "{words}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
    engine.fail("POST /containers/create", [Fault::Hang]);
    let provider = engine.impatient();
    assert!(transient(provider.create(&spec(7)).await).contains("Create container ocim-"));
    provider.create(&spec(7)).await.unwrap();
    assert_eq!(engine.world().containers.len(), 1);
}

#[tokio::test]
async fn garbage_in_the_middle_is_an_error_and_nothing_of_it_is_used() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    provider.create(&spec(7)).await.unwrap();
    for text in ["", "null", "{}", r#"[{"Id": 7}]"#, "<p>"] {
        engine.fail("GET /containers/json", [Fault::Garbage(text)]);
        transient(provider.list().await);
    }
    let long = "x".repeat(100_000).leak();
    engine.fail("GET /containers/json", [Fault::Refused(500, long), Fault::Refused(503, "a\u{1b}[31m\u{202e}b\n\nc")]);
    assert!(transient(provider.list().await).chars().count() < 600);
    let words = transient(provider.list().await);
    assert!(words.ends_with("answers 503: a [31mb c"), "{words}");
}

#[tokio::test]
async fn a_socket_without_an_engine_says_how_to_start_one() {
    let engine = Engine::start().await;
    let nowhere = engine.socket().with_file_name("none.sock");
    let provider = engine.provider_with(|config| config.socket = Some(nowhere.clone()));
    let words = transient(provider.list().await);
    assert!(words.contains("Start the engine whose socket OCIM_CONTAINERS_SOCKET names"), "{words}");
    assert!(words.contains(&format!("podman system service --time=0 unix://{}", nowhere.display())), "{words}");

    let with_host =
        |host: &str| engine.provider_with(|config| (config.socket, config.docker_host) = (None, Some(host.to_owned())));
    for host in ["tcp://10.0.0.1:2375", "ssh://root@host", "unix://relative"] {
        assert!(permanent(with_host(host).list().await).starts_with("DOCKER_HOST must be unix://"));
    }
    let host = format!("unix://{}", engine.socket().display());
    assert_eq!(with_host(&host).list().await.unwrap(), []);
}

#[tokio::test]
async fn an_engine_that_was_started_again_is_found_again() {
    let engine = Engine::start().await;
    let provider = engine.provider();
    provider.create(&spec(7)).await.unwrap();
    let moved = engine.socket().with_file_name("moved.sock");
    std::fs::rename(engine.socket(), &moved).unwrap();
    assert!(transient(provider.list().await).contains("does not answer"));
    std::fs::rename(&moved, engine.socket()).unwrap();
    assert_eq!(provider.list().await.unwrap().len(), 1);
}
