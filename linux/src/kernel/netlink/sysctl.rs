//! Settings of a namespace's network stack, /proc/sys/net.
//!
//! The files show the namespace of the thread that opens them, so a thread enters it for that.

use std::fs;
use std::io;
use std::path::PathBuf;

use netwright_network::setting::SettingKey;

use super::Netlink;
use super::advertised;
use super::explain::{broken, explain_with};
use super::restore::write_to;
use super::socket::{Failure, Refusal};
use super::space::Space;
use crate::change::{Applied, Change, Made, NamespaceRef, Undo};
use crate::kernel::Error;
use crate::kernel::kind::options::nearest;

/// Of one value, of which the longest are lists of ports.
const LONGEST_VALUE: usize = 4096;
const ROOT: &str = "/proc/sys";

impl Netlink {
    pub(super) fn set_sysctl(
        &mut self,
        change: &Change,
        namespace: &NamespaceRef,
        key: &str,
        value: &str,
        undoing: bool,
    ) -> Result<Applied, Error> {
        let path = path(key)?;
        if value.len() > LONGEST_VALUE || value.contains(['\0', '\n']) {
            return Err(Error::Invalid(format!("value of `{key}` must be one line")));
        }
        let space = self.spaces.find(namespace)?;
        let failed = |error| self.sysctl_error(&error, change, &space, key);
        let now = space.within(|| fs::read_to_string(&path)).map_err(failed)?;
        let known = SettingKey::of(key).map_err(|wrong| Error::Invalid(wrong.explain(key)))?;
        if !undoing {
            self.check_restorable(&space, &known, (&now, value))?;
        }
        let link = self.link_of(&space, &known);
        let mut steps = self.sysctl_back(&space, &known, value);
        let before = advertised::before(&space, &known);
        let link = link.as_ref().and_then(|link| Some((link.index?, link.name.as_str())));
        space.within(|| write_to(&space, &path, link, value)).map_err(failed)?;
        self.note_chosen(&space, path);
        let lost = advertised::gone(&space, before);
        if undoing {
            self.put_advertised(&space, lost)?;
            return Ok(Applied { made: Made::Nothing, undo: Undo::default() });
        }
        steps.extend(advertised::back(&space, lost));
        Ok(Applied { made: Made::Nothing, undo: Undo { steps } })
    }

    pub(super) fn sysctl(&self, namespace: &NamespaceRef, key: &str) -> Result<String, Error> {
        let path = path(key)?;
        let space = self.spaces.find(namespace)?;
        let operation = format!("sysctl {key}");
        let read = space.within(|| fs::read_to_string(&path));
        let text = read.map_err(|error| self.sysctl_error(&error, &operation, &space, key))?;
        Ok(text.trim_end().to_owned())
    }

    fn sysctl_error(
        &self,
        error: &io::Error,
        operation: &dyn std::fmt::Display,
        space: &Space,
        key: &str,
    ) -> Error {
        let Some(errno) = error.raw_os_error() else { return broken(error, operation) };
        let refusal = Refusal { errno, text: None, offset: None };
        explain_with(Failure::Refused(refusal), operation, |refusal| match refusal.errno {
            libc::ENOENT => Some(missing(space, key)),
            libc::EINVAL | libc::ERANGE => Some("the kernel does not take this value".to_owned()),
            libc::EACCES | libc::EPERM => {
                Some("this setting is the machine's, not the namespace's".to_owned())
            }
            libc::EIO => Some(
                "the kernel does not tell what it is, so that it could not be put back".to_owned(),
            ),
            _ => None,
        })
    }
}

/// The file of a key under net.
fn path(key: &str) -> Result<PathBuf, Error> {
    let known = SettingKey::of(key).map_err(|wrong| Error::Invalid(wrong.explain(key)))?;
    Ok(known.parts().fold(PathBuf::from(ROOT), |path, part| path.join(part)))
}

/// Where a key leads off the tree, and what is there.
fn missing(space: &Space, key: &str) -> String {
    let mut folder = PathBuf::from(ROOT);
    let Ok(known) = SettingKey::of(key) else { return format!("`{key}` is no key") };
    let parts: Vec<&str> = known.parts().collect();
    for (place, part) in parts.iter().enumerate() {
        let next = folder.join(part);
        let listed = space.within(|| {
            if next.exists() {
                return Ok(None);
            }
            let names = fs::read_dir(&folder)?.filter_map(Result::ok);
            let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
            Ok(Some(names.collect::<Vec<_>>()))
        });
        if let Ok(Some(names)) = listed {
            if let Some(help) = dotted(&parts, place, &names) {
                return help;
            }
            let known: Vec<_> = names.iter().map(String::as_str).collect();
            return match nearest(part, &known) {
                Some(near) => format!("there is no `{part}`; did you mean `{near}`?"),
                None => format!("there is no `{part}` in {}", space.shown()),
            };
        }
        folder = next;
    }
    format!("{} has no such setting", space.shown())
}

/// Where a name with a dot was taken apart at its dot: how it is written.
fn dotted(parts: &[&str], place: usize, names: &[String]) -> Option<String> {
    let (before, rest) = parts.split_at(place);
    let taken = |count: usize| rest[..count].join(".");
    let (count, name) = (2..rest.len()).find_map(|count| {
        let name = names.iter().find(|name| **name == taken(count))?;
        Some((count, name))
    })?;
    let after = &rest[count..];
    let joined = |separator: &str, name: &str| [before, &[name], after].concat().join(separator);
    let slashes = name.replace('.', "/");
    Some(format!("write `{}` or `{}`", joined(".", &slashes), joined("/", name)))
}

#[cfg(test)]
mod tests {
    use super::{dotted, path};

    fn shown(key: &str) -> String {
        path(key).map_or_else(|error| error.to_string(), |path| crate::text::path(&path))
    }

    #[test]
    fn keys_are_paths_with_dots_or_slashes() {
        assert_eq!(shown("net.ipv4.ip_forward"), "/proc/sys/net/ipv4/ip_forward");
        let dotted = "/proc/sys/net/ipv4/conf/eth0.100/forwarding";
        assert_eq!(shown("net/ipv4/conf/eth0.100/forwarding"), dotted);
        assert_eq!(shown("net.ipv4.conf.eth0/100.forwarding"), dotted);
    }

    #[test]
    fn keys_never_lead_out_of_net() {
        assert_eq!(shown("kernel.hostname"), "sysctl `kernel.hostname` is not under `net`");
        let refused = "can't be a sysctl; it must look like net.ipv4.ip_forward";
        for key in ["net/../kernel/hostname", "net..ipv4", "net", "net/ipv4/\u{1b}[0m", "net./."] {
            assert!(shown(key).ends_with(refused), "{key}");
        }
    }

    #[test]
    fn a_name_with_a_dot_is_told_how_it_is_written() {
        let names = ["all", "vrrp.51", "eth0.5.7"].map(str::to_owned);
        let parts = ["net", "ipv4", "conf", "vrrp", "51", "arp_filter"];
        assert_eq!(
            dotted(&parts, 3, &names).as_deref(),
            Some("write `net.ipv4.conf.vrrp/51.arp_filter` or `net/ipv4/conf/vrrp.51/arp_filter`")
        );
        let parts = ["net", "ipv4", "conf", "eth0", "5", "7", "forwarding"];
        assert!(dotted(&parts, 3, &names).is_some_and(|help| help.contains("eth0/5/7.forw")));
        let parts = ["net", "ipv4", "conf", "vrrp", "52", "arp_filter"];
        assert_eq!(dotted(&parts, 3, &names), None);
    }
}
