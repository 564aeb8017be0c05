//! Links: a handle on one that exists, and the builders of new ones.

mod bond;
pub(crate) mod bridge;
pub(crate) mod builder;
mod info;
pub(crate) mod kind;
mod macvlan;
mod options;
pub(crate) mod reference;
mod tunnel;
mod tuntap;
mod veth;
mod vlan;
mod vxlan;

use std::cell::{Ref, RefCell};
use std::fmt::{self, Display};
use std::rc::Rc;

pub use bond::{Bond, BondMode};
pub use bridge::Bridge;
pub use builder::{LinkBuilder, NeedsParent, NeedsPeer, Ready};
pub use kind::{Dummy, Ifb, Ipvlan, Kind, Other, Vrf, Wireguard};
pub use macvlan::Macvlan;
pub use reference::{LinkPath, LinkReference};
pub use tunnel::Tunnel;
pub use tuntap::Tuntap;
pub use veth::Veth;
pub use vlan::Vlan;
pub use vxlan::Vxlan;

use crate::address::AddressBuilder;
use crate::host;
use crate::neighbour::{EntryBuilder, NeighbourBuilder};
use crate::port::PortVlans;
use crate::qdisc::{NetemBuilder, TbfBuilder};
use crate::units::IntoTime;
use crate::wit::addresses::{Address, Info as AddressInfo};
use crate::wit::fdb::Entry;
use crate::wit::links::{
    Info as LinkInfo, MacvlanChange, MacvlanMode, Other as Options, Setting, Statistics,
};
use crate::wit::neighbours::Neighbour;
use crate::wit::qdisc::Qdisc;
use crate::wit::types::Write;
use crate::{
    CaptureBuilder, Error, IntoAddress, IntoMac, IntoPrefix, MacAddress, Namespace, Result, Tap,
};
use kind::attribute;

/// A link, by its namespace and index: a rename doesn't lose it.
///
/// A handle is neither ownership nor permission. Dropping it changes nothing.
#[derive(Clone)]
pub struct Link {
    inner: Rc<Inner>,
}

struct Inner {
    handle: host::links::Link,
    /// where it is and what it is called as far as this handle has seen
    namespace: RefCell<Namespace>,
    name: RefCell<String>,
}

/// A link that exists or is planned: both can be given addresses and neighbours.
pub trait AnyLink: LinkReference + Clone {
    #[doc(hidden)]
    fn put_address(&self, address: &Address, how: Write) -> Result<()>;
    #[doc(hidden)]
    fn put_neighbour(&self, neighbour: Neighbour, how: Write) -> Result<()>;
    #[doc(hidden)]
    fn put_qdisc(&self, qdisc: &Qdisc, how: Write) -> Result<()>;

    /// Takes the root discipline away: nothing is delayed or limited any more. As
    /// `tc qdisc delete dev LINK root`.
    fn clear_qdisc(&self) -> Result<()>;

    /// Just these VLANs on this port of a bridge. As `bridge vlan`.
    fn set_vlans(&self, vlans: PortVlans) -> Result<()>;

    /// Faults for what the link sends: delay, loss, duplicates. As `tc qdisc … root netem`.
    fn netem(&self) -> NetemBuilder<Self> {
        NetemBuilder::new(self.clone())
    }

    /// A limit to the rate at which the link sends. As `tc qdisc … root tbf`.
    fn tbf(&self) -> TbfBuilder<Self> {
        TbfBuilder::new(self.clone())
    }

    /// Delays what the link sends, and nothing else. As
    /// `tc qdisc replace dev LINK root netem delay TIME`.
    fn delay(&self, time: impl IntoTime) -> Result<()> {
        self.netem().delay(time).set()
    }

    /// This port carries one VLAN, without tags. As `bridge vlan add vid ID pvid untagged`.
    fn access(&self, id: u16) -> Result<()> {
        self.set_vlans(PortVlans::access(id))
    }

    /// This port carries several VLANs, with tags. As `bridge vlan add vid ID` for each.
    fn trunk(&self, ids: impl IntoIterator<Item = u16>) -> Result<()> {
        self.set_vlans(PortVlans::trunk(ids))
    }

    /// An address of the link, to be added, replaced or removed: `"192.168.56.122/24"`. As
    /// `ip address`.
    fn address(&self, address: impl IntoPrefix) -> AddressBuilder<Self> {
        AddressBuilder::new(self.clone(), address)
    }

    /// Adds an address. As `ip address add`.
    fn add_address(&self, address: impl IntoPrefix) -> Result<()> {
        self.address(address).add()
    }

    /// A station that the link can reach, by its address. As `ip neighbour`.
    fn neighbour(&self, address: impl IntoAddress) -> NeighbourBuilder<Self> {
        NeighbourBuilder::new(self.clone(), address)
    }
}

impl AnyLink for Link {
    fn put_address(&self, address: &Address, how: Write) -> Result<()> {
        Ok(host::addresses::put(self.handle(), address, how)?)
    }

    fn put_neighbour(&self, neighbour: Neighbour, how: Write) -> Result<()> {
        Ok(host::neighbours::put(self.handle(), neighbour, how)?)
    }

    fn put_qdisc(&self, qdisc: &Qdisc, how: Write) -> Result<()> {
        Ok(host::qdisc::put(self.handle(), qdisc, how)?)
    }

    fn clear_qdisc(&self) -> Result<()> {
        Ok(host::qdisc::remove(self.handle())?)
    }

    fn set_vlans(&self, vlans: PortVlans) -> Result<()> {
        Ok(host::vlans::set_all(self.handle(), &vlans.into_list())?)
    }
}

impl Link {
    pub(crate) fn new(handle: host::links::Link, namespace: Namespace, name: String) -> Self {
        let namespace = RefCell::new(namespace);
        Self { inner: Rc::new(Inner { handle, namespace, name: RefCell::new(name) }) }
    }

    /// The contract's own handle, for its functions in [`host`].
    pub fn handle(&self) -> &host::links::Link {
        &self.inner.handle
    }

    /// The link's name, as this handle knows it.
    pub fn name(&self) -> String {
        self.inner.name.borrow().clone()
    }

    /// The namespace that the link is in.
    pub fn namespace(&self) -> Ref<'_, Namespace> {
        self.inner.namespace.borrow()
    }

    /// The kernel's number of the link in its namespace.
    pub fn index(&self) -> u32 {
        self.handle().index()
    }

    /// All that the kernel says of the link. As `ip -d link show`.
    pub fn info(&self) -> Result<LinkInfo> {
        Ok(self.handle().info()?)
    }

    /// The link's Ethernet address; an error for kinds that have none.
    pub fn mac(&self) -> Result<MacAddress> {
        let mac = self.info()?.mac_address();
        mac.ok_or_else(|| Error::failed(format!("link `{self}` has no Ethernet address")))
    }

    /// Packets, bytes and errors so far. As `ip -s link show`.
    pub fn statistics(&self) -> Result<Statistics> {
        Ok(self.handle().statistics()?)
    }

    /// The other end of a veth.
    pub fn peer(&self) -> Result<Self> {
        let here = self.namespace().clone();
        let peer = self.info()?.peer;
        let peer = peer.ok_or_else(|| Error::failed(format!("link `{self}` has no peer")))?;
        match peer.namespace.as_deref() {
            None => here.link(&peer.name),
            Some("") => Namespace::root()?.link(&peer.name),
            Some(elsewhere) => Namespace::open(elsewhere)?.link(&peer.name),
        }
    }

    /// The addresses of this link. As `ip address show dev LINK`.
    pub fn addresses(&self) -> Result<Vec<AddressInfo>> {
        let name = self.name();
        let mut addresses = self.namespace().addresses()?;
        addresses.retain(|info| info.link == name);
        Ok(addresses)
    }

    /// Sets several things in one request. As `ip link set`.
    pub fn change(&self, settings: &[Setting]) -> Result<()> {
        Ok(self.handle().change(settings)?)
    }

    fn set(&self, setting: Setting) -> Result<()> {
        self.change(&[setting])
    }

    /// As `ip link set LINK up`.
    pub fn up(&self) -> Result<()> {
        self.set(Setting::Up(true))
    }

    /// As `ip link set LINK down`.
    pub fn down(&self) -> Result<()> {
        self.set(Setting::Up(false))
    }

    /// The longest packet, in bytes. As `ip link set LINK mtu BYTES`.
    pub fn set_mtu(&self, bytes: u32) -> Result<()> {
        self.set(Setting::Mtu(bytes))
    }

    /// As `ip link set LINK address MAC`.
    pub fn set_mac(&self, mac: impl IntoMac) -> Result<()> {
        self.set(Setting::Mac(mac.into_mac()?.into()))
    }

    /// Whether every frame on the wire is received. As `ip link set LINK promisc on`.
    pub fn promiscuous(&self, on: bool) -> Result<()> {
        self.set(Setting::Promiscuous(on))
    }

    /// As `ip link set LINK name NAME`.
    pub fn rename(&self, name: impl Into<String>) -> Result<()> {
        let name = name.into();
        self.set(Setting::Name(name.clone()))?;
        self.inner.name.replace(name);
        Ok(())
    }

    /// Plugs the link into a bridge, vrf or bond of its namespace. As
    /// `ip link set LINK master MASTER`.
    pub fn set_master(&self, master: impl LinkReference) -> Result<()> {
        let name = master.path()?.name_in(self.namespace().name(), "master")?;
        self.set(Setting::Master(Some(name)))
    }

    /// Takes the link out of its master. As `ip link set LINK nomaster`.
    pub fn unset_master(&self) -> Result<()> {
        self.set(Setting::Master(None))
    }

    /// Whether this bridge port sends frames back out of where they came in (reflective relay). As
    /// `ip link set LINK type bridge_slave hairpin on`.
    pub fn hairpin(&self, on: bool) -> Result<()> {
        self.set(bridge::hairpin(on))
    }

    /// An option of the link's own kind in ip(8)'s words: `("bridge", "ageing_time", 0)`. As
    /// `ip link set LINK type KIND OPTION VALUE`.
    pub fn set_option(&self, kind: &str, option: &str, value: impl Display) -> Result<()> {
        let options = vec![attribute(option, value)];
        self.set(Setting::Options(Options { kind: kind.to_owned(), options }))
    }

    /// Alters a macvlan's or macvtap's mode in place. As
    /// `ip link set LINK type macvlan mode MODE`; the kernel lets none enter or leave passthru.
    pub fn set_mode(&self, mode: MacvlanMode) -> Result<()> {
        self.set(Setting::Macvlan(MacvlanChange::Mode(mode)))
    }

    /// Lets a station into a macvlan in source mode. As
    /// `ip link set LINK type macvlan macaddr add MAC`.
    pub fn add_source(&self, station: impl IntoMac) -> Result<()> {
        let mac = station.into_mac()?.into();
        self.set(Setting::Macvlan(MacvlanChange::AddSource(mac)))
    }

    /// Shuts a station out again. As `ip link set LINK type macvlan macaddr del MAC`.
    pub fn remove_source(&self, station: impl IntoMac) -> Result<()> {
        let mac = station.into_mac()?.into();
        self.set(Setting::Macvlan(MacvlanChange::RemoveSource(mac)))
    }

    /// Lets in just these stations. As `ip link set LINK type macvlan macaddr set MAC…`.
    pub fn set_sources<M: IntoMac>(&self, stations: impl IntoIterator<Item = M>) -> Result<()> {
        let stations = stations.into_iter().map(|station| Ok(station.into_mac()?.into()));
        let stations = stations.collect::<Result<Vec<_>>>()?;
        self.set(Setting::Macvlan(MacvlanChange::SetSources(stations)))
    }

    /// Lets in no station at all. As `ip link set LINK type macvlan macaddr flush`.
    pub fn flush_sources(&self) -> Result<()> {
        self.set(Setting::Macvlan(MacvlanChange::FlushSources))
    }

    /// An entry of a bridge's or vxlan's forwarding database. As `bridge fdb`.
    pub fn fdb(&self, station: impl IntoMac) -> EntryBuilder {
        EntryBuilder::new(self.clone(), station)
    }

    /// The forwarding database. As `bridge fdb show dev LINK`.
    pub fn fdb_entries(&self) -> Result<Vec<Entry>> {
        Ok(host::fdb::list_all(self.handle())?)
    }

    /// A capture of every frame that passes this link. As `tcpdump -i NAME`.
    pub fn capture(&self) -> CaptureBuilder {
        CaptureBuilder::new(Ok(self.clone()))
    }

    /// Opens a macvtap, ipvtap, tun or tap, to send and receive its frames.
    pub fn open_tap(&self) -> Result<Tap> {
        Tap::open(self, false)
    }

    /// The same, each frame with a virtio_net_hdr of 10 bytes before it.
    pub fn open_tap_with_header(&self) -> Result<Tap> {
        Tap::open(self, true)
    }

    /// Takes the link to another namespace, where it is down and without addresses. As
    /// `ip link set LINK netns NAMESPACE`.
    pub fn move_to(&self, namespace: &Namespace) -> Result<()> {
        self.handle().move_to(namespace.handle())?;
        self.inner.namespace.replace(namespace.clone());
        Ok(())
    }

    /// As `ip link delete LINK`.
    pub fn delete(&self) -> Result<()> {
        Ok(self.handle().delete()?)
    }
}

/// `ns1/eth0`, or `eth0` in the root namespace.
impl Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespace = self.namespace();
        let separator = if namespace.name().is_empty() { "" } else { "/" };
        write!(f, "{}{separator}{}", namespace.name(), self.inner.name.borrow())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({self})")
    }
}
