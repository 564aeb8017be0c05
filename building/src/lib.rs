//! How recipes are built: which toolchain compiles them, and how a component is made of what it
//! leaves. For the program's `recipe build`, and for the project's own recipes. Errors are sentences.

mod component;
mod recipes;
mod toolchain;

pub use component::{Compiled, compile, compile_by, encode, is_module, with_manifest};
pub use recipes::{Recipe, build_recipes};
pub use toolchain::{OLDEST_MINOR, REMEDY, TARGET, Toolchain, find_program};
