//! What is made of the command line's own description: completions for shells, manual pages.

use std::io;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;
use crate::exit::{Exit, Failure};
use crate::near;
use crate::report::print_bytes;

/// Prints what a shell needs to complete the program's words.
pub fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let mut program = shown();
    let name = program.get_name().to_owned();
    clap_complete::generate(shell, &mut program, name, &mut text);
    print_bytes(&text)
}

/// Prints the manual page of the program or of a command, in roff: `netwright man run | man -l -`.
///
/// # Errors
/// For words that are no command, with the nearest ones.
pub fn manual(words: &[String]) -> Result<Exit, Failure> {
    let mut page = shown();
    // As clap itself names a command's page: netwright-recipe-build.
    page.build();
    for word in words {
        let names: Vec<&str> = page.get_subcommands().map(clap::Command::get_name).collect();
        let none = format!("`{}` has no commands", page.get_name());
        let help = near::help(word, &names, &none);
        let found = page.find_subcommand(word).cloned();
        page = found.ok_or_else(|| {
            Failure::usage(format!("there is no command `{}`\n  help: {help}", word.escape_debug()))
        })?;
    }
    let mut text = Vec::new();
    rendered(page, &mut text)
        .map_err(|error| Failure::new(Exit::Broken, format!("can't write the page: {error}")))?;
    print_bytes(&text)
}

fn rendered(page: clap::Command, text: &mut Vec<u8>) -> io::Result<()> {
    clap_mangen::Man::new(page)
        .source(concat!("netwright ", env!("CARGO_PKG_VERSION")))
        .render(text)
}

/// Without the commands that only the program itself starts.
fn shown() -> clap::Command {
    let whole = Cli::command();
    let own: Vec<clap::Command> =
        whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect();
    let bare = clap::Command::new("netwright").version(env!("CARGO_PKG_VERSION"));
    let about = whole.get_about().cloned().unwrap_or_default();
    let after = whole.get_after_help().cloned().unwrap_or_default();
    bare.about(about).after_help(after).subcommand_required(true).subcommands(own)
}
