//! What a recipe's process answers by itself, so that it costs no message: what came with the order
//! to run, what time it is, and how addresses are written.

use super::proxy::Proxy;
use crate::host::bindings::netwright::host::types::{IpAddress, IpPrefix, MacAddress};
use crate::host::bindings::netwright::host::{clock, notation, params};
use crate::host::clock::Pause;
use crate::host::notation as written;

impl params::Host for Proxy {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let mut params = self.order.params.iter();
        Ok(params.find(|(known, _)| *known == name).map(|(_, value)| value.clone()))
    }

    fn all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self.order.params.clone())
    }

    fn dry_run(&mut self) -> wasmtime::Result<bool> {
        Ok(self.order.dry_run)
    }
}

impl clock::Host for Proxy {
    async fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(self.called.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Where the run's time and signals are heard, in the broker.
    async fn sleep(&mut self, duration: u64) -> wasmtime::Result<()> {
        Pause::sleep(self, duration).await
    }
}

impl notation::Host for Proxy {
    fn parse_address(&mut self, text: String) -> wasmtime::Result<Result<IpAddress, String>> {
        Ok(written::parse_address(&text))
    }

    fn format_address(&mut self, address: IpAddress) -> wasmtime::Result<String> {
        Ok(written::format_address(address))
    }

    fn parse_prefix(&mut self, text: String) -> wasmtime::Result<Result<IpPrefix, String>> {
        Ok(written::parse_prefix(&text))
    }

    fn format_prefix(&mut self, prefix: IpPrefix) -> wasmtime::Result<String> {
        Ok(written::format_prefix(prefix))
    }

    fn parse_mac(&mut self, text: String) -> wasmtime::Result<Result<MacAddress, String>> {
        Ok(written::parse_mac(&text))
    }

    fn format_mac(&mut self, mac: MacAddress) -> wasmtime::Result<String> {
        Ok(written::format_mac(mac))
    }
}
