//! Writing logs: several writers number lines without a gap, long lines are stored, and readers are notified.

use ocim::platform::logs::{self, About, Line, MAX_TEXT};
use shared_types::{AppServerId, InstanceId, ServerId};

use crate::app::{Stream, TestApp};

const WRITERS: usize = 8;
const BATCHES: usize = 200;

#[tokio::test]
async fn concurrent_writers_number_log_entries_without_a_gap() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let before = app.number("SELECT last_seq AS n FROM log_counters").await;
    let (instance, id) = (InstanceId(instance), AppServerId(id));
    let write = async |writer: usize| {
        for batch in 0..BATCHES {
            let about = match batch % 2 {
                0 => About::AppServer(instance, id),
                _ => About::Server(instance, id, ServerId(1)),
            };
            let lines: Vec<Line> = (0..=batch % 3).map(|line| Line::info(format!("{writer} {batch} {line}"))).collect();
            logs::append(&mut *app.conn().await, about, &lines).await.unwrap();
        }
    };
    futures::future::join_all((0..WRITERS).map(write)).await;
    let mut conn = app.conn().await;
    let about = About::AppServer(instance, id);
    let query = logs::Query { after: Some(before), limit: i64::MAX, ..Default::default() };
    let entries = logs::page(&mut conn, about, &query).await.unwrap();
    let lines_a_writer: usize = (0..BATCHES).map(|batch| batch % 3 + 1).sum();
    assert_eq!(entries.len(), WRITERS * lines_a_writer);
    let mut expected = before;
    let mut reached = [(0, 0); WRITERS];
    for (entry, next) in entries.iter().zip(entries.iter().skip(1).map(Some).chain([None])) {
        expected += 1;
        assert_eq!(entry.seq, Some(expected));
        let numbers: Vec<usize> = entry.text.split(' ').map(|word| word.parse().unwrap()).collect();
        let [writer, batch, line] = numbers[..] else { panic!("{entry:?}") };
        assert_eq!(reached[writer], (batch, line), "each writer's lines are in their order");
        let is_last = line == batch % 3;
        reached[writer] = if is_last { (batch + 1, 0) } else { (batch, line + 1) };
        let follows = format!("{writer} {batch} {}", line + 1);
        assert!(is_last || next.unwrap().text == follows, "a batch is together");
        assert_eq!(entry.server_id.is_some(), batch % 2 == 1);
    }
    let ids: Vec<i64> = entries.iter().map(|entry| entry.id.0).collect();
    assert!(ids.is_sorted(), "ids grow with the numbers");
    drop(conn);
    app.end().await;
}

#[tokio::test]
async fn only_log_lines_over_the_limit_are_cut() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let mut stream = Stream::open(&app.viewer().await, &format!("/api/v1/app-servers/{id}/logs/stream"), Some(1)).await;
    // The limit falls inside the last character, which has two bytes.
    let longer = format!("{}é and more", "y".repeat(MAX_TEXT - 1));
    let texts =
        ["before".to_owned(), "x".repeat(MAX_TEXT), longer, "a null \0 character".to_owned(), "after".to_owned()];
    let lines: Vec<Line> = texts.iter().map(Line::info).collect();
    let about = About::AppServer(InstanceId(instance), AppServerId(id));
    logs::append(&mut *app.conn().await, about, &lines).await.unwrap();
    let mut read = Vec::new();
    for seq in 2..=6 {
        let message = stream.next_of("entry").await;
        assert_eq!(message.id, Some(seq));
        read.push(message.data["text"].as_str().unwrap().to_owned());
    }
    assert_eq!((&read[0], &read[4]), (&texts[0], &texts[4]));
    assert!(read[1] == texts[1], "a line of the limit's length is whole");
    assert_eq!(read[2], format!("{} … (11 bytes cut off)", "y".repeat(MAX_TEXT - 1)));
    assert_eq!(read[3], "a null \u{fffd} character");
    app.end().await;
}

#[tokio::test]
async fn many_megabytes_of_log_are_stored_as_one_batch_in_order() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = AppServerId(app.launched(instance).await);
    let lines: Vec<Line> = (0..40).map(|n| Line::info(format!("{n} {}", "z".repeat(MAX_TEXT - 10)))).collect();
    let about = About::AppServer(InstanceId(instance), id);
    let mut conn = app.conn().await;
    logs::append(&mut conn, about, &lines).await.unwrap();
    let query = logs::Query { after: Some(1), limit: 100, ..Default::default() };
    let entries = logs::page(&mut conn, about, &query).await.unwrap();
    let numbers: Vec<i32> =
        entries.iter().map(|entry| entry.text.split(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (0..40).collect::<Vec<i32>>());
    drop(conn);
    app.end().await;
}

#[tokio::test]
async fn appending_to_an_unknown_log_fails() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let unknown = About::AppServer(InstanceId(instance), AppServerId(99));
    let refused = logs::append(&mut *app.conn().await, unknown, &[Line::info("lost")]).await;
    assert!(refused.is_err());
    let own = About::Instance(InstanceId(instance));
    logs::append(&mut *app.conn().await, own, &[Line::info("kept"), Line::info("kept too")]).await.unwrap();
    assert_eq!(app.number("SELECT count(*) AS n FROM log_entries WHERE text LIKE 'kept%' AND seq IS NULL").await, 2);
    app.end().await;
}
