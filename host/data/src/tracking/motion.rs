//! Where an object is and will be: a Kalman filter of constant speed, as in SORT and ByteTrack.
//!
//! Its state is the centre, the ratio of width to height, and the height of a box, each with its speed. What is not known of
//! each of the four is independent of the others, at the start and in every step, so the filter of eight numbers is four
//! filters of two.

/// How far a position is off, in heights of the object.
const POSITION: f64 = 1.0 / 20.0;

/// How far a speed is off, in heights of the object for each frame.
const SPEED: f64 = 1.0 / 160.0;

/// How far the ratio of width to height is off when it begins and from frame to frame, when it is measured, and its speed.
const RATIO: f64 = 1e-2;
const MEASURED_RATIO: f64 = 1e-1;
const RATIO_SPEED: f64 = 1e-5;

/// The place of the ratio, and of the height, among the four.
const RATIO_PLACE: usize = 2;
const HEIGHT_PLACE: usize = 3;

/// A moving box.
#[derive(Clone, Debug)]
pub(super) struct Motion {
    /// Centre x, centre y, width / height, height.
    axes: [Axis; 4],
}

/// One number of a moving box, its change from frame to frame, and how little is known of both.
#[derive(Clone, Copy, Debug)]
struct Axis {
    position: f64,
    speed: f64,
    /// The variance of the position, the covariance, the variance of the speed.
    position_variance: f64,
    covariance: f64,
    speed_variance: f64,
}

impl Motion {
    /// A box `[x, y, width, height]` that is seen for the first time; nothing is known of its speed.
    pub(super) fn new(bounding_box: [f64; 4]) -> Self {
        let measured = measured(bounding_box);
        let height = measured[HEIGHT_PLACE];
        let axis = |place: usize| {
            let (position, speed) = deviations(place, height, 2.0, 10.0);
            Axis {
                position: measured[place],
                speed: 0.0,
                position_variance: position * position,
                covariance: 0.0,
                speed_variance: speed * speed,
            }
        };
        Self {
            axes: [0, 1, 2, 3].map(axis),
        }
    }

    /// The box `[x, y, width, height]` now.
    pub(super) fn bounding_box(&self) -> [f64; 4] {
        let [x, y, ratio, height] = self.axes.map(|axis| axis.position);
        let width = ratio * height;
        [x - width / 2.0, y - height / 2.0, width, height]
    }

    /// Lets it neither grow nor shrink any more: what is hidden does neither, as far as anybody knows.
    pub(super) fn keep_height(&mut self) {
        self.axes[HEIGHT_PLACE].speed = 0.0;
    }

    /// Goes on to the next frame.
    pub(super) fn predict(&mut self) {
        let height = self.axes[HEIGHT_PLACE].position;
        for (place, axis) in self.axes.iter_mut().enumerate() {
            let (position, speed) = deviations(place, height, 1.0, 1.0);
            axis.position += axis.speed;
            axis.position_variance += 2.0 * axis.covariance + axis.speed_variance + position * position;
            axis.covariance += axis.speed_variance;
            axis.speed_variance += speed * speed;
        }
    }

    /// Takes in where it was seen in this frame.
    pub(super) fn update(&mut self, bounding_box: [f64; 4]) {
        let measured = measured(bounding_box);
        let height = self.axes[HEIGHT_PLACE].position;
        for (place, axis) in self.axes.iter_mut().enumerate() {
            let deviation = match place {
                RATIO_PLACE => MEASURED_RATIO,
                _ => POSITION * height,
            };
            let variance = axis.position_variance + deviation * deviation;
            let (gain, speed_gain) = (axis.position_variance / variance, axis.covariance / variance);
            let difference = measured[place] - axis.position;
            axis.position += gain * difference;
            axis.speed += speed_gain * difference;
            axis.speed_variance -= speed_gain * axis.covariance;
            axis.covariance -= gain * axis.covariance;
            axis.position_variance -= gain * axis.position_variance;
        }
    }
}

/// What is measured of a box: centre x, centre y, width / height, height.
fn measured([x, y, width, height]: [f64; 4]) -> [f64; 4] {
    [x + width / 2.0, y + height / 2.0, width / height, height]
}

/// By how much the position and the speed of one of the four are off: so many times what they are from frame to frame.
fn deviations(place: usize, height: f64, position: f64, speed: f64) -> (f64, f64) {
    match place {
        RATIO_PLACE => (RATIO, RATIO_SPEED),
        _ => (position * POSITION * height, speed * SPEED * height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_that_moves_evenly_is_soon_expected_where_it_will_be() {
        let at = |frame: f64| [10.0 + 3.0 * frame, 50.0 - 2.0 * frame, 20.0, 40.0];
        let mut motion = Motion::new(at(0.0));
        assert_eq!(motion.bounding_box(), at(0.0));
        for frame in 1..30 {
            motion.predict();
            motion.update(at(f64::from(frame)));
        }
        motion.predict();
        for (found, expected) in motion.bounding_box().into_iter().zip(at(30.0)) {
            assert!((found - expected).abs() < 0.1, "{found} {expected}");
        }
    }

    #[test]
    fn a_height_that_is_kept_does_not_change_while_nothing_is_seen() {
        let mut motion = Motion::new([0.0, 0.0, 10.0, 10.0]);
        for height in 11..20 {
            motion.predict();
            motion.update([0.0, 0.0, f64::from(height), f64::from(height)]);
        }
        motion.keep_height();
        let before = motion.bounding_box()[3];
        motion.predict();
        assert_eq!(motion.bounding_box()[3], before);
    }
}
