//! From what was typed to what it means; nothing is touched here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{fstat, stat};

use super::inputs::Inputs;
use super::interrupt::Interrupts;
use super::settle::Stay;
use super::stage::Stage;
use crate::cli::{
    ParameterArguments, RunArguments, TargetArgument, TellingArguments, ValidateArguments,
};
use crate::consent;
use crate::crash;
use crate::exit::{Exit, Failure};
use crate::file::{self, Identity, Last, Missing, Output, Refused};
use crate::grant::{
    Capability, Facts, Grants, Key, Policies, Request, Rule, Uses, Whose, own_config_folder,
};
use crate::guest::{self, Guest};
use crate::journal;
use crate::lab;
use crate::naming::Taken;
use crate::policy::Target;
use crate::recipe::Recipe;
use crate::report::{Artifacts, Report, View};
use crate::scenario::{Faults, Limits, Override, RecipeFault, Scenario, Step, reaches};
use crate::store;
use crate::text::path as shown;

/// Everything that a run needs, read and checked.
pub struct Prepared {
    pub(super) scenario: Scenario,
    pub(super) recipes: Vec<Recipe>,
    /// of each step, once they are started
    pub(super) guests: Vec<Guest>,
    /// of each step
    pub(super) grants: Vec<Grants>,
    pub(super) limits: Limits,
    pub(super) target: Target,
    /// what the operator gives, before any step narrows it
    pub(super) operator: Grants,
    pub(super) report: Report,
    /// what was typed
    pub(super) what: String,
    pub(super) stay: Option<Stay>,
    pub(super) record: Option<Record>,
}

impl Prepared {
    /// Starts the processes of the recipes. Before a lab is entered: they stay outside.
    pub(super) fn start_guests(&mut self) -> Result<(), Failure> {
        self.guests = guests(&self.recipes, &self.limits)?;
        Ok(())
    }
}

fn guests(recipes: &[Recipe], limits: &Limits) -> Result<Vec<Guest>, Failure> {
    let mut guests = Vec::new();
    for recipe in recipes {
        guests.push(Guest::start(recipe, limits, &guests)?);
    }
    Ok(guests)
}

/// Where the run's uses of grants are written when it is over.
pub(super) struct Record {
    file: Output,
    uses: Uses,
}

impl Record {
    /// The run is over whatever becomes of the file, so that its loss is a warning.
    pub(super) fn write(mut self, report: &mut Report) {
        if let Some(folder) = report.kept_in() {
            let path = Some(folder.to_string_lossy().into_owned());
            let facts = Facts { path, ..Facts::default() };
            self.uses.used(&Request::new(Capability::Artifacts, facts));
        }
        if let Err(error) =
            self.file.push(self.uses.policy().as_bytes()).and_then(|()| self.file.finish())
        {
            report.result_mut().warnings.push(format!("--record-grants: can't write: {error}"));
        }
    }
}

/// Reads everything that the arguments name.
pub fn prepare(arguments: &RunArguments) -> Result<Prepared, Failure> {
    let scenario = load(&arguments.what, &arguments.parameters)?;
    let uses = Uses::default();
    let operator = operator(&arguments.grant)?.noted_in(uses.clone());
    let mut limits = scenario.limits.clone();
    if let Some(seconds) = arguments.timeout {
        limits.time = Duration::from_secs_f64(seconds);
    }
    let target = target(arguments.target, &scenario);
    if target == Target::Lab && arguments.confirm_within.is_some() {
        return Err(nothing_to_confirm());
    }
    let recipes = recipes(&scenario, &limits)?;
    let answers = match target {
        Target::Host => {
            let checks = scenario.checks.iter().map(|placed| &placed.check);
            let reaches = reaches(checks, &scenario.captures);
            consent::ask(&arguments.what, &scenario.steps, &recipes, &reaches, &operator)?
        }
        Target::Lab => consent::Answers::default(),
    };
    let grants = grants(&scenario, &recipes, &operator, &answers.steps);
    // From now on for checks and captures alone.
    let operator = operator.with(answers.reached);
    let granted = || {
        let mut named =
            grants.iter().flat_map(|grants| grants.named(Capability::Artifacts, Key::Path));
        named.next().map(PathBuf::from)
    };
    let artifacts = arguments.artifacts.clone().or_else(granted);
    let record = arguments.record_grants.as_deref();
    let inputs = Inputs::typed([arguments.what.as_str()], &arguments.parameters.parameters);
    let mut written = Written::within(limits.time, inputs.and_recipes_of(&scenario));
    let record = record.map(|path| written.create("--record-grants", path));
    let record = record.transpose()?.map(|file| Record { file, uses });
    let word = match target {
        Target::Lab => "lab",
        Target::Host => "host",
    };
    let report = report(&scenario.name, word, &arguments.telling, &mut written)?;
    let report = report.with_artifacts(artifacts.map(|path| folder(path, written)).transpose()?);
    let stay = arguments.keep.as_deref().map(|name| stay(name, arguments, target));
    let stay = stay.transpose()?;
    Ok(Prepared {
        scenario,
        recipes,
        guests: Vec::new(),
        grants,
        operator,
        limits,
        target,
        report,
        what: arguments.what.clone(),
        stay,
        record,
    })
}

/// Where a scenario runs: what was typed goes before what is written.
pub(super) fn target(typed: Option<TargetArgument>, scenario: &Scenario) -> Target {
    match typed {
        Some(TargetArgument::Lab) => Target::Lab,
        Some(TargetArgument::Host) => Target::Host,
        None => scenario.target.unwrap_or(Target::Lab),
    }
}

pub(super) fn nothing_to_confirm() -> Failure {
    Failure::usage(
        "--confirm-within is for the host target: a lab endangers nothing\n  help: leave it out; `netwright destroy` takes a lab apart",
    )
}

/// How what the run makes shall stay; its name must be free.
fn stay(name: &str, arguments: &RunArguments, target: Target) -> Result<Stay, Failure> {
    let taken = Taken::of(name)?;
    crash::point();
    match target {
        Target::Lab => {
            not_on_host(name)?;
            lab::Folder::open()?.reserve(taken, &arguments.what).map(Stay::Lab)
        }
        Target::Host => stay_on_host(taken, arguments.confirm_within),
    }
}

/// The same for the host, under a name that is this process's already.
pub(super) fn stay_on_host(
    taken: Taken,
    confirm_within: Option<Duration>,
) -> Result<Stay, Failure> {
    let name = taken.name();
    not_on_host(name)?;
    if lab::Folder::open()?.has(name)? {
        return Err(Failure::usage(format!(
            "lab `{name}` is kept already\n  help: `netwright destroy {name}` takes it apart"
        )));
    }
    Ok(Stay::Host { taken, confirm_within })
}

fn not_on_host(name: &str) -> Result<(), Failure> {
    crate::kept::readable(name)?;
    let deployed = journal::Folder::open().ok().and_then(|folder| folder.deployment(name));
    match deployed {
        None => Ok(()),
        Some(_) => Err(Failure::usage(format!(
            "`{name}` is deployed on the host already\n  help: `netwright destroy {name}` takes it back"
        ))),
    }
}

/// Checks a scenario and its recipes' parameters; runs no recipe.
pub fn validate(arguments: &ValidateArguments) -> Result<Exit, Failure> {
    let scenario = load(&arguments.what, &arguments.parameters)?;
    let limits = scenario.limits.clone();
    let recipes = recipes(&scenario, &limits)?;
    let view = View { json: false, quiet: true, verbose: false };
    let mut report = Report::new(&scenario.name, "lab", view);
    let guests = guests(&recipes, &limits)?;
    let recipes = recipes.into_iter().zip(guests).collect();
    super::runtime()?.block_on(async {
        let interrupts = Interrupts::listen()?;
        let mut stage =
            Stage::new(scenario, recipes, Vec::new(), limits, interrupts, &mut report).await?;
        stage.check_parameters(report).await
    })?;
    Ok(Exit::Done)
}

pub(super) fn load(what: &str, parameters: &ParameterArguments) -> Result<Scenario, Failure> {
    let mut overrides = Vec::new();
    for argument in &parameters.parameters {
        overrides.push(Override::read(argument).map_err(|faults| refused(&faults))?);
    }
    let scenario = if what.starts_with("builtin:") || what.ends_with(".wasm") {
        Scenario::of_recipe(what, &overrides)
    } else {
        Scenario::load(Path::new(what), &overrides)
    };
    scenario.map_err(|faults| refused(&faults))
}

pub(super) fn refused(faults: &Faults) -> Failure {
    Failure::of_faults(faults)
}

/// What flags and policy files give together.
pub(super) fn operator(flags: &[String]) -> Result<Grants, Failure> {
    let mut given = crate::grant::flags(flags).map_err(|faults| refused(&faults))?;
    let policies = Policies::load().map_err(Failure::usage)?;
    given.extend(policies.allow);
    Ok(Grants::given(given, policies.deny))
}

/// What each step may do: what the operator gives of what its recipe asks for, narrowed by the
/// step where it says so.
fn grants(
    scenario: &Scenario,
    recipes: &[Recipe],
    operator: &Grants,
    answers: &[Vec<Rule>],
) -> Vec<Grants> {
    let of = |(place, (step, recipe)): (usize, (&Step, &Recipe))| {
        let asked = Grants::asked(Whose::Recipe, recipe.asks().to_vec());
        let answer = answers.get(place).cloned().unwrap_or_default();
        let granted = operator.with(answer).intersect(&asked);
        match &step.grants {
            Some(narrowed) => granted.intersect(&Grants::asked(Whose::Step, narrowed.clone())),
            None => granted,
        }
    };
    scenario.steps.iter().zip(recipes).enumerate().map(of).collect()
}

/// Loads each step's recipe and compares its parameters with its manifest; all faults at once.
fn recipes(scenario: &Scenario, limits: &Limits) -> Result<Vec<Recipe>, Failure> {
    let mut loaded = Vec::new();
    let mut faults = Vec::new();
    for (place, step) in scenario.steps.iter().enumerate() {
        match Recipe::load(&step.recipe, limits.recipe_bytes) {
            Ok(recipe) => {
                let wrong = recipe.manifest.as_ref().map(|known| known.faults(&step.params()));
                let wrong = wrong.unwrap_or_default();
                faults.extend((!wrong.is_empty()).then(|| scenario.recipe_faults(place, &wrong)));
                loaded.push(recipe);
            }
            Err(reason) => {
                let (message, help) = match reason.split_once("\n  help: ") {
                    Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
                    None => (reason, None),
                };
                let fault = RecipeFault { message, help, ..RecipeFault::default() };
                faults.push(scenario.recipe_faults(place, &[fault]));
            }
        }
    }
    match Faults::join(faults) {
        None => Ok(loaded),
        Some(faults) => Err(refused(&faults)),
    }
}

/// A report of a run, as the operator wants to be told.
pub(super) fn report(
    name: &str,
    target: &str,
    telling: &TellingArguments,
    written: &mut Written,
) -> Result<Report, Failure> {
    Ok(report_to(name, target, telling, outputs(telling, written)?))
}

/// The files that a report is written to.
pub(super) struct Outputs {
    events: Option<Output>,
    junit: Option<Output>,
}

/// Opens them: where the paths that the operator typed still mean what they meant there.
pub(super) fn outputs(
    telling: &TellingArguments,
    written: &mut Written,
) -> Result<Outputs, Failure> {
    let mut file = |flag, path: &Option<PathBuf>| {
        path.as_deref().map(|path| written.create(flag, path)).transpose()
    };
    let events = file("--events", &telling.events)?;
    Ok(Outputs { events, junit: file("--junit", &telling.junit)? })
}

/// The same report, to files that are open.
pub(super) fn report_to(
    name: &str,
    target: &str,
    telling: &TellingArguments,
    outputs: Outputs,
) -> Report {
    let TellingArguments { json, quiet, verbose, events: _, junit: _ } = telling;
    let view = View { json: *json, quiet: *quiet, verbose: *verbose };
    Report::new(name, target, view).with_events(outputs.events).with_junit(outputs.junit)
}

/// The files that the operator lets the program write: all of them are there before any recipe runs,
/// and no recipe's words get into them.
pub(super) struct Written {
    /// how long a pipe may be without a reader
    time: Duration,
    inputs: Inputs,
    files: Vec<Identity>,
}

impl Written {
    pub(super) fn within(time: Duration, inputs: Inputs) -> Self {
        Self { time, inputs, files: Vec::new() }
    }

    fn create(&mut self, flag: &str, path: &Path) -> Result<Output, Failure> {
        self.inputs.spare(flag, path)?;
        let created = Output::create(path, self.time, &self.files).and_then(|output| {
            self.files.push(output.identity()?);
            Ok(output)
        });
        created.map_err(|error| {
            let exit = match error {
                Refused::NobodyReads(_) => Exit::Limit,
                _ => Exit::Usage,
            };
            Failure::new(exit, format!("{flag}: can't write `{}`: {error}", shown(path)))
        })
    }
}

/// Where netwright keeps what it trusts, and why nothing else is put there.
fn own_folders() -> Vec<(PathBuf, &'static str)> {
    let records = |path| (path, "records of labs and runs are there");
    let mut all: Vec<_> = store::folders().into_iter().map(records).collect();
    all.extend(guest::cache_folder().map(|path| (path, "machine code of recipes is there")));
    let answers = own_config_folder().map(|path| path.join("grants"));
    all.extend(answers.map(|path| (path, "answers that are remembered are there")));
    all
}

fn folder(path: PathBuf, written: Written) -> Result<Artifacts, Failure> {
    let refused = |why: &dyn std::fmt::Display| {
        Failure::usage(format!("--artifacts: can't use `{}`: {why}", shown(&path)))
    };
    let folder =
        file::folder(&path, Last::NoLink, Missing::Made).map_err(|error| refused(&error))?;
    // A file that a recipe attaches there would be a policy.
    if Policies::are_in(&folder) {
        return Err(refused(&"policies are there"));
    }
    // Nor is one that netwright keeps for itself anybody's to put files in.
    let about = fstat(&folder).map_err(|error| refused(&std::io::Error::from(error)))?;
    for (own, what) in own_folders() {
        if stat(&own).is_ok_and(|own| Identity::of(&own) == Identity::of(&about)) {
            return Err(refused(&what));
        }
    }
    // What a shell has opened is the program's to write, too.
    let shells = [fstat(std::io::stdout()), fstat(std::io::stderr())];
    let shells = shells.iter().flatten().map(Identity::of);
    let own = written.files.into_iter().chain(shells).collect();
    let path = std::path::absolute(&path).unwrap_or(path);
    Ok(Artifacts::new(path, folder, own))
}
