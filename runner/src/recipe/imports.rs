//! What a recipe imports, held against what it asks for.

use super::Recipe;
use super::manifest::{HOST_API, host_api_has};
use crate::grant::Capability;
use crate::text::escape;

/// Our own interfaces.
const OURS: &str = "netwright:host/";
/// Interfaces outside our own that a recipe may import.
const WASI: [&str; 5] =
    ["wasi:cli/", "wasi:io/", "wasi:clocks/", "wasi:random/", "wasi:filesystem/"];

/// The interfaces of the contract with which a capability can be used.
fn interfaces(capability: Capability) -> &'static [&'static str] {
    match capability {
        Capability::HostLinkRead => &[
            "links",
            "addresses",
            "routes",
            "rules",
            "neighbours",
            "fdb",
            "sysctls",
            "probes",
            "captures",
            "qdisc",
            "vlans",
            "batch",
        ],
        Capability::HostLinkCreate | Capability::HostLinkMove => &["links", "batch"],
        Capability::HostLinkModify => &["links", "fdb", "qdisc", "vlans", "batch"],
        Capability::HostAddressAdd => &["addresses", "neighbours", "batch"],
        Capability::HostRouteAdd | Capability::HostRouteDefault => &["routes", "rules", "batch"],
        Capability::HostNamespace => &["namespaces", "batch"],
        Capability::HostForwarding | Capability::HostSysctl => &["sysctls", "batch"],
        Capability::Uplink | Capability::UplinkPassthru => &["links", "taps", "batch"],
        Capability::Artifacts => &["report"],
        // For the checks of scenarios, which are no recipe's.
        Capability::HostProbe => &[],
        Capability::Exec => &["exec"],
    }
}

/// The interfaces that need no capability.
const FREE: [&str; 7] = ["types", "log", "report", "params", "clock", "notation", "guest"];

impl Recipe {
    /// The interfaces of the contract that it imports, by their bare names.
    fn of_the_contract(&self) -> Vec<&str> {
        let bare = |import: &'_ String| -> Option<(usize, usize)> {
            let rest = import.strip_prefix(OURS)?;
            Some((OURS.len(), OURS.len() + rest.find('@').unwrap_or(rest.len())))
        };
        self.imports
            .iter()
            .filter_map(|import| bare(import).and_then(|(from, to)| import.get(from..to)))
            .collect()
    }

    /// What it asks for and can't use, and what it could use and doesn't ask for.
    pub(super) fn mismatches(&self) -> Vec<String> {
        let imported = self.of_the_contract();
        let mut found = self.useless_requests();
        let asks = |interface: &str| {
            let uses = |capability: Capability| interfaces(capability).contains(&interface);
            self.asks().iter().any(|asked| uses(asked.capability()))
        };
        for interface in imported.iter().filter(|name| !FREE.contains(name)) {
            if !asks(interface) {
                found.push(format!(
                    "imports `{interface}`, but asks for nothing that it needs on the host target"
                ));
            }
        }
        found
    }

    /// What it asks for and can't use.
    pub(super) fn useless_requests(&self) -> Vec<String> {
        let imported = self.of_the_contract();
        let uses = |capability: Capability| {
            interfaces(capability).iter().any(|interface| imported.contains(interface))
        };
        let mut found: Vec<String> = Vec::new();
        for asked in self.asks() {
            let capability = asked.capability();
            if !uses(capability) {
                found.push(match interfaces(capability) {
                    [] => {
                        format!("asks for `{capability}`, which no interface of the contract uses")
                    }
                    some => {
                        format!("asks for `{capability}`, but imports none of {}", some.join(", "))
                    }
                });
            }
        }
        found
    }

    pub(super) fn refuse_foreign_imports(&self) -> Result<(), String> {
        let allowed = |import: &&String| {
            import.starts_with(OURS) || WASI.iter().any(|prefix| import.starts_with(prefix))
        };
        match self.imports.iter().find(|import| !allowed(import)) {
            None => Ok(()),
            Some(import) => Err(format!(
                "recipe `{}` imports `{}`, which no recipe gets\n  help: recipes may import `netwright:host` and, of WASI, cli, io, clocks, random and filesystem (without any files)",
                self.source,
                escape(import)
            )),
        }
    }

    /// The contract that it was made for must be one that this program offers.
    pub(super) fn refuse_other_contracts(&self) -> Result<(), String> {
        let versions = self.imports.iter().chain(&self.exports).filter_map(|name| {
            name.strip_prefix(OURS).map(|rest| rest.split_once('@').map_or("", |(_, at)| at))
        });
        let said = self.manifest.iter().map(|manifest| manifest.api.as_str());
        let Some(other) = versions.chain(said).find(|version| !host_api_has(version)) else {
            return Ok(());
        };
        let other = if other.is_empty() { "none" } else { other };
        Err(format!(
            "recipe `{}` is made for host API {}; this program has {HOST_API}\n  help: build the recipe with the SDK of {HOST_API}, or run it with the netwright that it was made for",
            self.source,
            escape(other)
        ))
    }

    /// Whether it imports one of these interfaces of the contract.
    pub fn imports_any(&self, interfaces: &[&str]) -> bool {
        self.of_the_contract().iter().any(|name| interfaces.contains(name))
    }

    /// Whether it exports what a run calls.
    pub fn is_guest(&self) -> bool {
        let guest =
            |name: &String| name.strip_prefix(OURS).is_some_and(|rest| rest.starts_with("guest@"));
        self.exports.iter().any(guest)
    }

    pub fn imports_wasi(&self) -> bool {
        self.imports.iter().any(|import| import.starts_with("wasi:"))
    }
}
