#!/usr/bin/env python3
"""Writes weights/: small weight files in every encoding that the engine reads, by the formats' own
libraries, and the numbers that those libraries read out of them.

    pip install torch safetensors gguf
    python3 make_weights.py

weights/blocks.gguf          a matrix in each type of ggml, and key/value pairs of each kind
weights/blocks.safetensors   the same matrices as f32, as gguf.quants dequantises them
weights/fp8-*.safetensors    two layers of fp8 in each spelling
weights/fp8.safetensors      what torch makes of each: FILE/TENSOR, f32
"""
import json
import pathlib

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as T
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parent / "weights"
ROWS, COLUMNS = 2, 512
FP8_MAX = 448.0
# Where each kind of block keeps its f16 scales: random bytes there would be NaN now and then.
SCALES = {T.Q2_K: (80, 82), T.Q3_K: (108,), T.Q4_K: (0, 2), T.Q5_K: (0, 2), T.Q6_K: (208,)}


def blocks():
    random = np.random.default_rng(2)
    writer = gguf.GGUFWriter(OUT / "blocks.gguf", "flux")
    writer.add_uint8("test.u8", 200)
    writer.add_int8("test.i8", -100)
    writer.add_uint16("test.u16", 60000)
    writer.add_int16("test.i16", -30000)
    writer.add_int32("test.i32", -(2**31))
    writer.add_uint64("test.u64", 2**63)
    writer.add_int64("test.i64", -(2**63))
    writer.add_float32("test.f32", 0.5)
    writer.add_float64("test.f64", 0.1)
    writer.add_bool("test.bool", True)
    writer.add_array("test.words", ["Ġred", "fox", ""])
    writer.add_array("test.kinds", [1, -3, 6])
    writer.add_array("test.scores", [0.5, -2.25])
    writer.add_array("test.nested", [[1, 2], [3]])
    expected = {}
    for kind in (T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, *SCALES):
        data = random.standard_normal((ROWS, COLUMNS), dtype=np.float32)
        if kind in SCALES:      # the library reads these, and does not write them
            elements, size = gguf.GGML_QUANT_SIZES[kind]
            raw = random.integers(0, 256, (ROWS * COLUMNS // elements, size), dtype=np.uint8)
            for place in SCALES[kind]:
                scale = random.standard_normal(len(raw)).astype("<f2")
                raw[:, place:place + 2] = scale.view(np.uint8).reshape(-1, 2)
            raw = raw.reshape(ROWS, -1)
        else:
            raw = gguf.quants.quantize(data, kind)
        name = f"{kind.name}.weight"
        writer.add_tensor(name, raw, raw_dtype=kind)
        read = gguf.quants.dequantize(raw, kind).astype(np.float32)
        expected[name] = torch.from_numpy(read.reshape(ROWS, COLUMNS).copy())
    writer.add_tensor("counter", np.arange(4, dtype=np.int64))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, OUT / "blocks.safetensors")


def fp8():
    torch.manual_seed(3)
    plain = {"norm.weight": torch.randn(16).to(torch.bfloat16), "img_in.weight": torch.randn(8, 16).to(torch.bfloat16)}
    layers = {"blocks.0.qkv": torch.randn(12, 16), "blocks.0.proj": torch.randn(4, 16) * 1e-3}
    e4, e5 = torch.float8_e4m3fn, torch.float8_e5m2
    scale = {k: v.abs().amax() / FP8_MAX for k, v in layers.items()}
    quantised = {k: (v / scale[k]).clamp(-FP8_MAX, FP8_MAX).to(e4) for k, v in layers.items()}
    weights = {f"{k}.weight": q for k, q in quantised.items()}
    rows = {k: v.abs().amax(1, keepdim=True) / FP8_MAX for k, v in layers.items()}
    by_rows = {f"{k}.weight": (v / rows[k]).clamp(-FP8_MAX, FP8_MAX).to(e4) for k, v in layers.items()}
    tag = lambda **note: torch.tensor(list(json.dumps(note).encode()), dtype=torch.uint8)
    expected = {}

    def write(name, tensors, values, prefix="", metadata=None):
        save_file({prefix + k: v.contiguous().clone() for k, v in tensors.items()}, OUT / f"fp8-{name}.safetensors", metadata)
        for k, v in {**plain, **values}.items():
            expected[f"{name}/{prefix}{k}"] = v.float().contiguous().clone()

    scaled = {f"{k}.weight": q.float() * scale[k] for k, q in quantised.items()}
    write("plain", {**plain, **{f"{k}.weight": v.to(e4) for k, v in layers.items()}},
          {f"{k}.weight": v.to(e4) for k, v in layers.items()})
    write("e5m2", {**plain, **{f"{k}.weight": v.to(e5) for k, v in layers.items()}},
          {f"{k}.weight": v.to(e5) for k, v in layers.items()})
    write("scaled", {**plain, **weights, "scaled_fp8": torch.zeros(2, dtype=e4),
                     **{f"{k}.scale_weight": s.reshape(1) for k, s in scale.items()},
                     "blocks.0.qkv.scale_input": torch.tensor([1.0]), "blocks.0.proj.scale_input": torch.tensor([0.25])}, scaled)
    scales = {f"{k}.weight_scale": s for k, s in scale.items()}
    write("tagged", {**plain, **weights, **scales, "blocks.0.qkv.comfy_quant": tag(format="float8_e4m3fn"),
                     "blocks.0.proj.comfy_quant": tag(format="float8_e4m3fn", full_precision_matrix_mult=True),
                     "blocks.0.qkv.input_scale": torch.tensor(0.5)}, scaled, prefix="model.diffusion_model.")
    note = {"format_version": "1.0", "layers": {k: {"format": "float8_e4m3fn"} for k in layers}}
    write("header", {**plain, **weights, **scales}, scaled, metadata={"_quantization_metadata": json.dumps(note)})
    write("untagged", {**plain, **weights, **scales}, scaled)
    write("rows", {**plain, **by_rows, "blocks.0.qkv.weight_scale": rows["blocks.0.qkv"],
                   "blocks.0.proj.weight_scale": rows["blocks.0.proj"].reshape(-1),
                   "blocks.0.qkv.comfy_quant": tag(format="float8_e4m3fn_rowwise"),
                   "blocks.0.proj.comfy_quant": tag(format="float8_e4m3fn")},
          {f"{k}.weight": by_rows[f"{k}.weight"].float() * rows[k] for k in layers})
    save_file(expected, OUT / "fp8.safetensors")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    blocks()
    fp8()
