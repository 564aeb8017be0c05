//! What a rehearsal is joined to instead of the machine's network: links of the same names, kinds and
//! MTUs in a namespace of nobody's, so that its children are as they would be, and nothing of the
//! machine's is touched.

use crate::change::{
    Answer, Change, Kind, LinkInfo, LinkName, NamespaceRef, Query, Setting, Spec, Veth,
};
use crate::kernel::mark::Mark;
use crate::kernel::{Error, Kernel as _, Netlink, explain_io, netns};
use crate::policy::Policy;

/// Leaves the machine's network, for good, for one with stand-ins for those of its links that are named.
/// A link that isn't there has none: what needs it fails as it would.
pub(super) fn leave(names: &[String], mark: Mark) -> Result<(), Error> {
    let unreachable = |error: std::io::Error| explain_io(&error, &"open a netlink socket");
    let machine = Netlink::for_host(mark).map_err(unreachable)?;
    let query = Query::Links { namespace: NamespaceRef::named(None) };
    let Answer::Links(mut links) = machine.query(&Policy::Lab.permit_query(query)?)? else {
        return Ok(());
    };
    links.retain(|link| names.contains(&link.name));
    netns::unshare_network().map_err(|error| explain_io(&error, &"a namespace of nobody's"))?;
    let mut nowhere = Netlink::for_host(mark).map_err(unreachable)?;
    for (number, link) in links.iter().enumerate() {
        let spec = spec(number, link).map_err(Error::Invalid)?;
        let create = Change::CreateLink { namespace: NamespaceRef::named(None), spec };
        nowhere.apply(&Policy::Lab.permit(create)?)?;
    }
    Ok(())
}

/// A bridge for a bridge, for a lab may be given ports of it; else an Ethernet link with carrier.
fn spec(number: usize, link: &LinkInfo) -> Result<Spec, String> {
    let kind = if link.kind == "bridge" {
        Kind::Bridge(Vec::new())
    } else {
        let peer = LinkName { namespace: None, name: format!("far{number}") };
        Kind::Veth(Veth { peer, peer_settings: vec![Setting::Up(true)] })
    };
    let settings = vec![Setting::Mtu(link.mtu), Setting::Up(true)];
    Ok(Spec { name: link.name.parse()?, kind, parent: None, settings })
}
