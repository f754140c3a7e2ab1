#!/usr/bin/env python3
"""What a process of its own and a sandbox cost a model, and what crashes cost a run.

    python3 benches/isolation/run.py target/release/modelzoo FOLDER

FOLDER holds pictures, of which 277 are used at most for the first part; Pillow makes 2,000 small ones of them for the
second. Arrangements take turns in one run, because machines change their speed: ratios of medians count.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PICTURES = {".jpg", ".jpeg", ".png"}

# What is compared: a name and its arguments. The first is what the others are measured by.
ARRANGEMENTS = {
    "in the program's process": ["--isolation", "none"],
    "in a process, not shut in": ["--sandbox", "off"],
    "the default: in a process, shut in": [],
}


def run(program, arguments):
    """Runs the program to its end; gives the seconds and its exit code."""
    begun = time.perf_counter()
    done = subprocess.run(
        [program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    seconds = time.perf_counter() - begun
    # 8: some of the inputs failed.
    if done.returncode not in (0, 8):
        sys.exit(f"{arguments}: exit code {done.returncode}\n{done.stderr}")
    return seconds, done.returncode


def overhead(program, folder, rounds):
    """The whole program, from a folder of pictures to JSON Lines."""
    model = str(REPOSITORY / "plugins/mobilenet_v2")
    print("| batches of | arrangement | seconds (fastest to slowest) | against the first |\n|---|---|---|---|")
    for batch in ["1", "32"]:
        seconds = {name: [] for name in ARRANGEMENTS}
        # The first round is for the caches.
        for round_number in range(rounds + 1):
            for name, options in ARRANGEMENTS.items():
                took, _ = run(program, ["apply", model, str(folder), "--batch-size", batch, *options])
                if round_number > 0:
                    seconds[name].append(took)
        least = statistics.median(seconds[next(iter(ARRANGEMENTS))])
        for name, times in seconds.items():
            median = statistics.median(times)
            # Round by round, as the machine's speed changes between rounds.
            ratios = [one / other for one, other in zip(times, seconds[next(iter(ARRANGEMENTS))])]
            print(
                f"| {batch} | {name} | {median:.2f} ({min(times):.2f} to {max(times):.2f}) "
                f"| {median / least:.3f}, by round {statistics.median(ratios):.3f} |",
                flush=True,
            )


def small_pictures(sources, folder, count):
    """Writes pictures of 500 x 375; gives the paths of a hundredth of them, chosen at random, which are black."""
    from PIL import Image

    photographs = [Image.open(path).convert("RGB").resize((500, 375)) for path in sources[:40]]
    black = set(random.Random(7).sample(range(count), count // 100))
    for number in range(count):
        picture = photographs[number % len(photographs)].copy()
        # The plugin does its deed when the first byte is 0: lossy files keep neither 0 nor others by themselves.
        corner = (0, 0, 0) if number in black else (200, 200, 200)
        picture.paste(corner, (0, 0, 32, 32))
        picture.save(folder / f"{number:04}.jpg", quality=90)
    return len(black)


def crashes(program, sources, rounds):
    """A plugin that crashes over one picture in a hundred, against the same that does not."""
    model = str(REPOSITORY / "tests/plugins/misbehaving")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        guilty = small_pictures(sources, folder, 2000)
        print(f"\n2,000 pictures, of which {guilty} crash the plugin.\n")
        print("| batches of | without crashes, s | with crashes, s | ratio | reported |\n|---|---|---|---|---|")
        for batch in ["1", "32"]:
            without, with_crashes, reported = [], [], set()
            for round_number in range(rounds + 1):
                for deed, times in [("nothing", without), ("crash", with_crashes)]:
                    output = folder.parent / f"{folder.name}.jsonl"
                    took, _ = run(
                        program,
                        ["apply", model, str(folder), "--batch-size", batch]
                        + ["--set", f"black={deed}", "-o", str(output)],
                    )
                    failed = sum('"error"' in line for line in output.read_text().splitlines())
                    output.unlink()
                    if deed == "crash":
                        reported.add(failed)
                    if round_number > 0:
                        times.append(took)
            ratio = statistics.median(one / other for one, other in zip(with_crashes, without))
            print(
                f"| {batch} | {statistics.median(without):.2f} | {statistics.median(with_crashes):.2f} "
                f"| {ratio:.2f} | {', '.join(map(str, sorted(reported)))} |",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["overhead", "crashes"])
    arguments = parser.parse_args()
    sources = sorted(path for path in arguments.folder.iterdir() if path.suffix.lower() in PICTURES)[:277]
    with tempfile.TemporaryDirectory() as chosen:
        for path in sources:
            (Path(chosen) / path.name).symlink_to(path.resolve())
        if arguments.only != "crashes":
            overhead(arguments.program, chosen, arguments.rounds)
    if arguments.only != "overhead":
        crashes(arguments.program, sources, arguments.rounds)


if __name__ == "__main__":
    main()
