//! The key of a setting below /proc/sys: one reading of it, for grants, for the policy and for the
//! file that is opened.

use std::fmt;

use super::fault::quote;

/// A file below /proc/sys/net, however its key was written. As sysctl(8): whichever of `.` and `/`
/// comes first separates, the other one stands for a dot in a name: `net.ipv4.conf.eth0/5.x` and
/// `net/ipv4/conf/eth0.5/x` are the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SettingKey {
    parts: Vec<String>,
}

/// Why a text is no key of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSetting {
    /// of another part of the kernel
    Elsewhere,
    Malformed,
}

/// What a setting is a setting of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    /// the network stack
    Stack,
    /// one link, by its name
    Link(&'a str),
    /// every link, those that are there and those to come: `all` and `default`
    EveryLink,
}

/// Deeper than any key is.
const DEEPEST: usize = 8;

impl SettingKey {
    pub fn of(text: &str) -> Result<Self, NoSetting> {
        let separator = text.chars().find(|c| matches!(c, '.' | '/')).unwrap_or('.');
        let part = |part: &str| match separator {
            '.' => part.replace('/', "."),
            _ => part.to_owned(),
        };
        let parts: Vec<String> = text.split(separator).map(part).collect();
        if parts.first().map(String::as_str) != Some("net") {
            return Err(NoSetting::Elsewhere);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-@:+".contains(c);
        let odd = |part: &String| {
            part.is_empty() || part == "." || part == ".." || !part.chars().all(plain)
        };
        if parts.len() < 2 || parts.len() > DEEPEST || parts.iter().any(odd) {
            return Err(NoSetting::Malformed);
        }
        Ok(Self { parts })
    }

    /// The folders and the file, below /proc/sys.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str)
    }

    /// The file's own name.
    pub fn name(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// Whether it makes a router.
    pub fn forwards(&self) -> bool {
        matches!(self.name(), "ip_forward" | "forwarding" | "mc_forwarding" | "force_forwarding")
    }

    /// Whether the kernel forgets the default routes that routers advertised when it is altered, all
    /// of the namespace whichever link it is a setting of (addrconf_fixup_forwarding,
    /// net/ipv6/addrconf.c).
    pub fn purges_advertised(&self) -> bool {
        self.parts().nth(1) == Some("ipv6") && self.name() == "forwarding"
    }

    /// net/FAMILY/conf/LINK/… and net/FAMILY/neigh/LINK/… are settings of links.
    pub fn reach(&self) -> Reach<'_> {
        let parts: Vec<&str> = self.parts().collect();
        match parts.as_slice() {
            ["net", _, "conf" | "neigh", "all" | "default", _, ..] => Reach::EveryLink,
            ["net", _, "conf" | "neigh", link, _, ..] => Reach::Link(link),
            _ => Reach::Stack,
        }
    }
}

impl NoSetting {
    /// What is wrong, of the text that was read.
    pub fn explain(self, text: &str) -> String {
        match self {
            Self::Elsewhere => format!("sysctl {} is not under `net`", quote(text)),
            Self::Malformed => {
                format!("{} can't be a sysctl; it must look like net.ipv4.ip_forward", quote(text))
            }
        }
    }
}

/// With slashes, as it can always be written.
impl fmt::Display for SettingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::{NoSetting, Reach, SettingKey};

    fn key(text: &str) -> SettingKey {
        SettingKey::of(text).expect("a key")
    }

    #[test]
    fn both_spellings_are_one_key() {
        let dotted = key("net/ipv4/conf/eth0.100/forwarding");
        assert_eq!(dotted, key("net.ipv4.conf.eth0/100.forwarding"));
        assert_eq!(dotted.to_string(), "net/ipv4/conf/eth0.100/forwarding");
        assert_ne!(dotted, key("net.ipv4.conf.eth0.100.forwarding"));
        assert_eq!(key("net.ipv4.ip_forward").to_string(), "net/ipv4/ip_forward");
    }

    #[test]
    fn settings_of_links_are_known_by_their_place() {
        assert_eq!(key("net.ipv4.conf.lan/5.arp_ignore").reach(), Reach::Link("lan.5"));
        assert_eq!(key("net/ipv6/neigh/lan.5/gc_stale_time").reach(), Reach::Link("lan.5"));
        assert_eq!(key("net/mpls/conf/lan.5/input").reach(), Reach::Link("lan.5"));
        for every in ["net.ipv6.conf.all.disable_ipv6", "net/ipv4/neigh/default/gc_thresh1"] {
            assert_eq!(key(every).reach(), Reach::EveryLink, "{every}");
        }
        for stack in ["net.ipv4.ip_forward", "net.core.somaxconn", "net/ipv4/conf"] {
            assert_eq!(key(stack).reach(), Reach::Stack, "{stack}");
        }
    }

    #[test]
    fn any_links_forwarding_of_ipv6_forgets_advertised_routes() {
        for text in ["net.ipv6.conf.all.forwarding", "net/ipv6/conf/lan.5/forwarding"] {
            assert!(key(text).purges_advertised(), "{text}");
        }
        for text in ["net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.mc_forwarding"] {
            assert!(!key(text).purges_advertised(), "{text}");
        }
    }

    #[test]
    fn no_key_leads_out_of_net() {
        for (text, wrong) in [
            ("kernel.hostname", NoSetting::Elsewhere),
            ("", NoSetting::Elsewhere),
            ("/net/ipv4/ip_forward", NoSetting::Elsewhere),
            ("net", NoSetting::Malformed),
            ("net/../kernel/hostname", NoSetting::Malformed),
            ("net..ipv4", NoSetting::Malformed),
            ("net.ipv4.conf.//.x", NoSetting::Malformed),
            ("net/ipv4/\u{1b}[0m", NoSetting::Malformed),
        ] {
            assert_eq!(SettingKey::of(text), Err(wrong), "{text:?}");
        }
    }
}
