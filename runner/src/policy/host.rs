//! The policy of a run on the machine's own network: what the operator granted, and the floor
//! that no grant lifts.

use std::net::IpAddr;

use super::operator::Connection;
use crate::change::{Answer, Family, Prefix, Route, Rule};
use crate::change::{LinkInfo, LinkRef, NamespaceRef, Query};
use crate::grant::{Capability, Facts, Grants, Key, Refusal, Request};
use crate::kernel::mark::Mark;
use crate::kernel::{Denial, Error, Kernel, SpaceSight, Told, kind};
use crate::policy::Reach;

/// What one step of a run may do on the host.
#[derive(Debug, Clone)]
pub struct HostPolicy {
    grants: Grants,
    pub(super) mark: Mark,
    /// what the operator works over
    pub(super) operator: Vec<Connection>,
    /// nothing is used up: what is asked for may be there already
    considers: bool,
}

impl HostPolicy {
    pub fn new(grants: Grants, mark: Mark, operator: Vec<Connection>) -> Self {
        Self { grants, mark, operator, considers: false }
    }

    /// The same run with other grants: each step has its own.
    #[must_use]
    pub fn with(&self, grants: Grants) -> Self {
        Self { grants, ..self.clone() }
    }

    /// The same before it is known what of it has to be done.
    #[must_use]
    pub(super) fn considering(&self) -> Self {
        Self { considers: true, ..self.clone() }
    }

    /// Refuses what isn't granted; what is counts as used.
    pub(super) fn need(
        &self,
        capability: Capability,
        facts: Facts,
        target: &dyn std::fmt::Display,
    ) -> Result<(), Error> {
        if self.considers {
            return self.still(capability, facts, target);
        }
        let request = Request::new(capability, facts);
        self.grants.permit(&request).map_err(|refusal| denied(&request, &refusal, target))
    }

    /// The same of what was charged when it was made: a rule has to allow what becomes of it.
    pub(super) fn still(
        &self,
        capability: Capability,
        facts: Facts,
        target: &dyn std::fmt::Display,
    ) -> Result<(), Error> {
        let request = Request::new(capability, facts);
        self.grants.covers(&request).map_err(|refusal| denied(&request, &refusal, target))
    }

    /// The same without using it up.
    pub(super) fn need_reading(&self, name: Option<&str>) -> Result<(), Error> {
        let facts = Facts { name: name.map(str::to_owned), ..Facts::default() };
        let request = Request::new(Capability::HostLinkRead, facts);
        self.grants.allows(&request).map_err(|refusal| {
            let target = name.map_or_else(
                || "all links".to_owned(),
                |name| format!("`{}`", name.escape_debug()),
            );
            Error::Denied(Denial {
                capability: Capability::HostLinkRead.to_string(),
                target: format!("{target}: {refusal}"),
                hint: refusal.hint(),
                told: None,
            })
        })
    }

    /// Whether anything at all may be read.
    pub(super) fn reads(&self) -> bool {
        self.grants.given_of(Capability::HostLinkRead).next().is_some()
    }

    /// Whether some grant is about the routes of a table, whichever they are.
    pub(super) fn has_table(&self, table: u32) -> bool {
        let written = table.to_string();
        [Capability::HostRouteAdd, Capability::HostRouteDefault]
            .into_iter()
            .any(|capability| self.grants.named(capability, Key::Table).contains(&written))
    }

    /// Whether a lab may be joined to a link in some way.
    pub(super) fn has_uplink(&self, link: &str) -> bool {
        self.grants.named(Capability::Uplink, Key::Link).iter().any(|known| known == link)
    }

    /// Taking back a rule uses nothing up, but is for those who may add some.
    pub(super) fn may_add_rules(&self, shown: &str) -> Result<(), Error> {
        if self.grants.given_of(Capability::HostRouteAdd).next().is_some() {
            return Ok(());
        }
        Err(Error::Denied(Denial {
            capability: Capability::HostRouteAdd.to_string(),
            target: format!("`{shown}`"),
            hint: "only rules that this run added can be removed, and it may add none".to_owned(),
            told: None,
        }))
    }

    /// Refuses what a `deny` speaks of: for what is granted by something else.
    pub(super) fn not_denied(
        &self,
        capability: Capability,
        facts: Facts,
        target: &dyn std::fmt::Display,
    ) -> Result<(), Error> {
        let request = Request::new(capability, facts);
        match self.grants.denies(&request) {
            Some(refusal) => Err(denied(&request, &refusal, target)),
            None => Ok(()),
        }
    }

    /// Whether something is granted, for a choice between two.
    pub(super) fn would_have(&self, capability: Capability, facts: Facts) -> bool {
        self.grants.would_allow(&Request::new(capability, facts))
    }

    pub(super) fn need_setting(&self, key: &str) -> Result<(), Error> {
        let facts = Facts { key: Some(key.to_owned()), ..Facts::default() };
        self.need(Capability::of_sysctl(key), facts, &key.escape_debug())
    }

    /// A namespace that the recipe may enter: the machine's own, those that the run made, and of
    /// others those that the operator named to this very step.
    pub(super) fn space(
        &self,
        namespace: &NamespaceRef,
        kernel: &dyn Kernel,
    ) -> Result<SpaceSight, Error> {
        let seen = kernel.see_space(namespace)?;
        match &seen.reference.name {
            Some(name) if !seen.own => self.may_enter(name.as_str())?,
            Some(_) | None => {}
        }
        Ok(seen)
    }

    pub(super) fn may_enter(&self, name: &str) -> Result<(), Error> {
        let mut facts = Facts::default();
        if let Some(container) = name.strip_prefix("docker:") {
            facts.docker = Some(container.to_owned());
        } else if let Some(process) = name.strip_prefix("pid:") {
            facts.pid = process.parse().ok();
        } else {
            facts.name = Some(name.to_owned());
        }
        let request = Request::new(Capability::HostNamespace, facts);
        self.grants.allows(&request).map_err(|refusal| {
            Error::Denied(Denial {
                capability: Capability::HostNamespace.to_string(),
                target: format!("`{name}`: {refusal}"),
                hint: refusal.hint(),
                told: None,
            })
        })
    }

    /// A recipe may probe from namespaces of its own, and from those that the operator named. From
    /// the machine's own it could speak to whatever trusts the machine.
    pub(super) fn may_probe(
        &self,
        namespace: &NamespaceRef,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let space = self.space(namespace, kernel)?;
        if space.own || space.reference.name.is_some() {
            return Ok(());
        }
        Err(forbidden(
            "a probe",
            "the machine's own namespace",
            "a recipe sends nothing from there; probe from a namespace that it made",
        ))
    }

    /// What a scenario's checks send and watch there, the operator names.
    pub(super) fn may_reach(&self, reach: &Reach) -> Result<(), Error> {
        let cidr = reach.to.map(ipnet::IpNet::from);
        let facts = Facts { cidr, link: reach.link.clone(), ..Facts::default() };
        let target = match (&reach.to, &reach.link) {
            (Some(station), Some(link)) => format!("a check that asks {station} by {link}"),
            (Some(station), None) => format!("a check that asks {station}"),
            (None, Some(link)) => format!("a check that watches {link}"),
            (None, None) => "a check".to_owned(),
        };
        self.need(Capability::HostProbe, facts, &target)
    }

    pub(super) fn may_tap(&self, link: &LinkRef, kernel: &dyn Kernel) -> Result<(), Error> {
        self.space(&link.namespace, kernel)?;
        let seen = kernel.see_link(link)?;
        if seen.own || seen.in_own_space {
            return Ok(());
        }
        let name = seen.reference.name.escape_debug().to_string();
        Err(forbidden("a tap", &name, "only links that this run made can be read and written"))
    }
}

/// A denial that a grant lifts.
pub(super) fn denied(
    request: &Request,
    refusal: &Refusal,
    target: &dyn std::fmt::Display,
) -> Error {
    Error::Denied(Denial {
        capability: request.capability.to_string(),
        target: format!("`{target}`: {refusal}"),
        hint: refusal.hint(),
        told: None,
    })
}

/// A denial that no grant lifts.
pub(super) fn forbidden(capability: &str, target: &str, why: &str) -> Error {
    Error::Denied(unliftable(capability, target, why))
}

/// The same where the reason is for the operator alone.
pub(super) fn forbidden_untold(capability: &str, target: &str, why: &str) -> Error {
    let denial = unliftable(capability, target, why);
    let told = Told {
        capability: denial.capability.clone(),
        target: denial.target.clone(),
        hint: "no grant allows this; the operator is shown why".to_owned(),
    };
    Error::Denied(Denial { told: Some(told), ..denial })
}

fn unliftable(capability: &str, target: &str, why: &str) -> Denial {
    Denial {
        capability: capability.to_owned(),
        target: format!("`{target}`"),
        hint: format!("no grant allows this: {why}"),
        told: None,
    }
}

pub(super) fn family(address: IpAddr) -> Family {
    Family::of(address)
}

/// `None` for the default route, however it is written.
pub(super) fn destination(route: &Route) -> Option<Prefix> {
    route.destination.filter(|prefix| prefix.length > 0)
}

/// The routes of a namespace.
pub(super) fn routes(
    namespace: &NamespaceRef,
    family: Family,
    kernel: &dyn Kernel,
) -> Result<Vec<Route>, Error> {
    let query = Query::Routes { namespace: namespace.clone(), family };
    match super::look(query, kernel)? {
        Answer::Routes(routes) => Ok(routes),
        _ => Ok(Vec::new()),
    }
}

/// A link whose ports' routes are in a table of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vrf {
    pub(super) name: String,
    pub(super) table: u32,
}

/// The VRFs of a namespace.
pub(super) fn vrfs(namespace: &NamespaceRef, kernel: &dyn Kernel) -> Result<Vec<Vrf>, Error> {
    Ok(vrfs_among(&links(namespace, kernel)?))
}

/// The VRFs among links.
pub(super) fn vrfs_among(links: &[LinkInfo]) -> Vec<Vrf> {
    let vrf = |link: &LinkInfo| {
        let table = kind::vrf_table_of(&link.kind, &link.data)?;
        Some(Vrf { name: link.name.clone(), table })
    };
    links.iter().filter_map(vrf).collect()
}

/// The links of a namespace.
pub(super) fn links(namespace: &NamespaceRef, kernel: &dyn Kernel) -> Result<Vec<LinkInfo>, Error> {
    match super::look(Query::Links { namespace: namespace.clone() }, kernel)? {
        Answer::Links(links) => Ok(links),
        _ => Ok(Vec::new()),
    }
}

/// The rules of a namespace, in the order in which the kernel asks them.
pub(super) fn rules(
    namespace: &NamespaceRef,
    family: Family,
    kernel: &dyn Kernel,
) -> Result<Vec<Rule>, Error> {
    let query = Query::Rules { namespace: namespace.clone(), family };
    match super::look(query, kernel)? {
        Answer::Rules(rules) => Ok(rules),
        _ => Ok(Vec::new()),
    }
}
