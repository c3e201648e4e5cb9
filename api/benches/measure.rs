//! Measurements: processor time, memory, percentiles, and the time of the database alone.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::poll_fn;
use tokio_postgres::{AsyncMessage, Client, NoTls};

/// The percentile `part` (0 to 1) of the samples.
pub fn percentile(samples: &[Duration], part: f64) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let at = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len()) - 1;
    sorted[at]
}

/// Milliseconds, with fractions.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Processor time of this process without its children. Linux counts it in steps of 10 ms.
pub fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Peak resident memory of this process, in MB.
pub fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
}

/// A connection outside the program's pool.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The first column of a query's one row.
pub async fn number(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.unwrap().get(0)
}

/// Measures `count` times from before a NOTIFY until another connection has received it.
pub async fn notifications(url: &str, count: usize) -> Vec<Duration> {
    let (listener, mut connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if matches!(message, AsyncMessage::Notification(_)) {
                let _ = sender.send(Instant::now());
            }
        }
    });
    listener.batch_execute("LISTEN bench").await.unwrap();
    let client = connect(url).await;
    let mut taken = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        client.batch_execute("NOTIFY bench").await.unwrap();
        taken.push(heard.recv().await.unwrap() - began);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    taken
}
