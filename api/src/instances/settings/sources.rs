//! Whether the playbooks of an instance come from allowed repositories. Settings that name another one are refused when
//! they are saved, unless they named it before; what they have built keeps serving.

use serde_json::Value;
use shared_types::{FieldError, FieldWarning};

use super::opened::nameable;
use crate::git::sources::NotAllowed;
use crate::instances::application::{Application, ApplicationError, Playbook, PlaybookRepository};
use crate::instances::{Manager, Refusal};

/// A repository that settings name, and that playbooks may not come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedSource {
    /// The setting, as a JSON pointer.
    pub pointer: String,
    /// URL or absolute path, without a password.
    pub repository: String,
    /// Why, and what to do.
    pub detail: String,
}

impl RefusedSource {
    /// As advice about the setting.
    pub fn warning(&self) -> FieldWarning {
        let detail = format!("No app server can be launched. {}", self.detail);
        FieldWarning { pointer: self.pointer.clone(), line: None, detail }
    }
}

/// The repositories of these settings that playbooks may not come from.
///
/// # Errors
/// [`ApplicationError`] if the settings cannot be used.
pub fn refused(
    manager: &Manager,
    application: &dyn Application,
    settings: &Value,
) -> Result<Vec<RefusedSource>, ApplicationError> {
    let named = application.playbook_repositories(settings)?;
    let refused = |PlaybookRepository { pointer, repository }: PlaybookRepository| {
        let NotAllowed(detail) = manager.options.sources.allows(&repository).err()?;
        Some(RefusedSource { pointer, repository: nameable(&repository), detail })
    };
    Ok(named.into_iter().filter_map(refused).collect())
}

/// Passes settings on whose playbooks come from allowed repositories, or from those of `current`.
///
/// # Errors
/// One entry for each setting that names another repository.
pub(super) fn checked(
    manager: &Manager,
    application: &dyn Application,
    current: Option<&Value>,
    settings: Value,
) -> Result<Value, Vec<FieldError>> {
    let whole = |ApplicationError(detail)| vec![FieldError { pointer: String::new(), detail }];
    let mut errors = refused(manager, application, &settings).map_err(whole)?;
    // Settings that cannot be read name nothing.
    let known =
        current.map(|current| application.playbook_repositories(current).unwrap_or_default()).unwrap_or_default();
    errors.retain(|one| known.iter().all(|known| nameable(&known.repository) != one.repository));
    if errors.is_empty() {
        return Ok(settings);
    }
    Err(errors.into_iter().map(|RefusedSource { pointer, detail, .. }| FieldError { pointer, detail }).collect())
}

/// Refuses a launch with playbooks of a repository that is not allowed.
pub(in crate::instances) fn check_launch(manager: &Manager, playbooks: &[Playbook]) -> Result<(), Refusal> {
    for playbook in playbooks {
        let allowed = manager.options.sources.allows(&playbook.source_repo);
        allowed.map_err(|NotAllowed(why)| Refusal::Conflict(format!("No app server can be launched. {why}")))?;
    }
    Ok(())
}
