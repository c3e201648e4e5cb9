use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shared_types::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::Shell;
use crate::app::TestApp;

/// A server that gives each request this answer; gives its base URL and the number of connections.
async fn server(answer: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut visitor, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = visitor.read(&mut [0; 4096]).await;
            let _ = visitor.write_all(answer.as_bytes()).await;
        }
    });
    (base, asked)
}

fn shell(server: &str) -> Shell {
    Shell::new().with("OCIM_SERVER", server).with("OCIM_TOKEN", "secret-token")
}

#[tokio::test]
async fn each_kind_of_refusal_has_its_exit_code() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.launched(instance).await;
    let operator = Shell::of(&app, Role::Operator).await;
    let viewer = Shell::of(&app, Role::Viewer).await;
    assert!(operator.run(&["instance", "show", "nowhere"]).await.refused(4).contains("«nowhere»"));
    assert!(operator.run(&["app-server", "show", "99"]).await.refused(4).contains("There is no app server 99."));
    assert!(viewer.run(&["app-server", "launch", "1"]).await.refused(3).contains("role operator"));
    assert!(operator.run(&["app-server", "activate", "1"]).await.refused(5).contains("App server 1 is new."));
    operator.run(&["app-server", "activate", "one"]).await.refused(2);
    operator.run(&["app-server"]).await.refused(2);
    let wrong = operator.with("OCIM_TOKEN", "wrong").run(&["instance", "list", "-o", "json"]).await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(wrong.refused(3)).unwrap()["status"], 401);
    app.end().await;
}

#[tokio::test]
async fn a_server_that_is_away_or_at_fault_is_exit_code_6() {
    let away = shell("http://127.0.0.1:1").run(&["instance", "list"]).await;
    assert!(away.refused(6).starts_with("ocim: http://127.0.0.1:1 cannot be reached: "), "{away:?}");
    let (base, _) = server("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\nconnection: close\r\n\r\noops").await;
    assert!(shell(&base).run(&["instance", "list"]).await.refused(6).starts_with("ocim: 502 Bad Gateway"));
    let (base, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n<ht>").await;
    assert!(shell(&base).run(&["instance", "list"]).await.refused(1).contains("no JSON"));
    shell("nonsense").run(&["instance", "list"]).await.refused(2);
}

#[tokio::test]
async fn a_token_follows_no_redirect_and_is_sent_in_clear_with_a_warning_only() {
    let (target, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
    let answer = format!("HTTP/1.1 307 T\r\nlocation: {target}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let (base, _) = server(answer.leak()).await;
    let sent = shell(&base).run(&["instance", "list"]).await;
    assert!(sent.refused(1).contains(&format!("sends elsewhere, to {target}/")), "{sent:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let clear = shell("http://0.0.0.0:1").run(&["instance", "list"]).await;
    assert!(clear.refused(6).contains("the token travels in clear"), "{clear:?}");
    let login = ["login", "--server", "http://0.0.0.0:1", "--username", "ann"];
    let clear = Shell::new().run_with_input(&login, "password").await;
    assert!(clear.refused(6).contains("the token travels in clear"), "{clear:?}");
}
