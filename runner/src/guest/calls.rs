//! Every function of the contract that the broker answers, as a message: one row each.
//!
//! From the rows come the messages, the guest's side, which sends them, and the broker's side, which
//! hands them to the functions of [`Host`]. `ask` waits for the answer; `tell` has none and goes on at
//! once, and so does `note`, which goes with the next message.

use serde::{Deserialize, Serialize};
use wasmtime::component::Resource;

use super::proxy::Proxy;
use super::wire::{Cross, Plain, Reply, encode};
use crate::host::bindings::netwright::host::links::LinkName;
use crate::host::bindings::netwright::host::types::{
    Attribute, Family, IpAddress, IpPrefix, MacAddress, Write,
};
use crate::host::bindings::netwright::host::{
    addresses, batch, captures, exec, fdb, links, log, namespaces, neighbours, probes, qdisc,
    report, routes, rules, sysctls, taps, vlans,
};
use crate::host::{
    BatchHandle, CaptureHandle, Host, LinkHandle, ListenerHandle, NamespaceHandle, PingingHandle,
    Refusal, TapHandle, clock,
};

type Batch = Resource<BatchHandle>;
type Namespace = Resource<NamespaceHandle>;
type Link = Resource<LinkHandle>;
type Answer<T> = Result<T, Refusal>;
/// of a function that can't be refused
type Sure<T> = wasmtime::Result<T>;

macro_rules! calls {
    ($($colour:ident $interface:ident::$trait:ident as $group:ident { $($row:tt)* })*) => {
        /// A function's number, and its arguments.
        #[derive(Serialize, Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "it is made and taken apart at once")]
        pub(super) enum Call { $($group($group)),* }

        impl Call {
            /// Answers it; the error is what stops the recipe.
            pub(super) async fn serve(
                self,
                host: &mut Host,
                answer: Vec<u8>,
            ) -> wasmtime::Result<Vec<u8>> {
                match self { $(Self::$group(call) => call.serve(host, answer).await),* }
            }
        }
        $(group!{ $colour $interface::$trait as $group { $($row)* } })*
    };
}

macro_rules! group {
    ($colour:ident $interface:ident::$trait:ident as $group:ident {
        $($verb:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    }) => {
        #[derive(Serialize, Deserialize)]
        #[allow(non_camel_case_types, reason = "each is called as its function")]
        #[allow(clippy::large_enum_variant, reason = "it is made and taken apart at once")]
        pub(super) enum $group { $($name($(<$type as Cross>::Wire),*)),* }

        impl $group {
            async fn serve(self, host: &mut Host, answer: Vec<u8>) -> wasmtime::Result<Vec<u8>> {
                match self {
                    $(Self::$name($($argument),*) => {
                        let given = answered!($colour <Host as $interface::$trait>::$name(
                            host, $(<$type as Cross>::inward($argument)),*
                        ));
                        Ok(encode(&<$answer as Reply>::outward(given, host)?, answer)?)
                    })*
                }
            }
        }

        proxy!{ $colour $interface::$trait as $group {
            $($verb $name($($argument: $type),*) -> $answer;)*
        } }
    };
}

macro_rules! answered {
    (at_once $call:expr) => {
        $call
    };
    (waits $call:expr) => {
        $call.await
    };
}

macro_rules! proxy {
    (at_once $interface:ident::$trait:ident as $group:ident {
        $($verb:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    }) => {
        impl $interface::$trait for Proxy {
            $(fn $name(&mut self, $($argument: $type),*) -> $answer {
                self.$verb(Call::$group($group::$name($($argument.outward()),*)))
            })*
        }
    };
    (waits $interface:ident::$trait:ident as $group:ident {
        $($verb:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    }) => {
        impl $interface::$trait for Proxy {
            $(async fn $name(&mut self, $($argument: $type),*) -> $answer {
                self.$verb(Call::$group($group::$name($($argument.outward()),*)))
            })*
        }
    };
}

calls! {
    at_once log::Host as Log {
        tell emit(level: log::Level, message: String) -> Sure<()>;
    }
    waits clock::Pause as Clock {
        ask sleep(nanoseconds: u64) -> Sure<()>;
    }
    at_once report::Host as Report {
        tell step(title: String) -> Sure<()>;
        tell check(name: String, verdict: report::Verdict, detail: String) -> Sure<()>;
        tell metric(name: String, value: f64, unit: String) -> Sure<()>;
        tell print(text: String) -> Sure<()>;
        tell attach(name: String, media_type: String, data: Vec<u8>) -> Sure<()>;
    }
    at_once batch::HostBatch as OneBatch {
        ask new() -> Sure<Batch>;
        ask apply(batch: Batch) -> Sure<Result<(), batch::BatchError>>;
        ask ensure(batch: Batch) -> Sure<Result<u32, batch::BatchError>>;
        note drop(batch: Batch) -> Sure<()>;
    }
    at_once namespaces::Host as Namespaces {
        ask list_names() -> Answer<Vec<String>>;
        note add_namespace(batch: Batch, name: String) -> Sure<()>;
    }
    at_once namespaces::HostNamespace as OneNamespace {
        ask create(name: String) -> Answer<Namespace>;
        ask open(name: String) -> Answer<Namespace>;
        ask root() -> Answer<Namespace>;
        ask name(namespace: Namespace) -> Sure<String>;
        ask delete(namespace: Namespace) -> Answer<()>;
        ask set_id(namespace: Namespace, peer: String, id: i32) -> Answer<()>;
        note drop(namespace: Namespace) -> Sure<()>;
    }
    at_once links::Host as Links {
        ask list_all(namespace: Namespace) -> Answer<Vec<links::Info>>;
        ask offered(kind: String) -> Answer<()>;
        note add_link(batch: Batch, namespace: Option<String>, spec: links::Spec) -> Sure<()>;
        note add_settings(
            batch: Batch, link: LinkName, settings: Vec<links::Setting>
        ) -> Sure<()>;
    }
    at_once links::HostLink as OneLink {
        ask create(namespace: Namespace, spec: links::Spec) -> Answer<Link>;
        ask open(namespace: Namespace, name: String) -> Answer<Link>;
        ask index(link: Link) -> Sure<u32>;
        ask info(link: Link) -> Answer<links::Info>;
        ask statistics(link: Link) -> Answer<links::Statistics>;
        ask change(link: Link, settings: Vec<links::Setting>) -> Answer<()>;
        ask move_to(link: Link, namespace: Namespace) -> Answer<()>;
        ask delete(link: Link) -> Answer<()>;
        note drop(link: Link) -> Sure<()>;
    }
    at_once addresses::Host as Addresses {
        ask put(link: Link, address: addresses::Address, how: Write) -> Answer<()>;
        ask remove(link: Link, prefix: IpPrefix, peer: Option<IpPrefix>) -> Answer<()>;
        ask list_all(namespace: Namespace, family: Option<Family>) -> Answer<Vec<addresses::Info>>;
        note add_address(
            batch: Batch, link: LinkName, address: addresses::Address, how: Write
        ) -> Sure<()>;
    }
    at_once routes::Host as Routes {
        ask put(namespace: Namespace, route: routes::Route, how: Write) -> Answer<()>;
        ask remove(namespace: Namespace, route: routes::Route) -> Answer<()>;
        ask list_all(namespace: Namespace, family: Family) -> Answer<Vec<routes::Route>>;
        ask lookup(
            namespace: Namespace, destination: IpAddress, source: Option<IpAddress>
        ) -> Answer<routes::Route>;
        note add_route(
            batch: Batch, namespace: Option<String>, route: routes::Route, how: Write
        ) -> Sure<()>;
    }
    at_once rules::Host as Rules {
        ask add(namespace: Namespace, rule: rules::Rule) -> Answer<()>;
        ask remove(namespace: Namespace, rule: rules::Rule) -> Answer<()>;
        ask list_all(namespace: Namespace, family: Family) -> Answer<Vec<rules::Rule>>;
        note add_rule(batch: Batch, namespace: Option<String>, rule: rules::Rule) -> Sure<()>;
    }
    at_once neighbours::Host as Neighbours {
        ask put(link: Link, neighbour: neighbours::Neighbour, how: Write) -> Answer<()>;
        ask remove(link: Link, address: IpAddress, proxy: bool) -> Answer<()>;
        ask list_all(
            namespace: Namespace, family: Option<Family>
        ) -> Answer<Vec<(String, neighbours::Neighbour)>>;
        note add_neighbour(
            batch: Batch, link: LinkName, neighbour: neighbours::Neighbour, how: Write
        ) -> Sure<()>;
    }
    at_once fdb::Host as Fdb {
        ask put(link: Link, entry: fdb::Entry, how: Write) -> Answer<()>;
        ask remove(link: Link, entry: fdb::Entry) -> Answer<()>;
        ask list_all(link: Link) -> Answer<Vec<fdb::Entry>>;
    }
    at_once qdisc::Host as Qdisc {
        ask put(link: Link, qdisc: qdisc::Qdisc, how: Write) -> Answer<()>;
        ask remove(link: Link) -> Answer<()>;
        ask get(link: Link) -> Answer<Option<qdisc::Qdisc>>;
        ask list_all(namespace: Namespace) -> Answer<Vec<(String, qdisc::Qdisc)>>;
        ask offered(kind: String) -> Answer<()>;
        note add_qdisc(
            batch: Batch, link: LinkName, qdisc: qdisc::Qdisc, how: Write
        ) -> Sure<()>;
        note add_qdisc_removal(batch: Batch, link: LinkName) -> Sure<()>;
    }
    at_once vlans::Host as Vlans {
        ask put(link: Link, vlan: vlans::Vlan) -> Answer<()>;
        ask remove(link: Link, first: u16, last: u16) -> Answer<()>;
        ask set_all(link: Link, vlans: Vec<vlans::Vlan>) -> Answer<()>;
        ask get(link: Link) -> Answer<Vec<vlans::Vlan>>;
        ask list_all(namespace: Namespace) -> Answer<Vec<(String, Vec<vlans::Vlan>)>>;
        ask offered() -> Answer<()>;
        note add_vlans(batch: Batch, link: LinkName, vlans: Vec<vlans::Vlan>) -> Sure<()>;
    }
    at_once sysctls::Host as Sysctls {
        ask get(namespace: Namespace, key: String) -> Answer<String>;
        ask set(namespace: Namespace, key: String, value: String) -> Answer<()>;
        note add_sysctl(
            batch: Batch, namespace: Option<String>, key: String, value: String
        ) -> Sure<()>;
    }
    waits probes::Host as Probes {
        ask ping(
            namespace: Namespace, destination: IpAddress, options: probes::PingOptions
        ) -> Answer<probes::Echo>;
        ask arp(
            namespace: Namespace, link: String, address: IpAddress, timeout_ms: u32
        ) -> Answer<Vec<MacAddress>>;
        ask tcp(
            namespace: Namespace, destination: IpAddress, port: u16, send: Vec<u8>, receive: u32,
            timeout_ms: u32
        ) -> Answer<probes::Connection>;
        ask udp(
            namespace: Namespace, destination: IpAddress, port: u16, send: Vec<u8>, timeout_ms: u32
        ) -> Answer<Vec<u8>>;
        ask wait_until(
            namespace: Namespace, until: probes::Condition, timeout_ms: u32
        ) -> Answer<u64>;
    }
    waits probes::HostListener as Listener {
        ask open(
            namespace: Namespace, transport: probes::Transport, port: u16, echo: bool
        ) -> Answer<Resource<ListenerHandle>>;
        ask port(listener: Resource<ListenerHandle>) -> Sure<u16>;
        ask accepted(listener: Resource<ListenerHandle>) -> Sure<u64>;
        ask drop(listener: Resource<ListenerHandle>) -> Sure<()>;
    }
    waits probes::HostPinging as Pinging {
        ask start(
            namespace: Namespace, destination: IpAddress, options: probes::PingOptions
        ) -> Answer<Resource<PingingHandle>>;
        ask finished(pinging: Resource<PingingHandle>) -> Answer<Option<probes::Echo>>;
        ask drop(pinging: Resource<PingingHandle>) -> Sure<()>;
    }
    waits exec::Host as Exec {
        ask run(
            namespace: Namespace, program: String, arguments: Vec<String>, timeout_ms: u32
        ) -> Answer<exec::Outcome>;
    }
    waits taps::HostTap as Tap {
        ask open(link: Link, options: taps::TapOptions) -> Answer<Resource<TapHandle>>;
        ask receive(
            tap: Resource<TapHandle>, max_frames: u32, timeout_ms: u32
        ) -> Answer<Vec<Vec<u8>>>;
        ask send(tap: Resource<TapHandle>, frames: Vec<Vec<u8>>) -> Answer<u32>;
        ask drop(tap: Resource<TapHandle>) -> Sure<()>;
    }
    waits captures::HostCapture as Capture {
        ask start(
            link: Link, options: captures::CaptureOptions
        ) -> Answer<Resource<CaptureHandle>>;
        ask frames(
            capture: Resource<CaptureHandle>, filter: Vec<Attribute>, skip: u32, max_frames: u32,
            timeout_ms: u32
        ) -> Answer<Vec<captures::Frame>>;
        ask counters(capture: Resource<CaptureHandle>) -> Answer<captures::Counters>;
        ask drop(capture: Resource<CaptureHandle>) -> Sure<()>;
    }
}

macro_rules! plain {
    ($($type:ty),* $(,)?) => { $(impl Plain for $type {})* };
}

plain! {
    (), bool, u16, u32, u64, i32, f64, String,
    Attribute, Family, IpAddress, IpPrefix, MacAddress, Write,
    log::Level, report::Verdict,
    links::Info, LinkName, links::Spec, links::Setting, links::Statistics,
    addresses::Address, addresses::Info, routes::Route, rules::Rule,
    neighbours::Neighbour, fdb::Entry, qdisc::Qdisc, vlans::Vlan,
    Result<(), batch::BatchError>, Result<u32, batch::BatchError>,
    probes::PingOptions, probes::Echo, probes::Connection, probes::Condition, probes::Transport,
    exec::Outcome, taps::TapOptions, captures::CaptureOptions, captures::Frame, captures::Counters,
}

impl<T: Plain> Plain for Vec<T> {}
impl<T: Plain> Plain for Option<T> {}
impl<T: Plain> Plain for (String, T) {}
