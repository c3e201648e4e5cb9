//! The image that machines are made of: the base tree of the local machines, imported into the engine once. Never pulled
//! from a registry.
//!
//! Its name has the base tree's, which is a hash of all that decides what is in it, and the day. So a new version of this
//! program, or a base tree that is made again, gives a new image; containers keep the one that they were made of.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::{Body, Method};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio_util::io::ReaderStream;

use super::engine::{Ask, Engine};
use super::error::ContainersError;
use crate::machines::providers::local::base_tree::{self, Form};
use crate::platform::children;

/// The beginning of every image's name. `localhost/` belongs to no registry.
const PREFIX: &str = "localhost/ocim-machine-";
/// Time for another process that imports.
const LOCK_LIMIT: Duration = Duration::from_secs(1800);
const DAY: Duration = Duration::from_secs(86_400);

/// Where images come from.
#[derive(Debug, Clone)]
pub(super) struct Images {
    /// The operator's image; none: the base tree's.
    pub(super) own: Option<String>,
    /// Holds the base trees.
    pub(super) cache_dir: PathBuf,
    /// After how many days the base tree is made again.
    pub(super) days: u32,
    /// Held while an image is made, or a base tree is made again.
    making: Arc<Mutex<()>>,
    renewing: Arc<Mutex<()>>,
}

impl Images {
    pub(super) fn new(own: Option<String>, cache_dir: PathBuf, days: u32) -> Self {
        Self { own, cache_dir, days, making: Arc::default(), renewing: Arc::default() }
    }

    /// The name of the image for a new machine; it is made first where the engine does not have it. `progress` gets a line
    /// for each step, for the operator.
    ///
    /// # Errors
    /// [`ContainersError::Settings`] if the engine does not have the operator's image; [`ContainersError::Image`] with why it
    /// could not be made; the engine's error.
    pub(super) async fn ensure(
        &self,
        engine: &Engine,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<String, ContainersError> {
        if let Some(own) = &self.own {
            return match is_there(engine, own).await? {
                true => Ok(own.clone()),
                false => Err(ContainersError::Settings(format!(
                    "OCIM_CONTAINERS_IMAGE names {own}, which the engine at {} does not have, and ocim pulls no images: load it \
                     (podman load, podman build, podman pull), or unset the setting",
                    engine.socket().display()
                ))),
            };
        }
        let form = Form::here();
        let newest = base_tree::newest(&self.cache_dir, form);
        if let Some(tree) = &newest {
            self.renew_if_old(tree, form);
            let name = name(tree);
            if is_there(engine, &name).await? {
                return Ok(name);
            }
        }
        let _making = self.making.lock().await;
        let tree = base_tree::ensure_in(&self.cache_dir, form, progress).await.map_err(image_error)?;
        let lock = self.cache_dir.join("image.lock");
        let held = children::lock(&lock, LOCK_LIMIT).await;
        let held = held.map_err(|error| ContainersError::Image(format!("{}: {error}", lock.display())))?;
        let _held =
            held.ok_or_else(|| ContainersError::Image("another process imports the image for too long".into()))?;
        let name = name(&tree);
        if !is_there(engine, &name).await? {
            progress("importing the image of the containers");
            import(engine, &tree, form, &name).await?;
            remove_others(engine, &name).await;
        }
        Ok(name)
    }

    /// Makes the base tree again in the background, if it is old. The next machine gets the new one.
    fn renew_if_old(&self, tree: &Path, form: Form) {
        let made = std::fs::metadata(tree).and_then(|found| found.modified()).ok();
        let age = made.and_then(|made| SystemTime::now().duration_since(made).ok());
        if age.is_none_or(|age| age <= DAY * self.days) {
            return;
        }
        let Ok(held) = Arc::clone(&self.renewing).try_lock_owned() else { return };
        let this = self.clone();
        tokio::spawn(async move {
            let _held = held;
            let progress = |step: &str| tracing::info!("base tree: {step}");
            if let Err(error) = base_tree::renew_in(&this.cache_dir, form, DAY * this.days, &progress).await {
                tracing::warn!(%error, days = this.days, "the base tree is old, and no new one could be made");
            }
        });
    }
}

fn image_error(error: impl std::fmt::Display) -> ContainersError {
    ContainersError::Image(error.to_string())
}

/// The image of a base tree: `localhost/ocim-machine-e055ff66afb4-20261129`.
fn name(tree: &Path) -> String {
    let stem = tree.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.strip_prefix("base-").unwrap_or(&stem);
    format!("{PREFIX}{}:latest", stem.strip_suffix(".tar").unwrap_or(stem))
}

async fn is_there(engine: &Engine, image: &str) -> Result<bool, ContainersError> {
    let what = format!("Look for image {image}");
    // Segment by segment: the slashes of a name stay in the path.
    let path = ["images"].into_iter().chain(image.split('/')).chain(["json"]);
    match engine.read::<Value>(Ask::new(Method::GET, &what, path)).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_missing() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Has the engine make an image of a base tree.
pub(super) async fn import(engine: &Engine, tree: &Path, form: Form, image: &str) -> Result<(), ContainersError> {
    let what = format!("Import image {image}");
    let (body, packer) = match form {
        Form::Archive => {
            let file = tokio::fs::File::open(tree).await.map_err(image_error)?;
            (Body::wrap_stream(ReaderStream::new(file)), None)
        }
        Form::Directory => {
            let (body, packer) = pack(tree)?;
            (body, Some(packer))
        }
    };
    let repository = image.strip_suffix(":latest").unwrap_or(image);
    let ask = Ask::new(Method::POST, &what, ["images", "create"]).query("fromSrc", "-").query("repo", repository);
    engine.send(ask.tar(body), engine.pace.import).await?;
    if let Some(mut packer) = packer {
        let status = packer.wait().await.map_err(image_error)?;
        if !status.success() {
            // It is in the engine by now, but not whole.
            remove(engine, image).await;
            return Err(ContainersError::Image(format!("{}: tar: {status}", tree.display())));
        }
    }
    // Docker answers 200 and says in the body that it failed.
    if is_there(engine, image).await? {
        Ok(())
    } else {
        Err(ContainersError::NotDone(format!("{what}: the engine took it, and does not have it")))
    }
}

/// The tree as an archive, and the process that makes it.
fn pack(tree: &Path) -> Result<(Body, Child), ContainersError> {
    let mut command = Command::new("tar");
    command.arg("-C").arg(tree).args(["--numeric-owner", "-c", "."]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut packer = command.spawn().map_err(|error| image_error(format!("tar: {error}")))?;
    let output = packer.stdout.take().ok_or_else(|| image_error("tar has no output"))?;
    Ok((Body::wrap_stream(ReaderStream::new(output)), packer))
}

/// Removes the images of earlier base trees. The engine refuses to remove one that a container was made of.
async fn remove_others(engine: &Engine, kept: &str) {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Image {
        #[serde(default)]
        repo_tags: Option<Vec<String>>,
    }
    let listed: Result<Vec<Image>, _> = engine.read(Ask::new(Method::GET, "List images", ["images", "json"])).await;
    let tags = listed.unwrap_or_default().into_iter().flat_map(|image| image.repo_tags.unwrap_or_default());
    for tag in tags.filter(|tag| tag.starts_with(PREFIX) && tag != kept) {
        remove(engine, &tag).await;
    }
}

async fn remove(engine: &Engine, image: &str) {
    let what = format!("Remove image {image}");
    let path = ["images"].into_iter().chain(image.split('/'));
    match engine.act(Ask::new(Method::DELETE, &what, path)).await {
        Ok(()) => tracing::info!(image, "an old image of the containers is removed"),
        Err(error) => tracing::debug!(%error, "an old image of the containers stays"),
    }
}
