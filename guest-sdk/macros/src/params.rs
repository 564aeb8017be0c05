//! `#[derive(Params)]`: a struct with a field for each parameter.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Expr, ExprLit, ExprRange, ExprUnary, Field, Fields, Lit, LitStr,
    RangeLimits, Result, Type, UnOp,
};

use crate::documentation::{json, kebab, of};

/// One field, with what its attributes say.
struct Param<'a> {
    field: &'a Field,
    name: String,
    description: String,
    default: Option<Literal>,
    range: Option<(i128, i128)>,
    json: bool,
}

/// A default as it is written: as the parameter's text, and as the manifest shows it.
struct Literal {
    text: String,
    json: String,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let params = fields(input)?.iter().map(Param::of).collect::<Result<Vec<_>>>()?;
    let owner = &input.ident;
    let (implement, generics, condition) = input.generics.split_for_impl();
    let entries = params.iter().map(Param::entry).enumerate().map(|(place, entry)| {
        let comma = if place == 0 { "" } else { "," };
        quote!(#comma, #entry)
    });
    let proofs = params.iter().map(Param::proofs);
    let fields = params.iter().map(|param| &param.field.ident);
    let names: Vec<_> = (0..params.len()).map(|place| format_ident!("value_{place}")).collect();
    let reads = params.iter().map(Param::read);
    Ok(quote! {
        #(#proofs)*

        impl #implement ::netwright_sdk::Params for #owner #generics #condition {
            const MANIFEST: &'static str =
                ::netwright_sdk::macro_support::constcat::concat!("", #(#entries),*);

            fn read(
                values: &::netwright_sdk::Values,
            ) -> ::core::result::Result<Self, ::std::vec::Vec<::netwright_sdk::Fault>> {
                let mut reader = ::netwright_sdk::macro_support::Reader::new(values);
                #(let #names = #reads;)*
                let (#(::core::option::Option::Some(#names),)*) = (#(#names,)*) else {
                    return ::core::result::Result::Err(reader.into_faults());
                };
                ::core::result::Result::Ok(Self { #(#fields: #names),* })
            }
        }
    })
}

fn fields(input: &DeriveInput) -> Result<Vec<&Field>> {
    let refused = || Error::new_spanned(&input.ident, "`Params` is for structs with named fields");
    if let Some(parameter) = input.generics.params.first() {
        return Err(Error::new_spanned(parameter, "parameters are of known types"));
    }
    let Data::Struct(data) = &input.data else { return Err(refused()) };
    let Fields::Named(fields) = &data.fields else { return Err(refused()) };
    if fields.named.is_empty() {
        return Err(Error::new_spanned(
            &input.ident,
            "a recipe without parameters needs no struct",
        ));
    }
    Ok(fields.named.iter().collect())
}

impl<'a> Param<'a> {
    fn of(field: &&'a Field) -> Result<Self> {
        let field: &'a Field = field;
        let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut param = Self {
            field,
            name: kebab(ident.trim_start_matches("r#")),
            description: of(&field.attrs),
            default: None,
            range: None,
            json: false,
        };
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("param")) {
            attribute.parse_nested_meta(|meta| param.take(&meta))?;
        }
        if param.json && param.range.is_some() {
            return Err(Error::new_spanned(field, "`range` is for whole numbers, not for `json`"));
        }
        Ok(param)
    }

    fn take(&mut self, meta: &syn::meta::ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("default") {
            self.default = Some(literal(&meta.value()?.parse()?)?);
        } else if meta.path.is_ident("range") {
            self.range = Some(limits(&meta.value()?.parse()?)?);
        } else if meta.path.is_ident("name") {
            self.name = meta.value()?.parse::<LitStr>()?.value();
        } else if meta.path.is_ident("json") {
            self.json = true;
        } else {
            return Err(meta.error("expected `default`, `range`, `name` or `json`"));
        }
        Ok(())
    }

    /// The text that stands for a value left out.
    fn fallback(&self) -> Option<String> {
        let left_out = (self.json && is_option(&self.field.ty)).then(|| "null".to_owned());
        self.default.as_ref().map(|default| default.text.clone()).or(left_out)
    }

    fn read(&self) -> TokenStream {
        let (name, ty) = (&self.name, &self.field.ty);
        let default = option(self.fallback().map(|text| quote!(#text)));
        if self.json {
            return quote!(reader.json::<#ty>(#name, #default));
        }
        let range = option(self.range.map(|(least, most)| quote!((#least, #most))));
        quote!(reader.value::<#ty>(#name, #default, #range))
    }

    /// The parameter's JSON object in the manifest, as constant texts one after the other.
    fn entry(&self) -> TokenStream {
        let ty = &self.field.ty;
        let value = quote!(<#ty as ::netwright_sdk::ParamValue>);
        let support = quote!(::netwright_sdk::macro_support);
        let head = format!(r#"{{"name":{},"type":""#, json(&self.name));
        let tail = match &self.default {
            Some(default) => format!(r#","default":{}"#, default.json),
            None => String::new(),
        };
        let middle = format!(r#"","description":{},"required":"#, json(&self.description));
        if self.json {
            let required = self.fallback().is_none();
            let rest = format!(r#"{head}json{middle}{required}{tail}}}"#);
            return quote!(#rest);
        }
        let has_default = self.default.is_some();
        let range = match self.range {
            Some((least, most)) => {
                let range = format!("[{least},{most}]");
                quote!(#range)
            }
            None => quote!(#value::RANGE),
        };
        quote! {
            #head, #value::LIST, #value::TYPE, #middle,
            #support::choose(#has_default || #value::OPTIONAL, "false", "true"), #tail,
            #support::choose(#range.is_empty(), "", ",\"range\":"), #range,
            #support::choose(#value::CHOICES.is_empty(), "", ",\"choices\":"), #value::CHOICES,
            "}"
        }
    }

    /// What the compiler can see to be wrong.
    fn proofs(&self) -> TokenStream {
        if self.json {
            return TokenStream::new();
        }
        let ty = &self.field.ty;
        let value = quote!(<#ty as ::netwright_sdk::ParamValue>);
        let choice = self.default.as_ref().map(|default| {
            let quoted = json(&default.text);
            let message =
                format!("`{}` is none of the choices of parameter `{}`", default.text, self.name);
            quote! {
                const _: () = assert!(
                    #value::CHOICES.is_empty()
                        || !#value::LIST.is_empty()
                        || ::netwright_sdk::macro_support::is_choice(#value::CHOICES, #quoted),
                    #message
                );
            }
        });
        let fits = self.default.as_ref().map(|default| {
            let text = &default.text;
            let message = format!("`{text}` can't be the default of parameter `{}`", self.name);
            let number = option(text.parse::<i128>().ok().map(|number| quote!(#number)));
            let range = match self.range {
                Some((least, most)) => {
                    let range = format!("[{least},{most}]");
                    quote!(#range)
                }
                None => quote!(#value::RANGE),
            };
            quote! {
                const _: () = assert!(
                    !#value::LIST.is_empty()
                        || ::netwright_sdk::macro_support::is_value(
                            #value::TYPE, #range, #number, #text
                        ),
                    #message
                );
            }
        });
        let range = self.range.map(|_| {
            let message =
                format!("`range` is for whole numbers; parameter `{}` is none", self.name);
            quote!(
                const _: () = assert!(!#value::RANGE.is_empty(), #message);
            )
        });
        quote!(#choice #fits #range)
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// `Option<…>` as it is written; a type of that name elsewhere would be meant, too.
fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Option")
}

/// `"bridge"`, `5`, `-1` or `true`, as a user would give it.
fn literal(expression: &Expr) -> Result<Literal> {
    let text = match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let text = text.value();
            return Ok(Literal { json: json(&text), text });
        }
        Expr::Lit(ExprLit { lit: Lit::Bool(truth), .. }) => truth.value.to_string(),
        other => whole_number(other)?.to_string(),
    };
    Ok(Literal { json: text.clone(), text })
}

fn whole_number(expression: &Expr) -> Result<i128> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => whole_number(expr).map(|n| -n),
        other => Err(Error::new(other.span(), "expected a text, a whole number or a boolean")),
    }
}

/// `1..=4094` or `1..4095`.
fn limits(range: &ExprRange) -> Result<(i128, i128)> {
    let (Some(start), Some(end)) = (&range.start, &range.end) else {
        return Err(Error::new_spanned(range, "both limits are needed, as in `1..=4094`"));
    };
    let (least, end) = (whole_number(start)?, whole_number(end)?);
    let most = match range.limits {
        RangeLimits::Closed(_) => end,
        RangeLimits::HalfOpen(_) => end - 1,
    };
    if least > most {
        return Err(Error::new_spanned(range, "the range is empty"));
    }
    Ok((least, most))
}
