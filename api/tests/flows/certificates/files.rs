//! Certificates from files: stored for all gateways, replaced and deleted with their files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ocim::certificates::files::Files;
use ocim::certificates::pem;

use super::World;
use crate::app::settings;

fn write(dir: &Path, file: &str, names: &[&str]) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let path = dir.join(file);
    fs::write(&path, format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn files_are_delivered_replaced_and_deleted() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let files = Files::new(world.db.clone(), settings::keyring(), dir.path().to_owned());
    write(dir.path(), "wildcard.pem", &["*.example.org", "example.org"]);
    write(dir.path(), "other.pem", &["example.net"]);
    files.sweep().await.unwrap();
    files.sweep().await.unwrap();
    let first = world.delivery(&[]).await;
    assert_eq!(first.all.values().copied().collect::<Vec<_>>(), [1, 1], "unchanged files are not stored again");
    for served in &first.changed {
        pem::check_key(&served.chain, &served.key).unwrap();
    }
    write(dir.path(), "other.pem", &["example.net"]);
    fs::remove_file(dir.path().join("wildcard.pem")).unwrap();
    fs::write(dir.path().join("broken.pem"), "nothing").unwrap();
    files.sweep().await.unwrap();
    let second = world.delivery(&[]).await;
    let [served] = second.changed.as_slice() else { panic!("{second:?}") };
    assert_eq!((served.names.as_slice(), served.revision), (["example.net".to_owned()].as_slice(), 2));
    pem::check_key(&served.chain, &served.key).unwrap();
    assert_eq!(world.number("SELECT count(*) AS n FROM secrets").await, 1, "keys of deleted files are left");
    assert_eq!(files.refused().len(), 1);
    drop(dir);
    files.sweep().await.unwrap();
    assert_eq!(world.delivery(&[]).await.all, second.all, "a directory that is away changes nothing");
    world.end();
}
