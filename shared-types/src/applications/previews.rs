//! What the description of a pull request may choose, for server and browser alike.

/// Variables of a description that fill settings, too.
#[derive(Debug)]
pub struct PreviewChoices {
    /// The repository with the playbooks.
    pub playbooks_repository: Choice,
    /// The branch or tag of the playbooks.
    pub playbooks_version: Choice,
    /// An example of variables: YAML lines, each with an LF at its end.
    pub example: &'static str,
}

/// A variable and the setting that it fills.
#[derive(Debug)]
pub struct Choice {
    /// The name of the variable.
    pub variable: &'static str,
    /// The name of the setting.
    pub setting: &'static str,
}
