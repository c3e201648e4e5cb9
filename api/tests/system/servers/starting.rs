//! A second server that cannot share the database with the first is refused at its start.

use std::time::{Duration, Instant};

use super::{Pair, command};
use crate::app::own_address;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_gateway_of_its_own_beside_others_is_refused() {
    let pair = Pair::start(|_| {}).await;
    let (dir, machines) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut third = command(&pair.database.url(), &own_address(), dir.path(), machines.path());
    third.env("OCIM_GATEWAY_AGENTS", "false").env("OCIM_GATEWAY_LISTEN", own_address());
    let began = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(60), third.status()).await.expect("it ends").unwrap();
    println!("refused after {:?}", began.elapsed());
    assert!(!ended.success());
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(
        log.contains("this server would run a gateway of its own") && log.contains("OCIM_GATEWAY_AGENTS=true"),
        "{log}"
    );
    assert_eq!(pair.number("SELECT count(*) AS n FROM server_processes").await, 2);
    pair.end().await;
}
