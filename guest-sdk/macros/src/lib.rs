//! The derive and attribute macros of netwright-sdk, which documents them.

mod documentation;
mod param_value;
mod params;
mod recipe;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, parse_macro_input};

/// Makes a recipe of a function `fn(lab: &Lab) -> Result<()>` or
/// `fn(lab: &Lab, params: P) -> Result<()>`.
///
/// It takes
///
/// - `name = "…"` and `version = "…"`;
/// - `check = path`, for faults of parameters beyond their types: a `fn(&P) -> Vec<Fault>`;
/// - `capabilities("host.link.create kind=macvlan" = "the children of the uplink")`: what it asks
///   the operator for beyond the lab, and why. Keys that are left out are the operator's to
///   choose; what there isn't is an error of the compiler.
///
/// Beside the function it makes the constant `RECIPE`. In a WebAssembly build it exports the
/// contract's `check` and `run`, writes the manifest into the section `netwright:manifest`, and
/// sees to it that the text of a panic reaches the log.
#[proc_macro_attribute]
pub fn recipe(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as recipe::Arguments);
    let function = parse_macro_input!(function as ItemFn);
    recipe::expand(&arguments, &function).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Reads a recipe's parameters into a struct, a field each.
#[proc_macro_derive(Params, attributes(param))]
pub fn derive_params(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    params::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes an enum without fields the type of a parameter, its variants the words in kebab-case.
#[proc_macro_derive(ParamValue)]
pub fn derive_param_value(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    param_value::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
