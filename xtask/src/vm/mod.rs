//! `cargo xtask vm-test` and `vm-shell`: a second kernel, complete, in a virtual machine.
//!
//! Kernels of containers and of test machines often lack link kinds; Debian's cloud kernel has
//! nearly all of them, and a third one, the full kernel of Debian 13, the rest. It boots under qemu's own translation, which needs no rights and no hardware, from an image
//! that holds the runner, the scenarios, iproute2 and the very test programs that run natively.

mod apt;
mod boot;
mod image;
mod kernel;
mod pair;
mod programs;
mod trials;

use crate::parts::Choice;
use crate::program::{say, workspace};
use crate::{recipes, runner, setup};
use anyhow::{Context, Result, bail};
use boot::{Machine, Patience};
use image::Image;
use std::path::{Path, PathBuf};

/// Where the kernel, the images and the logs are.
fn folder() -> PathBuf {
    workspace().join("target/vm")
}

/// The name of the test with two machines, for a filter.
const PAIR: &str = "two-machines";

/// Everything that a boot needs, of which only the plan differs from one boot to the next.
struct Parts {
    kernel: kernel::Kernel,
    runner: PathBuf,
}

impl Parts {
    fn make(source: &kernel::Source, runner: &Path) -> Result<Self> {
        kernel::install_programs()?;
        Ok(Self { kernel: kernel::fetch(source)?, runner: runner.to_owned() })
    }

    /// Runs a plan in a machine that is called `name`, which is also what it is told to do.
    fn carry_out(&self, name: &'static str, plan: &trials::Plan) -> Result<()> {
        let mut image = self.image(name)?;
        plan.add_to(&mut image)?;
        let (log, release) = (folder().join(format!("{name}.log")), &self.kernel.release);
        say(format_args!("{} trials on Linux {release}", plan.count()));
        let machine = Machine::new(&self.kernel.image, &image.finish()?, name);
        let where_from = || format!("on Linux {release}, whose log is {}", shown(&log));
        let results = machine.run(&log, &Patience::TESTS).with_context(where_from)?;
        let faults = plan.faults(&results, &std::fs::read_to_string(&log)?);
        if !faults.is_empty() {
            bail!("{}:\n  {}", where_from(), faults.join("\n  "));
        }
        say(format_args!("all of them passed on Linux {release}"));
        Ok(())
    }

    /// An image with all but the tests.
    fn image(&self, name: &str) -> Result<Image> {
        let mut image = Image::create(&folder().join(format!("{name}.cpio")))?;
        programs::add_system(&mut image)?;
        programs::add_runner(&mut image, &self.runner)?;
        programs::add_scenarios(&mut image)?;
        programs::add_machine_code(&mut image, &self.runner)?;
        self.kernel.add_modules(&mut image)?;
        Ok(image)
    }
}

/// Runs the tests that are meant for both kernels on the second one, and those that need the third
/// one there; with filters, only those whose names hold one of them.
pub(crate) fn run_tests(filters: &[String]) -> Result<()> {
    test(&with_runner()?, filters)
}

/// The same with a runner that is built already.
pub(crate) fn run_tests_of(runner: &Path) -> Result<()> {
    test(runner, &[])
}

/// How many tests those are, the one with two machines among them.
pub(crate) fn count_tests() -> Result<usize> {
    let programs = trials::build()?;
    let second = trials::Plan::for_second(&programs, &[])?;
    Ok(second.count() + trials::Plan::for_third(&programs, &[])?.count() + 1)
}

fn test(runner: &Path, filters: &[String]) -> Result<()> {
    if filters == [PAIR] {
        return pair::run(&Parts::make(&kernel::SECOND, runner)?);
    }
    let programs = trials::build()?;
    let second = trials::Plan::for_second(&programs, filters)?;
    let third = trials::Plan::for_third(&programs, filters)?;
    if second.count() + third.count() == 0 {
        bail!("{}", trials::no_such_name());
    }
    if second.count() > 0 {
        let parts = Parts::make(&kernel::SECOND, runner)?;
        parts.carry_out("tests", &second)?;
        if filters.is_empty() {
            pair::run(&parts)?;
        }
    }
    if third.count() > 0 {
        Parts::make(&kernel::THIRD, runner)?.carry_out("third", &third)?;
    }
    Ok(())
}

/// The runner, built from nothing.
fn with_runner() -> Result<PathBuf> {
    let toolchain = setup::run(&Choice::default())?;
    recipes::build(&toolchain)?;
    runner::build("dev")
}

/// A prompt in the machine, with the runner and the scenarios.
pub(crate) fn shell() -> Result<()> {
    let parts = Parts::make(&kernel::SECOND, &with_runner()?)?;
    let image = parts.image("shell")?.finish()?;
    say("a shell in the virtual machine; `exit` turns it off, Ctrl-A X ends it at once");
    Machine::new(&parts.kernel.image, &image, "shell").talk()
}

fn shown(file: &Path) -> String {
    file.strip_prefix(workspace()).unwrap_or(file).display().to_string()
}
