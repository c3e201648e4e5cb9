use super::*;
use shared_types::{LogEntryId, LogLevel};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn entry(number: i64, text: &str) -> LogEntry {
    LogEntry {
        id: LogEntryId(number),
        seq: Some(number),
        created: DateTime::default(),
        level: LogLevel::Info,
        text: text.into(),
        task: None,
        instance_id: None,
        app_server_id: None,
        server_id: None,
    }
}

fn draw(store: &Store, range: Range<usize>) -> Vec<Row> {
    store.draw(range, &Look::default())
}

fn texts(store: &Store, range: Range<usize>) -> Vec<Option<String>> {
    draw(store, range).into_iter().map(|row| row.text.map(|text| text.to_string())).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn a_numbered_log_has_room_for_what_is_not_here() {
    let mut store = Store::dense();
    store.grow(1_200);
    store.put(vec![entry(1_199, "a"), entry(1_200, "b")]);
    assert_eq!((store.rows(), store.last_number()), (1_200, 1_200));
    assert_eq!(texts(&store, 1_197..1_200), [None, Some("a".into()), Some("b".into())]);
    assert_eq!(store.missing(1_198..1_200), None);
    assert_eq!(store.missing(1_190..1_200), Some(1_000), "the page's beginning");
    store.put((1_001..=1_100).map(|number| entry(number, "x")).collect());
    assert_eq!(store.missing(1_150..1_200), Some(1_100), "what is here is not fetched again");
}

#[test]
fn an_entry_takes_a_row_a_line() {
    let mut store = Store::dense();
    store.put(vec![entry(1, "a"), entry(2, "b\nc\nd\n"), entry(3, "e")]);
    assert_eq!(store.rows(), 5);
    assert_eq!([0, 1, 2].map(|slot| store.row_of(slot)), [0, 1, 4]);
    let heads: Vec<bool> = draw(&store, 0..5).iter().map(|row| row.head.is_some()).collect();
    assert_eq!(heads, [true, true, false, false, true]);
    assert_eq!(texts(&store, 2..4), some(&["c", "d"]));
}

#[test]
fn a_listed_log_has_room_for_its_numbers_and_grows_at_its_end() {
    let mut store = Store::listed(vec![7, 70, 90]);
    store.put(vec![entry(70, "b"), entry(90, "c"), entry(95, "d")]);
    store.put(vec![entry(90, "c"), entry(80, "of another level")]);
    assert_eq!(texts(&store, 0..9), [None, Some("b".into()), Some("c".into()), Some("d".into())]);
    assert_eq!((store.len(), store.last_number()), (4, 95));
    assert_eq!(store.missing(0..4), Some(0));
    assert_eq!([1, 70, 71, 99].map(|number| store.slot_near(number)), [0, 1, 2, 3]);
    assert_eq!([0, 1, 4].map(|slot| store.number_before(slot)), [0, 7, 95]);
}

#[test]
fn what_is_far_away_is_forgotten_and_keeps_its_place() {
    let mut store = Store::dense();
    store.grow(20_000);
    for page in 0..40 {
        let numbers = page * 500 + 1..=page * 500 + 500;
        store.put(numbers.map(|number| entry(number, if number == 3 { "x\ny" } else { "z" })).collect());
        store.forget_far(usize::try_from(page * 500).unwrap_or(0));
        assert!(store.entries.len() <= KEPT + PAGE, "{}", store.entries.len());
    }
    assert_eq!((store.rows(), store.row_of(10)), (20_001, 11), "the entry of two lines is gone and still has two rows");
    assert_eq!(texts(&store, 0..4), [None, None, None, None]);
    assert_eq!(store.missing(0..40), Some(0), "and is fetched again");
    assert_eq!(store.missing(19_970..20_001), None);
}

#[test]
fn long_texts_are_forgotten_sooner_and_never_those_in_sight() {
    let mut store = Store::dense();
    let long = "x".repeat(100_000);
    store.put((1..=1_000).map(|number| entry(number, &long)).collect());
    store.forget_far(500);
    assert_eq!(store.first_missing(450..550), None);
    assert!(store.entries.len() < 300, "{}", store.entries.len());
    assert_eq!(store.bytes, store.entries.len() * long.len());
}

#[test]
fn all_lines_of_an_entry_look_as_it_does() {
    let mut store = Store::dense();
    store.put(vec![entry(1, "a"), entry(2, "b\nc")]);
    let look = Look { named: Some(1), current: Some(2), sought: "b".into() };
    let seen: Vec<_> = store.draw(0..3, &look).into_iter().map(|row| (row.is_named, row.is_current)).collect();
    assert_eq!(seen, [(true, false), (false, true), (false, true)]);
}

#[test]
fn nothing_is_drawn_of_nothing() {
    for store in [Store::dense(), Store::listed(Vec::new())] {
        assert_eq!(draw(&store, 0..0), []);
        assert_eq!(draw(&store, 0..5), []);
        assert_eq!(store.missing(0..0), None);
        assert_eq!((store.rows(), store.last_number(), store.slot_near(7)), (0, 0, 0));
    }
}
