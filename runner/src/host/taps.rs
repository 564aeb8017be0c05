//! `taps`: frames that the recipe itself sends and receives.

use std::time::Duration;

use wasmtime::component::Resource;

use super::handle::link;
use super::{Host, LinkHandle, Refusal, TapHandle};
use crate::change::{Answer, Query};
use crate::host::bindings::netwright::host::taps;
use crate::tap::{Options, Tap};

impl taps::Host for Host {}

impl taps::HostTap for Host {
    async fn open(
        &mut self,
        handle: Resource<LinkHandle>,
        options: taps::TapOptions,
    ) -> Result<Resource<TapHandle>, Refusal> {
        let link = link(&self.table, &handle)?;
        let namespace = self.session.tap_descriptor(&link)?;
        // By index, for the name may have gone to another link.
        let Answer::Links(found) = self.session.query(Query::Link { link })? else {
            return Err(super::namespaces::mismatch("link"));
        };
        let name = found.first().map(|info| info.name.clone()).unwrap_or_default();
        let options = Options { vnet_header: options.vnet_header };
        let tap = Tap::open(&namespace, &name, options, self.session.opener.as_ref())?;
        Ok(self.table.push(TapHandle(tap))?)
    }

    async fn receive(
        &mut self,
        handle: Resource<TapHandle>,
        max_frames: u32,
        timeout_ms: u32,
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let timeout = Duration::from_millis(timeout_ms.into());
        Ok(self.table.get_mut(&handle)?.0.receive(max_frames, timeout).await?)
    }

    async fn send(
        &mut self,
        handle: Resource<TapHandle>,
        frames: Vec<Vec<u8>>,
    ) -> Result<u32, Refusal> {
        Ok(self.table.get_mut(&handle)?.0.send(&frames).await?)
    }

    async fn drop(&mut self, handle: Resource<TapHandle>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
