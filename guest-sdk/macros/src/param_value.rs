//! `#[derive(ParamValue)]`: an enum whose variants are the words that a parameter can be.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Ident, Result};

use crate::documentation::{json, kebab};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let variants = variants(input)?;
    let name = &input.ident;
    let words: Vec<String> = variants.iter().map(|variant| kebab(&variant.to_string())).collect();
    let choices = words.iter().map(|word| json(word)).collect::<Vec<_>>().join(",");
    let choices = format!("[{choices}]");
    let known = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    Ok(quote! {
        impl ::netwright_sdk::ParamValue for #name {
            const TYPE: &'static str = "string";
            const CHOICES: &'static str = #choices;

            fn read(text: &str) -> ::netwright_sdk::Result<Self> {
                match text {
                    #(#words => Ok(Self::#variants),)*
                    other => Err(::netwright_sdk::Error::invalid(format!(
                        "`{}` is none of {}", other.escape_debug(), #known
                    ))),
                }
            }
        }
    })
}

fn variants(input: &DeriveInput) -> Result<Vec<&Ident>> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "`ParamValue` is for enums"));
    };
    data.variants
        .iter()
        .map(|variant| match &variant.fields {
            Fields::Unit => Ok(&variant.ident),
            Fields::Named(_) | Fields::Unnamed(_) => {
                Err(Error::new_spanned(variant, "a word of a parameter has no fields"))
            }
        })
        .collect()
}
