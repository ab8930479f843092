#!/usr/bin/env python3
"""Compiles every CUDA kernel with NVRTC for every architecture, as the engine does when it starts on a card.

    .ci/kernels.py [NAME...]     all of daemon/engine/kernels/*.cu, or only those of these names (`rows`)

Needs no card and no CUDA installation, only a Python that has the wheel nvidia-cuda-nvrtc-cu12. Where it also has
nvidia-cuda-nvcc-cu12, each line says the registers and spills that ptxas reports. Ends with 1 where a unit does
not compile, with the compiler's log.
"""

import ctypes
import pathlib
import re
import subprocess
import sys
import sysconfig
import tempfile

KERNELS = pathlib.Path(__file__).resolve().parent.parent / "daemon/engine/kernels"
ARCHITECTURES = ("sm_80", "sm_86", "sm_89", "sm_90", "sm_120")
HEAD_WIDTHS = (128, 64)
# What cards with little shared memory are given for the widest heads: keys of a tile, and stages of the ring.
SMALL_TILES = dict.fromkeys(("sm_86", "sm_89", "sm_120"), (32, 2))
# Units that work on tiles of matrices take tensor.cuh too.
TILED = ("gemm", "attention")


def wheel(pattern):
    """The first file of NVIDIA's wheels that fits, or None."""
    for root in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for found in sorted(pathlib.Path(root, "nvidia").glob(pattern)):
            return found
    return None


def source(name):
    heads = ["device.cuh", "tensor.cuh"] if name in TILED else ["device.cuh"]
    texts = []
    for file in [*heads, f"{name}.cu"]:
        texts.append(f'#line 1 "{file}"\n' + (KERNELS / file).read_text())
    return "\n".join(texts).encode()


class Nvrtc:
    def __init__(self):
        library = wheel("cuda_nvrtc/lib/libnvrtc.so.*") or wheel("cu*/lib/libnvrtc.so.*")
        if library is None:
            sys.exit("no libnvrtc: pip install nvidia-cuda-nvrtc-cu12")
        self.library = ctypes.CDLL(str(library))

    def call(self, name, *arguments):
        code = getattr(self.library, name)(*arguments)
        if code and name != "nvrtcCompileProgram":
            sys.exit(f"{name}: error {code}")
        return code

    def text(self, program, of):
        size = ctypes.c_size_t()
        self.call(f"nvrtcGet{of}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self.call(f"nvrtcGet{of}", program, buffer)
        return buffer.raw

    def compile(self, name, text, options):
        """(whether it compiled, the log, the PTX, the bytes of the CUBIN)"""
        program = ctypes.c_void_p()
        self.call("nvrtcCreateProgram", ctypes.byref(program), text, name.encode(), 0, None, None)
        given = [option.encode() for option in options]
        failed = self.call("nvrtcCompileProgram", program, len(given), (ctypes.c_char_p * len(given))(*given))
        log = self.text(program, "ProgramLog").rstrip(b"\0").decode().strip()
        ptx, cubin = b"", b""
        if not failed:
            ptx, cubin = self.text(program, "PTX").rstrip(b"\0"), self.text(program, "CUBIN")
        self.call("nvrtcDestroyProgram", ctypes.byref(program))
        return not failed, log, ptx, cubin


def usage(ptxas, ptx, architecture):
    """One line for each kernel of the unit: registers, shared memory, spills."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "unit.ptx")
        file.write_bytes(ptx)
        ran = subprocess.run(
            [ptxas, "-v", f"-arch={architecture}", file, "-o", file.with_suffix(".cubin")],
            check=False,
            capture_output=True,
            text=True,
        )
    lines = []
    pattern = r"entry function '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?(Used [^\n]*)"
    for name, stores, loads, used in re.findall(pattern, ran.stderr, re.DOTALL):
        spilt = int(stores) + int(loads)
        shared = re.search(r"(\d+) bytes smem", used)
        registers = re.search(r"(\d+) registers", used)[1]
        lines.append(f"    {name}: {registers} registers, {shared[1] if shared else 0} B shared, {spilt} B spilt")
    return lines


def forms(name, architecture):
    """The widths of heads and the tiles that a unit is compiled for."""
    if name != "attention":
        return [(None, None)]
    small = [(HEAD_WIDTHS[0], SMALL_TILES[architecture])] if architecture in SMALL_TILES else []
    return [(width, None) for width in HEAD_WIDTHS] + small


def main():
    names = sys.argv[1:] or sorted(file.stem for file in KERNELS.glob("*.cu"))
    nvrtc, ptxas = Nvrtc(), wheel("cuda_nvcc/bin/ptxas")
    failures = 0
    for name in names:
        text = source(name)
        for architecture in ARCHITECTURES:
            for width, tiles in forms(name, architecture):
                options = [f"--gpu-architecture={architecture}", "--std=c++17"]
                label = f"{name} {architecture}"
                if width:
                    options.append(f"-DHEAD_WIDTH={width}")
                    label += f" heads of {width}"
                if tiles:
                    options += [f"-DATTEND_KEYS={tiles[0]}", f"-DATTEND_STAGES={tiles[1]}"]
                    label += f", tiles of {tiles[0]} keys"
                compiled, log, ptx, cubin = nvrtc.compile(f"{name}.cu", text, options)
                failures += not compiled
                print(f"{label}: {f'ok, {len(cubin)} bytes' if compiled else 'FAILED'}", flush=True)
                if log:
                    print(log)
                if compiled and ptxas:
                    print("\n".join(usage(ptxas, ptx, architecture)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
