//! Carries out the plan of a new link, and makes of the kernel's refusal what helps.

use std::sync::Arc;

use super::Netlink;
use super::create::Plan;
use super::explain::{explain, explain_with, refused};
use super::raw_link::RawLink;
use super::socket::{Failure, Refusal};
use super::space::Space;
use crate::change::{
    Applied, Change, Kind, LinkRef, MacvlanMode, Made, NamespaceRef, Setting, Spec, Undo,
};
use crate::kernel::Error;
use crate::kernel::kind::{self, unsupported};

/// Of an index that others took.
const ATTEMPTS: usize = 4;

impl Netlink {
    pub(super) fn create_link(
        &mut self,
        change: &Change,
        namespace: &NamespaceRef,
        spec: &Spec,
    ) -> Result<Applied, Error> {
        refused(kind::validate(spec))?;
        let target = self.spaces.find(namespace)?;
        if let Kind::Tun(_) | Kind::Tap(_) = spec.kind {
            return self.create_tuntap(change, &target, spec);
        }
        if self.asked_uplink(change).is_some() {
            return self.create_on_uplink(change, &target, spec);
        }
        let plan = self.plan_link(&target, spec)?;
        let answer = plan.via.execute(&plan.request());
        let plan = self.born(change, spec, plan, answer)?;
        self.grow_up(change, &plan)?;
        Ok(applied(&plan.link, plan.back))
    }

    /// Takes the kernel's answer to a plan: where an index or name was taken that the recipe did
    /// not choose, another plan is made and carried out.
    pub(super) fn born(
        &self,
        change: &Change,
        spec: &Spec,
        mut plan: Plan,
        mut answer: Result<(), Failure>,
    ) -> Result<Plan, Error> {
        for _ in 0..ATTEMPTS {
            let refusal = match &answer {
                Ok(()) => return Ok(plan),
                Err(Failure::Refused(refusal)) => refusal,
                Err(_) => break,
            };
            if !matches!(refusal.errno, libc::EEXIST | libc::EBUSY) || taken(&plan).is_some() {
                break;
            }
            plan = self.other_plan(spec, &plan)?;
            answer = plan.via.execute(&plan.request());
        }
        match answer {
            Ok(()) => Ok(plan),
            Err(failure) => Err(self.birth_error(change, spec, &plan, failure)),
        }
    }

    /// Before Linux 6.15 a name that the parent's namespace has can't be given to a link that is
    /// born elsewhere: it is born under another one and renamed there.
    fn other_plan(&self, spec: &Spec, plan: &Plan) -> Result<Plan, Error> {
        for space in [&plan.target, &plan.via] {
            let looked = space.resync();
            looked.map_err(|failure| explain(failure, &"link show"))?;
        }
        let elsewhere = plan.via.cookie != plan.target.cookie;
        if !elsewhere || !matches!(plan.via.link(spec.name.as_str()), Ok(Some(_))) {
            return self.plan_link(&plan.target, spec);
        }
        let last = |setting: &Setting| matches!(setting, Setting::Up(_) | Setting::Master(_));
        let mut passing = spec.clone();
        passing.name = format!("nw{:x}", plan.index()).parse().map_err(Error::Invalid)?;
        passing.settings.retain(|setting| !last(setting));
        let mut other = self.plan_link(&plan.target, &passing)?;
        other.later.insert(0, Setting::Name(spec.name.clone()));
        other.later.extend(spec.settings.iter().filter(|setting| last(setting)).cloned());
        other.link.name = spec.name.as_str().to_owned();
        Ok(other)
    }

    /// Gives a new link what it could not be born with, or removes it again.
    pub(super) fn grow_up(&self, change: &Change, plan: &Plan) -> Result<(), Error> {
        self.note_made(&plan.target, plan.index());
        if let Change::CreateLink { spec, .. } = change {
            self.note_mtu(&plan.target, plan.index(), &spec.settings);
            self.note_child(change, &plan.target, plan.index());
        }
        if let Some((space, peer)) = &plan.peer {
            self.note_made(space, peer.index.unwrap_or(0));
            if let Change::CreateLink { spec: Spec { kind: Kind::Veth(veth), .. }, .. } = change {
                self.note_mtu(space, peer.index.unwrap_or(0), &veth.peer_settings);
            }
        }
        let guarded = self.guard(&plan.target, plan.index()).and_then(|()| match &plan.peer {
            Some((space, peer)) => self.guard(space, peer.index.unwrap_or(0)),
            None => Ok(()),
        });
        let done = guarded.and_then(|()| self.follow_ups(plan)).and_then(|requests| {
            for (space, request) in requests {
                let answer = space.execute(&request);
                answer
                    .map_err(|failure| self.setting_error(change, &space, &plan.link, failure))?;
            }
            Ok(())
        });
        done.inspect_err(|_| {
            // What it failed with counts; a link that can't be removed is listed by the check
            // for leaks at the end.
            let _ = plan.target.execute(&super::change::delete_request(plan.index()));
        })
    }

    fn birth_error(&self, change: &Change, spec: &Spec, plan: &Plan, failure: Failure) -> Error {
        let kind = spec.kind.word();
        if let Failure::Refused(Refusal { errno: libc::EOPNOTSUPP, text, .. }) = &failure
            && text.as_deref().is_none_or(|text| text.contains("Unknown device type"))
        {
            return Error::Unsupported(unsupported(kind));
        }
        explain_with(failure, change, |refusal| match refusal.errno {
            libc::EEXIST | libc::EBUSY => taken(plan).or_else(|| self.sibling_hint(spec, plan)),
            libc::EINVAL => self.passthru_hint(spec, plan),
            libc::EADDRINUSE => self.address_hint(plan),
            libc::ENETDOWN => Some("its parent or master is down".to_owned()),
            _ => None,
        })
    }

    /// The other children of the plan's parent, wherever they are.
    fn siblings(&self, plan: &Plan) -> Vec<(Arc<Space>, RawLink)> {
        let Some(parent) = parent_index(plan) else { return Vec::new() };
        self.children(&plan.via, parent)
    }

    /// macvlan_common_newlink: passthru wants its parent alone.
    fn passthru_hint(&self, spec: &Spec, plan: &Plan) -> Option<String> {
        let (Kind::Macvlan(asked) | Kind::Macvtap(asked)) = &spec.kind else { return None };
        let parent = &spec.parent.as_ref()?.name;
        let siblings = self.siblings(plan);
        let passthru = siblings.iter().find(|(_, link)| {
            link.is_macvlan() && link.macvlan().mode == Some(MacvlanMode::Passthru)
        });
        if let Some((space, link)) = passthru {
            return Some(format!(
                "parent `{parent}` has the passthru child `{}` in {}, which tolerates no other",
                link.name,
                space.shown()
            ));
        }
        let (space, link) = siblings.first()?;
        (asked.mode == Some(MacvlanMode::Passthru)).then(|| {
            format!(
                "a passthru child must be its parent's only one, and `{parent}` has `{}` in {}",
                link.name,
                space.shown()
            )
        })
    }

    fn sibling_hint(&self, spec: &Spec, plan: &Plan) -> Option<String> {
        let Kind::Vlan(vlan) = &spec.kind else { return None };
        let id = vlan.id.to_string();
        let (space, link) = self.siblings(plan).into_iter().find(|(_, link)| {
            let data = kind::read(&link.kind(), link.data(), &mut |_| None);
            data.iter().any(|option| option.name == "id" && option.value == id)
        })?;
        Some(format!("VLAN {id} of this parent is `{}` in {}", link.name, space.shown()))
    }

    fn address_hint(&self, plan: &Plan) -> Option<String> {
        use netlink_packet_route::link::LinkAttribute;
        let mac = plan.message.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::Address(bytes) => bytes.as_slice().try_into().ok(),
            _ => None,
        })?;
        let mac = crate::change::MacAddress(mac);
        self.same_address(mac, &self.siblings(plan))
    }
}

fn parent_index(plan: &Plan) -> Option<u32> {
    use netlink_packet_route::link::LinkAttribute;
    plan.message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Link(index) => Some(*index),
        _ => None,
    })
}

/// Whether a name of the plan is taken, in words.
fn taken(plan: &Plan) -> Option<String> {
    let ends = [Some((&plan.target, &plan.link)), plan.peer.as_ref().map(|(s, l)| (s, l))];
    ends.into_iter().flatten().find_map(|(space, link)| holder(space, link))
}

fn holder(space: &Space, link: &LinkRef) -> Option<String> {
    let there = space.link(&link.name).ok().flatten()?;
    Some(format!(
        "{} has a link `{}` already (kind {}, index {})",
        space.shown(),
        there.name,
        there.kind(),
        there.index
    ))
}

pub(super) fn applied(link: &LinkRef, back: Vec<Change>) -> Applied {
    let deletion = Change::DeleteLink { link: link.clone() };
    Applied {
        made: Made::Link(link.clone()),
        undo: Undo { steps: std::iter::once(deletion).chain(back).collect() },
    }
}
