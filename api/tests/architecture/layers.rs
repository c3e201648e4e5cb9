//! The layers of the code, as drawn in ARCHITECTURE.md.

/// The rooms, lowest layer first. A room may use rooms of lower layers and itself; a module belongs to the deepest room
/// that contains it. Layers are strict, so that no two rooms can use each other.
const LAYERS: &[&[&str]] = &[
    // Uses a server over its API, and no code of it.
    &["client"],
    &["config"],
    // Used by every process.
    &["platform", "platform::children", "platform::command", "platform::origin", "platform::trouble"],
    &["platform::guard", "platform::files"],
    &["platform::sandbox"],
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
    &["platform::users", "platform::peers"],
    // Runs of external programs.
    &["git"],
    &["ansible"],
    // Machines, traffic, databases, names and certificates of an instance.
    &["machines", "routing", "resources", "dns", "certificates"],
    // Copies of what is at servers of resources.
    &["backups"],
    // Instances of any type: their tables, the port to applications, and the operations.
    &["instances::store", "instances::builds::lease"],
    &["instances"],
    &["instances::settings", "instances::health", "instances::resources", "instances::names"],
    &["instances::builds"],
    &["instances::traffic", "instances::upkeep"],
    &["instances::backups"],
    // The application types.
    &["applications"],
    &["pull_requests"],
    &["worker", "gateway"],
    &["system"],
    &["app"],
    &["http"],
    &["start"],
];

fn rooms() -> impl Iterator<Item = &'static str> {
    LAYERS.iter().flat_map(|layer| layer.iter().copied())
}

/// The deepest room that contains this module or item.
pub(super) fn room(path: &[String]) -> Option<&'static str> {
    let holds = |room: &&str| room.split("::").enumerate().all(|(n, name)| path.get(n).is_some_and(|own| own == name));
    rooms().filter(holds).max_by_key(|room| room.split("::").count())
}

/// The index of a room's layer; 0 is the lowest.
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
