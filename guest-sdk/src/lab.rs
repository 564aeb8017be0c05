//! The lab: what a recipe is given to build in.

use std::ops::Deref;

use crate::{Error, Namespace, Result, host, report};

/// The network that a recipe builds in: its root namespace and all the others.
///
/// It is used like its root namespace: `lab.veth(…)` and `lab.ping(…)` act there.
#[derive(Debug, Clone)]
pub struct Lab {
    root: Namespace,
}

impl Lab {
    /// The lab of this run. A recipe is handed it and needs not open it.
    pub fn open() -> Result<Self> {
        Ok(Self { root: Namespace::root()? })
    }

    /// Makes a namespace. As `ip netns add NAME`.
    pub fn namespace(&self, name: impl AsRef<str>) -> Result<Namespace> {
        Namespace::create(name.as_ref())
    }

    /// A namespace that is there already; its builders and probes act inside it. As
    /// `ip netns exec NAME`.
    pub fn in_namespace(&self, name: impl AsRef<str>) -> Result<Namespace> {
        Namespace::open(name.as_ref())
    }

    /// The root namespace: the lab's own, or the machine's for the host target.
    pub fn root(&self) -> &Namespace {
        &self.root
    }

    /// The names of all namespaces but the root one. As `ip netns list`.
    pub fn namespaces(&self) -> Result<Vec<String>> {
        Ok(host::namespaces::list_names()?)
    }

    /// Begins a named step of the report; what follows belongs to it.
    pub fn step(&self, title: impl AsRef<str>) {
        report::step(title.as_ref());
    }

    /// Says in the report whether something holds. One that doesn't fails the run; the recipe goes
    /// on.
    pub fn check(&self, name: impl AsRef<str>, holds: bool, detail: impl AsRef<str>) {
        report::check(name.as_ref(), holds, detail.as_ref());
    }

    /// The same, and an error where it doesn't hold: `lab.expect("…", holds, "…")?` ends the recipe.
    pub fn expect(
        &self,
        name: impl AsRef<str>,
        holds: bool,
        detail: impl AsRef<str>,
    ) -> Result<()> {
        let (name, detail) = (name.as_ref(), detail.as_ref());
        report::check(name, holds, detail);
        if holds { Ok(()) } else { Err(Error::unmet(format!("{name}: {detail}"))) }
    }

    /// Says in the report that a check was not made, and why.
    pub fn skip(&self, name: impl AsRef<str>, why: impl AsRef<str>) {
        report::skip(name.as_ref(), why.as_ref());
    }

    /// A figure of the report with its unit.
    pub fn metric(&self, name: impl AsRef<str>, value: f64, unit: impl AsRef<str>) {
        report::metric(name.as_ref(), value, unit.as_ref());
    }

    /// Text for whoever runs the recipe, such as a listing.
    pub fn print(&self, text: impl AsRef<str>) {
        report::print(text.as_ref());
    }

    /// A file in the run's artifact folder.
    pub fn attach(
        &self,
        name: impl AsRef<str>,
        media_type: impl AsRef<str>,
        data: impl AsRef<[u8]>,
    ) {
        report::attach(name.as_ref(), media_type.as_ref(), data.as_ref());
    }

    /// A parameter of this run as text; [`derive(Params)`](crate::Params) reads all of them typed.
    pub fn param(&self, name: impl AsRef<str>) -> Option<String> {
        host::params::get(name.as_ref())
    }

    /// True where a plan is made: what the recipe builds is in a lab of the plan's own.
    pub fn dry_run(&self) -> bool {
        host::params::dry_run()
    }
}

impl Deref for Lab {
    type Target = Namespace;

    fn deref(&self) -> &Namespace {
        &self.root
    }
}
