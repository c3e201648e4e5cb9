//! Stored settings, upgraded to this program's version from any earlier one.

use serde_json::{Map, Value};
use shared_types::settings::Schema;

use super::Manager;
use super::application::{Application, ApplicationError};
use super::previews::Previews;

/// For a type that this program does not have: none of its fields is known.
static NO_SCHEMA: Schema = Schema { fields: &[] };

impl Manager {
    /// The application of an instance type.
    ///
    /// # Errors
    /// [`ApplicationError`] when this program does not have the type.
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

    /// The schema of an instance type; one without fields if this program does not have the type.
    pub fn schema(&self, instance_type: &str) -> &'static Schema {
        self.known(instance_type).map_or(&NO_SCHEMA, |application| &application.kind().schema)
    }

    /// How pull requests become instances of this type.
    ///
    /// # Errors
    /// [`ApplicationError`] when this program does not have the type, or the type has no previews.
    pub fn previews(&self, instance_type: &str) -> Result<&'static Previews, ApplicationError> {
        let application = self.application(instance_type)?;
        application.previews().ok_or_else(|| {
            let label = application.kind().label;
            ApplicationError(format!("The application type {label} has no previews of pull requests."))
        })
    }

    /// The name of the git reference with the deployed code, by application type, as a JSON object. Types without such
    /// a reference are left out.
    pub fn code_references(&self) -> Value {
        let kinds = self.applications.iter().map(|application| application.kind());
        let named = kinds.filter_map(|kind| Some((kind.word.to_owned(), kind.code_reference?.into())));
        Value::Object(named.collect::<Map<_, _>>())
    }

    /// Stored settings, upgraded to this program's version, with their application. Secrets may be masked.
    ///
    /// # Errors
    /// [`ApplicationError`] when this program does not have the type, or the document is not of that version.
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
