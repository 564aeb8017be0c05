//! Tables for netem's jitter, TCA_NETEM_DELAY_DIST: the inverse of a distribution's cumulative
//! function at equal steps, in units of 1/8192 of the jitter (NETEM_DIST_SCALE). tc(8) reads the
//! same numbers from files of its package.

use crate::change::Distribution;

/// As many entries as tc(8)'s files have.
const ENTRIES: u32 = 4096;
const SCALE: f64 = 8192.0;
/// The shape of the pareto distribution, its mean and its spread.
const SHAPE: f64 = 3.0;
const MEAN: f64 = 1.5;
const SPREAD: f64 = 3.0 / 4.0;

/// The table; none for the uniform distribution, which needs none.
pub(super) fn table(distribution: Distribution) -> Option<Vec<i16>> {
    let entry: fn(u32) -> f64 = match distribution {
        Distribution::Uniform => return None,
        Distribution::Normal => normal,
        Distribution::Pareto => pareto,
        Distribution::Paretonormal => {
            |place| (clamped(normal(place)) / 4.0 + clamped(pareto(place)) * 3.0 / 4.0).trunc()
        }
    };
    Some((0..ENTRIES).map(|place| clamped(entry(place)) as i16).collect())
}

fn clamped(value: f64) -> f64 {
    value.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX))
}

/// The standard normal distribution's quantile, by bisection.
fn normal(place: u32) -> f64 {
    // The middle of each step, at four times the resolution.
    let wanted = (f64::from(place) * 4.0 + 0.5) / (f64::from(ENTRIES) * 4.0);
    let (mut low, mut high) = (-10.0_f64, 10.0_f64);
    for _ in 0..48 {
        let middle = f64::midpoint(low, high);
        let below = 0.5 + 0.5 * libm::erf(middle / std::f64::consts::SQRT_2);
        if below < wanted { low = middle } else { high = middle }
    }
    f64::midpoint(low, high) * SCALE
}

fn pareto(place: u32) -> f64 {
    let left = f64::from(ENTRIES - place) / f64::from(ENTRIES);
    (left.powf(-1.0 / SHAPE) - MEAN) / SPREAD * SCALE
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::change::Distribution;

    #[test]
    fn tables_have_no_jitter_in_the_middle_and_rise() {
        for (kind, middle, last) in [
            (Distribution::Normal, 0..=2, 28_858),
            (Distribution::Pareto, -2623..=-2622, i16::MAX),
            (Distribution::Paretonormal, -1967..=-1966, 31_789),
        ] {
            let table = table(kind).expect("a table");
            assert_eq!(table.len(), 4096);
            assert!(table.is_sorted(), "{kind:?}");
            assert!(middle.contains(&table[2048]), "{kind:?}: {}", table[2048]);
            assert_eq!(table[4095], last, "{kind:?}");
        }
        assert_eq!(table(Distribution::Uniform), None);
    }

    #[test]
    fn tables_are_those_of_iproute2() {
        for kind in [Distribution::Normal, Distribution::Pareto, Distribution::Paretonormal] {
            let name = kind.word();
            let folders = ["/usr/lib/tc", "/usr/share/tc", "/usr/lib/x86_64-linux-gnu/tc"];
            let read =
                |folder: &&str| std::fs::read_to_string(format!("{folder}/{name}.dist")).ok();
            let text = folders.iter().find_map(read).expect("iproute2's tables; install iproute2");
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let words = lines.flat_map(str::split_whitespace);
            let theirs: Vec<i32> = words.map(|word| word.parse().expect("a number")).collect();
            let ours = table(kind).expect("a table");
            assert_eq!(ours.len(), theirs.len());
            // Their normal quantile is searched in steps of 0.00005.
            let worst = ours.iter().zip(&theirs).map(|(a, b)| (i32::from(*a) - b).abs()).max();
            assert!(worst <= Some(18), "{name}: {worst:?}");
        }
    }
}
