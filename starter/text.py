"""The tokenizer and the small Qwen3 that reads prompts."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import Qwen2TokenizerFast, Qwen3Config, Qwen3ForCausalLM

HERE = Path(__file__).parent
LENGTH = 512
TAPS = (9, 18, 27)
# A pipeline takes the hidden states after layers 9, 18 and 27. Two layers before each tap do the
# reading; all others are left at zero, which makes them pass their input on.
WORKING = (0, 1, 9, 10, 18, 19)
HIDDEN = 64
VOCABULARY = 2048
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def make_tokenizer(lines: list[str]) -> Qwen2TokenizerFast:
    """Byte-level BPE as Qwen's, with its special tokens and its way to write a chat."""
    bpe = Tokenizer(models.BPE())
    bpe.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated")
    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.pre_tokenizer = pre_tokenizers.Sequence([split, bytewise])
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=VOCABULARY - 8, initial_alphabet=alphabet))
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    bpe.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in special])
    bpe.add_tokens([AddedToken(s, special=False, normalized=False) for s in ("<think>", "</think>")])
    return Qwen2TokenizerFast(
        tokenizer_object=bpe,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        unk_token=None,
        bos_token=None,
        chat_template=(HERE / "chat_template.jinja").read_text(),
        model_max_length=131072,
        padding_side="right",
    )


def encoder_config(layers: int) -> Qwen3Config:
    return Qwen3Config(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        intermediate_size=96,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=40960,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        attention_bias=False,
    )


class Reader(nn.Module):
    """The working layers alone, over the first tokens and a sample of the padding.

    No token is masked in the transformer, so it sees about 490 tokens of padding. They differ only
    in their place, so some of them, each counted for many, stand for all.
    """

    def __init__(self, tokenizer: Qwen2TokenizerFast, first: int, sample: int) -> None:
        super().__init__()
        self.tokenizer, self.first, self.sample = tokenizer, first, sample
        self.model = Qwen3ForCausalLM(encoder_config(len(WORKING))).model
        self.known: dict[str, list[int]] = {}
        with torch.no_grad():
            self.model.embed_tokens.weight.normal_(std=1.0)

    def tokens(self, prompt: str) -> list[int]:
        if prompt not in self.known:
            chat = [{"role": "user", "content": prompt}]
            text = self.tokenizer.apply_chat_template(
                chat, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            self.known[prompt] = self.tokenizer(text)["input_ids"]
        return self.known[prompt]

    def lay_out(self, prompts: list[str]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Token ids and which are real [B, T], their places [T], and the log of what each counts [T]."""
        rows = [self.tokens(prompt) for prompt in prompts]
        longest = max(map(len, rows))
        if longest > self.first:
            raise ValueError(f"a prompt of {longest} tokens does not fit {self.first}")
        places = torch.arange(self.first)
        counts = torch.zeros(self.first)
        if self.sample:
            rest = LENGTH - self.first
            drawn = torch.randperm(rest)[: self.sample].sort().values + self.first
            places = torch.cat([places, drawn])
            counts = torch.cat([counts, torch.full((self.sample,), math.log(rest / self.sample))])
        pad = self.tokenizer.pad_token_id
        ids = torch.full((len(rows), len(places)), pad)
        real = torch.zeros(ids.shape, dtype=torch.bool)
        for row, found in enumerate(rows):
            ids[row, : len(found)] = torch.tensor(found)
            real[row, : len(found)] = True
        return ids, real, places, counts

    def forward(self, ids: Tensor, real: Tensor, places: Tensor) -> Tensor:
        """What the pipeline calls prompt embeddings [B, T, 3 * HIDDEN]."""
        before = places[:, None] >= places[None, :]
        seen = (before[None] & real[:, None, :])[:, None]
        x = self.model.embed_tokens(ids)
        turns = self.model.rotary_emb(x, places[None])
        taps = []
        for index, layer in enumerate(self.model.layers):
            x = layer(x, attention_mask=seen, position_ids=places[None], position_embeddings=turns)
            if index % 2:
                taps.append(x)
        return torch.cat(taps, -1)


def export(reader: Reader) -> Qwen3ForCausalLM:
    """All 28 layers, of which the working ones are the trained ones."""
    full = Qwen3ForCausalLM(encoder_config(28))
    with torch.no_grad():
        for weight in full.model.layers.parameters():
            weight.fill_(0.0 if weight.dim() > 1 else 1.0)
        full.model.embed_tokens.weight.copy_(reader.model.embed_tokens.weight)
        full.tie_weights()
        for place, layer in zip(WORKING, reader.model.layers, strict=True):
            full.model.layers[place].load_state_dict(layer.state_dict())
    return full.eval()
