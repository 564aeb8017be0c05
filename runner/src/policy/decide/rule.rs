//! Rules on the host.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::coverage::{self, Reach};
use super::super::host::{forbidden, rules};
use super::super::whose::{Object, Whose, another_runs};
use super::{Decision, mark};
use crate::change::{Change, NamespaceRef, Rule, TABLE_MAIN};
use crate::grant::{Capability, Facts};
use crate::kernel::{Denial, Error};

impl Decision<'_> {
    pub(super) fn add_rule(
        &mut self,
        namespace: NamespaceRef,
        mut rule: Rule,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, namespace) = self.place(namespace)?;
        if !own {
            self.needs_rule(&namespace, &rule, shown)?;
            self.policy.floor_of_a_rule(&namespace, &rule, self.kernel)?;
            rule.protocol = mark(rule.protocol)?;
        }
        Ok(Change::AddRule { namespace, rule })
    }

    pub(super) fn remove_rule(
        &mut self,
        namespace: NamespaceRef,
        mut rule: Rule,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, namespace) = self.place(namespace)?;
        if !own {
            // Whoever may add none has none; and the kernel's answer tells of the machine's own.
            self.policy.may_add_rules(shown)?;
            let all = rules(&namespace, rule.family, self.kernel)?;
            let is_ours = |there: &Rule| {
                let object = Object::Rule { place: &namespace, rule: there };
                self.policy.whose(object, self.kernel) == Whose::Ours
            };
            let told = |there: &Rule| rule.options.iter().all(|one| there.options.contains(one));
            let mut meant = all.iter().filter(|there| coverage::is_meant(&rule, there));
            if let Some(own) = meant.find(|there| told(there) && is_ours(there)) {
                rule = own.clone();
            }
            // So that the kernel finds no rule of others'. It takes the first that fits.
            rule.protocol = mark(rule.protocol)?;
            let first = all.iter().find(|there| coverage::is_meant(&rule, there));
            if let Some(there) = first.filter(|there| !is_ours(there)) {
                let others = another_runs("removing a rule", &there.to_string());
                return Err(self.discreet(others, Capability::HostRouteAdd, shown));
            }
            let kept = self.policy.floor_of_a_lost_rule(&namespace, &rule, self.kernel);
            kept.map_err(|error| self.discreet(error, Capability::HostRouteAdd, shown))?;
        }
        Ok(Change::RemoveRule { namespace, rule })
    }

    /// Needs the right to all that a rule is for: by where it goes to, or by where it comes from.
    fn needs_rule(
        &mut self,
        namespace: &NamespaceRef,
        rule: &Rule,
        shown: &str,
    ) -> Result<(), Error> {
        if rule.options.iter().any(|option| option.name == "l3mdev") {
            let why = "it looks into the tables of all VRFs; name the table";
            return Err(forbidden("a rule with `l3mdev`", shown, why));
        }
        let table = coverage::table_of(rule).filter(|table| *table != TABLE_MAIN);
        let facts = |network: &IpNet| Facts { cidr: Some(*network), table, ..Facts::default() };
        let add = Capability::HostRouteAdd;
        let reach = Reach::of_rule(rule);
        let granted = |networks: &[IpNet]| {
            !networks.is_empty()
                && networks.iter().all(|network| self.policy.would_have(add, facts(network)))
        };
        // What comes from somewhere goes anywhere: only where the destinations are not granted.
        let everything = [coverage::everything(rule.family)];
        let by_source = !granted(&reach.destinations)
            && (granted(&reach.sources) || reach.destinations == everything);
        let (by, beside) = match by_source {
            true => (&reach.sources, &reach.destinations),
            false => (&reach.destinations, &reach.sources),
        };
        for network in by {
            let need = self.policy.need(add, facts(network), &shown);
            need.map_err(|error| of_the_rest(error, rule))?;
        }
        for network in beside {
            self.policy.not_denied(add, facts(network), &shown)?;
        }
        if by_source {
            let needs = self.needs_senders(namespace, &reach.sources, shown);
            needs.map_err(|error| self.discreet(error, add, shown))?;
        }
        Ok(())
    }

    /// All that an address of this machine sends is its link's: whoever redirects it alters the
    /// link, unless the run made one of the two.
    fn needs_senders(
        &mut self,
        namespace: &NamespaceRef,
        sources: &[IpNet],
        shown: &str,
    ) -> Result<(), Error> {
        let sends = |address: IpAddr| sources.iter().any(|network| network.contains(&address));
        for (link, whose) in self.held(namespace, sends)? {
            match whose {
                Whose::Ours => {}
                Whose::AnotherRuns => return Err(another_runs("redirecting an address", shown)),
                Whose::Others => drop(self.alters(link, shown)?),
            }
        }
        Ok(())
    }
}

/// A denial of a rule that is for all but what it names, which no single grant would lift.
fn of_the_rest(error: Error, rule: &Rule) -> Error {
    match error {
        Error::Denied(denial) if rule.inverted => Error::Denied(Denial {
            hint: "`not` makes it a rule for all the rest; write one without `not` for what is \
                   granted"
                .to_owned(),
            ..denial
        }),
        other => other,
    }
}
