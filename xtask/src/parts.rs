//! Parts of the set-up and of the tests that somebody can do without: `--without docker,vm`. What is
//! left out is told at the end, with the number of its tests.

use crate::program::say;

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Part {
    /// Docker's Engine, whose macvlan networks the built-in recipe is compared with
    Docker,
    /// two more kernels, in virtual machines
    Vm,
}

impl Part {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Vm => "vm",
        }
    }
}

/// What was chosen on the command line.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Choice {
    /// Leave these parts out, and what would be installed for them; they are counted at the end
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    without: Vec<Part>,
}

impl Choice {
    pub(crate) fn has(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }
}

/// What was left out of a run of all tests.
#[derive(Debug, Default)]
pub(crate) struct LeftOut(Vec<(Part, usize)>);

impl LeftOut {
    pub(crate) fn add(&mut self, part: Part, tests: usize) {
        self.0.push((part, tests));
    }

    pub(crate) fn tell(&self) {
        for (part, tests) in &self.0 {
            say(format_args!("left out: {}, {tests} tests", part.word()));
        }
    }
}
