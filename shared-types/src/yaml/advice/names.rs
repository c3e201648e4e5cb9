//! Names that Ansible ignores, or takes for keywords or connection settings instead of variables.

/// Python's keywords: a template cannot refer to a variable with such a name.
const PYTHON: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Keywords of plays, roles, blocks and tasks, and Ansible's own variables of hosts.
const RESERVED: &[&str] = &[
    "action",
    "always",
    "any_errors_fatal",
    "args",
    "async",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "block",
    "changed_when",
    "check_mode",
    "collections",
    "connection",
    "debugger",
    "delay",
    "delegate_facts",
    "delegate_to",
    "diff",
    "environment",
    "fact_path",
    "failed_when",
    "force_handlers",
    "gather_facts",
    "gather_subset",
    "gather_timeout",
    "group_names",
    "groups",
    "handlers",
    "hosts",
    "hostvars",
    "ignore_errors",
    "ignore_unreachable",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "listen",
    "local_action",
    "loop",
    "loop_control",
    "max_fail_percentage",
    "module_defaults",
    "name",
    "no_log",
    "notify",
    "omit",
    "order",
    "play_hosts",
    "playbook_dir",
    "poll",
    "port",
    "post_tasks",
    "pre_tasks",
    "register",
    "remote_user",
    "rescue",
    "retries",
    "role_name",
    "role_names",
    "role_path",
    "roles",
    "run_once",
    "serial",
    "strategy",
    "tags",
    "tasks",
    "throttle",
    "timeout",
    "until",
    "vars",
    "vars_files",
    "vars_prompt",
    "when",
    "with_items",
];

/// The warning about a variable's name; none if the name is ordinary.
pub fn name_advice(name: &str) -> Option<String> {
    let is_identifier = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if !is_identifier {
        return Some(format!(
            "Ansible ignores the variable `{name}`: a name is made of the letters A to Z, digits and underscores, and does \
             not begin with a digit."
        ));
    }
    if PYTHON.contains(&name) {
        return Some(format!(
            "Ansible ignores the variable `{name}`: it is a word of Python, so no template can name it. Give it another name."
        ));
    }
    if name.starts_with("ansible_") {
        return Some(format!(
            "`{name}` is a setting of Ansible's own: it may change how machines are reached and how tasks run."
        ));
    }
    RESERVED.contains(&name).then(|| {
        format!(
            "`{name}` is a word of Ansible's own: the playbook may ignore the variable or run differently. Give it another \
             name."
        )
    })
}
