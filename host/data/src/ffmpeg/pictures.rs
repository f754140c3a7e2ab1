//! Coded pictures, each by itself: in goes an elementary stream, out come the decoder's own planes, unconverted.

use super::{
    error::FfmpegError,
    log::{complaint, showinfo},
    process::{Process, Pulse, SILENCE_LIMIT},
    programs::{FFMPEG, every_frame_once, memory_for},
    shelter::program,
};
use std::{
    io::{self, BufRead as _, BufReader, Read, Write as _},
    process::{Child, Stdio},
    thread,
};

/// How a stream of coded pictures is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamFormat {
    /// HEVC's byte stream: units behind start codes.
    Hevc,
    /// AV1 in IVF: a frame a picture.
    Ivf,
}

/// A decoded picture as the decoder gave it.
#[derive(Debug, PartialEq)]
pub(crate) struct CodedPicture {
    pub width: u32,
    pub height: u32,
    /// What FFmpeg calls the arrangement of its samples, such as `yuv420p10le`.
    pub pixel_format: String,
    /// What FFmpeg calls its range: `pc` is the full one, `tv` the limited one.
    pub range: String,
    /// What FFmpeg calls the matrix by which it was made of red, green and blue.
    pub matrix: String,
    /// All that came after the pictures before.
    pub samples: Vec<u8>,
}

/// What came of a stream.
#[derive(Debug, Default)]
pub(crate) struct DecodedStream {
    pub pictures: Vec<CodedPicture>,
    /// The first complaint of the decoder, if it had any.
    pub complaint: Option<String>,
}

/// How large a picture may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PictureLimits {
    /// Larger ones are refused before they are decoded; whole blocks count, as they are coded.
    pub pixels: u64,
    /// Of the samples of one, on average.
    pub bytes: u64,
}

/// Decodes every picture of a stream, up to `count` of them.
pub(crate) fn decode_pictures(
    format: StreamFormat,
    stream: Vec<u8>,
    count: usize,
    most: PictureLimits,
) -> Result<DecodedStream, FfmpegError> {
    let mut command = program(FFMPEG, |least| least)?;
    let format = match format {
        StreamFormat::Hevc => "hevc",
        StreamFormat::Ivf => "ivf",
    };
    let [mode, passthrough] = every_frame_once();
    command
        .args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"])
        // Pictures are decoded beside each other.
        .args(["-threads", "1", "-max_pixels", &most.pixels.to_string()])
        .args(["-protocol_whitelist", "pipe", "-f", format, "-i", "pipe:0"])
        .args(["-map", "0:v:0", "-vf", "showinfo=checksum=0", mode, passthrough])
        .args(["-f", "rawvideo", "pipe:1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let failure = |source| FfmpegError::from_start(FFMPEG, source);
    let mut pipes = None;
    let take = |child: &mut Child| {
        let output = child.stdout.take().zip(child.stderr.take());
        pipes = child.stdin.take().zip(output);
    };
    // Its sides do not matter.
    let memory = memory_for((u32::try_from(most.pixels).unwrap_or(u32::MAX), 1));
    let process = Process::spawn(command, memory, SILENCE_LIMIT, take).map_err(failure)?;
    let Some((mut stdin, (stdout, stderr))) = pipes else {
        unreachable!("all are asked for as pipes");
    };
    // A decoder that has given up reads no further, which its log tells.
    thread::spawn(move || stdin.write_all(&stream));
    let pulse = process.pulse().clone();
    let log = thread::spawn(move || read_log(stderr, &pulse));
    let most_bytes = (count as u64).saturating_mul(most.bytes);
    let pulse = process.pulse();
    let read = pulse.while_waiting(|| read_all(stdout.take(most_bytes), pulse));
    let samples = read.map_err(failure)?;
    if samples.len() as u64 == most_bytes {
        // There may be more than anybody asked for; it is not waited for.
        drop(process);
    } else {
        process.wait().map_err(failure)?;
        if process.was_given_up() {
            return Err(FfmpegError::silent(FFMPEG, SILENCE_LIMIT));
        }
    }
    // The thread only takes text apart; had it panicked, it would have nothing to tell.
    let (facts, complaint) = log.join().unwrap_or_default();
    Ok(DecodedStream {
        pictures: divide(facts, samples),
        complaint,
    })
}

fn read_all(mut reader: impl Read, pulse: &Pulse) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(all),
            Ok(read) => {
                all.extend_from_slice(&buffer[..read]);
                pulse.beat();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads what is said of each picture, and the first complaint.
fn read_log(stderr: impl Read, pulse: &Pulse) -> (Vec<CodedPicture>, Option<String>) {
    let (mut pictures, mut first) = (Vec::<CodedPicture>::new(), None);
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    // A line that cannot be read ends the log as its end does.
    while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        pulse.beat();
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        match (showinfo(text, "[Parsed_showinfo_0 @"), pictures.last_mut()) {
            (Some(facts), _) if facts.starts_with("n:") => pictures.extend(picture(facts)),
            (Some(facts), Some(last)) => {
                last.range = word(facts, "color_range:").unwrap_or(&last.range).to_owned();
                last.matrix = word(facts, "color_space:").unwrap_or(&last.matrix).to_owned();
            }
            (None, _) if first.is_none() => first = complaint(text).map(str::to_owned),
            _ => {}
        }
        line.clear();
    }
    (pictures, first)
}

/// What a line says of a picture, whose samples are still to come.
fn picture(facts: &str) -> Option<CodedPicture> {
    let (width, height) = word(facts, " s:")?.split_once('x')?;
    Some(CodedPicture {
        width: width.parse().ok()?,
        height: height.parse().ok()?,
        pixel_format: word(facts, " fmt:")?.to_owned(),
        range: String::new(),
        matrix: String::new(),
        samples: Vec::new(),
    })
}

/// The word behind a name.
fn word<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split_once(name)?.1.split_whitespace().next()
}

/// Gives each picture its samples: all have as many as the first, as long as they are of one kind.
fn divide(mut pictures: Vec<CodedPicture>, samples: Vec<u8>) -> Vec<CodedPicture> {
    let is_like_first = |one: &CodedPicture, first: &CodedPicture| {
        (one.width, one.height, &one.pixel_format) == (first.width, first.height, &first.pixel_format)
    };
    let alike = match pictures.split_first() {
        Some((first, others)) => 1 + others.iter().take_while(|one| is_like_first(one, first)).count(),
        None => return pictures,
    };
    if alike < pictures.len() || !samples.len().is_multiple_of(alike) {
        return Vec::new();
    }
    let length = samples.len() / alike;
    match alike {
        1 => pictures[0].samples = samples,
        _ => {
            for (picture, samples) in pictures.iter_mut().zip(samples.chunks_exact(length.max(1))) {
                picture.samples = samples.to_vec();
            }
        }
    }
    pictures
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
[info] Input #0, hevc, from 'pipe:0':
[Parsed_showinfo_0 @ 0x1] [info] config in time_base: 1/1200000, frame_rate: 25/1
[hevc @ 0x2] [error] The cu_qp_delta 30 is outside the valid range
[Parsed_showinfo_0 @ 0x1] [info] n:   0 pts:      0 pts_time:0       pos:        0 fmt:yuvj420p sar:1/1 s:4x2 i:P
[Parsed_showinfo_0 @ 0x1] [info] color_range:pc color_space:smpte170m color_primaries:bt709 color_trc:unknown
[Parsed_showinfo_0 @ 0x1] [info] n:   1 pts:  48000 pts_time:0.04    pos:       90 fmt:yuvj420p sar:1/1 s:4x2 i:P
[Parsed_showinfo_0 @ 0x1] [info] color_range:pc color_space:bt709 color_primaries:bt709 color_trc:unknown
[hevc @ 0x2] [error] another
";

    #[test]
    fn the_log_says_what_the_pipe_does_not() {
        let (pictures, complaint) = read_log(LOG.as_bytes(), &Pulse::new());
        assert_eq!(
            complaint.as_deref(),
            Some("The cu_qp_delta 30 is outside the valid range")
        );
        let pictures = divide(pictures, (0..24).collect());
        let samples: Vec<_> = pictures.iter().map(|picture| picture.samples[0]).collect();
        assert_eq!(samples, [0, 12]);
        assert_eq!((pictures[1].width, pictures[1].height), (4, 2));
        assert_eq!(pictures[1].pixel_format, "yuvj420p");
        assert_eq!((&*pictures[1].range, &*pictures[1].matrix), ("pc", "bt709"));
    }

    #[test]
    fn pictures_that_differ_cannot_be_told_apart() {
        let log = LOG.replacen("s:4x2", "s:8x2", 1);
        let (pictures, _) = read_log(log.as_bytes(), &Pulse::new());
        assert_eq!(divide(pictures, vec![0; 36]), []);
        assert_eq!(divide(Vec::new(), Vec::new()), []);
        let (pictures, _) = read_log(LOG.as_bytes(), &Pulse::new());
        assert_eq!(divide(pictures, vec![0; 23]), []);
    }

    #[test]
    fn what_cannot_be_decoded_is_complained_of() {
        let most = PictureLimits {
            pixels: 1 << 10,
            bytes: 1 << 12,
        };
        let decoded = decode_pictures(StreamFormat::Hevc, b"no stream".to_vec(), 1, most).unwrap();
        assert!(decoded.pictures.is_empty());
        assert!(decoded.complaint.is_some());
    }
}
