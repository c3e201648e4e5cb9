//! The import of the image.

use super::engine::{Engine, Fault, PACE};
use crate::machines::providers::containers::engine::Engine as Client;
use crate::machines::providers::containers::error::ContainersError;
use crate::machines::providers::containers::image::import;
use crate::machines::providers::local::base_tree::Form;

const NAME: &str = "localhost/ocim-machine-abc-20261129:latest";

#[tokio::test]
async fn a_base_tree_is_imported_in_either_form() {
    let engine = Engine::start().await;
    let client = Client::connect(&engine.socket(), PACE).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("motd"), "the content of a file").unwrap();
    import(&client, dir.path(), Form::Directory, NAME).await.unwrap();
    let imported = String::from_utf8_lossy(&std::mem::take(&mut engine.world().imported)).into_owned();
    assert!(imported.contains("./motd") && imported.contains("the content of a file"));
    assert!(engine.world().images.contains(&NAME.to_owned()));

    import(&client, &dir.path().join("motd"), Form::Archive, NAME).await.unwrap();
    let imported = String::from_utf8_lossy(&engine.world().imported).into_owned();
    assert!(imported.contains("the content of a file") && !imported.contains("motd"), "{imported:?}");
}

#[tokio::test]
async fn a_part_of_a_base_tree_is_no_image() {
    let engine = Engine::start().await;
    let client = Client::connect(&engine.socket(), PACE).await.unwrap();
    let gone = std::path::Path::new("/nowhere/base");
    let failed = import(&client, gone, Form::Directory, NAME).await;
    assert!(
        matches!(&failed, Err(ContainersError::Image(words)) if words.contains("/nowhere/base: tar:")),
        "{failed:?}"
    );
    assert!(!engine.world().images.contains(&NAME.to_owned()), "what was imported is removed");

    // As Docker answers an import that failed.
    engine.fail("POST /images/create", [Fault::Garbage(r#"{"error": "no space left on device"}"#)]);
    let dir = tempfile::tempdir().unwrap();
    let failed = import(&client, dir.path(), Form::Directory, NAME).await;
    assert!(matches!(failed, Err(ContainersError::NotDone(_))), "{failed:?}");
}
