//! What an address, a route or a rule covers: computed from what the request makes the kernel do,
//! for grants and for the floor alike.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::change::{Address, Family, Prefix, Route, Rule, RuleAction, TABLE_LOCAL, TABLE_MAIN};

/// What the kernel gives IPv6 routes that name none, and the connected ones.
const IPV6_METRIC: u32 = 1024;
const IPV6_CONNECTED_METRIC: u32 = 256;

/// An entry of a routing table, by all that decides which packets it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) table: u32,
    pub(super) destination: IpNet,
    /// of IPv6 routes that are for some sources only
    pub(super) source: Option<IpNet>,
    type_of_service: u8,
    metric: u32,
}

/// The longest prefix first, then what is for some packets only, then the least metric: how the
/// kernel chooses within a table (fib_table_lookup, fib6_select_path).
type Rank = (u8, u8, bool, Reverse<u32>);

impl Entry {
    pub(super) fn of_route(route: &Route) -> Self {
        let six = route.family == Family::Ipv6;
        let default = if six { IPV6_METRIC } else { 0 };
        let metric = route.metric.filter(|metric| *metric != 0 || !six);
        Self {
            table: route.table(),
            destination: route.destination.and_then(network).unwrap_or(everything(route.family)),
            source: route.from.filter(|from| from.length > 0).and_then(network),
            type_of_service: route.type_of_service.unwrap_or(0),
            metric: metric.unwrap_or(default),
        }
    }

    fn new(table: u32, destination: IpNet, metric: u32) -> Self {
        Self { table, destination, source: None, type_of_service: 0, metric }
    }

    /// What each link with IPv6 has for the stations that are on it. Another link's is none instead:
    /// there is nothing as long that comes before it.
    pub(super) fn on_link() -> Self {
        const LINK_LOCAL: Ipv6Net =
            Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 64);
        Self::new(TABLE_MAIN, LINK_LOCAL.into(), 0)
    }

    /// The same in another table, as it is for what is inside a VRF.
    pub(super) fn within(self, table: u32) -> Self {
        Self { table, ..self }
    }

    fn local(address: IpAddr) -> Self {
        Self::new(TABLE_LOCAL, address.into(), 0)
    }

    pub(super) fn takes(&self, packet: &Packet) -> bool {
        self.destination.contains(&packet.destination)
            && self.source.is_none_or(|source| source.contains(&packet.source))
    }

    pub(super) fn rank(&self) -> Rank {
        let source = self.source.map_or(0, |source| source.prefix_len());
        let some = self.type_of_service != 0;
        (self.destination.prefix_len(), source, some, Reverse(self.metric))
    }
}

/// The entries that the kernel makes of an address, at once or when its link is up
/// (fib_add_ifaddr, inet6_addr_add and __ipv6_ifa_notify). Its network counts whether or not it
/// gets a route now (`noprefixroute`): addresses that the kernel makes up are in it as well.
pub(super) fn of_address(address: &Address) -> Vec<Entry> {
    let shown = address.peer.unwrap_or(address.prefix);
    let own = address.prefix.address;
    let metric = address.metric.unwrap_or(if own.is_ipv4() { 0 } else { IPV6_CONNECTED_METRIC });
    let mut entries = vec![Entry::local(own)];
    let mut connected = vec![shown];
    if own.is_ipv6() {
        // The network of the own address, by the length that stands at its peer.
        connected.push(Prefix { address: own, length: shown.length });
    }
    for network in connected.into_iter().filter_map(network) {
        entries.push(Entry::new(TABLE_MAIN, network, metric));
        if let IpNet::V4(network) = network
            && network.prefix_len() < 31
        {
            // Older kernels have one for the network's own address, too.
            entries.extend(
                [network.network(), network.broadcast()].map(|one| Entry::local(one.into())),
            );
        }
    }
    let none = [IpAddr::from(Ipv4Addr::BROADCAST), Ipv4Addr::UNSPECIFIED.into()];
    let more = [address.broadcast, address.anycast].into_iter().flatten();
    entries.extend(more.filter(|one| !none.contains(one)).map(Entry::local));
    entries
}

/// The networks that entries lie in, without those that lie in another one of them.
pub(super) fn networks(entries: &[Entry]) -> Vec<IpNet> {
    let mut networks: Vec<IpNet> = entries.iter().map(|entry| entry.destination).collect();
    // The widest first; neighbours stay apart, for each may be granted by itself.
    networks.sort_by_key(IpNet::prefix_len);
    let mut widest: Vec<IpNet> = Vec::new();
    for network in networks {
        if !widest.iter().any(|known| known.contains(&network)) {
            widest.push(network);
        }
    }
    widest
}

/// The packets that a rule is for: those to one of the destinations that come from one of the
/// sources, or fewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) destinations: Vec<IpNet>,
    pub(super) sources: Vec<IpNet>,
}

impl Reach {
    pub(super) fn of_rule(rule: &Rule) -> Self {
        let everything = everything(rule.family);
        let whole = |prefix: Option<Prefix>| prefix.and_then(network).unwrap_or(everything);
        let (to, from) = (whole(rule.to), whole(rule.from));
        if !rule.inverted {
            return Self { destinations: vec![to], sources: vec![from] };
        }
        // What isn't both to here and from there may be to anywhere, and from anywhere.
        let more = rule.incoming_link.is_some()
            || rule.outgoing_link.is_some()
            || rule.type_of_service.is_some()
            || rule.mark.is_some()
            || rule.options.iter().any(|option| selects(&option.name));
        let (only_to, only_from) = (from == everything, to == everything);
        let all = || vec![everything];
        if more || only_to == only_from {
            return Self { destinations: all(), sources: all() };
        }
        match only_to {
            true => Self { destinations: others(to), sources: all() },
            false => Self { destinations: all(), sources: others(from) },
        }
    }
}

/// All addresses but those of a network.
fn others(network: IpNet) -> Vec<IpNet> {
    let mut found = Vec::new();
    let mut inner = network.trunc();
    while let Some(outer) = inner.supernet() {
        let halves = outer.subnets(inner.prefix_len()).into_iter().flatten();
        found.extend(halves.filter(|half| *half != inner));
        inner = outer;
    }
    found
}

/// Whether an option of a rule is about which packets it is for, and not about what is done.
fn selects(option: &str) -> bool {
    !matches!(option, "suppress_prefixlength" | "suppress_ifgroup" | "realms")
}

/// A packet whose way may not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// this machine sends it: to rules it comes in by `lo`
    pub(super) own: bool,
}

/// Whether a rule is for a packet of which only the addresses are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meets {
    Never,
    Perhaps,
    Always,
}

pub(super) fn meets(rule: &Rule, packet: &Packet) -> Meets {
    if (rule.family == Family::Ipv4) != packet.destination.is_ipv4() {
        return Meets::Never;
    }
    let within = |prefix: Option<Prefix>, address: IpAddr| match prefix.and_then(network) {
        Some(network) if !network.contains(&address) => Meets::Never,
        Some(_) | None => Meets::Always,
    };
    let incoming = match (&rule.incoming_link, packet.own) {
        (None, _) => Meets::Always,
        (Some(link), own) if (link == "lo") != own => Meets::Never,
        (Some(_), true) => Meets::Always,
        (Some(_), false) => Meets::Perhaps,
    };
    // What this machine doesn't send itself may be bound to no link.
    let outgoing = match (&rule.outgoing_link, packet.own) {
        (None, _) => Meets::Always,
        (Some(_), true) => Meets::Perhaps,
        (Some(_), false) => Meets::Never,
    };
    let more = rule.type_of_service.is_some()
        || rule.mark.is_some()
        || rule.options.iter().any(|option| selects(&option.name));
    let met = [
        within(rule.to, packet.destination),
        within(rule.from, packet.source),
        incoming,
        outgoing,
        if more { Meets::Perhaps } else { Meets::Always },
    ];
    match (met.into_iter().min().unwrap_or(Meets::Always), rule.inverted) {
        (Meets::Never, true) => Meets::Always,
        (Meets::Always, true) => Meets::Never,
        (met, _) => met,
    }
}

/// How the kernel finds a packet's way: through rules, in their order, to an entry of a table.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub(super) packet: Packet,
    /// of the packet's family
    pub(super) rules: Vec<Rule>,
    /// what the kernel says that it takes
    pub(super) taken: Option<Entry>,
}

impl Course {
    /// Whether an entry of a table draws the packet to itself: whether one more might, or whether
    /// the packet may go another way once it is gone.
    pub(super) fn is_drawn_by(&self, entry: &Entry) -> bool {
        if !entry.takes(&self.packet) {
            return false;
        }
        match &self.taken {
            Some(taken) if taken.table == entry.table => entry.rank() >= taken.rank(),
            Some(_) | None => self.looks_into(entry.table),
        }
    }

    /// Whether one more rule may send it elsewhere.
    pub(super) fn is_met_by(&self, rule: &Rule) -> bool {
        self.is_affected(rule, place_of(rule, &self.rules))
    }

    /// Whether it may go elsewhere once a rule is gone that is there.
    pub(super) fn loses_rule(&self, rule: &Rule) -> bool {
        let Some(place) = self.rules.iter().position(|old| old == rule) else { return false };
        let other = match (&self.taken, table_of(rule)) {
            // It looked there in vain, for the packet takes an entry of another table.
            (Some(taken), Some(table)) => taken.table != table,
            (None, _) | (_, None) => false,
        };
        !other && self.is_affected(rule, place)
    }

    fn is_affected(&self, rule: &Rule, place: usize) -> bool {
        rule.action != RuleAction::Nop
            && meets(rule, &self.packet) != Meets::Never
            && self.decided_at().is_none_or(|decided| place <= decided)
    }

    /// The place of the rule that sends it to the table that it takes; `None` where more than one
    /// could be that.
    fn decided_at(&self) -> Option<usize> {
        let taken = self.taken?;
        let met = |rule: &&Rule| meets(rule, &self.packet) != Meets::Never;
        if self.rules.iter().filter(met).any(|rule| matches!(rule.action, RuleAction::Goto(_))) {
            return None;
        }
        let decides = |rule: &Rule| {
            let suppresses = |name: &str| name.starts_with("suppress");
            meets(rule, &self.packet) == Meets::Always
                && table_of(rule) == Some(taken.table)
                && !rule.options.iter().any(|option| suppresses(&option.name))
        };
        self.rules.iter().position(decides)
    }

    /// Whether the kernel looks into a table for it, before the one that it finds it in or instead.
    fn looks_into(&self, table: u32) -> bool {
        let count = self.decided_at().map_or(self.rules.len(), |place| place + 1);
        let met = |rule: &&Rule| meets(rule, &self.packet) != Meets::Never;
        self.rules.iter().take(count).filter(met).any(|rule| table_of(rule) == Some(table))
    }
}

/// The place of one more rule: behind those of its priority; without one, behind the first rule
/// alone (fib_default_rule_pref).
fn place_of(rule: &Rule, rules: &[Rule]) -> usize {
    match rule.priority {
        Some(priority) => rules.iter().filter(|old| old.priority.unwrap_or(0) <= priority).count(),
        None => rules.len().min(1),
    }
}

/// The table that a rule looks into; 0 is another word for the main one.
pub(super) fn table_of(rule: &Rule) -> Option<u32> {
    match rule.action {
        RuleAction::Table(0) => Some(TABLE_MAIN),
        RuleAction::Table(table) => Some(table),
        RuleAction::Goto(_)
        | RuleAction::Nop
        | RuleAction::Blackhole
        | RuleAction::Unreachable
        | RuleAction::Prohibit => None,
    }
}

/// Whether the kernel may take a rule for the one that is to be removed: what is left open fits
/// anything, and whether it is `not` isn't looked at (fib_nl_delrule, rule_find).
pub(super) fn fits(asked: &Rule, there: &Rule) -> bool {
    fn open<T: PartialEq>(asked: Option<&T>, there: Option<&T>) -> bool {
        asked.is_none() || asked == there
    }
    let prefix = |prefix: Option<Prefix>| prefix.and_then(network);
    let action = match asked.action {
        RuleAction::Table(0) => true,
        RuleAction::Table(_) => table_of(asked) == table_of(there),
        RuleAction::Goto(_)
        | RuleAction::Nop
        | RuleAction::Blackhole
        | RuleAction::Unreachable
        | RuleAction::Prohibit => {
            std::mem::discriminant(&asked.action) == std::mem::discriminant(&there.action)
        }
    };
    action
        && open(asked.priority.as_ref(), there.priority.as_ref())
        && open(prefix(asked.from).as_ref(), prefix(there.from).as_ref())
        && open(prefix(asked.to).as_ref(), prefix(there.to).as_ref())
        && open(asked.incoming_link.as_ref(), there.incoming_link.as_ref())
        && open(asked.outgoing_link.as_ref(), there.outgoing_link.as_ref())
        && open(asked.protocol.as_ref(), there.protocol.as_ref())
}

/// The same by all that the kernel looks at but the options, which may be written in several ways.
pub(super) fn is_meant(asked: &Rule, there: &Rule) -> bool {
    let tos = |rule: &Rule| rule.type_of_service.unwrap_or(0);
    fits(asked, there)
        && (tos(asked) == 0 || tos(asked) == tos(there))
        && (asked.mark.is_none_or(|(mark, _)| mark == 0) || asked.mark == there.mark)
}

/// A prefix without host bits.
pub(super) fn network(prefix: Prefix) -> Option<IpNet> {
    IpNet::new(prefix.address, prefix.length).ok().map(|net| net.trunc())
}

pub(super) fn everything(family: Family) -> IpNet {
    match family {
        Family::Ipv4 => Ipv4Net::default().into(),
        Family::Ipv6 => Ipv6Net::default().into(),
    }
}

/// Whether an entry draws what is sent to the machine's own loopback. IPv4's tables `local` and
/// `main` are one while there are only the kernel's rules, so that the longer prefix of either is
/// what is taken; others are asked where a rule comes before the one for table local.
pub(super) fn draws_loopback(entry: &Entry, rules: &[Rule]) -> bool {
    let loopback = loopback(entry.destination.addr().is_ipv4());
    let inside = loopback.contains(&entry.destination);
    match entry.table {
        TABLE_LOCAL => inside,
        TABLE_MAIN if inside => true,
        table if inside || entry.destination.contains(&loopback) => {
            let mut before = rules.iter().take(finds_loopback(rules));
            before.any(|rule| table_of(rule) == Some(table) && is_for_loopback(rule))
        }
        _ => false,
    }
}

/// Whether one more rule may come between the loopback and table local.
pub(super) fn comes_before_loopback(rule: &Rule, rules: &[Rule]) -> bool {
    place_of(rule, rules) <= finds_loopback(rules) && is_for_loopback(rule)
}

/// Whether a rule that is there comes between the two.
pub(super) fn is_before_loopback(rule: &Rule, rules: &[Rule]) -> bool {
    rules.iter().take(finds_loopback(rules)).any(|one| one == rule) && is_for_loopback(rule)
}

/// The place of the rule by which the loopback is found.
fn finds_loopback(rules: &[Rule]) -> usize {
    let packet = |address: IpAddr| Packet { source: address, destination: address, own: true };
    let address = |rule: &Rule| loopback(rule.family == Family::Ipv4).addr();
    let finds = |rule: &Rule| {
        table_of(rule) == Some(TABLE_LOCAL)
            && meets(rule, &packet(address(rule))) == Meets::Always
            && rule.to.is_none()
            && rule.from.is_none()
    };
    rules.iter().position(finds).unwrap_or(rules.len())
}

fn is_for_loopback(rule: &Rule) -> bool {
    let loopback = loopback(rule.family == Family::Ipv4);
    let met = |prefix: Option<Prefix>| {
        let network = prefix.and_then(network);
        network.is_none_or(|network| network.contains(&loopback) || loopback.contains(&network))
    };
    let own = rule.incoming_link.as_deref().is_none_or(|link| link == "lo");
    rule.action != RuleAction::Nop && (rule.inverted || own && met(rule.to) && met(rule.from))
}

fn loopback(four: bool) -> IpNet {
    match four {
        true => Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into(),
        false => IpAddr::from(Ipv6Addr::LOCALHOST).into(),
    }
}
