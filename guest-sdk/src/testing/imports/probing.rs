//! Probes: answered as the test says, or from the state of the network where that tells enough.
#![allow(missing_docs, reason = "the contract documents its functions")]

/// As the interface `probes`.
pub mod probes {
    pub use crate::wit::netwright::host::probes::{
        Condition, Connection, Echo, PingOptions, Transport,
    };

    use std::net::IpAddr;

    use super::super::building::namespaces::Namespace;
    use crate::testing::answers::Server;
    use crate::testing::state::{State, try_with, with};
    use crate::wit::types::{Error, IpAddress, KernelError, MacAddress};

    /// What every answered probe takes, in microseconds.
    const ELAPSED: u32 = 100;

    fn echo(
        state: &State,
        namespace: &Namespace,
        destination: IpAddress,
        options: &PingOptions,
    ) -> Result<Echo, Error> {
        let inside = namespace.alive(state)?;
        let answered = state.answers.pings(&inside, destination.into());
        let (received, time) = if answered { (options.count, ELAPSED) } else { (0, 0) };
        Ok(Echo {
            sent: options.count,
            received,
            minimum_us: time,
            average_us: time,
            maximum_us: time,
        })
    }

    pub fn ping(
        namespace: &Namespace,
        destination: IpAddress,
        options: &PingOptions,
    ) -> Result<Echo, Error> {
        with(|state| echo(state, namespace, destination, options))
    }

    /// Echo requests under way: they end when no tap has a frame left that the recipe has not
    /// read.
    #[derive(Debug)]
    pub struct Pinging {
        echo: Echo,
    }

    impl Pinging {
        pub fn start(
            namespace: &Namespace,
            destination: IpAddress,
            options: &PingOptions,
        ) -> Result<Self, Error> {
            with(|state| echo(state, namespace, destination, options)).map(|echo| Self { echo })
        }

        pub fn finished(&self) -> Result<Option<Echo>, Error> {
            let read = with(|state| state.wires.values().all(|wire| wire.arriving.is_empty()));
            Ok(read.then_some(self.echo))
        }
    }

    pub fn arp(
        namespace: &Namespace,
        link: &str,
        address: IpAddress,
        _timeout_ms: u32,
    ) -> Result<Vec<MacAddress>, Error> {
        with(|state| {
            namespace.alive(state)?;
            match state.network.find_link(namespace.id(), link) {
                Some(_) => Ok(state.answers.stations(address.into())),
                None => Err(Error::Invalid(format!("there is no link `{link}`"))),
            }
        })
    }

    pub fn tcp(
        namespace: &Namespace,
        destination: IpAddress,
        port: u16,
        send: &[u8],
        receive: u32,
        _timeout_ms: u32,
    ) -> Result<Connection, Error> {
        with(|state| {
            namespace.alive(state)?;
            let address = IpAddr::from(destination);
            let Some(mut received) = state.serve(Transport::Tcp, address, port, send) else {
                return Err(refused(&format!("connect {address} port {port}")));
            };
            received.truncate(usize::try_from(receive).unwrap_or(usize::MAX));
            Ok(Connection { elapsed_us: ELAPSED, local_port: 40000, received })
        })
    }

    fn refused(operation: &str) -> Error {
        Error::Kernel(KernelError {
            errno: 111,
            name: "ECONNREFUSED".to_owned(),
            operation: operation.to_owned(),
            text: None,
            hint: None,
            extra: Vec::new(),
        })
    }

    pub fn udp(
        namespace: &Namespace,
        destination: IpAddress,
        port: u16,
        send: &[u8],
        timeout_ms: u32,
    ) -> Result<Vec<u8>, Error> {
        with(|state| {
            namespace.alive(state)?;
            let answer = state.serve(Transport::Udp, destination.into(), port, send);
            answer.ok_or(Error::Timeout(timeout_ms.into()))
        })
    }

    /// A server, for probes to its namespace's addresses.
    #[derive(Debug)]
    pub struct Listener {
        port: u16,
        number: usize,
    }

    impl Listener {
        pub fn open(
            namespace: &Namespace,
            transport: Transport,
            port: u16,
            echo: bool,
        ) -> Result<Self, Error> {
            with(|state| {
                namespace.alive(state)?;
                let server =
                    Server { namespace: namespace.id(), transport, port, echo, accepted: 0 };
                let (number, port) = state.answers.open(server)?;
                Ok(Self { port, number })
            })
        }

        pub fn port(&self) -> u16 {
            self.port
        }

        pub fn accepted(&self) -> u64 {
            with(|state| state.answers.accepted(self.number))
        }
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            try_with(|state| state.answers.close(self.number));
        }
    }

    pub fn wait_until(
        namespace: &Namespace,
        condition: &Condition,
        timeout_ms: u32,
    ) -> Result<u64, Error> {
        with(|state| {
            let inside = namespace.alive(state)?;
            let holds = state.holds(namespace.id(), &inside, condition);
            if holds { Ok(0) } else { Err(Error::Timeout(timeout_ms.into())) }
        })
    }
}
