//! What this machine can and can't do, each with its remedy. Asked by trying it, in a lab.

use std::path::Path;

use netwright_building::{REMEDY, TARGET, Toolchain};
use rustix::process::{Resource, geteuid, getrlimit};
use serde::Serialize;

use crate::change::{
    Attribute, Change, Feature, Ipvlan, Kind, LinkName, Macvlan, Name, NamespaceRef, Options,
    Query, Spec, Tuntap, Veth, Vlan, VlanProtocol,
};
use crate::exit::{Exit, Failure};
use crate::kernel::{Error, Kernel, Netlink};
use crate::policy::Policy;
use crate::{guest, lab, report};

/// Descriptors that a lab of a thousand namespaces takes.
const LARGE_LAB: u64 = 2300;

/// One thing that the machine can do, or why it can't.
#[derive(Debug, Serialize)]
struct Finding {
    about: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn good(about: impl Into<String>) -> Self {
        Self { about: about.into(), ok: true, reason: None, remedy: None }
    }

    fn bad(about: impl Into<String>, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (reason, remedy) = (Some(reason.into()), Some(remedy.into()));
        Self { about: about.into(), ok: false, reason, remedy }
    }

    fn line(&self) -> String {
        let mut line = format!("{} {}", if self.ok { "ok " } else { "no " }, self.about);
        if let Some(reason) = &self.reason {
            line += &format!(": {reason}");
        }
        if let Some(remedy) = &self.remedy {
            line += &format!("\n      help: {remedy}");
        }
        line
    }
}

/// Tries everything and tells; exit code 8 where not even a lab can be entered.
pub fn examine(json: bool) -> Result<Exit, Failure> {
    let mut findings = vec![open_files(), landlock(), character_devices(), guest_toolchain()];
    let entered = lab::enter();
    let exit = match &entered {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Lacking,
    };
    match entered {
        Ok(()) => {
            findings.insert(0, Finding::good("labs: private user, mount and network namespaces"));
            let mut kernel = Netlink::for_lab().map_err(|error| broken(error.to_string()))?;
            findings.extend(link_kinds(&mut kernel)?);
            findings.extend(features(&kernel)?);
        }
        Err(failure) => findings.insert(0, from_failure(&failure)),
    }
    let text = if json {
        format!("{:#}\n", serde_json::json!({ "schema": 1, "findings": findings }))
    } else {
        findings.iter().map(|finding| finding.line() + "\n").collect()
    };
    report::answer(json, &text)?;
    Ok(exit)
}

fn from_failure(failure: &Failure) -> Finding {
    let (reason, remedy) =
        failure.message.split_once("\n  help: ").unwrap_or((failure.message.as_str(), ""));
    Finding::bad("labs", reason, remedy)
}

fn open_files() -> Finding {
    let about = "open files: two for each namespace";
    match getrlimit(Resource::Nofile).maximum {
        Some(most) if most < LARGE_LAB => Finding::bad(
            about,
            format!("{most} are enough for {} namespaces", most.saturating_sub(256) / 2),
            "raise the hard limit, `ulimit -Hn`",
        ),
        Some(_) | None => Finding::good(about),
    }
}

fn landlock() -> Finding {
    let about = "recipes are kept from files twice: by Landlock, and by a filter of system calls";
    if guest::has_landlock() {
        return Finding::good(about);
    }
    Finding::bad(
        about,
        "the kernel has no Landlock, so that the filter does it alone",
        "a kernel from 5.13 on, with `landlock` among those of /sys/kernel/security/lsm",
    )
}

fn character_devices() -> Finding {
    let about = "frames through a macvtap";
    if geteuid().is_root() {
        return Finding::good(about);
    }
    Finding::bad(
        about,
        "its character device belongs to the machine's root",
        "run netwright as root; everything else works without",
    )
}

fn guest_toolchain() -> Finding {
    let about = "building recipes in Rust";
    match Toolchain::find(Path::new(".")) {
        Some(_) => Finding::good(about),
        None => Finding::bad(
            about,
            format!("no Rust here compiles for {TARGET}"),
            format!("{REMEDY}; running recipes needs none"),
        ),
    }
}

/// Makes one link of each kind, in a lab that goes afterwards.
fn link_kinds(kernel: &mut Netlink) -> Result<Vec<Finding>, Failure> {
    make(kernel, "p0", veth("p1"), None).map_err(|error| broken(error.to_string()))?;
    Ok(kinds()
        .into_iter()
        .enumerate()
        .map(|(place, (kind, has_parent))| {
            let about = format!("links of kind {}", kind.word());
            let parent = has_parent.then_some("p0");
            match make(kernel, &format!("link{place}"), kind, parent) {
                Ok(()) => Finding::good(about),
                Err(Error::Unsupported(reason)) => lacking(about, &reason),
                Err(error) => {
                    Finding::bad(about, error.to_string(), "recipes that don't use it run")
                }
            }
        })
        .collect())
}

fn broken(what: String) -> Failure {
    Failure::new(Exit::Broken, what)
}

fn lacking(about: String, reason: &str) -> Finding {
    let (reason, remedy) = reason.split_once("\n  help: ").unwrap_or((reason, NO_REMEDY));
    let reason = reason.split_once(": ").map_or(reason, |(_, reason)| reason);
    Finding::bad(about, reason, format!("{remedy}; recipes that don't use it run"))
}

/// Where the kernel layer names none.
const NO_REMEDY: &str = "load the module, or run a kernel that has it";

/// What is no kind of link, and may be missing all the same.
fn features(kernel: &Netlink) -> Result<Vec<Finding>, Failure> {
    let discipline = |kind: &str| {
        let about = format!("queueing discipline {kind}");
        (about, Feature::Discipline(kind.to_owned()))
    };
    let all = [
        discipline("netem"),
        discipline("tbf"),
        ("bridges that filter by VLAN".to_owned(), Feature::BridgeVlans),
    ];
    let ask = |(about, feature)| {
        let permitted = Policy::Lab.permit_query(Query::Offered(feature));
        match permitted.and_then(|query| kernel.query(&query)) {
            Ok(_) => Ok(Finding::good(about)),
            Err(Error::Unsupported(reason)) => Ok(lacking(about, &reason)),
            Err(error) => Err(broken(error.to_string())),
        }
    };
    all.into_iter().map(ask).collect()
}

fn make(kernel: &mut Netlink, name: &str, kind: Kind, parent: Option<&str>) -> Result<(), Error> {
    let name: Name = name.parse().map_err(Error::Invalid)?;
    let parent = parent.map(|name| LinkName { namespace: None, name: name.to_owned() });
    let spec = Spec { name, kind, parent, settings: Vec::new() };
    let change = Change::CreateLink { namespace: NamespaceRef::named(None), spec };
    // A macvlan and an ipvlan can't share a parent: each goes before the next comes.
    let applied = kernel.apply(&Policy::Lab.permit(change)?)?;
    if parent_is_shared(&applied.made) {
        return Ok(());
    }
    kernel.revert(&applied.undo)
}

/// The pair that the others stand on stays.
fn parent_is_shared(made: &crate::change::Made) -> bool {
    matches!(made, crate::change::Made::Link(link) if link.name == "p0")
}

fn veth(peer: &str) -> Kind {
    let peer = LinkName { namespace: None, name: peer.to_owned() };
    Kind::Veth(Veth { peer, peer_settings: Vec::new() })
}

/// Each kind, and whether it stands on a parent.
fn kinds() -> Vec<(Kind, bool)> {
    let option =
        |name: &str, value: &str| Attribute { name: name.to_owned(), value: value.to_owned() };
    let other = |kind: &str, options| Kind::Other(Options { kind: kind.to_owned(), options });
    let vlan = Vlan { id: 100, protocol: VlanProtocol::Dot1q, options: Vec::new() };
    let ipvlan = Ipvlan { mode: None, flag: None };
    vec![
        (veth("p2"), false),
        (Kind::Macvlan(Macvlan::default()), true),
        (Kind::Macvtap(Macvlan::default()), true),
        (Kind::Bridge(Vec::new()), false),
        (Kind::Vlan(vlan), true),
        (Kind::Vxlan(vec![option("id", "100"), option("dstport", "4789")]), false),
        (Kind::Dummy, false),
        (Kind::Ifb, false),
        (Kind::Ipvlan(ipvlan), true),
        (Kind::Ipvtap(ipvlan), true),
        (Kind::Tun(Tuntap::default()), false),
        (Kind::Tap(Tuntap::default()), false),
        (Kind::Vrf(100), false),
        (other("bond", Vec::new()), false),
        (other("geneve", vec![option("id", "100"), option("remote", "192.0.2.1")]), false),
        (other("gre", vec![option("remote", "192.0.2.1")]), false),
        (other("wireguard", Vec::new()), false),
    ]
}
