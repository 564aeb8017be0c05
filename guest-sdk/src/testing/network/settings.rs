//! What a link is told after it is made.

use netwright_network::refusal;

use super::{Answer, GONE, INVALID, LinkId, NO_ENTRY, Nature, Network, Refusal, Site, whole};
use crate::MacAddress;
use crate::link::kind::attribute;
use crate::wit::links::{Kind, Macvlan, MacvlanChange, MacvlanMode, Other, Setting};

const MULTICAST_MAC: Refusal =
    Refusal::new(99, "EADDRNOTAVAIL", "a link's own address can't be a multicast one");
const MAC_IN_USE: Refusal =
    Refusal::new(98, "EADDRINUSE", "another child of the same parent has this MAC address");
const RING: Refusal = Refusal::new(40, "ELOOP", "a bridge is no port of a bridge");
const NO_MASTER: Refusal = Refusal::new(95, "EOPNOTSUPP", "a link of this kind is no master");

impl Network {
    pub(super) fn change_link(&mut self, site: &Site, settings: &[Setting]) -> Answer<()> {
        let id = self.link_at(site)?;
        let before = self.clone();
        let changed = self.set_all(id, settings);
        if changed.is_err() {
            *self = before;
        }
        changed
    }

    pub(super) fn set(&mut self, id: LinkId, setting: &Setting) -> Answer<()> {
        match setting {
            Setting::Up(up) => return self.set_up(id, *up),
            Setting::Mtu(mtu) => return self.set_mtu(id, *mtu),
            Setting::Mac(mac) => return self.set_mac(id, (*mac).into()),
            Setting::Name(name) => return self.rename(id, name),
            Setting::Master(master) => return self.set_master(id, master.as_deref()),
            Setting::Macvlan(change) => return self.set_macvlan(id, change),
            Setting::Options(options) => return self.set_options(id, options),
            Setting::Alias(text) => self.link_mut(id)?.alias = Some(text.clone()),
            Setting::Group(group) => self.link_mut(id)?.group = *group,
            Setting::TransmitQueueLength(length) => self.link_mut(id)?.queue_length = *length,
            Setting::Promiscuous(on) => self.link_mut(id)?.promiscuous = *on,
            Setting::Broadcast(mac) => self.note(id, "broadcast", MacAddress::from(*mac))?,
            Setting::AllMulticast(on) => self.note(id, "allmulticast", on)?,
            Setting::Multicast(on) => self.note(id, "multicast", on)?,
            Setting::Arp(on) => self.note(id, "arp", on)?,
            Setting::Dynamic(on) => self.note(id, "dynamic", on)?,
            Setting::Trailers(on) => self.note(id, "trailers", on)?,
            Setting::Carrier(on) => self.note(id, "carrier", on)?,
            Setting::ProtocolDown(on) => self.note(id, "protodown", on)?,
            Setting::Other(other) => self.note(id, &other.name, &other.value)?,
        }
        Ok(())
    }

    /// Keeps a setting that nothing here depends on.
    fn note(&mut self, id: LinkId, name: &str, value: impl std::fmt::Display) -> Answer<()> {
        let extra = &mut self.link_mut(id)?.extra;
        let new = attribute(name, value);
        match extra.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = new,
            None => extra.push(new),
        }
        Ok(())
    }

    fn set_up(&mut self, id: LinkId, up: bool) -> Answer<()> {
        let link = self.link(id)?;
        let in_use = up && link.macvlan().is_some() && !link.is_passthru() && {
            let twin = |other: &super::LinkState| {
                other.up && other.parent == link.parent && other.mac == link.mac
            };
            self.links.iter().any(|(other, state)| *other != id && twin(state))
        };
        if in_use {
            return Err(MAC_IN_USE);
        }
        let namespace = link.namespace;
        self.link_mut(id)?.up = up;
        if up {
            return self.connect_networks(id);
        }
        self.forget_routes(namespace);
        Ok(())
    }

    fn set_mtu(&mut self, id: LinkId, mtu: u32) -> Answer<()> {
        self.check_mtu(id, mtu)?;
        self.link_mut(id)?.mtu = mtu;
        Ok(())
    }

    fn set_mac(&mut self, id: LinkId, mac: MacAddress) -> Answer<()> {
        if mac.is_multicast() {
            return Err(MULTICAST_MAC);
        }
        self.link_mut(id)?.mac = Some(mac);
        Ok(())
    }

    fn rename(&mut self, id: LinkId, name: &str) -> Answer<()> {
        self.check_name(self.link(id)?.namespace, name)?;
        let link = self.links.get_mut(&id).ok_or(GONE)?;
        let old = std::mem::replace(&mut link.name, name.to_owned());
        let namespace = link.namespace;
        let stack = self.stacks.get_mut(&namespace).ok_or(GONE)?;
        let hops = stack.routes.iter_mut().flat_map(|route| &mut route.next_hops);
        hops.filter(|hop| hop.link.as_ref() == Some(&old))
            .for_each(|hop| hop.link = Some(name.to_owned()));
        Ok(())
    }

    fn set_master(&mut self, id: LinkId, master: Option<&str>) -> Answer<()> {
        let link = self.link(id)?;
        let found = master.map(|name| self.known_link(link.namespace, name)).transpose()?;
        if let Some(master) = found {
            let port = &link.kind;
            match &self.link(master)?.kind {
                Nature::Made(Kind::Bridge(_)) if matches!(port, Nature::Made(Kind::Bridge(_))) => {
                    return Err(RING);
                }
                Nature::Made(Kind::Bridge(_)) if *port == Nature::Loopback => return Err(INVALID),
                Nature::Made(Kind::Bridge(_) | Kind::Vrf(_) | Kind::Other(_)) => {}
                Nature::Loopback | Nature::Device | Nature::Made(_) => return Err(NO_MASTER),
            }
        }
        self.link_mut(id)?.master = found;
        Ok(())
    }

    fn set_options(&mut self, id: LinkId, options: &Other) -> Answer<()> {
        let link = self.link(id)?;
        let (name, kind) = (&link.name, link.kind.word());
        match options.kind.strip_suffix("_slave") {
            Some(_) if link.master.is_none() => {
                return Err(Refusal::Said(refusal::no_port(name, &options.kind)));
            }
            None if options.kind != kind => {
                return Err(Refusal::Said(refusal::of_another_kind(name, kind, &options.kind)));
            }
            Some(_) | None => {}
        }
        options.options.iter().try_for_each(|option| self.note(id, &option.name, &option.value))
    }

    fn set_macvlan(&mut self, id: LinkId, change: &MacvlanChange) -> Answer<()> {
        let link = self.link_mut(id)?;
        let kind = link.kind.word().to_owned();
        match &mut link.kind {
            Nature::Made(Kind::Macvlan(data) | Kind::Macvtap(data)) => {
                change_macvlan(&link.name, &kind, data, change)
            }
            Nature::Loopback | Nature::Device | Nature::Made(_) => {
                Err(Refusal::Said(refusal::of_another_kind(&link.name, &kind, "macvlan")))
            }
        }
    }
}

fn change_macvlan(
    name: &str,
    kind: &str,
    data: &mut Macvlan,
    change: &MacvlanChange,
) -> Answer<()> {
    let passthru = data.mode == Some(MacvlanMode::Passthru);
    match change {
        MacvlanChange::Mode(mode) => {
            if passthru != (*mode == MacvlanMode::Passthru) {
                let now = data.mode.unwrap_or(MacvlanMode::Vepa).to_string();
                let (wanted, rule) = (mode.to_string(), refusal::PASSTHRU_STAYS);
                let refusal = refusal::settled("mode", kind, name, &now, &wanted, rule);
                return Err(Refusal::Said(whole(refusal)));
            }
            data.mode = Some(*mode);
        }
        MacvlanChange::Nopromisc(_) if !passthru => return Err(INVALID),
        MacvlanChange::Nopromisc(on) => data.nopromisc = *on,
        MacvlanChange::Nodst(on) => data.nodst = *on,
        MacvlanChange::BroadcastQueueLength(length) => data.broadcast_queue_length = Some(*length),
        MacvlanChange::AddSource(mac) => data.sources.push(*mac),
        MacvlanChange::RemoveSource(mac) => {
            let Some(place) = data.sources.iter().position(|known| known == mac) else {
                return Err(NO_ENTRY);
            };
            data.sources.remove(place);
        }
        MacvlanChange::SetSources(all) => data.sources.clone_from(all),
        MacvlanChange::FlushSources => data.sources.clear(),
    }
    Ok(())
}
