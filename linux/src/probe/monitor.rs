//! Tells the event stream of links as the kernel changes them, as `ip monitor link` in every
//! namespace of the run: what a recipe does to one link, others may feel.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage, State};
use rtnetlink::MulticastGroup;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::watch::{LinkNews, Watch};
use crate::kernel::Error;

/// Called with what happened, `link` or `link-gone`, and the facts of it.
type Tell = dyn Fn(&str, Value) + Send + Sync;

/// Listens until it is dropped.
pub struct Monitor {
    tell: Arc<Tell>,
    listeners: Vec<JoinHandle<()>>,
}

impl Monitor {
    pub fn new(tell: impl Fn(&str, Value) + Send + Sync + 'static) -> Self {
        Self { tell: Arc::new(tell), listeners: Vec::new() }
    }

    /// From now on, what happens to the links of this namespace is told under this name; the
    /// run's root namespace has the empty one.
    pub fn listen(&mut self, name: String, namespace: &OwnedFd) -> Result<(), Error> {
        let watch = Watch::open(namespace, &[MulticastGroup::Link], "monitor link")?;
        self.listeners.push(tokio::spawn(follow(watch, name, self.tell.clone())));
        Ok(())
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.listeners.iter().for_each(JoinHandle::abort);
    }
}

/// The kernel repeats itself; only what is new is told.
async fn follow(mut watch: Watch, namespace: String, tell: Arc<Tell>) {
    let mut known: HashMap<u32, Value> = HashMap::new();
    while let Some(news) = watch.link_news().await {
        match news {
            LinkNews::Now(link) => {
                let index = link.header.index;
                let state = state(&namespace, &link);
                if known.get(&index) != Some(&state) {
                    tell("link", state.clone());
                    known.insert(index, state);
                }
            }
            LinkNews::Gone(link) => {
                known.remove(&link.header.index);
                let (index, name) = (link.header.index, name(&link));
                let gone = json!({ "namespace": namespace, "link": name, "index": index });
                tell("link-gone", gone);
            }
        }
    }
}

fn name(link: &LinkMessage) -> &str {
    let name = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    });
    name.unwrap_or_default()
}

fn state(namespace: &str, link: &LinkMessage) -> Value {
    let flags = link.header.flags;
    let mut told = json!({
        "namespace": namespace,
        "link": name(link),
        "index": link.header.index,
        "up": flags.contains(LinkFlags::Up),
        "carrier": flags.contains(LinkFlags::LowerUp),
    });
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::OperState(state) => told["state"] = words(*state).into(),
            LinkAttribute::Mtu(mtu) => told["mtu"] = (*mtu).into(),
            LinkAttribute::Controller(master) => told["master_index"] = (*master).into(),
            _ => {}
        }
    }
    told
}

/// RFC 2863's names, as `operational-state` of the contract.
fn words(state: State) -> &'static str {
    match state {
        State::NotPresent => "notpresent",
        State::Down => "down",
        State::LowerLayerDown => "lowerlayerdown",
        State::Testing => "testing",
        State::Dormant => "dormant",
        State::Up => "up",
        State::Unknown | State::Other(_) => "unknown",
        // The crate may learn of more; the kernel has no others.
        _ => "unknown",
    }
}
