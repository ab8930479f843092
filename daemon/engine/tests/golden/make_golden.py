#!/usr/bin/env python3
"""Make the golden data beside this file with the libraries that define what is right.

    python3 -m venv venv
    venv/bin/pip install torch==2.15.0 diffusers==0.42.1 transformers==5.23.0 pillow==13.0.0 mistral_common==1.13.1
    venv/bin/python tests/golden/make_golden.py

Run it on an x86-64 machine with AVX2: that is the PyTorch whose bits a seed means.

    randn.json      torch.randn: seed, count, the first and last samples, and a hash of all bits
    schedules.json  diffusers' scheduler: configuration, tokens, steps, the bits of mu, sigmas, timesteps
    places.json     diffusers' position ids: tokens of the prompt, rows and columns of the output and
                    the references, a hash of all ids, and the last
    prompts.json    transformers with the tokenizer of tests/fixtures/klein: prompt, template, ids
    dev_prompts.json  the same with dev's tokenizer and messages, of tests/fixtures/dev
    tekken.json     a small vocabulary in the format of Mistral's tokenizer, for
    tekken_prompts.json  mistral_common with it: prompt and ids, without special tokens
    pictures.json   Pillow and diffusers: sizes, and a hash of the scaled or fitted picture
    scaled.png      what Pillow makes of unscaled.png
"""
import base64
import json
import pathlib

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.flux2.image_processor import Flux2ImageProcessor
from diffusers.pipelines.flux2.pipeline_flux2 import SYSTEM_MESSAGE, Flux2Pipeline, format_input
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from PIL import Image
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, Qwen2TokenizerFast

HERE = pathlib.Path(__file__).parent
MODEL = HERE.parents[3] / "tests" / "fixtures" / "klein" / "model"
DEV = HERE.parents[3] / "tests" / "fixtures" / "dev" / "model"
PROMPTS = ["", " ", "a red fox reading a newspaper in the rain", "  two   spaces,\ttabs \n\nand lines \n",
           "a poster that says \"OPEN LATE\" in 'bold' \u201cserif\u201d, don't DON'T", "青い椅子と一只猫, 한국어",
           "🦊 👩\u200d👩\u200d👧 ½ ٣ e\u0301 \u212b", "camelCase HTMLParser, https://a.b/c/\n/x", "\x1c\x85\u00a0\u3000\u2028\u200b",
           "ſ's 'LL K", "ein blauer Stuhl, une chaise bleue dans un pré", "1234567 3.14", "a fox " * 300, "青" * 200 + "\n" * 400]
TEKKEN_WORDS = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
                r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
                r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def fnv(data: bytes) -> str:
    """FNV-1a, 64 bits, in hexadecimal: short to write again in the tests."""
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def write(name: str, rows: list) -> None:
    lines = ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


def randn() -> None:
    rows = []
    counts = (5, 100, 128 * 6 * 8, 12288 + 5)
    # Around the blocks of 16 that PyTorch draws, and around the 624 words of its generator.
    edges = (1, 15, 16, 17, 31, 32, 33, 47, 48, 49, 623, 624, 625, 1248, 128 * 64 * 64, 2**20 + 1)
    for seed, count in [*((42, n) for n in range(41)), *((seed, n) for n in counts for seed in (0, 1, 2**32 - 1, 2**32, 2**63 - 1)),
                        *((seed, n) for n in edges for seed in (7, 123456789))]:
        x = torch.randn(count, generator=torch.Generator("cpu").manual_seed(seed), dtype=torch.float32).numpy()
        rows.append(dict(seed=seed, count=count, first=x[:3].tolist(), last=x[-3:].tolist(), fnv=fnv(x.tobytes())))
    write("randn.json", rows)


def schedules() -> None:
    klein = json.loads((MODEL / "scheduler" / "scheduler_config.json").read_text())
    rows = []
    for change, sizes in [({}, [(4096, 4), (1024, 4), (48, 4), (16, 1), (4096, 28), (4300, 50), (4301, 50), (16384, 7)]),
                          # 64² to 2048², to both sides of the drop, and what a picture of 8:1 has
                          ({}, [(tokens, steps) for tokens in (16, 17, 20, 255, 256, 257, 4224, 4299, 4302, 8192, 16384) for steps in (1, 2, 5)]),
                          (dict(time_shift_type="linear"), [(1024, 5)]),
                          (dict(shift_terminal=0.02), [(1024, 5)]),
                          (dict(use_dynamic_shifting=False), [(1024, 5)]),
                          (dict(num_train_timesteps=500), [(1024, 5)])]:
        for tokens, steps in sizes:
            scheduler = FlowMatchEulerDiscreteScheduler.from_config({**klein, **change})
            mu = compute_empirical_mu(tokens, steps)
            scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=mu)
            rows.append(dict(config={**klein, **change}, tokens=tokens, steps=steps,
                             mu_bits=int(np.float64(mu).view(np.uint64)), sigmas=scheduler.sigmas.tolist(),
                             timesteps=scheduler.timesteps.tolist()))
    write("schedules.json", rows)


def places() -> None:
    rows = []
    grids = [(4, 4), (4, 32), (32, 4), (6, 8), (64, 64)]
    for prompt, output, references in [(512, g, []) for g in grids] + [
            (512, (6, 8), [(6, 5)]), (512, (8, 8), [(8, 8), (9, 4), (4, 10)]), (1, (4, 4), [(4 + i, 5) for i in range(10)])]:
        of_references = [torch.zeros(1, 128, *g) for g in references]
        ids = [Flux2Pipeline._prepare_text_ids(torch.zeros(1, prompt, 1))[0],
               Flux2Pipeline._prepare_latent_ids(torch.zeros(1, 128, *output))[0]]
        ids += [Flux2Pipeline._prepare_image_ids(of_references)[0]] if references else []
        ids = torch.cat(ids).numpy().astype("<u4")
        rows.append(dict(prompt=prompt, output=output, references=references, last=ids[-1].tolist(), fnv=fnv(ids.tobytes())))
    write("places.json", rows)


def prompts() -> None:
    tokenizer = Qwen2TokenizerFast.from_pretrained(MODEL / "tokenizer")
    rows = []
    for prompt in ["", " ", "a red fox reading a newspaper in the rain", "  two   spaces,\ttabs \n\nand lines \n",
                   "a poster that says \"OPEN LATE\" in 'bold' \u201cserif\u201d, don't DON'T", "青い椅子と一只猫, 한국어",
                   "🦊 👩\u200d👩\u200d👧 ½ ٣ e\u0301 \u212b", "typed <|im_end|>\n<|im_start|>system <think>x</think> <|endoftext|>",
                   "<think>\u0338", "{{ braces }} {% raw %}", "\x1c\x85\u00a0\u3000\u2028\u200b", "ſ's 'LL K",
                   "a fox " * 300, "青" * 200 + "\n" * 400]:
        text = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False,
                                             add_generation_prompt=True, enable_thinking=False)
        k = tokenizer(text, padding="max_length", truncation=True, max_length=512)
        ids = np.array(k["input_ids"], dtype="<i8")
        rows.append(dict(prompt=prompt, text=text, length=sum(k["attention_mask"]), first=ids[:24].tolist(),
                         fnv=fnv(ids.tobytes())))
    write("prompts.json", rows)


def dev_prompts() -> None:
    tokenizer = AutoTokenizer.from_pretrained(DEV / "tokenizer")
    rows = []
    for prompt in [*PROMPTS, "[IMG]a [I[IMG]MG] fox", "typed [/INST] <s> </s>[SYSTEM_PROMPT]x"]:
        messages = format_input([prompt], SYSTEM_MESSAGE)[0]
        k = tokenizer.apply_chat_template([messages], tokenize=True, return_dict=True, padding="max_length",
                                          truncation=True, max_length=512)
        ids = np.array(k["input_ids"][0], dtype="<i8")
        rows.append(dict(prompt=prompt, text=tokenizer.apply_chat_template(messages, tokenize=False),
                         length=sum(k["attention_mask"][0]), last=ids[-24:].tolist(), fnv=fnv(ids.tobytes())))
    write("dev_prompts.json", rows)


def tekken() -> None:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(TEKKEN_WORDS), "isolated"),
                                                 pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    bpe.train_from_iterator([SYSTEM_MESSAGE, *PROMPTS] * 2, trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in printable]
    byte = {**{chr(b): b for b in printable}, **{chr(256 + i): b for i, b in enumerate(hidden)}}
    merges = json.loads(bpe.to_str())["model"]["merges"]
    strings = [bytes([b]) for b in range(256)] + [bytes(byte[c] for c in a + b) for a, b in merges]
    # A word that no merges make, and ranks that the model does not use.
    strings += ["Supercalifragilistic".encode(), b"unused one", b"unused two"]
    vocab = [dict(rank=i, token_bytes=base64.b64encode(s).decode(), token_str=None) for i, s in enumerate(strings)]
    config = dict(pattern=TEKKEN_WORDS, num_vocab_tokens=len(vocab), default_vocab_size=len(vocab) - 2 + 1000,
                  default_num_special_tokens=1000, version="v3")
    lines = ",\n".join(json.dumps(token) for token in vocab)
    (HERE / "tekken.json").write_text(f'{{"config": {json.dumps(config)}, "vocab": [\n{lines}\n]}}\n')
    tokenizer = Tekkenizer.from_file(HERE / "tekken.json")
    write("tekken_prompts.json", [dict(prompt=p, ids=tokenizer.encode(p, bos=False, eos=False)[:300])
                                  for p in [SYSTEM_MESSAGE, *PROMPTS, "Supercalifragilistic", " Supercalifragilistics"]])


def pattern(width: int, height: int) -> Image.Image:
    """A picture with edges and noise everywhere, by a formula that the tests repeat."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3].astype(np.uint32)
    return Image.fromarray(((x * x * 7 + y * y * 13 + x * y * (c + 1) + c * 101) // 3 % 256).astype(np.uint8))


def pictures() -> None:
    processor = Flux2ImageProcessor(vae_scale_factor=16)
    rows = []
    for source, target in [((40, 30), (20, 40)), ((40, 30), (61, 9)), ((7, 5), (70, 50)), ((200, 150), (3, 150)),
                           ((33, 200), (33, 77)), ((20, 100), (15, 40)), ((9, 9), (9, 9)), ((1, 1), (5, 4)), ((300, 2), (1, 1))]:
        image = pattern(*source).resize(target, Image.Resampling.LANCZOS)
        rows.append(dict(source=source, scaled=target, fnv=fnv(image.tobytes())))
    for width, height in [(64, 64), (64, 512), (70, 150), (166, 72), (1024, 1024), (1024, 1025), (1500, 900)]:
        image = processor.check_image_input(pattern(width, height))
        if width * height > 1024 * 1024:
            image = processor._resize_to_target_area(image, 1024 * 1024)
        size = [side // 16 * 16 for side in image.size]
        chw = processor.preprocess(image, width=size[0], height=size[1], resize_mode="crop")[0].numpy()
        levels = ((chw + 1) * 127.5).round().astype(np.uint8)
        row = dict(source=[width, height], fitted=size, fnv=fnv(levels.transpose(1, 2, 0).tobytes()))
        rows.append(row if width * height > 2**15 else dict(row, chw_fnv=fnv(chw.tobytes())))
    write("pictures.json", rows)
    pattern(40, 30).save(HERE / "unscaled.png", optimize=True)
    pattern(40, 30).resize((27, 33), Image.Resampling.LANCZOS).save(HERE / "scaled.png", optimize=True)


if __name__ == "__main__":
    randn(), schedules(), places(), prompts(), dev_prompts(), tekken(), pictures()
