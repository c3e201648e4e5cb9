//! The roles that groups give.

use shared_types::Role;
use shared_types::sign_in::Provider;

/// Pairs of a group and the role it gives.
#[derive(Debug, Clone, Default)]
pub(super) struct Roles(Vec<(String, Role)>);

impl Roles {
    /// Parses lines of the form `group=role`.
    pub(super) fn parse(lines: &[String]) -> Result<Self, String> {
        let parse = |line: &String| {
            // A group's name may contain an equals sign (a directory's DN does); a role does not.
            let (group, role) = line.rsplit_once('=').unwrap_or((line, ""));
            let (group, role) = (group.trim(), role.trim());
            match Role::ALL.iter().find(|known| known.as_str() == role) {
                Some(role) if !group.is_empty() => Ok((group.to_owned(), *role)),
                Some(_) | None => Err(format!(
                    "OCIM_SIGN_IN_ROLES holds «{line}»; each must read group=role, with the role viewer, operator or admin"
                )),
            }
        };
        lines.iter().filter(|line| !line.trim().is_empty()).map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The role that a group gives, by its name.
    pub(super) fn of(&self, provider: Provider, group: &str) -> Option<Role> {
        let is_same = |one: &str, other: &str| match provider {
            Provider::Oidc => one == other,
            // GitHub compares names of organizations and teams without regard to case.
            Provider::Github => one.eq_ignore_ascii_case(other),
        };
        let given = self.0.iter().filter(|(known, _)| is_same(group, known));
        given.map(|(_, role)| *role).max()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_highest_role_wins() {
        let lines = ["staff=viewer", "cn=ops,dc=x = operator", "Acme/root=admin", ""].map(str::to_owned);
        let roles = Roles::parse(&lines).unwrap();
        let of = |provider, groups: &[&str]| groups.iter().filter_map(|group| roles.of(provider, group)).max();
        assert_eq!(of(Provider::Oidc, &["cn=ops,dc=x", "staff", "other"]), Some(Role::Operator));
        assert_eq!(of(Provider::Github, &["acme/ROOT"]), Some(Role::Admin));
        assert_eq!(of(Provider::Oidc, &["acme/root"]), None);
        assert_eq!(of(Provider::Oidc, &[]), None);
        for wrong in ["staff", "staff=king", "=admin", "staff=Admin"] {
            assert!(Roles::parse(&[wrong.to_owned()]).unwrap_err().contains(wrong));
        }
    }
}
