"""What colours are called: words that people, and so captions, use."""

from oklab import Lab, apart, from_srgb

NAMES = {
    "black": "101012", "charcoal": "36393f", "slate grey": "5f6b7a", "grey": "808080",
    "silver": "b4b8bd", "pale grey": "d9dbde", "white": "f8f8f8",
    "ivory": "f6f0dc", "cream": "f3e3c3", "sand": "d8bd90", "beige": "dccbb0", "tan": "c79a6b",
    "taupe": "8c7b6b", "khaki": "a59a6a", "camel": "b98a55",
    "brown": "7a4b2a", "dark brown": "42291c", "chestnut": "8a4433", "umber": "5d4a3a",
    "copper": "b5693c", "rust": "a6441f", "terracotta": "c86b4a", "sienna": "9c5230",
    "burgundy": "6d1a2e", "maroon": "561a1e", "crimson": "b3152f", "red": "d7261e",
    "scarlet": "ef3b23", "brick red": "9d3a33", "coral": "f6785c", "salmon": "f39a85",
    "orange": "f0851d", "burnt orange": "c9561b", "apricot": "f7b77f", "peach": "f9cfae",
    "amber": "f2a91c", "gold": "d2a12d", "ochre": "b8862d", "mustard": "c9a227",
    "yellow": "f6dc2e", "lemon yellow": "f9f04a", "pale yellow": "f7efa8",
    "lime green": "9fd52b", "chartreuse": "c3df3c", "olive": "6c6b2a", "moss green": "687a3e",
    "sage green": "a3b392", "green": "2f9e3f", "grass green": "5aa838", "forest green": "1f5a33",
    "dark green": "173a26", "emerald green": "0f9d6b", "mint green": "aee3c4", "sea green": "4aa98c",
    "teal": "1b7f83", "deep teal": "124e55", "turquoise": "33c2c0", "cyan": "4fd6ec",
    "pale blue": "c3dcee", "sky blue": "79bdea", "steel blue": "4c7fa8", "blue": "2462d0",
    "azure": "2f93f0", "cobalt blue": "1d47a0", "navy blue": "17264f", "midnight blue": "10182f",
    "indigo": "3c2f86", "periwinkle": "9aa4ea", "lavender": "cfc3ee", "lilac": "bb9bd6",
    "violet": "7d43c4", "purple": "70298c", "plum": "6b3560", "mauve": "a87a99",
    "magenta": "cf2a93", "fuchsia": "ea4bb8", "hot pink": "f3588f", "pink": "f2a3ba",
    "pale pink": "f7d7de", "dusty rose": "c58a8c", "raspberry": "b02a5b",
}  # fmt: skip

_PLACES = {name: from_srgb(bytes.fromhex(colour)) for name, colour in NAMES.items()}


def name(colour: Lab) -> str:
    """The name of the nearest colour in the list."""
    return min(_PLACES, key=lambda each: apart(_PLACES[each], colour))
