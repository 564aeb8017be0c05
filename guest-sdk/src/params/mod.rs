//! Parameters: the values given to a run, read typed, with all that is wrong with them at once.

pub(crate) mod fault;
mod value;

pub use fault::Fault;
pub use netwright_sdk_macros::{ParamValue, Params};
pub use value::ParamValue;

use serde::de::DeserializeOwned;

use crate::host;

/// What a recipe takes; `#[derive(Params)]` writes it from a struct.
///
/// Each field is a parameter, its name in kebab-case and its doc comment the description. A field
/// takes `#[param(…)]` with
///
/// - `default = "bridge"`: the text that stands for a value left out (a number or `true` may be
///   written bare);
/// - `range = 1..=4094`: the whole numbers that are allowed;
/// - `name = "ip-range"`: another name;
/// - `json`: any type that serde reads, given as structured data.
///
/// A field of type `Option<T>` may be left out.
///
/// ```
/// use netwright_sdk::prelude::*;
///
/// #[derive(Params)]
/// struct Trunk {
///     /// How the children see each other
///     #[param(default = "bridge")]
///     mode: MacvlanMode,
///     /// The tag of the frames
///     #[param(range = 1..=4094)]
///     id: u16,
///     /// Where the children's addresses come from
///     subnet: Prefix,
///     /// The router, if there is one
///     gateway: Option<IpAddr>,
/// }
///
/// let values = Values::new([("id", "5000"), ("subnet", "10.0.0.0/8")]);
/// let Err(faults) = Trunk::read(&values) else { panic!("5000 is no tag") };
/// assert_eq!(faults[0].message, "`5000` is not from 1 to 4094");
/// ```
///
/// The compiler refuses what can't be right, such as a default that is none of the choices:
///
/// ```compile_fail,E0080
/// # use netwright_sdk::prelude::*;
/// #[derive(Params)]
/// struct Wrong {
///     #[param(default = "brigde")]
///     mode: MacvlanMode,
/// }
/// ```
///
/// or that is no value of the type:
///
/// ```compile_fail,E0080
/// # use netwright_sdk::prelude::*;
/// #[derive(Params)]
/// struct Wrong {
///     #[param(default = "four")]
///     children: u8,
/// }
/// ```
///
/// ```compile_fail,E0080
/// # use netwright_sdk::prelude::*;
/// #[derive(Params)]
/// struct Wrong {
///     #[param(default = 256)]
///     children: u8,
/// }
/// ```
pub trait Params: Sized {
    /// The manifest's entries, JSON objects with commas between.
    #[doc(hidden)]
    const MANIFEST: &'static str;

    /// Reads all parameters, or says all that is wrong with them.
    fn read(values: &Values) -> Result<Self, Vec<Fault>>;
}

/// A recipe without parameters.
impl Params for () {
    const MANIFEST: &'static str = "";

    fn read(_: &Values) -> Result<Self, Vec<Fault>> {
        Ok(())
    }
}

/// Parameters as text, by name: lists, maps, numbers and booleans are JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(Vec<(String, String)>);

impl Values {
    /// Parameters from anywhere, such as a test.
    pub fn new<N: Into<String>, V: Into<String>>(values: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(values.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The ones that this run was given.
    pub fn of_this_run() -> Self {
        Self(host::params::all())
    }

    /// One of them; none where it was left out.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What `#[derive(Params)]` reads fields with: takes values one by one and collects the faults.
#[doc(hidden)]
#[derive(Debug)]
pub struct Reader<'a> {
    values: &'a Values,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub fn new(values: &'a Values) -> Self {
        Self { values, faults: Vec::new() }
    }

    /// None where there is a fault, which is remembered.
    fn keep<T>(&mut self, name: &str, result: Result<T, Fault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(mut fault) => {
                name.clone_into(&mut fault.parameter);
                self.faults.push(fault);
                None
            }
        }
    }

    pub fn value<T: ParamValue>(
        &mut self,
        name: &str,
        default: Option<&str>,
        range: Option<(i128, i128)>,
    ) -> Option<T> {
        let result = match self.values.get(name).or(default) {
            Some(text) => T::read_param(text).and_then(|value| within(value, range)),
            None => T::left_out().ok_or_else(|| Fault::missing(name)),
        };
        self.keep(name, result)
    }

    pub fn json<T: DeserializeOwned>(&mut self, name: &str, default: Option<&str>) -> Option<T> {
        let result = match self.values.get(name).or(default) {
            Some(text) => value::read_json(text),
            None => Err(Fault::missing(name)),
        };
        self.keep(name, result)
    }

    pub fn into_faults(self) -> Vec<Fault> {
        self.faults
    }
}

fn within<T: ParamValue>(value: T, range: Option<(i128, i128)>) -> Result<T, Fault> {
    match range.and_then(|(least, most)| Some((least, most, value.outside(least, most)?))) {
        Some((least, most, number)) => {
            Err(Fault::new("", format!("`{number}` is not from {least} to {most}")))
        }
        None => Ok(value),
    }
}
