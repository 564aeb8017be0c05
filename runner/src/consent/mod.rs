//! Asks the operator, once and before anything runs, for what a recipe wants on the machine's own
//! network and no flag or policy says anything of; and remembers the answer.

mod memory;
mod screen;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

pub use memory::{list, revoke};

use crate::exit::{Exit, Failure};
use crate::grant::{Capability, Class, Grants, Rule};
use crate::recipe::Recipe;
use crate::scenario::Step;
use memory::{Memory, Remembered};
use screen::Screen;

/// What one recipe asks for that nobody has decided yet.
struct Question<'a> {
    recipe: &'a Recipe,
    digest: String,
    /// complete, so that they can be allowed as they stand
    complete: Vec<Rule>,
    /// leave the operator something to choose, so that a flag has to
    open: Vec<Rule>,
}

/// What each step gets beyond flags and policies: what was remembered for its recipe's digest, or
/// is allowed now. Where nobody can be asked nothing is added, and the run is denied what it then
/// asks for.
pub fn ask(
    steps: &[Step],
    recipes: &[Recipe],
    operator: &Grants,
) -> Result<Vec<Vec<Rule>>, Failure> {
    let mut memory = None;
    let mut answers: Vec<(String, Vec<Rule>)> = Vec::new();
    for (step, recipe) in steps.iter().zip(recipes) {
        let digest = recipe.digest();
        if answers.iter().any(|(known, _)| *known == digest) {
            continue;
        }
        let question = Question::of(step, recipe, digest.clone(), operator);
        if question.complete.is_empty() {
            answers.push((digest, Vec::new()));
            continue;
        }
        let memory = match &memory {
            Some(memory) => memory,
            None => memory.insert(Memory::open()?),
        };
        answers.push((digest, question.answer(memory)?));
    }
    let of = |recipe: &Recipe| {
        let digest = recipe.digest();
        let found = answers.iter().find(|(known, _)| *known == digest);
        found.map(|(_, rules)| rules.clone()).unwrap_or_default()
    };
    Ok(recipes.iter().map(of).collect())
}

impl<'a> Question<'a> {
    fn of(step: &Step, recipe: &'a Recipe, digest: String, operator: &Grants) -> Self {
        let asked = step.grants.as_deref().unwrap_or(recipe.asks());
        let undecided = |rule: &&Rule| {
            recipe.asks().iter().any(|ask| ask.capability() == rule.capability())
                && !operator.gives(rule.capability())
        };
        let (mut complete, mut open) = (Vec::new(), Vec::new());
        for rule in asked.iter().filter(undecided) {
            match Rule::grant(&rule.to_string(), "the operator's answer") {
                Ok(grant) => complete.push(grant),
                Err(_) => open.push(rule.clone()),
            }
        }
        Self { recipe, digest, complete, open }
    }

    fn answer(&self, memory: &Memory) -> Result<Vec<Rule>, Failure> {
        if let Some(remembered) = memory.find(&self.digest) {
            let granted = remembered.rules();
            // What was allowed is no more than what is asked for now.
            let asked = |rule: &Rule| self.complete.iter().any(|asked| asked.same(rule));
            if self.complete.iter().all(|asked| granted.iter().any(|rule| rule.same(asked))) {
                return Ok(granted.into_iter().filter(asked).collect());
            }
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(Vec::new());
        }
        let former = memory.former(&self.recipe.source, self.recipe.name(), &self.digest);
        let screen = Screen {
            recipe: self.recipe,
            digest: &self.digest,
            complete: &self.complete,
            open: &self.open,
            former: former.as_ref(),
            remembers: memory.is_there(),
        };
        say(&screen.to_string());
        let always = match line()?.as_str() {
            "o" | "once" => false,
            "a" | "always" if memory.is_there() => true,
            _ => return Err(self.denied()),
        };
        let special = self.complete.iter().map(Rule::capability);
        let mut asked: Vec<Capability> = Vec::new();
        for capability in special.filter(|capability| capability.class() == Class::Special) {
            if asked.contains(&capability) {
                continue;
            }
            say(&format!(
                "`{capability}` lets it {}.\nType {capability} to allow it: ",
                capability.meaning()
            ));
            if line()? != capability.name() {
                return Err(self.denied());
            }
            asked.push(capability);
        }
        if always {
            memory.keep(&Remembered::new(self.recipe, &self.digest, &self.complete))?;
        }
        Ok(self.complete.clone())
    }

    fn denied(&self) -> Failure {
        let name = crate::report::escape(self.recipe.name());
        let flags: Vec<String> =
            self.complete.iter().map(|rule| format!("--grant '{rule}'")).collect();
        let message = format!(
            "denied: recipe `{name}` was not run, nothing was touched\n  help: {}",
            flags.join(" ")
        );
        Failure::new(Exit::Denied, message)
    }
}

/// On the terminal that was asked for; where it is gone the answer is no.
fn say(text: &str) {
    let _ = write!(io::stderr(), "{text}").and_then(|()| io::stderr().flush());
}

/// One line that was typed; the end of input is an empty one.
fn line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::new(Exit::Denied, format!("can't read the answer: {error}")))?;
    Ok(line.trim().to_owned())
}
