//! Asks the operator, once and before anything runs, for what a recipe wants on the machine's own
//! network and no flag or policy says anything of; and remembers the answer.

mod memory;
mod screen;
mod told;

use std::io::{self, BufRead as _};

pub use memory::{list, revoke};

use rustix::termios::{QueueSelector, tcflush};

use crate::exit::{Exit, Failure};
use crate::grant::{Capability, Class, Grants, Rule};
use crate::policy::Reach;
use crate::recipe::Recipe;
use crate::report;
use crate::scenario::Step;
use crate::text;
use memory::{Memory, Remembered};
use screen::Screen;
use told::Told;

/// What one recipe asks for that nobody has decided yet.
struct Question<'a> {
    recipe: &'a Recipe,
    digest: String,
    told: Told,
    /// the scenario that tells it, as it was typed
    scenario: &'a str,
    /// complete, so that they can be allowed as they stand
    complete: Vec<Rule>,
    /// leave the operator something to choose, so that a flag has to
    open: Vec<Rule>,
    /// what the checks and captures of the scenario reach, which an answer allows, too
    reached: &'a [Rule],
}

/// What was allowed beyond flags and policies.
#[derive(Debug, Default)]
pub struct Answers {
    /// to the recipe of each step
    pub steps: Vec<Vec<Rule>>,
    /// to the checks and captures of the scenario, and to no recipe
    pub reached: Vec<Rule>,
}

/// What each step gets beyond flags and policies: what was remembered for its recipe and what that
/// is told, or is allowed now; and what the checks and captures get, which is never remembered. Where
/// nobody can be asked nothing is added, and the run is denied what it then asks for.
pub fn ask(
    scenario: &str,
    steps: &[Step],
    recipes: &[Recipe],
    reaches: &[Reach],
    operator: &Grants,
) -> Result<Answers, Failure> {
    let reached = undecided(reaches, operator);
    let mut memory = None;
    let mut asked: Vec<(Question<'_>, Vec<Rule>)> = Vec::new();
    let (mut answers, mut shown) = (Vec::new(), false);
    for (step, recipe) in steps.iter().zip(recipes) {
        let question =
            Question { reached: &reached, ..Question::of(scenario, step, recipe, operator) };
        if question.complete.is_empty() {
            answers.push(Vec::new());
            continue;
        }
        if let Some((_, rules)) = asked.iter().find(|(known, _)| known.is_same(&question)) {
            answers.push(rules.clone());
            continue;
        }
        let memory = match &memory {
            Some(memory) => memory,
            None => memory.insert(Memory::open()?),
        };
        let (rules, by) = question.answer(memory)?;
        shown |= by == By::Screen;
        answers.push(rules.clone());
        asked.push((question, rules));
    }
    let allowed = reached.is_empty() || shown || ask_alone(scenario, &reached)?;
    let reached = if allowed { reached.clone() } else { Vec::new() };
    Ok(Answers { steps: answers, reached })
}

/// Who has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// the operator, now
    Screen,
    /// what is remembered, or nobody
    Other,
}

/// What the checks and captures of a scenario need, where the operator has said nothing of it.
fn undecided(reaches: &[Reach], operator: &Grants) -> Vec<Rule> {
    if operator.gives(Capability::HostProbe) {
        return Vec::new();
    }
    let rule = |reach: &Reach| {
        let mut text = Capability::HostProbe.to_string();
        text.extend(reach.to.map(|station| format!(" cidr={}", ipnet::IpNet::from(station))));
        text.extend(reach.link.iter().map(|link| format!(" link={link}")));
        Rule::grant(&text, "the operator's answer").ok()
    };
    reaches.iter().filter_map(rule).collect()
}

/// Where no recipe wants anything that nobody has decided.
fn ask_alone(scenario: &str, reached: &[Rule]) -> Result<bool, Failure> {
    if !report::is_terminal() {
        return Ok(false);
    }
    let about = format!(
        "Checks or captures of `{}` want more than a lab:\n{}\n",
        text::escape(scenario),
        screen::of_reached(reached)
    );
    match answer(&about, "Allow it? [d]eny, [o]nce: ")?.as_str() {
        "o" | "once" => Ok(true),
        _ => Err(Failure::new(
            Exit::Denied,
            format!(
                "denied: the checks were not run, nothing was touched\n  help: {}",
                reached.iter().map(Rule::flag).collect::<Vec<_>>().join(" ")
            ),
        )),
    }
}

impl<'a> Question<'a> {
    fn of(scenario: &'a str, step: &Step, recipe: &'a Recipe, operator: &Grants) -> Self {
        let asked = step.grants.as_deref().unwrap_or(recipe.asks());
        let undecided = |rule: &&Rule| {
            recipe.asks().iter().any(|ask| ask.capability() == rule.capability())
                && !operator.gives(rule.capability())
        };
        let (mut complete, mut open) = (Vec::new(), Vec::new());
        for rule in asked.iter().filter(undecided) {
            match Rule::grant(&rule.to_string(), "the operator's answer") {
                Ok(grant) if grant.covers_something() => complete.push(grant),
                Ok(_) | Err(_) => open.push(rule.clone()),
            }
        }
        let (digest, told) = (recipe.digest(), Told::of(step.params()));
        Self { recipe, digest, told, scenario, complete, open, reached: &[] }
    }

    fn is_same(&self, other: &Self) -> bool {
        let pairs = self.complete.iter().zip(&other.complete);
        self.digest == other.digest
            && self.told == other.told
            && self.complete.len() == other.complete.len()
            && pairs.into_iter().all(|(one, other)| one.same(other))
    }

    fn answer(&self, memory: &Memory) -> Result<(Vec<Rule>, By), Failure> {
        if let Some(remembered) = memory.find(&self.digest, &self.told) {
            let granted = remembered.rules();
            // What was allowed is no more than what is asked for now.
            let asked = |rule: &Rule| self.complete.iter().any(|asked| asked.same(rule));
            if self.complete.iter().all(|asked| granted.iter().any(|rule| rule.same(asked))) {
                return Ok((granted.into_iter().filter(asked).collect(), By::Other));
            }
        }
        if !report::is_terminal() {
            return Ok((Vec::new(), By::Other));
        }
        let former = memory.former(self);
        let remembers = memory.is_there() && self.told.is_shown_whole();
        let screen = Screen { question: self, former: former.as_ref(), remembers };
        let always = match answer(&screen.to_string(), &screen.question())?.as_str() {
            "o" | "once" => false,
            "a" | "always" if remembers => true,
            _ => return Err(self.denied()),
        };
        let special = self.complete.iter().map(Rule::capability);
        let mut asked: Vec<Capability> = Vec::new();
        for capability in special.filter(|capability| capability.class() == Class::Special) {
            if asked.contains(&capability) {
                continue;
            }
            let about = format!("`{capability}` lets it {}.\n", capability.meaning());
            if answer(&about, &format!("Type {capability} to allow it: "))? != capability.name() {
                return Err(self.denied());
            }
            asked.push(capability);
        }
        if always {
            memory.keep(&Remembered::new(self))?;
        }
        Ok((self.complete.clone(), By::Screen))
    }

    fn denied(&self) -> Failure {
        let name = text::escape(self.recipe.name());
        let flags = self.complete.iter().chain(self.reached);
        let flags: Vec<String> = flags.map(Rule::flag).collect();
        let message = format!(
            "denied: recipe `{name}` was not run, nothing was touched\n  help: {}",
            flags.join(" ")
        );
        Failure::new(Exit::Denied, message)
    }
}

/// Asks, and takes one line that is typed from then on; the end of input is an empty one. What was
/// typed before all of it was shown answers something else.
fn answer(about: &str, question: &str) -> Result<String, Failure> {
    let mut line = String::new();
    report::ask(about);
    // It is a terminal; where what waits there can't be dropped, nothing is asked.
    tcflush(io::stdin(), QueueSelector::IFlush)
        .map_err(|error| Failure::new(Exit::Denied, format!("can't ask: {error}")))?;
    report::ask(question);
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::new(Exit::Denied, format!("can't read the answer: {error}")))?;
    Ok(line.trim().to_owned())
}
