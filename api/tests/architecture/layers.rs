//! The layers of the house. ARCHITECTURE.md draws them.

/// The rooms, the lowest layer first. A room may name rooms of lower layers and itself; the deepest room that holds a module
/// is the module's. Strictly lower, so that no two rooms can name each other.
const LAYERS: &[&[&str]] = &[
    // Asks a server over its API and knows nothing else of it.
    &["client"],
    &["config"],
    // What every program has.
    &["platform", "platform::children", "platform::command", "platform::origin", "platform::trouble"],
    &["platform::guard", "platform::files"],
    &["platform::db"],
    &["platform::jobs", "platform::vault", "platform::outbox"],
    &[
        "platform::logs",
        "platform::events",
        "platform::audit",
        "platform::answers",
        "platform::mail",
        "platform::metrics",
    ],
    &["platform::users"],
    // What runs for others.
    &["git"],
    &["ansible"],
    // What an instance needs outside.
    &["machines", "routing"],
    // Instances, whatever they run: their tables, the port to what they run, and the verbs.
    &["instances::store", "instances::builds::lease"],
    &["instances"],
    &["instances::settings", "instances::health"],
    &["instances::builds"],
    &["instances::traffic", "instances::upkeep"],
    // What they run.
    &["applications"],
    &["pull_requests"],
    &["worker"],
    &["system"],
    &["app"],
    &["http"],
    &["start"],
];

fn rooms() -> impl Iterator<Item = &'static str> {
    LAYERS.iter().flat_map(|layer| layer.iter().copied())
}

/// The deepest room that holds a module or an item of it.
pub(super) fn room(path: &[String]) -> Option<&'static str> {
    let holds = |room: &&str| room.split("::").enumerate().all(|(n, name)| path.get(n).is_some_and(|own| own == name));
    rooms().filter(holds).max_by_key(|room| room.split("::").count())
}

/// How high a room is; the lowest is 0.
pub(super) fn layer(room: &str) -> usize {
    LAYERS.iter().position(|layer| layer.contains(&room)).unwrap()
}

#[test]
fn every_room_is_in_one_layer() {
    for room in rooms() {
        assert_eq!(rooms().filter(|other| *other == room).count(), 1, "{room}");
    }
}

#[test]
fn a_module_is_in_the_deepest_room() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(room(&path("platform::db::embedded::account")), Some("platform::db"));
    assert_eq!(room(&path("instances::Manager")), Some("instances"));
    assert_eq!(room(&path("nowhere")), None);
}
