//! New links, born in their namespace.
//!
//! The request goes to the parent's namespace, where IFLA_LINK is looked up, and names the new
//! link's by IFLA_NET_NS_FD: moving one there later takes 15 ms, and a crash between would strand
//! it. Indexes are chosen here, so that nothing has to be read back and requests can follow one
//! another; each is free in both namespaces, for kernels before 6.15 look for it in the parent's.

use std::sync::Arc;

use netlink_packet_core::{Emitable, NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use netwright_network::refusal;
use netwright_network::shell::Quoted;
use rtnetlink::{LinkMessageBuilder, LinkUnspec};

use super::Netlink;
use super::attributes::Nest;
use super::raw_link::{IFF_LOOPBACK, RawLink};
use super::settings::{self, at_birth, put};
use super::socket::Request;
use super::space::Space;
use crate::change::{Change, Kind, LinkRef, Name, Setting, Spec, Veth, shown};
use crate::kernel::Error;
use crate::kernel::kind::{self, Parent, options};
use crate::text::help;

/// linux/if_link.h and linux/veth.h
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
/// IFLA_VXLAN_LINK, IFLA_GRE_LINK …: the underlay's place in the data of kinds that have one
pub(super) const UNDERLAY_VXLAN: u16 = 3;
pub(super) const UNDERLAY_TUNNEL: u16 = 1;

/// All that makes one link.
pub(crate) struct Plan {
    /// where the link will be
    pub(crate) target: Arc<Space>,
    /// where the request is sent
    pub(crate) via: Arc<Space>,
    pub(crate) message: LinkMessage,
    pub(crate) link: LinkRef,
    /// the other end of a veth
    pub(crate) peer: Option<(Arc<Space>, LinkRef)>,
    /// what the kernel does not heed at birth, for the link and for its peer
    pub(crate) later: Vec<Setting>,
    pub(crate) peer_later: Vec<Setting>,
    /// what bundles that it enters are put back by, once it is gone
    pub(crate) back: Vec<Change>,
}

impl Plan {
    pub(crate) fn request(&self) -> Request {
        Request {
            message: RouteNetlinkMessage::NewLink(self.message.clone()),
            flags: NLM_F_CREATE | NLM_F_EXCL,
        }
    }

    pub(crate) fn index(&self) -> u32 {
        self.link.index.unwrap_or(0)
    }
}

impl Netlink {
    /// Plans a link of any kind but tun and tap. Faults that show without the kernel were
    /// refused before.
    pub(crate) fn plan_link(&self, target: &Arc<Space>, spec: &Spec) -> Result<Plan, Error> {
        let parent = self.find_parent(target, spec)?;
        let via = parent.as_ref().map_or(target, |(space, _)| space);
        if let Some((space, link)) = &parent {
            check_parent(space, link, spec)?;
            check_underlay(target, space, spec)?;
        }
        self.check_bridges(target, spec, parent.as_ref().map(|(_, link)| link))?;
        let (index, peer_index) = self.choose_indexes(target, via, spec)?;
        let mut plan = Plan {
            target: Arc::clone(target),
            via: Arc::clone(via),
            message: LinkMessage::default(),
            link: LinkRef {
                namespace: target.reference(),
                name: spec.name.as_str().to_owned(),
                index: Some(index),
            },
            peer: None,
            later: Vec::new(),
            peer_later: Vec::new(),
            back: self.entered_back(target, spec),
        };
        let mut data = self.data(via, spec, parent.as_ref().map(|(_, link)| link))?;
        if let Kind::Veth(veth) = &spec.kind {
            self.plan_peer(&mut plan, &mut data, veth, peer_index)?;
        }
        self.finish(&mut plan, spec, &data, parent.map(|(_, link)| link))?;
        Ok(plan)
    }

    fn find_parent(
        &self,
        target: &Arc<Space>,
        spec: &Spec,
    ) -> Result<Option<(Arc<Space>, RawLink)>, Error> {
        let Some(parent) = &spec.parent else { return Ok(None) };
        if kind::parent(&spec.kind) == Parent::Uplink {
            return Err(Error::Invalid(format!(
                "`{}`: a {} stands on no other link, but parent `{}` is given, which is no uplink{}",
                spec.name,
                spec.kind.word(),
                shown(&parent.name),
                help(format!(
                    "`--grant {}` gives a lab a port of a bridge of this machine's, where the lab has no link of that name",
                    Quoted(&format!("uplink link={} mode=port", parent.name))
                )),
            )));
        }
        let space = self.space_of(target, parent)?;
        let link = self.link_by_name(&space, &parent.name)?;
        Ok(Some((space, link)))
    }

    /// IFLA_INFO_DATA, but for a veth's peer. The kernel looks for the links that it names where
    /// the request goes.
    fn data(&self, via: &Arc<Space>, spec: &Spec, parent: Option<&RawLink>) -> Result<Nest, Error> {
        let mut index_of = |name: &str| Ok(self.link_by_name(via, name)?.index);
        let extra = spec.settings.iter().any(is_own_options);
        let mut data = if extra {
            let all = kind::sent_options(spec);
            options::encode(spec.kind.word(), &all, &mut index_of)?
        } else {
            kind::data(&spec.kind, &mut index_of)?
        };
        if let (Parent::Underlay, Some(parent)) = (kind::parent(&spec.kind), parent) {
            let vxlan = spec.kind.word() == "vxlan";
            data.put_u32(if vxlan { UNDERLAY_VXLAN } else { UNDERLAY_TUNNEL }, parent.index);
        }
        Ok(data)
    }

    fn plan_peer(
        &self,
        plan: &mut Plan,
        data: &mut Nest,
        veth: &Veth,
        beside: Option<u32>,
    ) -> Result<(), Error> {
        let space = self.space_of(&plan.target, &veth.peer)?;
        let name: Name = veth.peer.name.parse().map_err(Error::Invalid)?;
        let asked = index_asked(&veth.peer_settings)?;
        let index = asked.or(beside).unwrap_or_else(|| space.peek_index());
        let beside = space.cookie == plan.target.cookie;
        let mut builder = LinkUnspec::new_with_index(index).name(name.as_str());
        if !beside {
            builder = builder.setns_by_fd(space.raw_descriptor());
        }
        for setting in veth.peer_settings.iter().filter(|setting| !is_index(setting)) {
            // veth_newlink configures the peer before there is anything to put it up for.
            let now = at_birth(setting) && !matches!(setting, Setting::Up(_) | Setting::Master(_));
            if !now {
                plan.peer_later.push(setting.clone());
                continue;
            }
            let mut index_of = |name: &str| Ok(self.link_by_name(&space, name)?.index);
            builder = put(builder, setting, &mut index_of)?.0;
        }
        let message = builder.build();
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        data.put(VETH_INFO_PEER, bytes);
        space.used_index(index);
        let link = LinkRef {
            namespace: space.reference(),
            name: veth.peer.name.clone(),
            index: Some(index),
        };
        plan.peer = Some((space, link));
        Ok(())
    }

    /// Puts the message together.
    fn finish(
        &self,
        plan: &mut Plan,
        spec: &Spec,
        data: &Nest,
        parent: Option<RawLink>,
    ) -> Result<(), Error> {
        let kind = InfoKind::Other(spec.kind.word().to_owned());
        let mut builder =
            LinkMessageBuilder::<LinkUnspec>::new().index(plan.index()).name(spec.name.as_str());
        if let (Some(parent), Parent::Needed | Parent::Unknown) = (parent, kind::parent(&spec.kind))
        {
            builder = builder.link(parent.index);
        }
        if plan.via.cookie != plan.target.cookie {
            builder = builder.setns_by_fd(plan.target.raw_descriptor());
        }
        let target = Arc::clone(&plan.target);
        // Once it is up it has its link-local address, and hears what others say.
        let down_first =
            self.guards(&target) || spec.settings.iter().any(settings::is_address_generation);
        for setting in &spec.settings {
            if is_index(setting) || is_own_options(setting) {
                continue;
            }
            let waits = down_first && matches!(setting, Setting::Up(_));
            if waits || !at_birth(setting) {
                plan.later.push(setting.clone());
                continue;
            }
            let mut index_of = |name: &str| Ok(self.link_by_name(&target, name)?.index);
            builder = put(builder, setting, &mut index_of)?.0;
        }
        let mut info = vec![LinkInfo::Kind(kind)];
        if !data.is_empty() {
            info.push(LinkInfo::Other(data.attribute(IFLA_INFO_DATA)));
        }
        plan.message = builder.append_extra_attribute(LinkAttribute::LinkInfo(info)).build();
        Ok(())
    }

    /// The index that the recipe asks for, or one that is free in both namespaces; and that of a
    /// veth's peer beside it, which the kernel numbers first. Devices /dev/tapN are named by their
    /// link's and belong to no namespace, so those get one that no link of the run has.
    fn choose_indexes(
        &self,
        target: &Arc<Space>,
        via: &Space,
        spec: &Spec,
    ) -> Result<(u32, Option<u32>), Error> {
        let asked = index_asked(&spec.settings)?;
        let (mut beside, mut of_peer) = (false, None);
        if let Kind::Veth(veth) = &spec.kind {
            beside = self.space_of(target, &veth.peer)?.cookie == target.cookie;
            of_peer = index_asked(&veth.peer_settings)?.filter(|_| beside);
        }
        let free = if matches!(spec.kind, Kind::Macvtap(_) | Kind::Ipvtap(_)) {
            self.spaces.all().map(|space| space.peek_index()).max().unwrap_or(2)
        } else {
            target.peek_index().max(via.peek_index())
        };
        let beside_of = |index| if free == index { free + 1 } else { free };
        let chosen = match (asked, of_peer) {
            (Some(index), Some(peer)) => (index, Some(peer)),
            (Some(index), None) => (index, beside.then_some(beside_of(index))),
            (None, Some(peer)) => (beside_of(peer), Some(peer)),
            (None, None) if beside => (free + 1, Some(free)),
            (None, None) => (free, None),
        };
        target.used_index(chosen.0.max(chosen.1.unwrap_or(0)));
        Ok(chosen)
    }

    /// The requests for what a new link could not be given at birth, and where each goes.
    pub(crate) fn follow_ups(&self, plan: &Plan) -> Result<Vec<(Arc<Space>, Request)>, Error> {
        let mut all = self.later(&plan.target, &plan.link, &plan.later)?;
        if let Some((space, link)) = &plan.peer {
            all.append(&mut self.later(space, link, &plan.peer_later)?);
        }
        Ok(all)
    }

    fn later(
        &self,
        space: &Arc<Space>,
        link: &LinkRef,
        later: &[Setting],
    ) -> Result<Vec<(Arc<Space>, Request)>, Error> {
        if later.is_empty() {
            return Ok(Vec::new());
        }
        let index = link.index.unwrap_or(0);
        let read = || self.link_at(space, link, index);
        let mut index_of = |name: &str| Ok(self.link_by_name(space, name)?.index);
        let requests = settings::requests(index, &read, later, &mut index_of)?;
        Ok(requests.into_iter().map(|request| (Arc::clone(space), request)).collect())
    }
}

/// The index that a new link is to have.
fn index_asked(settings: &[Setting]) -> Result<Option<u32>, Error> {
    let asked = settings.iter().find_map(|setting| match setting {
        Setting::Other(attribute) if attribute.name == "index" => Some(&attribute.value),
        _ => None,
    });
    let number = |asked: &String| {
        let wrong = || Error::Invalid(format!("`index` must be a number, not `{asked}`"));
        asked.parse().map_err(|_| wrong())
    };
    asked.map(number).transpose()
}

fn is_index(setting: &Setting) -> bool {
    matches!(setting, Setting::Other(attribute) if attribute.name == "index")
}

fn is_own_options(setting: &Setting) -> bool {
    matches!(setting, Setting::Options(given) if kind::is_own(given))
}

/// Tunnels but vxlan's look for their underlay in their own namespace, by an index of the other one
/// (ip_tunnel_newlink before Linux 6.14, and its like).
fn check_underlay(target: &Space, via: &Space, spec: &Spec) -> Result<(), Error> {
    let kind = spec.kind.word();
    let elsewhere = via.cookie != target.cookie;
    if !elsewhere || kind::parent(&spec.kind) != Parent::Underlay || kind == "vxlan" {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "`{}`: a {kind} stands on a link of its own namespace, which is {}, not on one of {}{}",
        spec.name,
        target.shown(),
        via.shown(),
        help("make it where that link is, and move it")
    )))
}

/// What the kernel answers with a bare EINVAL.
fn check_parent(space: &Space, parent: &RawLink, spec: &Spec) -> Result<(), Error> {
    let kind = spec.kind.word();
    if kind::parent(&spec.kind) != Parent::Needed {
        return Ok(());
    }
    if parent.has(IFF_LOOPBACK) {
        return Err(Error::Invalid(format!(
            "`{}` of {} is the loopback: it can't be the parent of a `{kind}`",
            parent.name,
            space.shown()
        )));
    }
    for setting in &spec.settings {
        if let Setting::Mtu(mtu) = setting
            && *mtu > parent.mtu()
        {
            let (name, most) = (spec.name.as_str(), parent.mtu());
            let sentence = refusal::mtu_above_parent(name, *mtu, &parent.name, most);
            return Err(Error::Invalid(sentence));
        }
    }
    Ok(())
}
