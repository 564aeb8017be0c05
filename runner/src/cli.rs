//! What can be typed; clap stops here.

mod pages;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, Parser, Subcommand, ValueEnum};
pub use clap_complete::Shell;
pub use pages::{completions, manual};

/// Builds networks from sandboxed WebAssembly recipes.
#[derive(Debug, Parser)]
#[command(name = "netwright", version, about, max_term_width = 100)]
#[command(after_help = "\
Exit codes: 0 done; 1 a check failed; 2 bad usage, scenario or parameter; 3 something would change
(plan --exit-code); 4 a capability was denied; 5 the kernel or the recipe failed; 6 undo incomplete;
7 a limit was reached; 8 this machine lacks what is needed; 130 and 143 interrupted. Whatever was made is undone, unless kept.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What was typed; the program ends where it can't be understood.
pub fn read() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| without_hidden(error).exit())
}

/// Commands that are for netwright itself alone are nothing to suggest.
fn without_hidden(mut error: clap::Error) -> clap::Error {
    let suggested = error.remove(ContextKind::SuggestedSubcommand);
    let names = match suggested {
        Some(ContextValue::String(name)) => vec![name],
        Some(ContextValue::Strings(names)) => names,
        _ => return error,
    };
    let shown: Vec<String> = names.into_iter().filter(|name| !name.starts_with("__")).collect();
    if shown.is_empty() {
        // How else the word could be meant is said only beside them.
        error.remove(ContextKind::Suggested);
    } else {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(shown));
    }
    error
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario or recipe in a lab of its own, and undo everything at the end
    Run(RunArguments),
    /// Show what a scenario would change, without changing it
    Plan(PlanArguments),
    /// Deploy a scenario: run it, and leave its lab in place under the scenario's name
    Apply(ApplyArguments),
    /// Ask again whether what is deployed is as its scenario's checks want it
    Check(CheckArguments),
    /// Check a scenario file, and the parameters of its recipes, without running anything
    Validate(ValidateArguments),
    /// List the labs that were kept, and the deployments on the host
    Ls {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the namespaces, links, addresses and routes of a kept lab, or of a deployment
    Inspect {
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Run a program in a namespace of a kept lab or of a deployment; in a lab, its namespaces are
    /// under /run/netns
    Exec {
        name: String,
        /// The namespace to run it in; without one the root namespace
        #[arg(short, long)]
        namespace: Option<String>,
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        program: Vec<OsString>,
    },
    /// Take a kept lab apart, or a deployment on the host back
    Destroy { name: String },
    /// Take back what runs on the host left behind
    Gc {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Forget a deployment or a run instead, by its name, and leave in place what it made and
        /// altered: for one that can't be taken back
        #[arg(long, value_name = "NAME", conflicts_with = "json")]
        forget: Option<String>,
    },
    /// Leave a deployment in place that would be taken back otherwise
    Confirm { name: String },
    /// Make recipes, and look into them
    Recipe {
        #[command(subcommand)]
        command: RecipeCommand,
    },
    /// What recipes were allowed for good, each by its digest
    Grants {
        #[command(subcommand)]
        command: GrantsCommand,
    },
    /// Tell what this machine can and can't do, each with its remedy
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what a shell needs to complete netwright's words
    Completions { shell: Shell },
    /// Print the manual page of netwright, or of a command: `netwright man run | man -l -`
    Man { command: Vec<String> },
    /// Hold a lab's namespaces until ended; started by `run --keep`
    #[command(name = "__hold", hide = true)]
    Hold,
    /// Take a lab apart once another one has its place; started by `apply`
    #[command(name = "__sweep", hide = true)]
    Sweep { name: String },
    /// Take back what a run leaves when it ends; started by `run --target host`
    #[command(name = "__watch", hide = true)]
    Watch { journal: String },
    /// Make children of the host's links for a lab; started by `run` where uplinks are granted
    #[command(name = "__uplink", hide = true)]
    Uplink { grants: Vec<String> },
    /// Run one recipe without any rights, for another process; started by `run` and others
    #[command(name = "__guest", hide = true)]
    Guest,
    /// Run a scenario's steps and print what they made as JSON; started by `plan` and `apply`
    #[command(name = "__rehearse", hide = true)]
    Rehearse(ScenarioArguments),
    /// Start the processes of a program that a recipe may run; started by `run`
    #[command(name = "__program", hide = true)]
    Program {
        runner: u32,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Be the first of those processes
    #[command(name = "__first", hide = true)]
    First {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Print what a kept lab holds as JSON; started by `plan` and `apply`
    #[command(name = "__state", hide = true)]
    State { lab: String },
}

#[derive(Debug, Subcommand)]
pub enum GrantsCommand {
    /// List what is remembered
    Ls {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget what a recipe was allowed
    Revoke {
        /// The recipe's name, or at least eight digits of its digest
        recipe: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum RecipeCommand {
    /// Show what a recipe is, asks for and takes as parameters, without running it
    Inspect {
        /// A component's file, or builtin:NAME
        recipe: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a crate with a recipe that works, a test and a scenario, to be altered
    New {
        /// The new folder, whose last part is the recipe's name
        folder: PathBuf,
        /// A folder with the SDK, such as guest-sdk in a checkout, instead of a copy in `sdk/`
        #[arg(long, value_name = "FOLDER")]
        sdk: Option<PathBuf>,
    },
    /// Write the SDK that belongs to this program into a new folder
    Sdk { folder: PathBuf },
    /// Make one file of a recipe that can be shared and run anywhere
    Build(BuildArguments),
}

#[derive(Debug, Args)]
pub struct BuildArguments {
    /// A crate's folder, or a module or component that another language's tools made
    #[arg(default_value = ".", value_name = "WHAT")]
    pub what: PathBuf,
    /// JSON that says what the recipe is, asks for and takes as parameters, where its tools put no
    /// manifest into it; the SDK for Rust does
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Where the recipe goes; NAME.wasm in a crate's folder, or where the module was
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetArgument {
    /// A private user, mount and network namespace; needs no root
    Lab,
    /// The machine's own network
    Host,
}

#[derive(Debug, Default, Args)]
pub struct RunArguments {
    /// SCENARIO.yaml, RECIPE.wasm, builtin:NAME, or - for a scenario on standard input
    pub what: String,
    #[command(flatten)]
    pub parameters: ParameterArguments,
    /// Allow something beyond the lab: 'CAPABILITY KEY=VALUE …'
    #[arg(long, value_name = "GRANT")]
    pub grant: Vec<String>,
    /// Write the least policy that this run needed
    #[arg(long, value_name = "FILE")]
    pub record_grants: Option<PathBuf>,
    /// Where to run
    #[arg(long)]
    pub target: Option<TargetArgument>,
    /// Keep what was made under this name instead of undoing it
    #[arg(long, value_name = "NAME")]
    pub keep: Option<String>,
    /// With --keep on the host: take it back after TIME, unless `netwright confirm NAME` comes
    #[arg(long, value_name = "TIME", requires = "keep", value_parser = duration)]
    pub confirm_within: Option<Duration>,
    /// Keep the files that recipes attach in this folder
    #[arg(long, value_name = "FOLDER")]
    pub artifacts: Option<PathBuf>,
    /// Stop and undo after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
    #[command(flatten)]
    pub telling: TellingArguments,
}

/// What is told of a run, and to whom.
#[derive(Debug, Clone, Default, Args)]
pub struct TellingArguments {
    /// Print the result as JSON on standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
    /// Write each change, check and denial as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Write the checks as JUnit's XML, for CI systems
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Show failures only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show each change, and all that recipes log
    #[arg(short, long)]
    pub verbose: bool,
}

/// What is to be run.
#[derive(Debug, Clone, Default, Args)]
pub struct ScenarioArguments {
    /// SCENARIO.yaml, RECIPE.wasm, builtin:NAME, or - for a scenario on standard input
    pub what: String,
    #[command(flatten)]
    pub parameters: ParameterArguments,
    /// Allow something beyond the lab: 'CAPABILITY KEY=VALUE …'
    #[arg(long, value_name = "GRANT")]
    pub grant: Vec<String>,
    /// Where to run
    #[arg(long)]
    pub target: Option<TargetArgument>,
    /// Stop and undo after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
}

impl ScenarioArguments {
    /// As they would be typed.
    pub fn to_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for parameter in &self.parameters.parameters {
            words.push(format!("--parameter={parameter}"));
        }
        words.extend(self.grant.iter().map(|grant| format!("--grant={grant}")));
        words.extend(self.timeout.iter().map(|seconds| format!("--timeout={seconds}")));
        words.extend(self.target.iter().map(|target| match target {
            TargetArgument::Lab => "--target=lab".to_owned(),
            TargetArgument::Host => "--target=host".to_owned(),
        }));
        words.extend(["--".to_owned(), self.what.clone()]);
        words
    }
}

impl RunArguments {
    /// A run that shows nothing of itself.
    pub fn rehearsing(scenario: &ScenarioArguments) -> Self {
        let ScenarioArguments { what, parameters, grant, target, timeout } = scenario.clone();
        Self {
            what,
            parameters,
            grant,
            target,
            timeout,
            telling: TellingArguments { json: true, quiet: true, ..TellingArguments::default() },
            ..Self::default()
        }
    }
}

/// The language that a plan is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanForm {
    /// The commands of ip(8) that would do the same
    Ip,
}

#[derive(Debug, Args)]
pub struct PlanArguments {
    #[command(flatten)]
    pub scenario: ScenarioArguments,
    /// Print commands instead of differences
    #[arg(long = "as", value_name = "FORM")]
    pub form: Option<PlanForm>,
    /// Save the plan, for `apply --plan`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// End with 3 where something would change
    #[arg(long)]
    pub exit_code: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// SCENARIO.yaml, RECIPE.wasm, builtin:NAME, or - for a scenario on standard input
    #[arg(required_unless_present = "plan", conflicts_with = "plan")]
    pub what: Option<String>,
    #[command(flatten)]
    pub parameters: ParameterArguments,
    /// Allow something beyond the lab: 'CAPABILITY KEY=VALUE …'
    #[arg(long, value_name = "GRANT")]
    pub grant: Vec<String>,
    /// Where to deploy
    #[arg(long, conflicts_with = "plan")]
    pub target: Option<TargetArgument>,
    /// On the host: take it back after TIME, unless `netwright confirm NAME` comes
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub confirm_within: Option<Duration>,
    /// Do exactly what `plan --out` saved, unless the target has changed since
    #[arg(long, value_name = "FILE", conflicts_with = "parameters")]
    pub plan: Option<PathBuf>,
    /// Stop and undo after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
    #[command(flatten)]
    pub telling: TellingArguments,
}

#[derive(Debug, Args)]
pub struct CheckArguments {
    /// A kept lab, or a deployment on the host
    pub name: String,
    /// Of a deployment on the host, what its checks may look at: 'CAPABILITY KEY=VALUE …'
    #[arg(long, value_name = "GRANT")]
    pub grant: Vec<String>,
    /// Stop after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
    #[command(flatten)]
    pub telling: TellingArguments,
}

#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// SCENARIO.yaml, RECIPE.wasm, builtin:NAME, or - for a scenario on standard input
    pub what: String,
    #[command(flatten)]
    pub parameters: ParameterArguments,
}

#[derive(Debug, Clone, Default, Args)]
pub struct ParameterArguments {
    /// Set a parameter; KEY=@FILE reads a file (repeatable)
    #[arg(short, long = "parameter", value_name = "KEY=VALUE")]
    pub parameters: Vec<String>,
}

fn duration(text: &str) -> Result<Duration, String> {
    match crate::scenario::duration(text)? {
        time if time.is_zero() => Err("a time above 0 is expected".to_owned()),
        time if time > LONGEST => Err("at most 24h is expected".to_owned()),
        time => Ok(time),
    }
}

/// For somebody to confirm a deployment.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86400.0 => Ok(seconds),
        _ => Err("a number of seconds above 0 and up to 86400 is expected".to_owned()),
    }
}
