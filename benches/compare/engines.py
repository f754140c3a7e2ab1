"""What is compared: onnxruntime, OpenVINO and ncnn in their arrangements, torch in two memory formats and compiled, and this
project."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ncnn
import numpy as np
import onnxruntime
import openvino
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


def arrangement(parts: int, threads: int) -> str:
    """How a batch is shared: so many parts at a time, with so many threads each."""
    return f"{parts} x {threads} thread{'s' if threads > 1 else ''}"


class OnnxRuntime(InProcess):
    """Sessions that share a batch, each with its share of the threads; all graph optimisations."""

    def __init__(self, model: Path, batch: int, sessions: int, threads: int) -> None:
        share = threads // sessions
        self.name = f"onnxruntime, {arrangement(sessions, share)}"
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


class OpenVino(InProcess):
    """Requests that share a batch, each on a stream with its share of the threads.

    `precision` is what it computes in; `None` leaves that to OpenVINO, which takes bf16 where the processor multiplies it.
    """

    def __init__(self, model: Path, batch: int, streams: int, threads: int, precision: str | None) -> None:
        of = precision or "as it comes"
        self.name = f"OpenVINO {of}, {arrangement(streams, threads // streams)}"
        core = openvino.Core()
        graph = core.read_model(model)
        graph.reshape([batch // streams, *list(graph.input(0).partial_shape)[1:]])
        settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": streams}
        if precision:
            settings["INFERENCE_PRECISION_HINT"] = precision
        compiled = core.compile_model(graph, "CPU", settings)
        self.requests = [compiled.create_infer_request() for _ in range(streams)]

    @staticmethod
    def default_precision() -> str:
        """What it computes in where nobody says."""
        return openvino.Core().get_property("CPU", "INFERENCE_PRECISION_HINT").to_string()

    def run(self, inputs: dict[str, np.ndarray], name: str) -> tuple[float, Outputs]:
        parts = [np.ascontiguousarray(part) for part in np.split(inputs[name], len(self.requests))]
        start = time.perf_counter()
        for request, part in zip(self.requests, parts):
            request.start_async({0: part}, share_inputs=True)
        for request in self.requests:
            request.wait()
        took = time.perf_counter() - start
        count = len(self.requests[0].results)
        each = [
            [request.get_output_tensor(index).data.copy() for request in self.requests] for index in range(count)
        ]
        return took * 1e3, [np.concatenate(parts) for parts in each]


class Ncnn(InProcess):
    """Copies of a network, converted by pnnx, that share a batch; each takes one image after the other, as ncnn does.

    `half` leaves ncnn its default, to keep weights and values in f16 where the processor converts them.
    """

    def __init__(self, model: Path, batch: int, copies: int, threads: int, half: bool) -> None:
        of = "as it comes" if half else "f32"
        self.name = f"ncnn {of}, {arrangement(copies, threads // copies)}"
        self.copies = [self.load(model, threads // copies, half) for _ in range(min(copies, batch))]
        self.pool = ThreadPoolExecutor(len(self.copies)) if len(self.copies) > 1 else None

    @staticmethod
    def load(model: Path, threads: int, half: bool) -> ncnn.Net:
        network = ncnn.Net()
        network.opt.use_vulkan_compute = False
        network.opt.num_threads = threads
        if not half:
            network.opt.use_fp16_packed = network.opt.use_fp16_storage = network.opt.use_fp16_arithmetic = False
        if network.load_param(str(model)) or network.load_model(str(model.with_suffix(".bin"))):
            raise RuntimeError(f"ncnn does not load {model}")
        return network

    @staticmethod
    def outputs_of(network: ncnn.Net, images: np.ndarray) -> Outputs:
        results = []
        for image in images:
            extractor = network.create_extractor()
            extractor.input("in0", ncnn.Mat(image))
            outputs = []
            for name in network.output_names():
                failed, output = extractor.extract(name)
                if failed:
                    raise RuntimeError(f"ncnn does not compute {name}")
                outputs.append(np.array(output))
            results.append(outputs)
        return [np.stack(parts) for parts in zip(*results)]

    def run(self, inputs: dict[str, np.ndarray], name: str) -> tuple[float, Outputs]:
        parts = np.split(inputs[name], len(self.copies))
        start = time.perf_counter()
        if self.pool is None:
            results = [self.outputs_of(self.copies[0], parts[0])]
        else:
            results = list(self.pool.map(self.outputs_of, self.copies, parts))
        took = time.perf_counter() - start
        return took * 1e3, [np.concatenate(parts) for parts in zip(*results)]


class Torch(InProcess):
    """torch as it is used by default, in either memory format, or compiled for a batch's shape."""

    def __init__(self, module: torch.nn.Module, form: str, threads: int) -> None:
        self.name = f"torch {form}"
        torch.set_num_threads(threads)
        self.format = torch.channels_last if form == "channels_last" else torch.contiguous_format
        self.module = module.to(memory_format=self.format)
        if form == "compiled":
            self.module = torch.compile(self.module, dynamic=False)

    @staticmethod
    def forms() -> list[str]:
        """What this machine can do: `torch.compile` needs a C++ compiler."""
        return ["eager", "channels_last", *(["compiled"] if shutil.which("g++") else [])]

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

    def __init__(
        self,
        program: Path,
        network: str,
        weights: Path,
        inputs: Path,
        threads: int,
        precision: str = "f32",
        one_core: bool = False,
    ) -> None:
        self.name = "modelzoo" if precision == "f32" else f"modelzoo {precision}"
        command = [str(program), network, str(weights), str(inputs), str(threads), precision]
        self.inputs = inputs
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if one_core:
            os.sched_setaffinity(self.process.pid, {min(os.sched_getaffinity(0))})
        ready, weight_bytes, buffer_bytes = self.answer().split()
        self.ready = float(ready)
        self.weight_bytes = int(weight_bytes)
        self.buffer_bytes = int(buffer_bytes)

    @staticmethod
    def precisions() -> list[str]:
        """What it computes in here: bf16 where the processor has the instructions with which that can be faster."""
        narrow = ["bf16"] if "avx512_bf16" in Path("/proc/cpuinfo").read_text() else []
        return ["f32", *narrow, "int8"]

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
