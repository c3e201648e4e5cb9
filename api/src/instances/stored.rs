//! Stored settings as this version of the program writes them, whatever version wrote them.

use serde_json::Value;
use shared_types::settings::Schema;

use super::Manager;
use super::application::{Application, ApplicationError};

/// The schema of a type that this program does not have: nothing is known of its fields.
static NO_SCHEMA: Schema = Schema { fields: &[] };

impl Manager {
    /// The application of an instance type.
    ///
    /// # Errors
    /// When this program does not have the type.
    pub fn application(&self, instance_type: &str) -> Result<&dyn Application, ApplicationError> {
        self.known(instance_type).ok_or_else(|| {
            ApplicationError(format!(
                "This program has no application type `{instance_type}`: its instances can be read and archived, not launched \
                 or changed. Start a version of the program that has the type."
            ))
        })
    }

    /// The application of an instance type, if this program has it.
    pub fn known(&self, instance_type: &str) -> Option<&dyn Application> {
        self.applications.iter().find(|app| app.kind().word == instance_type).map(AsRef::as_ref)
    }

    /// The schema of an instance type; one without fields where this program does not have the type.
    pub fn schema(&self, instance_type: &str) -> &'static Schema {
        self.known(instance_type).map_or(&NO_SCHEMA, |application| &application.kind().schema)
    }

    /// Stored settings as this version of the program writes them, with their application. Secrets may be hidden.
    ///
    /// # Errors
    /// When this program does not have the type, or the document is not one of that version.
    pub fn current(
        &self,
        instance_type: &str,
        version: i32,
        stored: Value,
    ) -> Result<(&dyn Application, Value), ApplicationError> {
        let application = self.application(instance_type)?;
        if version > application.version() {
            return Err(ApplicationError(format!(
                "The settings were written by a later version of this program (document version {version}; this one reads up to \
                 {}). Start that version.",
                application.version()
            )));
        }
        if version == application.version() {
            return Ok((application, stored));
        }
        Ok((application, application.upgrade(version, stored)?))
    }
}
