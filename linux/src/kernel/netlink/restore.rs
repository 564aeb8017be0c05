//! Settings that the kernel alters together with another one, or throws away with a link's IPv4 or
//! IPv6: read before that happens, and put back each that is not what it was. Those of links by the
//! links' indexes, for a name may be another link's by then.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use netwright_network::raw::to_kernel;
use netwright_network::setting::{Reach, SettingKey, same_value};

use super::Netlink;
use super::advertised;
use super::find::reference;
use super::raw_link::{IFF_UP, RawLink};
use super::revert::restores_ipv6;
use super::space::Space;
use crate::change::{Applied, Change, LinkRef, Made, NamespaceRef, Setting, Sysctl, Undo};
use crate::kernel::Error;

const ROOT: &str = "/proc/sys";
/// To forget a link's addresses, and to make them up anew: so it is put back when they are as they
/// were asked for.
const IPV6_OFF: &str = "disable_ipv6";
/// What IPv6 takes for a link's MTU. The kernel sets it to the link's when that changes, and whenever
/// the link or its IPv6 goes up (addrconf_notify): so it is put back last.
const IPV6_MTU: &str = "mtu";
/// How a link makes up addresses. The kernel writes the second one with the first.
pub(super) const MAKING_UP: [&str; 2] = ["stable_secret", "addr_gen_mode"];

/// A setting under its link's name of now.
struct Placed<'a> {
    file: PathBuf,
    setting: &'a Sysctl,
    link: Option<(u32, String)>,
}

impl Netlink {
    /// What takes the writing of a setting back: it, and all that the kernel alters with it.
    pub(super) fn sysctl_back(
        &self,
        space: &Arc<Space>,
        key: &SettingKey,
        value: &str,
    ) -> Vec<Change> {
        let settings = self.altered_with(space, key);
        let on = value.trim() != "0";
        let was_on = settings.first().is_some_and(|setting| setting.value != "0");
        let mut steps = vec![restoring(space, settings)];
        let parts: Vec<&str> = key.parts().collect();
        match (parts.as_slice(), key.reach()) {
            (["net", "ipv6", "conf", _, name], Reach::Link(link))
                if MAKING_UP.contains(name) || (*name == IPV6_OFF && on && !was_on) =>
            {
                if let Ok(Some(raw)) = space.link(link) {
                    steps.extend(self.held_by(space, &raw).into_iter().filter(restores_ipv6));
                }
            }
            _ => {}
        }
        steps
    }

    /// A setting first, then all that the kernel alters when it is written, as they are now.
    fn altered_with(&self, space: &Space, key: &SettingKey) -> Vec<Sysctl> {
        let finest = key.finest();
        let parts: Vec<&str> = finest.parts().collect();
        let index = self.link_of(space, &finest).and_then(|link| link.index);
        let mut keys: Vec<(String, Option<u32>)> = Vec::new();
        match (finest.reach(), parts.as_slice()) {
            (Reach::EveryLink, ["net", family, folder, every, setting]) => {
                keys.push((finest.to_string(), None));
                let of = |name: &str| format!("net/{family}/{folder}/{name}/{setting}");
                keys.extend((*every == "all").then(|| (of("default"), None)));
                if parts == ["net", "ipv4", "conf", "all", "forwarding"] {
                    keys.push(("net/ipv4/conf/all/accept_redirects".to_owned(), None));
                }
                let links = space.links().unwrap_or_default();
                keys.extend(links.iter().map(|link| (of(&link.name), Some(link.index))));
            }
            (Reach::Link(link), ["net", family, "conf", _, setting])
                if alters_addresses(&finest) =>
            {
                let of = |name: &str| format!("net/{family}/conf/{link}/{name}");
                let all = MAKING_UP.into_iter().skip_while(|name| name != setting);
                let all = all.chain([IPV6_OFF, IPV6_MTU]);
                keys.extend(all.map(|name| (of(name), index)));
            }
            (Reach::Link(_) | Reach::Stack | Reach::EveryLink, _) => {
                keys.push((finest.to_string(), index));
            }
        }
        let first = (key.to_string(), index);
        let read = space.within(|| {
            let all: Vec<Sysctl> = keys.iter().filter_map(|(key, link)| read(key, *link)).collect();
            // Not each kernel has a name for it that is finer.
            let coarse = all.first().is_none_or(|there| there.key != keys[0].0);
            Ok(coarse.then(|| read(&first.0, first.1)).flatten().into_iter().chain(all).collect())
        });
        read.unwrap_or_default()
    }

    /// All settings that a link has of its own: what it gets anew wherever the kernel gives it IPv4
    /// or IPv6 anew, and that where it arrives in a namespace.
    pub(super) fn settings_of(&self, space: &Space, link: &RawLink) -> Vec<Sysctl> {
        let read = space.within(|| Ok(all_of(&link.name, link.index)));
        let mut all: Vec<Sysctl> = read.unwrap_or_default();
        let rank = |setting: &Sysctl| match setting.key.rsplit('/').next() {
            Some(IPV6_MTU) => 4,
            Some(IPV6_OFF) => 3,
            Some(name) if name == MAKING_UP[1] => 2,
            Some(name) if name == MAKING_UP[0] => 1,
            Some(_) | None => 0,
        };
        all.sort_by_cached_key(|setting| (rank(setting), setting.key.clone()));
        all
    }

    /// What puts back the settings that a link loses by others. Nothing where it loses none.
    pub(super) fn settings_lost(
        &self,
        space: &Space,
        link: &RawLink,
        settings: &[Setting],
    ) -> Vec<Change> {
        if super::settings::loses_ipv6(link, settings) {
            let settings = restoring(space, self.settings_of(space, link));
            return std::iter::once(settings).chain(token_back(space, link)).collect();
        }
        let mut steps = Vec::new();
        // A bond gives a port its own MTU, and a VRF sets one down for a moment.
        let resized =
            super::settings::mtu(settings).is_some() || super::port::changes_master(settings);
        if resized || settings.iter().any(|one| matches!(one, Setting::Up(_))) {
            steps.extend(self.own_mtu(space, link));
        }
        // Those that are lost altogether are made anew.
        if resized && !super::settings::loses_routes(link, settings) {
            steps.extend(self.routes_with_mtu(space, link));
        }
        steps
    }

    /// What IPv6 takes for a link's MTU, where somebody chose another one.
    pub(super) fn own_mtu(&self, space: &Space, link: &RawLink) -> Vec<Change> {
        let key = format!("net/ipv6/conf/{}/{IPV6_MTU}", link.name);
        let read = space.within(|| Ok(read(&key, Some(link.index)))).ok().flatten();
        let own = read.filter(|there| there.value != link.mtu().to_string());
        own.into_iter().map(|own| restoring(space, vec![own])).collect()
    }

    pub(super) fn restore_sysctls(
        &mut self,
        namespace: &NamespaceRef,
        settings: &[Sysctl],
    ) -> Result<Applied, Error> {
        let space = self.spaces.find(namespace)?;
        let placed = self.placed(&space, settings)?;
        // What had been a router's may be one again.
        let purges = |setting: &Sysctl| {
            SettingKey::of(&setting.key).is_ok_and(|key| key.purges_advertised())
        };
        let mut routes = Vec::new();
        if settings.iter().any(purges) {
            routes = advertised::all(&space);
            routes.retain(advertised::is_told);
        }
        let failed = space.within(|| Ok(put_back(&space, &placed))).unwrap_or_else(|error| {
            vec![format!("settings of {} can't be written: {error}", space.shown())]
        });
        self.put_advertised(&space, advertised::gone(&space, routes))?;
        match failed.is_empty() {
            true => Ok(Applied { made: Made::Nothing, undo: Undo::default() }),
            false => Err(Error::Invalid(failed.join("; "))),
        }
    }

    /// Each setting that is not what it was, in words.
    pub(super) fn not_restored(
        &self,
        namespace: &NamespaceRef,
        settings: &[Sysctl],
    ) -> Result<Vec<String>, Error> {
        let space = self.spaces.find(namespace)?;
        let placed = self.placed(&space, settings)?;
        let compare = |one: &Placed<'_>| {
            let (key, wanted) = (shown(&one.file), &one.setting.value);
            match fs::read_to_string(&one.file) {
                Ok(now) if same_value(&now, wanted) => None,
                Ok(now) => Some(format!("{key} is {}, not {wanted}", now.trim_end())),
                Err(error) => Some(format!("{key} can't be read: {error}")),
            }
        };
        let read = space.within(|| Ok(placed.iter().filter_map(compare).collect()));
        Ok(read.unwrap_or_else(|error| vec![format!("{} can't be read: {error}", space.shown())]))
    }

    /// Where settings are now. What was of a link that is gone is gone with it.
    fn placed<'a>(&self, space: &Space, settings: &'a [Sysctl]) -> Result<Vec<Placed<'a>>, Error> {
        let mut names: HashMap<u32, Option<String>> = HashMap::new();
        let mut placed = Vec::new();
        for setting in settings {
            let Some(index) = setting.link else {
                placed.push(Placed { file: file_of(&setting.key), setting, link: None });
                continue;
            };
            let name = match names.get(&index) {
                Some(name) => name.clone(),
                None => {
                    let name = self.name_now(space, setting, index)?;
                    names.insert(index, name.clone());
                    name
                }
            };
            let Some(name) = name else { continue };
            let file = file_of(&setting.key_of(&name));
            placed.push(Placed { file, setting, link: Some((index, name)) });
        }
        Ok(placed)
    }

    fn name_now(
        &self,
        space: &Space,
        setting: &Sysctl,
        index: u32,
    ) -> Result<Option<String>, Error> {
        let name = setting.key.split('/').nth(3).unwrap_or_default().to_owned();
        let link = LinkRef { namespace: space.reference(), name, index: Some(index) };
        if self.is_another(&link)? {
            return Ok(None);
        }
        Ok(self.link_at(space, &link, index).ok().map(|now| now.name))
    }

    /// The link that a setting is of.
    pub(super) fn link_of(&self, space: &Space, key: &SettingKey) -> Option<LinkRef> {
        let Reach::Link(name) = key.reach() else { return None };
        let found = space.link(name).ok().flatten()?;
        Some(reference(space, &found))
    }
}

/// What makes a link that comes home what it was: it arrives down, without master and addresses, and
/// with the settings of a new link, which are put back before it is up and hears somebody. One of
/// others' has whatever anybody gave it where it was.
pub(super) fn arriving(
    space: &Space,
    before: &RawLink,
    own: bool,
    had: Vec<Sysctl>,
) -> Vec<Change> {
    let mut steps = Vec::new();
    if !own {
        let settings = super::settings::all_of(before);
        steps.push(Change::ChangeLink { link: reference(space, before), settings });
    }
    if !had.is_empty() {
        steps.push(restoring(space, had));
        steps.extend(token_back(space, before));
    }
    let mut settings = Vec::new();
    let master = space.master_of(before);
    settings.extend(master.map(|master| Setting::Master(Some(master.name))));
    settings.extend(before.has(IFF_UP).then_some(Setting::Up(true)));
    if !settings.is_empty() {
        steps.push(Change::ChangeLink { link: reference(space, before), settings });
    }
    steps
}

/// A link's token goes with its IPv6; it is put back once the link may hear routers again.
fn token_back(space: &Space, link: &RawLink) -> Option<Change> {
    let settings = vec![super::settings::token(link)?];
    Some(Change::ChangeLink { link: reference(space, link), settings })
}

pub(super) fn restoring(space: &Space, settings: Vec<Sysctl>) -> Change {
    Change::RestoreSysctls { namespace: space.reference(), settings }
}

/// Whether a setting of a link alters more of it than settings.
pub(super) fn alters_addresses(key: &SettingKey) -> bool {
    key.name() == IPV6_OFF || MAKING_UP.contains(&key.name())
}

fn file_of(key: &str) -> PathBuf {
    let parts = key.split('/').filter(|part| *part != "..");
    parts.fold(PathBuf::from(ROOT), |at, part| at.join(OsString::from_vec(to_kernel(part))))
}

fn shown(file: &Path) -> String {
    let key = file.strip_prefix(ROOT).unwrap_or(file);
    key.to_string_lossy().escape_debug().to_string()
}

/// A setting that somebody can write; in the thread's namespace.
pub(super) fn read(key: &str, link: Option<u32>) -> Option<Sysctl> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = file_of(key);
    let about = fs::metadata(&file).ok()?;
    let writable = about.is_file() && about.permissions().mode() & 0o222 != 0;
    // The kernel tells no secret that there isn't.
    let text = writable.then(|| fs::read_to_string(&file).ok()).flatten()?;
    Some(Sysctl { key: key.to_owned(), link, value: text.trim_end().to_owned() })
}

fn all_of(link: &str, index: u32) -> Vec<Sysctl> {
    let names = |folder: &str| {
        let entries = fs::read_dir(file_of(folder)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for family in names("net") {
        for folder in ["conf", "neigh"].map(|kind| format!("net/{family}/{kind}/{link}")) {
            let files = names(&folder);
            // Of several names of one value the finest one is enough.
            let coarse = |name: &str| {
                let finest = SettingKey::of(&format!("net/{family}/neigh/all/{name}"))
                    .map(|key| key.finest().name().to_owned());
                finest.is_ok_and(|finest| finest != name && files.contains(&finest))
            };
            let wanted = files.iter().filter(|name| !coarse(name));
            all.extend(wanted.filter_map(|name| read(&format!("{folder}/{name}"), Some(index))));
        }
    }
    all
}

/// Writes what is not as it was, and tells what could not be written; in the thread's namespace.
fn put_back(space: &Space, placed: &[Placed<'_>]) -> Vec<String> {
    let mut failed = Vec::new();
    for one in placed {
        let name = one.file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let wanted = &one.setting.value;
        let now = fs::read_to_string(&one.file);
        if now.is_ok_and(|now| same_value(&now, wanted)) {
            continue;
        }
        let link = one.link.as_ref().map(|(index, name)| (*index, name.as_str()));
        // The address that it made up by itself goes, and comes as it was asked for.
        let quiet = match link {
            Some(_) if MAKING_UP.contains(&name) => {
                write_to(space, &one.file.with_file_name(IPV6_OFF), link, "1")
            }
            Some(_) | None => Ok(()),
        };
        let written = quiet.and_then(|()| write_to(space, &one.file, link, wanted));
        failed.extend(written.err().map(|error| format!("{}: {error}", shown(&one.file))));
    }
    failed
}

/// Writes a setting; one of a link only while the link has that name. The kernel makes a link's files
/// anew when it is renamed, and writes none that was opened before.
pub(super) fn write_to(
    space: &Space,
    file: &Path,
    link: Option<(u32, &str)>,
    value: &str,
) -> io::Result<()> {
    let mut open = fs::OpenOptions::new().write(true).open(file)?;
    if let Some((index, name)) = link {
        let now = space.link_at(index).ok().flatten();
        if now.is_none_or(|now| now.name != name) {
            return Err(io::Error::from_raw_os_error(libc::ENOENT));
        }
    }
    // An empty text writes nothing; an empty line writes a setting that is empty.
    let text = if value.is_empty() { "\n" } else { value };
    open.write_all(text.as_bytes())
}
