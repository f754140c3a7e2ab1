"""What is compared: onnxruntime in two arrangements, torch in two memory formats, and this project."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.numpy import load_file

Outputs = list[np.ndarray]


class InProcess:
    """An engine of this process."""

    def turn(self, inputs: dict[str, np.ndarray], name: str, budget: float) -> float:
        """The median milliseconds of the runs that together take about `budget`, after one that does not count."""
        self.run(inputs, name)
        times = []
        while sum(times) < budget:
            times.append(self.run(inputs, name)[0])
        return statistics.median(times)

    def outputs(self, inputs: dict[str, np.ndarray], name: str) -> Outputs:
        return self.run(inputs, name)[1]


class OnnxRuntime(InProcess):
    """Sessions that share a batch, each with its share of the threads; all graph optimisations."""

    def __init__(self, model: Path, batch: int, sessions: int, threads: int) -> None:
        share = threads // sessions
        self.name = f"onnxruntime, {sessions} x {share} thread{'s' if share > 1 else ''}"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = share
        options.inter_op_num_threads = 1
        # Its best case: the optimiser knows all shapes.
        options.add_free_dimension_override_by_name("batch", batch // sessions)
        self.sessions = [
            onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
            for _ in range(sessions)
        ]
        self.pool = ThreadPoolExecutor(sessions) if sessions > 1 else None

    def run(self, inputs: dict[str, np.ndarray], name: str) -> tuple[float, Outputs]:
        parts = np.split(inputs[name], len(self.sessions))
        work = [(session, {"image": part}) for session, part in zip(self.sessions, parts)]
        start = time.perf_counter()
        if self.pool is None:
            results = [session.run(None, feed) for session, feed in work]
        else:
            results = list(self.pool.map(lambda pair: pair[0].run(None, pair[1]), work))
        took = time.perf_counter() - start
        return took * 1e3, [np.concatenate(parts) for parts in zip(*results)]


class Torch(InProcess):
    """torch as it is used by default, in either memory format."""

    def __init__(self, module: torch.nn.Module, channels_last: bool, threads: int) -> None:
        self.name = "torch channels_last" if channels_last else "torch eager"
        torch.set_num_threads(threads)
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.module = module.to(memory_format=self.format)

    def run(self, inputs: dict[str, np.ndarray], name: str) -> tuple[float, Outputs]:
        batch = torch.from_numpy(inputs[name]).to(memory_format=self.format)
        with torch.inference_mode():
            start = time.perf_counter()
            outputs = self.module(batch)
            took = time.perf_counter() - start
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return took * 1e3, [output.contiguous().numpy() for output in outputs]


class Modelzoo:
    """This project, in a process of its own: see src/main.rs."""

    name = "modelzoo"

    def __init__(
        self, program: Path, network: str, weights: Path, inputs: Path, threads: int, one_core: bool = False
    ) -> None:
        command = [str(program), network, str(weights), str(inputs), str(threads)]
        self.inputs = inputs
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if one_core:
            os.sched_setaffinity(self.process.pid, {min(os.sched_getaffinity(0))})
        ready, weight_bytes, buffer_bytes = self.answer().split()
        self.ready = float(ready)
        self.weight_bytes = int(weight_bytes)
        self.buffer_bytes = int(buffer_bytes)

    def answer(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended with {self.process.wait()}")
        return line.strip()

    def ask(self, command: str) -> str:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def turn(self, _: dict[str, np.ndarray], name: str, budget: float) -> float:
        """As the other engines' turns, in its own process: a thread waits for the next run there as theirs do."""
        return float(self.ask(f"time {name} {budget}"))

    def outputs(self, _: dict[str, np.ndarray], name: str) -> Outputs:
        file = self.inputs.with_name(f"outputs-{self.process.pid}.safetensors")
        self.ask(f"save {name} {file}")
        tensors = load_file(file)
        file.unlink()
        return [tensors[str(index)] for index in range(len(tensors))]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
