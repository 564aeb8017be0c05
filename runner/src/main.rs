//! The program: hands each command to its module and ends with the exit code of the contract.

use std::process::ExitCode;

use netwright::cli::{self, Command, GrantsCommand, RecipeCommand};
use netwright::exit::{Exit, Failure};
use netwright::{
    consent, doctor, guest, kept, lab, program, recipe, recover, report, resources, run, uplink,
};

fn main() -> ExitCode {
    // First of all: reading the command line takes some.
    if let Err(failure) = resources::raise_stack() {
        return ended(Err(failure));
    }
    resources::hear_of_children();
    let cli = cli::read();
    resources::survive_small_files();
    let listening = if hears_signals(&cli.command) { resources::hear_signals() } else { Ok(()) };
    let outcome =
        listening.and_then(|()| resources::raise_open_files()).and_then(|()| dispatch(cli.command));
    ended(outcome)
}

fn ended(outcome: Result<Exit, Failure>) -> ExitCode {
    ExitCode::from(match outcome {
        Ok(exit) => exit as u8,
        Err(failure) => {
            report::complain(&failure);
            failure.exit as u8
        }
    })
}

/// Whether a command hears signals from its first moment on. The others become another program, or
/// are processes of ours that end with the one which started them.
fn hears_signals(command: &Command) -> bool {
    !matches!(
        command,
        Command::Exec { .. }
            | Command::Watch { .. }
            | Command::Hold
            | Command::Uplink { .. }
            | Command::Guest
            | Command::Program { .. }
            | Command::First { .. }
    )
}

fn dispatch(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Plan(arguments) => run::plan(&arguments),
        Command::Apply(arguments) => run::apply(&arguments),
        Command::Check(arguments) => run::check_again(&arguments),
        Command::Validate(arguments) => run::validate(&arguments),
        Command::Ls { json } => kept::list(json),
        Command::Inspect { name, json } => kept::inspect(&name, json),
        Command::Exec { name, namespace, program } => {
            Err(kept::exec(&name, namespace.as_deref(), &program))
        }
        Command::Destroy { name } => kept::destroy(&name),
        Command::Gc { json, forget } => match forget {
            Some(name) => recover::forget(&name),
            None => recover::gc(json),
        },
        Command::Confirm { name } => recover::confirm(&name),
        Command::Watch { journal } => recover::watch(&journal),
        Command::Recipe { command: RecipeCommand::Inspect { recipe, json } } => {
            recipe::show(&recipe, json)
        }
        Command::Recipe { command: RecipeCommand::New { folder, sdk } } => {
            recipe::create(&folder, sdk.as_deref())
        }
        Command::Recipe { command: RecipeCommand::Sdk { folder } } => recipe::sdk(&folder),
        Command::Recipe { command: RecipeCommand::Build(arguments) } => recipe::build(&arguments),
        Command::Grants { command: GrantsCommand::Ls { json } } => consent::list(json),
        Command::Grants { command: GrantsCommand::Revoke { recipe } } => consent::revoke(&recipe),
        Command::Doctor { json } => doctor::examine(json),
        Command::Completions { shell } => cli::completions(shell),
        Command::Man { command } => cli::manual(&command),
        Command::Hold => lab::hold(),
        Command::Sweep { name } => lab::sweep_when_told(&name),
        Command::Uplink { grants } => uplink::serve(&grants),
        Command::Guest => guest::serve(),
        Command::Rehearse(scenario) => run::rehearse(&scenario),
        Command::State { lab } => run::state(&lab),
        Command::Program { runner, words } => program::enter(runner, &words),
        Command::First { words } => program::first(&words),
    }
}
