//! What many durations say together.

use serde::Serialize;
use std::time::Duration;

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// How often it was measured.
    pub rounds: usize,
    /// Half of the times it takes no longer than this.
    pub median_seconds: f64,
    /// Nine times of ten it takes no longer than this.
    pub p90_seconds: f64,
}

/// The quantiles of `rounds`, in any order; zeros of none.
pub fn latency(rounds: &[Duration]) -> Latency {
    let mut sorted = rounds.to_vec();
    sorted.sort_unstable();
    // The nearest rank: a value that was measured.
    let quantile = |tenths: usize| {
        let rank = (sorted.len() * tenths).div_ceil(10);
        sorted
            .get(rank.saturating_sub(1))
            .map_or(0.0, Duration::as_secs_f64)
    };
    Latency {
        rounds: sorted.len(),
        median_seconds: quantile(5),
        p90_seconds: quantile(9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: &[u64]) -> Latency {
        let rounds: Vec<_> = milliseconds.iter().copied().map(Duration::from_millis).collect();
        latency(&rounds)
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let ten = of(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(
            (ten.rounds, ten.median_seconds, ten.p90_seconds),
            (10, 0.005, 0.009)
        );
        let three = of(&[30, 10, 20]);
        assert_eq!((three.median_seconds, three.p90_seconds), (0.02, 0.03));
        let one = of(&[4]);
        assert_eq!((one.median_seconds, one.p90_seconds), (0.004, 0.004));
        assert_eq!(of(&[]).median_seconds, 0.0);
    }
}
