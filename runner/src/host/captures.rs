//! `captures`: every frame that passes a link. They read, and change nothing.

use std::time::Duration;

use netwright_frames::{Direction, Filter};
use wasmtime::component::Resource;

use super::handle::link;
use super::{CaptureHandle, Host, LinkHandle, Refusal, convert};
use crate::capture::{Frame, Place};
use crate::change::{Answer, Query};
use crate::host::bindings::netwright::host::captures;
use crate::host::bindings::netwright::host::types::Attribute;
use crate::kernel::Error;
use crate::text::help;

impl captures::Host for Host {}

impl captures::HostCapture for Host {
    async fn start(
        &mut self,
        handle: Resource<LinkHandle>,
        options: captures::CaptureOptions,
    ) -> Result<Resource<CaptureHandle>, Refusal> {
        let link = link(&self.table, &handle)?;
        let namespace = self.session.tap_descriptor(&link)?;
        let place = link.namespace.name.clone();
        // By index, for the name may have gone to another link.
        let Answer::Links(found) = self.session.query(Query::Link { link })? else {
            return Err(super::namespaces::mismatch("link"));
        };
        let Some(info) = found.first() else { return Err(super::namespaces::mismatch("link")) };
        let place = Place { namespace: place, link: info.name.clone() };
        let started =
            self.session.captures.start(&namespace, place, info.index, options.snap_length)?;
        let (number, capture) = started;
        Ok(self.table.push(CaptureHandle { number, capture })?)
    }

    async fn frames(
        &mut self,
        handle: Resource<CaptureHandle>,
        filter: Vec<Attribute>,
        skip: u32,
        max_frames: u32,
        timeout_ms: u32,
    ) -> Result<Vec<captures::Frame>, Refusal> {
        let conditions = convert::attributes(filter)?;
        let conditions = conditions.iter().map(|each| (each.name.as_str(), each.value.as_str()));
        let filter = Filter::of(conditions).map_err(refused)?;
        let capture = &self.table.get(&handle)?.capture;
        let timeout = Duration::from_millis(timeout_ms.into());
        // A recipe that asks again and again would leave everything else no time.
        tokio::task::yield_now().await;
        let frames = capture.frames(&filter, skip as usize, max_frames as usize, timeout).await?;
        Ok(frames.into_iter().map(frame_out).collect())
    }

    async fn counters(
        &mut self,
        handle: Resource<CaptureHandle>,
    ) -> Result<captures::Counters, Refusal> {
        let counters = self.table.get(&handle)?.capture.counters();
        Ok(captures::Counters {
            frames: counters.frames,
            bytes: counters.bytes,
            dropped: counters.dropped,
            beyond_limit: counters.beyond_limit,
        })
    }

    async fn drop(&mut self, handle: Resource<CaptureHandle>) -> wasmtime::Result<()> {
        let CaptureHandle { number, capture } = self.table.delete(handle)?;
        drop(capture);
        self.session.save_capture(number);
        Ok(())
    }
}

/// In a rule of a filter's all that a recipe said is escaped already.
fn refused(rule: String) -> Error {
    Error::Invalid(match rule.split_once("\n  help: ") {
        Some((rule, remedy)) => rule.to_owned() + &help(remedy),
        None => rule,
    })
}

fn frame_out(frame: Frame) -> captures::Frame {
    captures::Frame {
        timestamp_ns: frame.timestamp,
        direction: match frame.direction {
            Direction::Incoming => captures::Direction::Incoming,
            Direction::Outgoing => captures::Direction::Outgoing,
        },
        length: frame.length,
        data: frame.data.into_vec(),
    }
}
