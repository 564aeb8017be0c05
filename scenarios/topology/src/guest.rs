//! What the components offer: the check of their parameters, and the run.

use netwright_sdk::wit::exports::netwright::host::guest::Fault as GuestFault;
use netwright_sdk::wit::netwright::host::batch;
use netwright_sdk::wit::netwright::host::log::{Level, emit};
use netwright_sdk::wit::netwright::host::types::{Detail, Error};
use netwright_sdk::wit::netwright::host::{params, report};
use serde_json::Value;

use crate::batch::changes;
use crate::fault::Fault;
use crate::model::Topology;
use crate::read::{Reader, parameters};

/// What a recipe's parameters ask for.
pub struct Plan {
    pub topology: Topology,
    /// to be told when all is made
    pub lines: Vec<String>,
    /// asks the kernel what only it knows, before anything is made
    pub prepare: Prepare,
}

pub type Prepare = Box<dyn FnOnce(&mut Topology) -> Result<(), Error>>;

/// Reads a recipe's parameters; `None` where that is hopeless.
pub type Read = fn(&Value, &mut Reader) -> Option<Plan>;

/// The component's `check`.
pub fn check(read: Read) -> Vec<GuestFault> {
    log_panics();
    let mut reader = Reader::default();
    read(&parameters(params::all()), &mut reader);
    reader.faults.into_iter().map(guest_fault).collect()
}

/// The component's `run`: the whole network in one batch.
pub fn run(read: Read) -> Result<(), Error> {
    log_panics();
    let mut reader = Reader::default();
    let plan = read(&parameters(params::all()), &mut reader);
    if let Some(fault) = reader.faults.first() {
        return Err(Error::Invalid(format!("{}: {}", fault.place.item(), fault.message)));
    }
    let Some(Plan { mut topology, lines, prepare }) = plan else { return Ok(()) };
    prepare(&mut topology)?;
    let (changes, places): (Vec<_>, Vec<_>) = changes(&topology).into_iter().unzip();
    batch::apply(&changes).map_err(|failure| {
        let place = places.get(failure.index as usize).map(|place| place.item());
        named(place.unwrap_or_default(), failure.error)
    })?;
    lines.iter().for_each(|line| report::print(line));
    Ok(())
}

/// Adds the item that asked for the change, where the error has room for it.
fn named(item: String, error: Error) -> Error {
    match error {
        Error::Invalid(text) => Error::Invalid(format!("{item}: {text}")),
        Error::Gone(text) => Error::Gone(format!("{item}: {text}")),
        Error::Limit(text) => Error::Limit(format!("{item}: {text}")),
        Error::Unsupported(text) => Error::Unsupported(format!("{item}: {text}")),
        Error::Other(Detail { message, extra }) => {
            Error::Other(Detail { message: format!("{item}: {message}"), extra })
        }
        denied @ Error::Denied(_) => denied,
        kernel @ Error::Kernel(_) => kernel,
        timeout @ Error::Timeout(_) => timeout,
    }
}

fn guest_fault(fault: Fault) -> GuestFault {
    GuestFault {
        parameter: fault.place.parameter.into_owned(),
        pointer: fault.place.pointer,
        line: 0,
        column: 0,
        message: fault.message,
        help: fault.help,
    }
}

/// A panic ends the component without a word, unless its text is told before.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| emit(Level::Error, &panic.to_string())));
}

/// The exports and the manifest of a recipe, whose `read` is a [`Read`].
#[macro_export]
macro_rules! component {
    ($read:path, $manifest:literal) => {
        #[allow(unsafe_code, reason = "exports and sections are declared by unsafe attributes")]
        const _: () = {
            use netwright_sdk::wit::exports::netwright::host::guest::{Fault, Guest};
            use netwright_sdk::wit::netwright::host::types::Error;

            struct Component;

            impl Guest for Component {
                fn check() -> Vec<Fault> {
                    $crate::guest::check($read)
                }

                fn run() -> Result<(), Error> {
                    $crate::guest::run($read)
                }
            }

    netwright_sdk::wit::export_recipe!(Component with_types_in netwright_sdk::wit);

            #[unsafe(link_section = "netwright:manifest")]
            #[used]
            static MANIFEST: [u8; include_bytes!($manifest).len()] = *include_bytes!($manifest);
        };
    };
}
