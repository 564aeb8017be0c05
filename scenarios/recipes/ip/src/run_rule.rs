//! Carries out `ip rule`.

use netwright_sdk::Result;
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::rules::{Rule, add, list_all, remove};

use crate::output::print;
use crate::rule::{RuleCommand, RuleFilter};
use crate::show_route::rule_line;

pub(crate) fn run_rule(namespace: &Namespace, command: &RuleCommand) -> Result<()> {
    match command {
        RuleCommand::Add(rule) => Ok(add(namespace, rule)?),
        RuleCommand::Remove(filter) => {
            // The kernel takes away the first rule that has all that is said, the contract only
            // a whole one.
            let all = list_all(namespace, filter.rule.family)?;
            let found = all.iter().find(|rule| passes(filter, rule));
            Ok(remove(namespace, found.unwrap_or(&filter.rule))?)
        }
        RuleCommand::Show(filter) => {
            let all = list_all(namespace, filter.rule.family)?;
            let lines: Vec<String> =
                all.iter().filter(|rule| passes(filter, rule)).map(rule_line).collect();
            print(&lines.concat());
            Ok(())
        }
        RuleCommand::Flush(filter) => {
            for rule in list_all(namespace, filter.rule.family)? {
                if rule.priority.unwrap_or(0) != 0 && passes(filter, &rule) {
                    remove(namespace, &rule)?;
                }
            }
            Ok(())
        }
    }
}

/// Whether a rule has all that the filter says.
fn passes(filter: &RuleFilter, rule: &Rule) -> bool {
    let wanted = &filter.rule;
    let says = |wanted: bool, same: bool| !wanted || same;
    says(filter.action, wanted.action == rule.action)
        && says(wanted.inverted, rule.inverted)
        && says(
            wanted.priority.is_some(),
            wanted.priority.unwrap_or(0) == rule.priority.unwrap_or(0),
        )
        && says(wanted.from.is_some(), wanted.from == rule.from)
        && says(wanted.to.is_some(), wanted.to == rule.to)
        && says(wanted.incoming_link.is_some(), wanted.incoming_link == rule.incoming_link)
        && says(wanted.outgoing_link.is_some(), wanted.outgoing_link == rule.outgoing_link)
        && says(wanted.type_of_service.is_some(), wanted.type_of_service == rule.type_of_service)
        && says(wanted.mark.is_some(), wanted.mark == rule.mark)
        && says(wanted.protocol.is_some(), wanted.protocol == rule.protocol)
        && wanted.options.iter().all(|option| rule.options.contains(option))
}
