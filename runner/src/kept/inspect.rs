//! `netwright inspect`: what a lab holds, or what a deployment made on the host.

use std::collections::BTreeMap;

use super::Kept;
use super::deployment::Deployment;
use super::view::{Inspection, LinkView, NamespaceView, What, link_view, route_views, rule_views};
use crate::change::{Answer, Family, Name, NamespaceRef, Query};
use crate::exit::{Exit, Failure};
use crate::kernel::mark::Mark;
use crate::kernel::{Error, Kernel};
use crate::policy::{Object, Policy, Whose, whose};
use crate::report;
use crate::state::{Mentions, Settings};

/// Goes where it is and prints what is there, as text or as JSON.
pub fn inspect(name: &str, json: bool) -> Result<Exit, Failure> {
    let found = match Kept::open(name)? {
        Kept::Lab(inside) => {
            let what = What::Lab { lab: name.to_owned() };
            let kernel = inside.kernel()?;
            let settings = Mentions::of(&inside.into_origin().changes).settings().clone();
            Reader { kernel: &kernel, deployment: None, settings }.read(what)
        }
        Kept::Deployment(deployment) => {
            let changes = deployment.elsewhere();
            let what = What::Deployment { deployment: name.to_owned(), changes };
            let settings = Mentions::of(deployment.changes()).settings().clone();
            let kernel = deployment.kernel();
            Reader { kernel, deployment: Some(&deployment), settings }.read(what)
        }
    };
    let found = found.map_err(|error| {
        Failure::new(Exit::Broken, format!("can't read what is kept as `{name}`: {error}"))
    })?;
    let text = match json {
        true => {
            serde_json::to_string_pretty(&found)
                .map_err(|error| Failure::new(Exit::Broken, error.to_string()))?
                + "\n"
        }
        false => found.text(),
    };
    report::answer(json, &text)
}

struct Reader<'a> {
    kernel: &'a dyn Kernel,
    deployment: Option<&'a Deployment>,
    /// that its changes set
    settings: Settings,
}

impl Reader<'_> {
    /// All namespaces, the root first.
    fn read(&self, what: What) -> Result<Inspection, Error> {
        let mut names = vec![None];
        if let Answer::Names(found) = self.ask(Query::Namespaces)? {
            names.extend(
                found.into_iter().filter_map(|name| Name::of_namespace(&name).ok()).map(Some),
            );
        }
        let namespaces = names.into_iter().map(|name| self.view(name)).collect::<Result<_, _>>()?;
        Ok(Inspection { schema: 1, what, namespaces })
    }

    fn ask(&self, query: Query) -> Result<Answer, Error> {
        self.kernel.query(&Policy::Lab.permit_query(query)?)
    }

    fn view(&self, name: Option<Name>) -> Result<NamespaceView, Error> {
        let namespace = NamespaceRef::named(name.clone());
        let links = self.links(&namespace, &name)?;
        let mut routes = Vec::new();
        for family in [Family::Ipv4, Family::Ipv6] {
            let query = Query::Routes { namespace: namespace.clone(), family };
            if let Answer::Routes(found) = self.ask(query)? {
                routes.extend(found.iter().flat_map(route_views));
            }
        }
        if self.is_others(&namespace) {
            routes.retain(|route| links.iter().any(|link| route.link.as_ref() == Some(&link.name)));
        }
        let rules = self.rules(&namespace)?;
        let settings = self.settings(&namespace)?;
        let name = name.map(String::from).unwrap_or_default();
        Ok(NamespaceView { name, links, routes, rules, settings })
    }

    /// Those of others' namespaces are told with what was changed there.
    fn settings(&self, namespace: &NamespaceRef) -> Result<BTreeMap<String, String>, Error> {
        if self.is_others(namespace) {
            return Ok(BTreeMap::new());
        }
        let found = self.settings.read(self.kernel, namespace)?;
        // The kernel puts tabs between words.
        let words = |value: String| value.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(found.into_iter().map(|(key, value)| (key, words(value))).collect())
    }

    /// Of others' namespaces: those that the deployment put there.
    fn rules(&self, namespace: &NamespaceRef) -> Result<Vec<String>, Error> {
        let mut rules = Vec::new();
        for family in [Family::Ipv4, Family::Ipv6] {
            let query = Query::Rules { namespace: namespace.clone(), family };
            if let Answer::Rules(found) = self.ask(query)? {
                rules.extend(found);
            }
        }
        if let Some(deployment) = self.deployment.filter(|_| self.is_others(namespace)) {
            let mark = Mark::of_run(deployment.group());
            rules.retain(|rule| {
                let object = Object::Rule { place: namespace, rule };
                whose(object, mark, self.kernel) == Whose::Ours
            });
        }
        Ok(rule_views(&rules))
    }

    /// Of others' namespaces: those that the deployment made there.
    fn links(&self, namespace: &NamespaceRef, name: &Option<Name>) -> Result<Vec<LinkView>, Error> {
        let mut links = match self.ask(Query::Links { namespace: namespace.clone() })? {
            Answer::Links(links) => links,
            _ => Vec::new(),
        };
        if let Some(deployment) = self.deployment.filter(|_| self.is_others(namespace)) {
            links.retain(|link| link.group == deployment.group());
        }
        let addresses = Query::Addresses { namespace: namespace.clone(), family: None };
        let addresses = match self.ask(addresses)? {
            Answer::Addresses(addresses) => addresses,
            _ => Vec::new(),
        };
        let sending = match self.ask(Query::Qdiscs { namespace: namespace.clone() })? {
            Answer::Qdiscs(found) => found,
            _ => Vec::new(),
        };
        let vlans = match self.ask(Query::AllVlans { namespace: namespace.clone() })? {
            Answer::AllVlans(found) => found,
            _ => Vec::new(),
        };
        let mut views: Vec<LinkView> =
            links.into_iter().map(|info| link_view(info, name, &addresses)).collect();
        for view in &mut views {
            let own =
                sending.iter().find(|(link, qdisc)| *link == view.name && qdisc.handle.is_some());
            view.qdisc = own.map(|(_, qdisc)| qdisc.discipline.to_string());
            let own = vlans.iter().find(|(link, _)| *link == view.name);
            let own = own.map(|(_, vlans)| vlans.iter().map(ToString::to_string).collect());
            view.vlans = own.unwrap_or_default();
        }
        Ok(views)
    }

    fn is_others(&self, namespace: &NamespaceRef) -> bool {
        self.deployment.is_some_and(|deployment| !deployment.made(namespace))
    }
}
