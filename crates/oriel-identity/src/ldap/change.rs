//! Changing a password.
//!
//! Whoever changes theirs proves first that they know the old one, by the same single try as for signing in,
//! so that states and refusals are the same. The change names the old one as well, so that the directory's
//! rules count: it is a change, never a reset. In Active Directory the service account makes it, since an
//! expired password lets nobody in to do so; everybody may change a password whose old one they know. In
//! OpenLDAP the person makes it, and the service account only for one that has expired.

use zeroize::Zeroizing;

use super::{
    Kind, LdapDirectory, Login, NotAsked, PasswordRefused, PersonId, Rule, Schema, active_directory as ad,
    connection::{Connection, said},
    directory::{Proof, evenly},
    dn,
    filter::Filter,
    message::{Change, Entry, Outcome, Policy, PolicyError, Scope, Search, code},
    open_ldap,
    servers::Purpose,
};
use crate::directory::Refused;

impl LdapDirectory {
    /// Gives somebody a new password, who knows the old one, even when that has expired.
    pub async fn change_password(
        &self,
        name: &Login,
        old: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<(), PasswordRefused> {
        // It would be no password, or one that RFC 3062 has the server make up.
        if new.is_empty() {
            return Err(PasswordRefused::Rules(vec![Rule::TooShort { least: None }]));
        }
        let proving = async {
            match self.prove(name, &old).await? {
                Proof::Right(proved) => Ok((proved.entry, proved.own, false)),
                Proof::Refused(Refused::MustChangePassword, Some(entry)) => Ok((entry, None, false)),
                Proof::Refused(Refused::PasswordExpired, Some(entry)) => Ok((entry, None, true)),
                Proof::Refused(refused, _) => Err(refused),
            }
        };
        let (entry, own, has_expired) = match evenly(proving).await {
            Err(Refused::MustChangePassword | Refused::PasswordExpired) => {
                return Err(PasswordRefused::NeedsServiceAccount);
            }
            proved => proved?,
        };
        match &self.settings.schema {
            Schema::ActiveDirectory => self.change_in_windows(&entry, own, &old, &new).await?,
            Schema::OpenLdap(_) => self.change_by_standard(&entry, has_expired, &old, &new).await?,
        }
        if let Some(person) = self.id_of(&entry) {
            self.forget(&person);
        }
        Ok(())
    }

    fn id_of(&self, entry: &Entry) -> Option<PersonId> {
        let found = match &self.settings.schema {
            Schema::ActiveDirectory => ad::found(&self.settings, Kind::Users, entry),
            Schema::OpenLdap(names) => open_ldap::found(&self.settings, names, Kind::Users, entry),
        };
        found.map(|found| PersonId(found.id))
    }

    /// [MS-ADTS] 3.1.1.3.1.5.1: the old value is deleted and the new one added, in one step.
    async fn change_in_windows(
        &self,
        entry: &Entry,
        own: Option<Connection>,
        old: &str,
        new: &str,
    ) -> Result<(), PasswordRefused> {
        let changes =
            &[Change::Delete("unicodePwd", ad::quoted(old)), Change::Add("unicodePwd", ad::quoted(new))];
        let dn = entry.dn.as_str();
        let outcome = match own {
            Some(mut connection) => {
                let changing = connection.modify(dn, changes);
                let changed = tokio::time::timeout(self.settings.answer_timeout, changing).await;
                let outcome =
                    changed.map_err(|_| Refused::Unavailable("it does not answer any more".to_owned()))?;
                outcome.map_err(|broken| Refused::Unavailable(broken.to_string()))?
            }
            None => {
                let changing = self.servers.ask(Purpose::Service, |mut connection| async move {
                    let outcome = connection.modify(dn, changes).await?;
                    Ok((outcome, Some(connection)))
                });
                changing.await.map_err(Refused::from)?
            }
        };
        if outcome.code == code::SUCCESS {
            return Ok(());
        }
        Err(match ad::change_refused(&outcome) {
            ad::ChangeRefused::WrongPassword => PasswordRefused::NotThem(Refused::WrongPassword),
            ad::ChangeRefused::Forbidden => PasswordRefused::Forbidden,
            ad::ChangeRefused::Rules => PasswordRefused::Rules(self.rules_of_domain(entry, new).await),
            ad::ChangeRefused::Unknown => unknown(&outcome),
        })
    }

    /// Which rules may have refused it; none if they cannot be read.
    async fn rules_of_domain(&self, entry: &Entry, new: &str) -> Vec<Rule> {
        let root = dn::of_domain(&self.settings.domain);
        let filter = Filter::Present("objectClass".to_owned());
        let search =
            Search { base: &root, scope: Scope::Base, filter, attributes: ad::POLICY.to_vec(), limit: 1 };
        let found = self.look(&search).await.map(|found| found.entries).unwrap_or_default();
        let account = entry.text("sAMAccountName").unwrap_or_default();
        found.first().map(|policy| ad::broken_rules(policy, &account, new)).unwrap_or_default()
    }

    /// RFC 3062.
    async fn change_by_standard(
        &self,
        entry: &Entry,
        has_expired: bool,
        old: &str,
        new: &str,
    ) -> Result<(), PasswordRefused> {
        let dn = entry.dn.as_str();
        let purpose = if has_expired { Purpose::Service } else { Purpose::Proof };
        let changing = self.servers.ask(purpose, |mut connection| async move {
            if purpose == Purpose::Proof {
                let (outcome, policy) = connection.bind(dn, old).await?;
                if outcome.code != code::SUCCESS {
                    return Ok(((outcome, policy), None));
                }
            }
            let changed = connection.change_password(dn, old, new).await?;
            Ok((changed, None))
        });
        let (outcome, policy) = changing.await.map_err(|reason| match reason {
            NotAsked::NoServiceAccount => PasswordRefused::NeedsServiceAccount,
            other => PasswordRefused::NotThem(other.into()),
        })?;
        if outcome.code == code::SUCCESS { Ok(()) } else { Err(refused(&outcome, &policy)) }
    }
}

fn refused(outcome: &Outcome, policy: &Policy) -> PasswordRefused {
    if let Some(rule) = open_ldap::broken_rule(policy) {
        return PasswordRefused::Rules(vec![rule]);
    }
    match (outcome.code, policy.error) {
        (code::INVALID_CREDENTIALS, _) => PasswordRefused::NotThem(Refused::WrongPassword),
        // That the old password is right is known: who asks may not look at it, or not replace it.
        (_, Some(PolicyError::ModNotAllowed)) | (code::INSUFFICIENT_ACCESS | code::UNWILLING, _) => {
            PasswordRefused::Forbidden
        }
        (code::CONSTRAINT_VIOLATION, _) => PasswordRefused::Rules(Vec::new()),
        _ => unknown(outcome),
    }
}

fn unknown(outcome: &Outcome) -> PasswordRefused {
    PasswordRefused::NotThem(Refused::Unavailable(said(outcome, "changing a password")))
}
