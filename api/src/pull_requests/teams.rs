//! Teams at GitHub, whose members may log in to machines.

use async_trait::async_trait;

use super::github::{Github, GithubError};
use super::{WatchError, ask_github};
use crate::instances::access::team::{Member, Team, TeamError, Teams};
use crate::platform::db::Db;

/// The most members of a team that may log in.
const MEMBERS: usize = 200;
/// The most keys of a member that are used: the first ones.
const KEYS: usize = 20;

/// Reads teams at GitHub. Rate limits hold for all workers, and for the other requests to GitHub as well.
#[derive(Debug)]
pub struct GithubTeams {
    pub github: Github,
    pub db: Db,
}

#[async_trait]
impl Teams for GithubTeams {
    async fn members(&self, team: &Team) -> Result<Vec<Member>, TeamError> {
        let (organization, name) = (team.organization(), team.name());
        let answer = ask_github(&self.db, async || self.github.members_now(organization, name).await).await;
        let logins = match answer {
            Ok(logins) => logins,
            Err(WatchError::Github(error @ GithubError::NotFound(_))) => {
                return Err(TeamError::Gone(format!(
                    "{error}. Either there is no such team, or the credentials for GitHub may not read the organization."
                )));
            }
            Err(error) => return Err(TeamError::Unavailable(error.to_string())),
        };
        if logins.len() > MEMBERS {
            let words = format!("The team {team} has {} members; of {MEMBERS} at most, keys are read.", logins.len());
            return Err(TeamError::Unavailable(words));
        }
        let mut logins: Vec<&String> = logins.iter().collect();
        logins.sort_unstable();
        let mut members = Vec::new();
        for login in logins {
            let mut keys = match ask_github(&self.db, async || self.github.keys(organization, login).await).await {
                Ok(keys) => keys,
                // The account was deleted since the team was read.
                Err(WatchError::Github(GithubError::NotFound(_))) => continue,
                Err(error) => return Err(TeamError::Unavailable(error.to_string())),
            };
            keys.truncate(KEYS);
            members.push(Member { login: login.clone(), keys });
        }
        Ok(members)
    }
}
