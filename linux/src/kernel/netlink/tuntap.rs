//! Persistent tun and tap links: made through /dev/net/tun, for rtnetlink can't.

use std::sync::Arc;

use super::Netlink;
use super::born::applied;
use super::explain::broken;
use super::find::reference;
use super::settings;
use super::space::Space;
use crate::change::{Applied, Change, Kind, Setting, Spec};
use crate::kernel::tun::{self, Device};
use crate::kernel::{Error, KernelError};
use crate::text::help;

impl Netlink {
    /// As `ip tuntap add`, and `ip link set` for the settings.
    pub(super) fn create_tuntap(
        &mut self,
        change: &Change,
        target: &Arc<Space>,
        spec: &Spec,
    ) -> Result<Applied, Error> {
        let device = match &spec.kind {
            Kind::Tun(options) => Device { tap: false, options: *options },
            Kind::Tap(options) => Device { tap: true, options: *options },
            other => {
                let kind = other.word();
                return Err(Error::Invalid(format!("`{kind}` is neither tun nor tap")));
            }
        };
        self.check_bridges(target, spec, None)?;
        let name = spec.name.as_str();
        if let Ok(Some(there)) = target.link(name) {
            return Err(Error::Kernel(KernelError {
                errno: libc::EEXIST,
                operation: change.to_string(),
                text: None,
                hint: Some(format!(
                    "{} has a link `{name}` already (kind {}, index {})",
                    target.shown(),
                    there.kind(),
                    there.index
                )),
            }));
        }
        let made = target.within(|| tun::create(name, &device));
        let file = made.map_err(|error| tun_error(&error, change))?;
        // It carries no mark yet, so that a look at what the run may find by name would miss it.
        let gone = || Error::Gone(format!("link `{name}` of {}", target.shown()));
        let raw = target.link(name).ok().flatten().ok_or_else(gone)?;
        target.used_index(raw.index);
        self.note_made(target, raw.index);
        self.note_mtu(target, raw.index, &spec.settings);
        let link = reference(target, &raw);
        let back = self.entered_back(target, spec);
        let asked =
            |setting: &&Setting| !matches!(setting, Setting::Other(one) if one.name == "index");
        let later: Vec<_> = spec.settings.iter().filter(asked).cloned().collect();
        let mut index_of = |name: &str| Ok(self.link_by_name(target, name)?.index);
        let read = || Ok(raw.clone());
        self.guard(target, raw.index)?;
        let done =
            settings::requests(raw.index, &read, &later, &mut index_of).and_then(|requests| {
                requests.iter().try_for_each(|request| {
                    let answer = target.execute(request);
                    answer.map_err(|failure| self.setting_error(change, target, &link, failure))
                })
            });
        // Until here it goes with this process: it never stays without the settings that tell
        // whose it is.
        done?;
        tun::stay(&file).map_err(|error| tun_error(&error, change))?;
        Ok(applied(&link, back))
    }
}

fn tun_error(error: &std::io::Error, change: &Change) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => Error::Unsupported(format!(
            "/dev/net/tun can't be opened: the kernel lacks CONFIG_TUN (module tun), or /dev has no such node ({error})"
        )),
        Some(libc::EACCES) => Error::Unsupported(
            "/dev/net/tun can't be opened: this user has no right to it".to_owned()
                + &help("run it as root, or have root do `chmod 666 /dev/net/tun`, as udev does"),
        ),
        _ => broken(error, change),
    }
}
