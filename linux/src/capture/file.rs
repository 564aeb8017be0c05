//! A capture as a pcapng file, draft-ietf-opsawg-pcapng.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use netwright_frames::{Direction, Layer};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::interface_statistics::{
    InterfaceStatisticsBlock, InterfaceStatisticsOption,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness};

use super::recording::{Frame, Recording};

/// The flags of a packet, section 4.3.1: its direction.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// One section with one interface, all frames, and at its end how many there were and were lost.
pub(super) fn write(
    recording: &Recording,
    snap_length: u32,
    link: &str,
    namespace: Option<&str>,
) -> io::Result<Vec<u8>> {
    let section = SectionHeaderBlock {
        endianness: Endianness::native(),
        options: vec![SectionHeaderOption::UserApplication(Cow::Borrowed("netwright"))],
        ..SectionHeaderBlock::default()
    };
    let mut writer =
        PcapNgWriter::with_section_header(Vec::new(), section).map_err(io::Error::other)?;
    writer
        .write_pcapng_block(interface(recording.layer, snap_length, link, namespace))
        .map_err(io::Error::other)?;
    for frame in recording.all() {
        writer.write_pcapng_block(packet(frame)).map_err(io::Error::other)?;
    }
    writer.write_pcapng_block(statistics(recording)).map_err(io::Error::other)?;
    Ok(writer.into_inner())
}

fn interface(
    layer: Layer,
    snap_length: u32,
    link: &str,
    namespace: Option<&str>,
) -> InterfaceDescriptionBlock<'static> {
    let linktype = match layer {
        Layer::Ethernet => DataLink::ETHERNET,
        Layer::Ip => DataLink::RAW,
    };
    let place = match namespace {
        Some(namespace) => format!("namespace {namespace}"),
        None => "root namespace".to_owned(),
    };
    let mut block = InterfaceDescriptionBlock::new(linktype, snap_length);
    block.options = vec![
        InterfaceDescriptionOption::IfName(Cow::Owned(link.to_owned())),
        InterfaceDescriptionOption::IfDescription(Cow::Owned(place)),
        InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
    ];
    block
}

fn packet(frame: &Frame) -> EnhancedPacketBlock<'_> {
    let flags = match frame.direction {
        Direction::Incoming => INBOUND,
        Direction::Outgoing => OUTBOUND,
    };
    EnhancedPacketBlock {
        interface_id: 0,
        timestamp: Duration::from_nanos(frame.timestamp),
        original_len: frame.length,
        data: Cow::Borrowed(&frame.data),
        options: vec![EnhancedPacketOption::Flags(flags)],
    }
}

fn statistics(recording: &Recording) -> InterfaceStatisticsBlock<'static> {
    let counters = recording.counters();
    let lost = counters.dropped + counters.beyond_limit;
    let mut options = vec![
        InterfaceStatisticsOption::IsbIfRecv(counters.frames + lost),
        InterfaceStatisticsOption::IsbOsDrop(lost),
    ];
    if let Some(loss) = counters.loss() {
        let comment = CommonOption::Comment(Cow::Owned(loss.to_string()));
        options.push(InterfaceStatisticsOption::Common(comment));
    }
    let last = recording.all().last().map_or(0, |frame| frame.timestamp);
    InterfaceStatisticsBlock { interface_id: 0, timestamp: Duration::from_nanos(last), options }
}
