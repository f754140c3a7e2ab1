//! ByteTrack's tracks, from frame to frame.

use super::{assignment::assign, motion::Motion};
use crate::boxes::{area, common_area};
use std::collections::BTreeSet;

/// Objects that a model is at least so sure of begin tracks, and are looked for first.
const SURE: f64 = 0.25;

/// Objects that it is not even so sure of are not looked at.
const UNSURE: f64 = 0.1;

/// How much a track and an object may cost together that are one: what they do not share of both, first weighed by how sure
/// the model is.
const FIRST_LIMIT: f64 = 0.8;
const SECOND_LIMIT: f64 = 0.5;
const NEW_LIMIT: f64 = 0.7;

/// A track is given up that was not seen for more frames.
const MEMORY: u64 = 30;

/// Two tracks that differ by less are of one object.
const SAME: f64 = 0.15;

/// Which track an object belongs to. Tracks that were begun later have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TrackId(u64);

/// An object of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// `[x, y, width, height]` in pixels.
    pub(super) bounding_box: [f64; 4],
    /// How sure the model is, 0 to 1.
    pub(super) confidence: f64,
}

impl Seen {
    /// Whether it has a place and a size.
    fn is_anywhere(&self) -> bool {
        let [x, y, width, height] = self.bounding_box;
        x.is_finite()
            && y.is_finite()
            && width.is_finite()
            && height.is_finite()
            && width > 0.0
            && height > 0.0
    }
}

/// The tracks of one video.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    /// How many frames there were.
    frame: u64,
    begun: u64,
    tracks: Vec<Track>,
    confirmed: BTreeSet<TrackId>,
}

#[derive(Debug)]
struct Track {
    id: TrackId,
    motion: Motion,
    state: State,
    first_frame: u64,
    last_frame: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Seen in the last frame for the first time.
    New,
    /// Seen in the last frame.
    Followed,
    /// Not seen in the last frame.
    Lost,
}

impl Tracker {
    /// Whether the object of a track was seen more than once, or in the first frame.
    pub(super) fn is_confirmed(&self, id: TrackId) -> bool {
        self.confirmed.contains(&id)
    }

    /// Takes the objects of the next frame; gives the track of each.
    pub(super) fn update(&mut self, seen: &[Seen]) -> Vec<Option<TrackId>> {
        self.frame += 1;
        let mut ids = vec![None; seen.len()];
        let among = |is_wanted: &dyn Fn(f64) -> bool| -> Vec<usize> {
            (0..seen.len())
                .filter(|&index| seen[index].is_anywhere() && is_wanted(seen[index].confidence))
                .collect()
        };
        let mut sure = among(&|confidence| confidence >= SURE);
        let mut unsure = among(&|confidence| confidence > UNSURE && confidence < SURE);

        for track in self.tracks.iter_mut().filter(|track| track.state != State::New) {
            if track.state == State::Lost {
                track.motion.keep_height();
            }
            track.motion.predict();
        }
        let known = self.places(|track| track.state != State::New);
        let known = self.pair(known, &mut sure, seen, FIRST_LIMIT, true, &mut ids);
        // What was lost before needs somebody to be sure of it.
        let followed = known
            .into_iter()
            .filter(|&place| self.tracks[place].state == State::Followed)
            .collect();
        for place in self.pair(followed, &mut unsure, seen, SECOND_LIMIT, false, &mut ids) {
            self.tracks[place].state = State::Lost;
        }
        let new = self.places(|track| track.state == State::New && track.last_frame < self.frame);
        let never_again = self.pair(new, &mut sure, seen, NEW_LIMIT, true, &mut ids);
        let never_again: Vec<TrackId> = never_again
            .into_iter()
            .map(|place| self.tracks[place].id)
            .collect();
        self.tracks.retain(|track| {
            let is_recent = track.state != State::Lost || self.frame - track.last_frame <= MEMORY;
            is_recent && !never_again.contains(&track.id)
        });
        for index in sure {
            ids[index] = Some(self.begin(seen[index]));
        }
        self.forget_twins();
        ids
    }

    /// The places of some tracks.
    fn places(&self, is_wanted: impl Fn(&Track) -> bool) -> Vec<usize> {
        (0..self.tracks.len())
            .filter(|&place| is_wanted(&self.tracks[place]))
            .collect()
    }

    /// Lets those of some tracks go on that are among `objects`, which these leave. Gives the other tracks.
    fn pair(
        &mut self,
        places: Vec<usize>,
        objects: &mut Vec<usize>,
        seen: &[Seen],
        limit: f64,
        is_weighed: bool,
        ids: &mut [Option<TrackId>],
    ) -> Vec<usize> {
        let boxes: Vec<[f64; 4]> = places
            .iter()
            .map(|&place| self.tracks[place].motion.bounding_box())
            .collect();
        let cost = |row: usize, column: usize| {
            let Seen {
                bounding_box,
                confidence,
            } = seen[objects[column]];
            let weight = if is_weighed { confidence } else { 1.0 };
            1.0 - overlap(boxes[row], bounding_box) * weight
        };
        let pairs = assign(places.len(), objects.len(), limit, cost);
        for &(row, column) in &pairs {
            let (track, object) = (&mut self.tracks[places[row]], objects[column]);
            track.motion.update(seen[object].bounding_box);
            track.state = State::Followed;
            track.last_frame = self.frame;
            self.confirmed.insert(track.id);
            ids[object] = Some(track.id);
        }
        let is_left =
            |index: usize, side: fn(&(usize, usize)) -> usize| !pairs.iter().any(|pair| side(pair) == index);
        let left = (0..places.len())
            .filter(|&row| is_left(row, |pair| pair.0))
            .map(|row| places[row])
            .collect();
        *objects = (0..objects.len())
            .filter(|&column| is_left(column, |pair| pair.1))
            .map(|column| objects[column])
            .collect();
        left
    }

    /// A new track. In the first frame, everything is believed.
    fn begin(&mut self, seen: Seen) -> TrackId {
        self.begun += 1;
        let id = TrackId(self.begun);
        let is_first = self.frame == 1;
        if is_first {
            self.confirmed.insert(id);
        }
        self.tracks.push(Track {
            id,
            motion: Motion::new(seen.bounding_box),
            state: if is_first { State::Followed } else { State::New },
            first_frame: self.frame,
            last_frame: self.frame,
        });
        id
    }

    /// Of a track that is followed and one that is lost in the same place, the one that was followed for longer stays.
    fn forget_twins(&mut self) {
        let mut forgotten = BTreeSet::new();
        for followed in self.tracks.iter().filter(|track| track.state != State::Lost) {
            for lost in self.tracks.iter().filter(|track| track.state == State::Lost) {
                let difference = 1.0 - overlap(followed.motion.bounding_box(), lost.motion.bounding_box());
                if difference < SAME {
                    let life = |track: &Track| track.last_frame - track.first_frame;
                    let younger = if life(followed) > life(lost) {
                        lost
                    } else {
                        followed
                    };
                    forgotten.insert(younger.id);
                }
            }
        }
        self.tracks.retain(|track| !forgotten.contains(&track.id));
    }
}

/// The intersection of two boxes over their union.
fn overlap(one: [f64; 4], other: [f64; 4]) -> f64 {
    let shared = common_area(one, other);
    let both = area(one) + area(other) - shared;
    if both > 0.0 { shared / both } else { 0.0 }
}
