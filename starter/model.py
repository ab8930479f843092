"""The transformer, its training step and its sampler, over the live channels of the latents."""

from __future__ import annotations

import math

import torch
from diffusers import Flux2Transformer2DModel
from torch import Tensor, nn
from torch.nn import functional

from scenes import LIVE
from text import HIDDEN

CONFIG = {
    "patch_size": 1,
    "in_channels": 128,
    "num_layers": 1,
    "num_single_layers": 6,
    "attention_head_dim": 64,
    "num_attention_heads": 4,
    "joint_attention_dim": 3 * HIDDEN,
    "timestep_guidance_channels": 256,
    "mlp_ratio": 3.0,
    # Time (which image), height, width, place in the text: most of a head is spent on the picture.
    "axes_dims_rope": (8, 20, 20, 16),
    # 16 places each way. FLUX.2's own 2000 spreads the turns over many more, and references were copied later.
    "rope_theta": 100,
    "guidance_embeds": False,
}
# What the pipeline's scheduler makes of 4 steps at 256x256.
SIGMAS = (1.0, 0.95539, 0.87713, 0.70411)
SIDE = 16


def attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, scale: float | None = None, **_: object
) -> Tensor:
    """What `scaled_dot_product_attention` computes; the backward pass of torch's own takes a third of a step."""
    logits = (query @ key.mT) * (scale or query.shape[-1] ** -0.5)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        logits = logits.masked_fill(~attn_mask, -1e30)
    elif attn_mask is not None:
        logits = logits + attn_mask
    return torch.softmax(logits, -1, dtype=torch.float32).to(value.dtype) @ value


TURN = torch.block_diag(*[torch.tensor([[0.0, 1.0], [-1.0, 0.0]])] * (CONFIG["attention_head_dim"] // 2))


def rotate(x: Tensor, turns: tuple[Tensor, Tensor], sequence_dim: int = 1) -> Tensor:
    """What `apply_rotary_emb` computes of [B, S, H, D]. Its swap of neighbours, as a product with a signed
    permutation, is exact, and its backward pass is not the scalar loop that takes a third of a step."""
    cos, sin = (turn[None, :, None, :] for turn in turns)
    return (x.float() * cos + (x @ TURN.to(x.dtype)).float() * sin).to(x.dtype)


def build() -> Flux2Transformer2DModel:
    model = Flux2Transformer2DModel(**CONFIG)
    with torch.no_grad():
        model.x_embedder.weight[:, LIVE:] = 0
        model.proj_out.weight.mul_(0.2)
        model.proj_out.weight[LIVE:] = 0
    return model


def draw_sigmas(count: int) -> Tensor:
    """Mostly the four that are used; a few others, for those who ask for more steps."""
    chosen = torch.tensor(SIGMAS)[torch.multinomial(torch.tensor([3.0, 2, 2, 4]), count, replacement=True)]
    other = torch.rand(count).mul(0.97).add(0.03)
    return torch.where(torch.rand(count) < 0.12, other, chosen)


def image_ids(places: Tensor, references: int) -> Tensor:
    """(which image, row, column, 0) of the picture's tokens and of each reference's."""
    ids = []
    for image in range(references + 1):
        one = torch.zeros(len(places), 4, dtype=torch.long)
        one[:, 0], one[:, 1], one[:, 2] = 10 * image, places // SIDE, places % SIDE
        ids.append(one)
    return torch.cat(ids)


def text_ids(places: Tensor) -> Tensor:
    ids = torch.zeros(len(places), 4, dtype=torch.long)
    ids[:, 3] = places
    return ids


class Painter(nn.Module):
    """The transformer for some of the tokens, each counted for as many as it stands for."""

    def __init__(self) -> None:
        super().__init__()
        self.net = build()

    def forward(self, x: Tensor, sigma: Tensor, text: Tensor, text_at: Tensor, at: Tensor, bias: Tensor) -> Tensor:
        x = functional.pad(x, (0, 128 - LIVE))
        return self.net(
            hidden_states=x,
            encoder_hidden_states=text,
            timestep=sigma,
            txt_ids=text_at,
            img_ids=at,
            joint_attention_kwargs={"attention_mask": bias},
            return_dict=False,
        )[0][..., :LIVE]


def key_bias(text_counts: Tensor, image_tokens: int, kept: int) -> Tensor:
    """Added to attention logits: the log of how many tokens each key stands for, [1, 1, 1, keys]."""
    image = torch.full((image_tokens,), math.log(SIDE * SIDE / kept))
    return torch.cat([text_counts, image])[None, None, None]
