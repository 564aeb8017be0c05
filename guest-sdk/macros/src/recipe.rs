//! `#[recipe]`: the exports, the manifest and the panic hook around a function.

use std::ops::Range;

use netwright_grants::{Fault, Rule};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, FnArg, Ident, ItemFn, LitStr, Path, Result, Token, Type, parenthesized};

use crate::documentation::{json, of};

/// The contract's version that this crate's recipes are made for: the WIT package's.
const API: &str = "0.2.0";

/// What stands in the parentheses of `#[recipe(…)]`.
pub(crate) struct Arguments {
    name: LitStr,
    version: LitStr,
    check: Option<Path>,
    capabilities: Vec<Capability>,
}

/// `"host.link.create kind=macvlan" = "why"`.
struct Capability {
    wanted: LitStr,
    reason: LitStr,
}

impl Parse for Capability {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let wanted: LitStr = input.parse()?;
        if let Err(faults) = Rule::ask(&wanted.value(), "") {
            let sentence = |fault: &Fault<Range<usize>>| match &fault.help {
                Some(help) => format!("{}\nhelp: {help}", fault.message),
                None => fault.message.clone(),
            };
            let all: Vec<String> = faults.iter().map(sentence).collect();
            return Err(Error::new(wanted.span(), all.join("\n")));
        }
        input.parse::<Token![=]>()?;
        let reason: LitStr = input.parse()?;
        if reason.value().trim().is_empty() {
            return Err(Error::new(reason.span(), "the operator is to read why it is needed"));
        }
        Ok(Self { wanted, reason })
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut name, mut version, mut check) = (None, None, None);
        let mut capabilities = Vec::new();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            if key == "capabilities" {
                let inside;
                parenthesized!(inside in input);
                let list = Punctuated::<Capability, Token![,]>::parse_terminated(&inside)?;
                capabilities.extend(list);
            } else {
                input.parse::<Token![=]>()?;
                match key.to_string().as_str() {
                    "name" => name = Some(input.parse()?),
                    "version" => version = Some(input.parse()?),
                    "check" => check = Some(input.parse()?),
                    _ => return Err(Error::new(key.span(), EXPECTED)),
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let needed = |what: &str| Error::new(input.span(), format!("`{what} = \"…\"` is missing"));
        Ok(Self {
            name: name.ok_or_else(|| needed("name"))?,
            version: version.ok_or_else(|| needed("version"))?,
            check,
            capabilities,
        })
    }
}

const EXPECTED: &str = "expected `name`, `version`, `check` or `capabilities`";

pub(crate) fn expand(arguments: &Arguments, function: &ItemFn) -> Result<TokenStream> {
    let params = params_type(function)?;
    let build = &function.sig.ident;
    let (name, version) = (&arguments.name, &arguments.version);
    let (head, tail) = manifest(arguments, &of(&function.attrs));
    let call = match &params {
        Some(_) => quote!(#build(lab, params)),
        None => quote!(#build(lab)),
    };
    let params = params.map_or_else(|| quote!(()), |params| quote!(#params));
    let more = match &arguments.check {
        Some(check) => quote!(#check(params)),
        None => quote!(::std::vec::Vec::new()),
    };
    let export = export();
    Ok(quote! {
        #function

        /// The recipe of this crate: its name, its manifest and what it does.
        pub const RECIPE: ::netwright_sdk::Recipe = ::netwright_sdk::Recipe {
            name: #name,
            version: #version,
            manifest: ::netwright_sdk::macro_support::constcat::concat!(
                #head, <#params as ::netwright_sdk::Params>::MANIFEST, #tail
            ),
            check: || ::netwright_sdk::recipe::check::<#params>(|params| {
                let _: &#params = params;
                #more
            }),
            run: || ::netwright_sdk::recipe::run::<#params>(|lab, params| {
                let _: &#params = &params;
                #call
            }),
        };

        #export
    })
}

/// Nothing of it belongs into a build that isn't a component: the exports' symbols break the link
/// of an ordinary library.
fn export() -> TokenStream {
    quote! {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "exports and sections are declared by unsafe attributes")]
        const _: () = {
            use ::netwright_sdk::wit::exports::netwright::host::guest::{Fault, Guest};
            use ::netwright_sdk::wit::types::Error;

            struct Component;

            impl Guest for Component {
                fn check() -> ::std::vec::Vec<Fault> {
                    ::netwright_sdk::recipe::guest_check(&RECIPE)
                }

                fn run() -> ::core::result::Result<(), Error> {
                    ::netwright_sdk::recipe::guest_run(&RECIPE)
                }
            }

            ::netwright_sdk::wit::export_recipe!(Component with_types_in ::netwright_sdk::wit);

            #[unsafe(link_section = "netwright:manifest")]
            #[used]
            static MANIFEST: [u8; RECIPE.manifest.len()] =
                ::netwright_sdk::macro_support::array(RECIPE.manifest);
        };
    }
}

/// The type of the second argument, if there is one.
fn params_type(function: &ItemFn) -> Result<Option<&Type>> {
    let signature = &function.sig;
    let expected =
        "a recipe is `fn(lab: &Lab) -> Result<()>` or `fn(lab: &Lab, params: P) -> Result<()>`";
    let refused = || Error::new_spanned(signature, expected);
    if signature.asyncness.is_some() || !signature.generics.params.is_empty() {
        return Err(refused());
    }
    let mut inputs = signature.inputs.iter();
    let Some(FnArg::Typed(_)) = inputs.next() else { return Err(refused()) };
    match (inputs.next(), inputs.next()) {
        (None, _) => Ok(None),
        (Some(FnArg::Typed(params)), None) => Ok(Some(&*params.ty)),
        (Some(_), _) => Err(refused()),
    }
}

/// The manifest before and after its parameters, which only the compiler knows.
fn manifest(arguments: &Arguments, description: &str) -> (String, String) {
    let capabilities: Vec<String> = arguments
        .capabilities
        .iter()
        .map(|Capability { wanted, reason }| {
            let (wanted, reason) = (json(&wanted.value()), json(&reason.value()));
            format!(r#"{{"capability":{wanted},"reason":{reason}}}"#)
        })
        .collect();
    let head = format!(
        r#"{{"schema":1,"name":{},"version":{},"api":{},"description":{},"parameters":["#,
        json(&arguments.name.value()),
        json(&arguments.version.value()),
        json(API),
        json(description)
    );
    let tail = format!(r#"],"capabilities":[{}]}}"#, capabilities.join(","));
    (head, tail)
}
