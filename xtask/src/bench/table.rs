//! The figures, as tables for a terminal and for README.

use super::ways::Way;
use std::fmt::Write;
use std::time::Duration;

/// How long one way took in each round.
pub(super) struct Row {
    pub(super) way: Way,
    pub(super) times: Vec<Duration>,
}

impl Row {
    fn best(&self) -> f64 {
        best(&seconds(&self.times))
    }

    /// The middle of what each round's time is to the bound's in the same round.
    fn paired(&self, bound: &Self) -> f64 {
        let pairs = seconds(&self.times).into_iter().zip(seconds(&bound.times));
        median(pairs.map(|(ours, theirs)| ours / theirs).collect())
    }
}

/// One row a way; the first row is the bound that all are compared with.
pub(super) fn lab(nodes: u32, rows: &[Row]) -> String {
    let mut text = format!(
        "\n| {nodes} nodes | best | median | best, to limit.c | round by round |\n\
         |---|---|---|---|---|\n"
    );
    let Some(bound) = rows.first() else { return text };
    for row in rows {
        let (best, middle) = (row.best(), median(seconds(&row.times)));
        let (ratio, paired) = (best / bound.best(), row.paired(bound));
        line(
            &mut text,
            format_args!(
                "| {} | {best:.3} s | {middle:.3} s | {ratio:.2} | {paired:.2} |",
                row.way.title()
            ),
        );
    }
    text
}

pub(super) fn start(times: &[Duration]) -> String {
    let milliseconds: Vec<f64> = seconds(times).into_iter().map(|time| time * 1e3).collect();
    let best = best(&milliseconds);
    format!(
        "\n`netwright run` of a recipe that does nothing: best {best:.1} ms, median {:.1} ms\n",
        median(milliseconds)
    )
}

/// What one call costs, by the best run with so many of them and the best without any.
pub(super) fn call(without: &[Duration], with: &[Duration], calls: u32) -> String {
    let more = best(&seconds(with)) - best(&seconds(without));
    let nanoseconds = more * 1e9 / f64::from(calls);
    format!("a checked host call without a kernel request: {nanoseconds:.0} ns\n")
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    writeln!(text, "{words}").expect("a String takes everything");
}

fn seconds(times: &[Duration]) -> Vec<f64> {
    times.iter().map(Duration::as_secs_f64).collect()
}

fn best(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Not a number where there is nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, call, lab, median};
    use crate::bench::ways::Way;
    use std::time::Duration;

    #[test]
    fn ways_are_compared_by_their_best_and_round_by_round() {
        let times = |list: [u64; 3]| list.map(Duration::from_millis).to_vec();
        let rows = [
            Row { way: Way::Limit, times: times([100, 200, 400]) },
            Row { way: Way::Netwright, times: times([300, 240, 440]) },
        ];
        let expected = "\n\
            | 50 nodes | best | median | best, to limit.c | round by round |\n\
            |---|---|---|---|---|\n\
            | bench/limit.c | 0.100 s | 0.200 s | 1.00 | 1.00 |\n\
            | netwright, builtin:topology | 0.240 s | 0.300 s | 2.40 | 1.20 |\n";
        assert_eq!(lab(50, &rows), expected);
    }

    #[test]
    fn a_call_costs_what_many_of_them_add() {
        let times = |list: [u64; 2]| list.map(Duration::from_millis).to_vec();
        assert_eq!(
            call(&times([20, 25]), &times([540, 520]), 1_000_000),
            "a checked host call without a kernel request: 500 ns\n"
        );
    }

    #[test]
    fn the_median_of_an_even_number_is_the_middle_of_the_two_in_the_middle() {
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
    }
}
