//! Uplinks: a lab is joined to networks that the machine is on, by a process that stays outside.
//!
//! It has the operator's grants from its start, decides by them itself, and makes nothing but
//! children of the links that they name, each born in the namespace that comes with the request.

mod stand_in;

use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::setsid;
use rustix::thread::{CapabilitySet, capabilities};

use crate::change::{LinkRef, Made, Name, NamespaceRef, Spec};
use crate::exit::{Exit, Failure};
use crate::grant::{Capability, Grants, Key, Rule};
use crate::kernel::mark::Mark;
use crate::kernel::uplink::{Uplinks, Wish, receive, send};
use crate::kernel::{Claimed, Error, Kernel, Netlink};
use crate::policy::{Connection, HostPolicy, Policy};
use crate::process;
use crate::rights::keep_only_for_good;

/// Before the rules of a rehearsal, which is joined to stand-ins.
const REHEARSAL: &str = "rehearsal";

/// Starts the process where the operator grants an uplink. Before the lab is entered.
pub(crate) fn start(grants: &Grants) -> Result<Option<Uplinks>, Failure> {
    start_as(&[], grants)
}

/// The same for a rehearsal, which makes nothing on the machine's links.
pub(crate) fn rehearse(grants: &Grants) -> Result<Option<Uplinks>, Failure> {
    start_as(&[REHEARSAL], grants)
}

fn start_as(how: &[&str], grants: &Grants) -> Result<Option<Uplinks>, Failure> {
    let names = grants.named(Capability::Uplink, Key::Link);
    if names.is_empty() {
        return Ok(None);
    }
    let failed =
        |error: std::io::Error| process::not_started("the process that makes uplinks", &error);
    let rights = capabilities(None).map_err(|errno| failed(errno.into()))?;
    if !rights.effective.contains(CapabilitySet::NET_ADMIN) {
        return Err(Failure::new(
            Exit::Lacking,
            format!(
                "an uplink on `{}` needs CAP_NET_ADMIN\n  help: run it as root",
                names.join("`, `")
            ),
        ));
    }
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|errno| failed(errno.into()))?;
    process::itself("__uplink")
        .args(how)
        .args(told(grants))
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    Ok(Some(Uplinks::new(names, ours)))
}

/// How the process is told what the operator gives of uplinks, and what is forbidden of them.
fn told(grants: &Grants) -> Vec<String> {
    let about = [Capability::Uplink, Capability::UplinkPassthru];
    let given = about.iter().flat_map(|capability| grants.given_of(*capability));
    let denied = grants.denied().filter(|rule| about.contains(&rule.capability()));
    let denied = denied.map(|rule| format!("{DENIED}{rule}"));
    given.map(Rule::to_string).chain(denied).collect()
}

/// Before a rule that forbids; no capability begins so.
const DENIED: &str = "!";

/// The same read again. A rule that can't be read may forbid something: it ends the process.
fn heard(rules: &[String]) -> Result<Grants, Failure> {
    let (mut given, mut denied) = (Vec::new(), Vec::new());
    for text in rules {
        let (rules, rule) = match text.strip_prefix(DENIED) {
            Some(text) => (&mut denied, Rule::deny(text, "the machine's policy")),
            None => (&mut given, Rule::grant(text, "the run")),
        };
        rules.push(rule.map_err(|_| Failure::usage(format!("no rule: `{text}`")))?);
    }
    Ok(Grants::given(given, denied))
}

/// What `netwright __uplink [rehearsal] RULE…` does, until its standard input is closed.
pub fn serve(rules: &[String]) -> Result<Exit, Failure> {
    // A terminal's signals are for the run, which needs this process while it cleans up.
    let _ = setsid();
    let lacking = |error: std::io::Error| Failure::new(Exit::Lacking, error.to_string());
    let (rehearses, rules) = match rules.split_first() {
        Some((first, rest)) if first == REHEARSAL => (true, rest),
        Some(_) | None => (false, rules),
    };
    let grants = heard(rules)?;
    let mark = Mark::new().map_err(lacking)?;
    if rehearses {
        let names = grants.named(Capability::Uplink, Key::Link);
        stand_in::leave(&names, mark).map_err(|error| {
            Failure::new(Exit::Lacking, format!("no stand-ins for uplinks: {error}"))
        })?;
    }
    let operator = Connection::of_operator();
    let policy = HostPolicy::new(grants, mark, operator);
    let policy = Policy::Host(policy.into());
    let mut kernel = Netlink::for_host(mark).map_err(lacking)?;
    // It makes links, and enters the namespaces that they are for.
    keep_only_for_good(CapabilitySet::NET_ADMIN | CapabilitySet::SYS_ADMIN)
        .map_err(|errno| lacking(errno.into()))?;
    let socket = std::io::stdin();
    loop {
        let (request, namespace) =
            receive(socket.as_fd()).map_err(|errno| lacking(errno.into()))?;
        if request.is_empty() {
            return Ok(Exit::Done);
        }
        let answer = answer(&request, namespace.as_ref(), &policy, &mut kernel);
        let text = serde_json::to_vec(&answer).unwrap_or_default();
        send(socket.as_fd(), &text, None).map_err(|errno| lacking(errno.into()))?;
    }
}

fn answer(
    request: &[u8],
    namespace: Option<&OwnedFd>,
    policy: &Policy,
    kernel: &mut Netlink,
) -> Result<u32, Error> {
    let wish = serde_json::from_slice(request);
    match (wish.map_err(|error| Error::Invalid(error.to_string()))?, namespace) {
        (Wish::Create(spec), Some(namespace)) => create(spec, namespace, policy, kernel),
        (Wish::Create(_), None) => Err(Error::Invalid("no namespace came with it".to_owned())),
        (Wish::Claim { link, claimed }, _) => policy.may_claim(&link, &claimed, kernel).map(|()| 0),
        (Wish::Index { link }, _) => {
            policy.may_claim(&link, &Claimed::default(), kernel)?;
            let link = LinkRef { namespace: NamespaceRef::named(None), name: link, index: None };
            Ok(kernel.see_link(&link)?.reference.index.unwrap_or_default())
        }
    }
}

fn create(
    spec: Spec,
    namespace: &OwnedFd,
    policy: &Policy,
    kernel: &mut Netlink,
) -> Result<u32, Error> {
    let invalid = |error: String| Error::Invalid(error);
    let name: Name = format!("lab{}", kernel.namespaces().len()).parse().map_err(invalid)?;
    let known = kernel.attach_lab(name.clone(), namespace);
    let name = match known.map_err(|error| invalid(error.to_string()))? {
        None => Some(name),
        Some(Some(known)) => Some(known),
        Some(None) => return Err(invalid("the lab is the machine's own network".to_owned())),
    };
    let change = policy.permit_uplink(NamespaceRef::named(name), spec, kernel)?;
    match kernel.apply(&change)?.made {
        Made::Link(link) => Ok(link.index.unwrap_or_default()),
        Made::Nothing | Made::Namespace(_) => Err(invalid("no link was made".to_owned())),
    }
}
