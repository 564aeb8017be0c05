//! Asks the kernel whether what a scenario wants holds, again and again until it does or its time
//! is over: links need moments to get their carrier, addresses to leave duplicate detection.
//!
//! Checks begin in their order and wait side by side, as far as none disturbs another: see
//! `order.rs`.

mod ask;
mod asker;
mod frames;
mod order;
mod probe;
mod seen;
mod settle;
mod why;

use std::cell::RefCell;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep, sleep_until};

use crate::exit::Exit;
use crate::host::Session;
use crate::report::{CheckResult, Verdict};
use crate::scenario::{Because, Check, Expect, ExpectTcp};
use asker::Asker;
use order::Order;
use probe::Patience;
use seen::{Cause, Miss, Said, Seen};

/// How long a check may take to hold where the scenario doesn't say: carriers are told up to a second
/// late by each device on the way (net/core/link_watch.c), and a busy machine adds to that.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts at first; longer and longer while nothing comes of them.
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// After a router said why it passes nothing on: asked sooner, it would soon say nothing.
const PAUSE_AFTER_A_ROUTER: Duration = Duration::from_secs(1);

/// After silence where a router's word is wanted: each one that it doesn't say costs a second of the
/// two that the next one costs (net/ipv4/route.c ip_error, net/ipv4/icmp.c icmpv4_xrlim_allow).
const PAUSE_FOR_A_ROUTER: Duration = Duration::from_millis(2100);

/// What became of all checks together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub exit: Exit,
    /// what ended them before they were decided
    pub message: Option<String>,
}

/// Makes checks against the session's network until the session's deadline, and reports each, in
/// their order.
///
/// May be given up at any moment, for a signal; what was not reported by then is not.
pub async fn hold(checks: &[Check], session: &mut Session) -> Outcome {
    let deadline = session.deadline();
    let asker = Asker::new(session);
    let progress: Vec<RefCell<Progress>> = checks.iter().map(|_| RefCell::default()).collect();
    let mut order = Order::new(checks);
    let mut results: Vec<Option<CheckResult>> = checks.iter().map(|_| None).collect();
    let mut told = 0;
    let mut going = FuturesUnordered::new();
    let mut over = std::pin::pin!(sleep_until(deadline));
    while told < checks.len() {
        for number in order.next() {
            going.push(decide(number, &checks[number], &progress[number], &asker));
        }
        tokio::select! {
            biased;
            () = &mut over => break,
            () = asker.news.notified() => {
                asker.answered.take().into_iter().for_each(|number| order.answered(number));
            }
            decided = going.next() => {
                let Some((number, seen)) = decided else { break };
                order.decided(number);
                results[number] = Some(result(&checks[number], seen));
            }
        }
        while let Some(result) = results.get_mut(told).and_then(Option::take) {
            asker.session.borrow_mut().report.check(result);
            told += 1;
        }
        // Before the next one's capture takes its place.
        asker.session.borrow_mut().save_capture_of_check();
    }
    drop(going);
    let undecided = results.iter().skip(told).filter(|result| result.is_none()).count();
    for number in told..checks.len() {
        let undecided = || cut_short(&checks[number], &progress[number].borrow());
        let result = results[number].take().unwrap_or_else(undecided);
        asker.session.borrow_mut().report.check(result);
    }
    outcome(undecided, &asker)
}

fn outcome(undecided: usize, asker: &Asker<'_>) -> Outcome {
    if undecided > 0 {
        let checks = crate::text::counted(undecided, "check");
        let message = format!(
            "limit reached: the time of the run was over before {checks} could be decided\n  help: `limits` in the scenario, or --timeout, raises it"
        );
        return Outcome { exit: Exit::Limit, message: Some(message) };
    }
    if asker.denied.get() {
        let message = "a check asks for what is not granted, as told above".to_owned();
        return Outcome { exit: Exit::Denied, message: Some(message) };
    }
    let failed = asker.session.borrow().report.result().failed_checks();
    let exit = if failed == 0 { Exit::Done } else { Exit::Failed };
    Outcome { exit, message: None }
}

/// How far a check has come.
#[derive(Debug, Default)]
struct Progress {
    began: Option<Instant>,
    last: Option<Miss>,
}

/// One check, until it holds or can't any more.
async fn decide(
    number: usize,
    check: &Check,
    progress: &RefCell<Progress>,
    asker: &Asker<'_>,
) -> (usize, Decided) {
    let began = Instant::now();
    progress.borrow_mut().began = Some(began);
    let until = began + check.within().unwrap_or(PATIENCE);
    let mut pause = PAUSE;
    let mut holds_since: Option<Instant> = None;
    let mut routers = RoutersWord::default();
    if asker.session.borrow().made_earlier && frames::counts_since_the_start(check) {
        let why = "it counts since the start of a run, and that run is over\n  help: with `during` it can be asked again";
        return (number, Decided::Skipped(why));
    }
    let decided = loop {
        let seen = attempt(check, Patience::until(until), asker).await;
        match (seen, check.stays()) {
            (Ok(said), None) => break Decided::Holds(said),
            (Ok(said), Some(stays)) => {
                let since = *holds_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= stays {
                    break Decided::Holds(said);
                }
                sleep(PAUSE.min(stays.saturating_sub(since.elapsed()))).await;
            }
            (Err(miss @ Miss::Denied(_)), _) => {
                asker.denied.set(true);
                break Decided::Fails(miss);
            }
            (Err(miss), _) => {
                let miss = routers.instead_of(after(miss, holds_since.take()));
                if matches!(miss, Miss::Never(_)) || Instant::now() >= until {
                    break Decided::Fails(miss);
                }
                if asker.denied.get() {
                    break Decided::Skipped(
                        "it does not hold, and was not asked again: a check was denied",
                    );
                }
                if wants_silence(check) && miss.said().cause != Some(Cause::NotSettled) {
                    asker.answered.borrow_mut().push(number);
                    asker.news.notify_one();
                }
                let next = Instant::now() + before_the_next(check, miss.said()).unwrap_or(pause);
                progress.borrow_mut().last = Some(miss);
                sleep_until(next.min(until)).await;
                pause = (pause * 5 / 4).min(LONGEST_PAUSE);
            }
        }
    };
    (number, decided)
}

/// How long routers are left alone after this, where they were asked.
fn before_the_next(check: &Check, said: &Said) -> Option<Duration> {
    let silent = said.cause == Some(Cause::NoReply) && wants_a_routers_word(check);
    match said.by_router {
        true => Some(PAUSE_AFTER_A_ROUTER),
        false => silent.then_some(PAUSE_FOR_A_ROUTER),
    }
}

/// What a router said last, which it may not say again at once.
#[derive(Debug, Default)]
struct RoutersWord(Option<(Instant, Miss)>);

impl RoutersWord {
    /// It stands for the silence that follows it, for a while.
    fn instead_of(&mut self, miss: Miss) -> Miss {
        if miss.said().by_router {
            self.0 = Some((Instant::now(), miss.clone()));
            return miss;
        }
        match &self.0 {
            Some((since, word))
                if miss.said().cause == Some(Cause::NoReply)
                    && since.elapsed() < 3 * PAUSE_AFTER_A_ROUTER =>
            {
                word.clone()
            }
            Some(_) | None => miss,
        }
    }
}

/// What ended it after it had held for a while.
fn after(miss: Miss, since: Option<Instant>) -> Miss {
    let Some(since) = since else { return miss };
    let held = format!("it held for {:.1} s; then: ", since.elapsed().as_secs_f64());
    let longer = |said: Said| Said { text: held + &said.text, ..said };
    match miss {
        Miss::Yet(said) => Miss::Yet(longer(said)),
        Miss::Never(said) => Miss::Never(longer(said)),
        Miss::Denied(said) => Miss::Denied(longer(said)),
    }
}

enum Decided {
    Holds(Said),
    Fails(Miss),
    /// it can't be asked, or not again; why
    Skipped(&'static str),
}

fn result(check: &Check, decided: Decided) -> CheckResult {
    let (verdict, said) = match decided {
        Decided::Holds(said) => (Verdict::Pass, said),
        Decided::Fails(miss) => (Verdict::Fail, miss.said().clone()),
        Decided::Skipped(why) => (Verdict::Skip, why.to_owned().into()),
    };
    CheckResult::of_scenario(check.to_string(), verdict, said.text, said.cause.map(Cause::code))
}

/// A check that the end of the run's time left undecided. It did not have the time that it says.
fn cut_short(check: &Check, progress: &Progress) -> CheckResult {
    let cause = Some(Cause::Limit.code());
    let Some(began) = progress.began else {
        let text = "not asked: the time of the run was over".to_owned();
        return CheckResult::of_scenario(check.to_string(), Verdict::Skip, text, cause);
    };
    let seconds = began.elapsed().as_secs_f64();
    let mut text = format!("cut short after {seconds:.1} s by the limit of the run");
    if let Some(miss) = &progress.last {
        text = format!("{text}: {}", miss.said().text);
    }
    CheckResult::of_scenario(check.untimed(), Verdict::Fail, text, cause)
}

/// One look.
async fn attempt(check: &Check, patience: Patience, asker: &Asker<'_>) -> Seen {
    match check {
        Check::Link(check) => ask::link(check, asker).await,
        Check::Address(check) => ask::address(check, asker).await,
        Check::Ping(check) => probe::ping(check, patience, asker).await,
        Check::Route(check) => ask::route(check, asker).await,
        Check::Neighbour(check) => ask::neighbour(check, asker).await,
        Check::Arp(check) => probe::arp(check, patience, asker).await,
        Check::Tcp(check) => probe::tcp(check, patience, asker).await,
        Check::Sysctl(check) => ask::sysctl(check, asker).await,
        Check::Frames(check) => frames::frames(check, patience, asker).await,
    }
}

/// Whether a probe wants that somebody on the way says why nobody answers.
fn wants_a_routers_word(check: &Check) -> bool {
    match check.because() {
        Some(Because::NoRoute | Because::Prohibited) => wants_silence(check),
        Some(Because::NoReply | Because::NoCarrier) | None => false,
    }
}

/// Whether a probe wants that nobody answers.
fn wants_silence(check: &Check) -> bool {
    match check {
        Check::Ping(check) => check.expect == Expect::Unreachable,
        Check::Arp(check) => check.expect == Expect::Unreachable,
        Check::Tcp(check) => check.expect == ExpectTcp::Unreachable,
        Check::Link(_)
        | Check::Address(_)
        | Check::Route(_)
        | Check::Neighbour(_)
        | Check::Sysctl(_)
        | Check::Frames(_) => false,
    }
}
