//! The run's report: steps, checks, figures and files, for whoever runs the recipe.

use crate::host;
use crate::wit::report::Verdict;

/// Begins a named step; what follows belongs to it.
pub fn step(title: &str) {
    host::report::step(title);
}

/// Says whether something holds. A check that doesn't hold fails the run; the recipe goes on.
pub fn check(name: &str, holds: bool, detail: &str) {
    let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
    host::report::check(name, verdict, detail);
}

/// Says that a check was not made, and why.
pub fn skip(name: &str, why: &str) {
    host::report::check(name, Verdict::Skip, why);
}

/// A figure with its unit: `("echo_answered", 3.0, "frames")`.
pub fn metric(name: &str, value: f64, unit: &str) {
    host::report::metric(name, value, unit);
}

/// Text for whoever runs the recipe, such as a listing.
pub fn print(text: &str) {
    host::report::print(text);
}

/// A file in the run's artifact folder.
pub fn attach(name: &str, media_type: &str, data: &[u8]) {
    host::report::attach(name, media_type, data);
}
