"""The words of the generated world: people, places, things and what can happen to them.

Data only. Pools are larger than what one world uses, so that two seeds share little.
"""

from __future__ import annotations

from dataclasses import dataclass

NARRATOR = "Jonas"
"""Whose eyes the world is seen through: `I` in captions, this name before what he says."""
PEOPLE: tuple[tuple[str, str, str], ...] = (
    ("Lena", "she", "her"), ("Paul", "he", "his"), ("Mia", "she", "her"), ("Viktor", "he", "his"),
    ("Nadia", "she", "her"), ("Theo", "he", "his"), ("Ruth", "she", "her"), ("Samir", "he", "his"),
    ("Ingrid", "she", "her"), ("Felix", "he", "his"),
)  # fmt: skip
"""(name, pronoun, possessive)"""
ROOMS = (
    "kitchen", "living room", "study", "garden", "hallway", "garage", "bedroom", "balcony", "cellar", "laundry room",
    "attic", "workshop",
)  # fmt: skip
THINGS = (
    "red toolbox", "blue umbrella", "stepladder", "sewing kit", "picnic blanket", "flashlight", "garden hose",
    "hand drill", "board game", "laptop charger", "first-aid box", "suitcase", "folding chair", "wicker basket",
    "bicycle pump", "watering can",
)  # fmt: skip
HANDY_THINGS = ("headphones", "tape measure", "spare key", "camera", "library card", "pocket knife", "notebook")
"""Small enough to be handed on."""
SUPPLIES = ("eggs", "lemons", "batteries", "candles", "light bulbs", "onions", "tea bags", "coffee filters")
GROCERIES = (
    "oat milk", "rice", "washing powder", "olive oil", "tomatoes", "yeast", "butter", "sponges", "cat food", "mustard",
    "honey", "flour", "parsley", "salt", "pasta", "toothpaste",
)  # fmt: skip
ERRANDS = ("bakery", "library", "post office", "pharmacy", "market", "swimming pool", "hardware store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that people do again and again, in the three forms that sentences need."""

    base: str
    past: str
    ing: str


CHORES = (
    Deed(base="feed the cat", past="fed the cat", ing="feeding the cat"),
    Deed(base="water the plants", past="watered the plants", ing="watering the plants"),
    Deed(base="empty the dishwasher", past="emptied the dishwasher", ing="emptying the dishwasher"),
    Deed(base="take out the rubbish", past="took out the rubbish", ing="taking out the rubbish"),
    Deed(base="set the table", past="set the table", ing="setting the table"),
    Deed(base="sweep the floor", past="swept the floor", ing="sweeping the floor"),
    Deed(base="fold the laundry", past="folded the laundry", ing="folding the laundry"),
    Deed(base="bake bread", past="baked bread", ing="baking bread"),
)
PASTIMES = (
    Deed(base="read", past="read a book", ing="reading a book"),
    Deed(base="play the guitar", past="played the guitar", ing="playing the guitar"),
    Deed(base="do yoga", past="did yoga", ing="doing yoga"),
    Deed(base="knit", past="knitted", ing="knitting"),
    Deed(base="practise the trumpet", past="practised the trumpet", ing="practising the trumpet"),
    Deed(base="paint", past="painted", ing="painting a picture"),
    Deed(base="do crosswords", past="did a crossword", ing="doing a crossword"),
    Deed(base="write letters", past="wrote a letter", ing="writing a letter"),
    Deed(base="lift weights", past="lifted weights", ing="lifting weights"),
    Deed(base="talk on the phone", past="talked on the phone", ing="talking on the phone"),
)
DAY_PARTS: tuple[tuple[str, tuple[float, float]], ...] = (
    ("in the early morning", (7.2, 8.6)),
    ("around noon", (12.0, 13.2)),
    ("in the afternoon", (15.4, 17.3)),
    ("in the late evening", (20.6, 22.2)),
)
"""(how it is said, hours of the day from and to)"""

RARE = (
    ("burned the pancakes", "burning the pancakes"), ("found a hedgehog under the hedge", "finding the hedgehog"),
    ("dropped a phone into the sink", "dropping a phone into the sink"),
    ("repaired the bicycle tyre", "repairing the bicycle tyre"), ("won the chess game", "winning the chess game"),
    ("assembled the new bookshelf", "assembling the new bookshelf"), ("hung up the mirror", "hanging up the mirror"),
    ("spilled coffee over the newspaper", "spilling coffee over the newspaper"),
    ("cut a fringe at the bathroom mirror", "cutting a fringe"), ("planted a plum tree", "planting a plum tree"),
    ("built a bird house", "building a bird house"), ("got stung by a wasp", "getting stung by a wasp"),
    ("sorted the old photographs", "sorting the old photographs"), ("painted the front door green",
    "painting the front door"), ("made lemon marmalade", "making lemon marmalade"),
    ("unblocked the drain", "unblocking the drain"), ("tried on the carnival costume", "trying on the costume"),
    ("set up the telescope", "setting up the telescope"), ("locked the wrong door", "locking the wrong door"),
    ("caught a mouse with a jar", "catching a mouse"), ("fell asleep in the bathtub", "falling asleep in the bathtub"),
    ("reset the router", "resetting the router"), ("carved a pumpkin", "carving a pumpkin"),
    ("polished the silver spoons", "polishing the silver spoons"),
)  # fmt: skip
"""What happens once: (past, the same as a noun)."""

BREAKABLES = ("green vase", "wall clock", "desk lamp", "coffee grinder", "porcelain bowl", "kite", "door handle")
REPAIRS = ("glued {it} back together", "fixed {it} with a new screw", "spent a while mending {it}", "got {it} to work")
TOOLS_FROM_OUTSIDE: tuple[tuple[str, str], ...] = (
    ("tile cutter", "to redo the wall behind the stove"), ("sewing machine", "to shorten the curtains"),
    ("pressure washer", "to clean the terrace"), ("projector", "to show the holiday pictures"),
    ("cake stand", "for the birthday cake"), ("wheelbarrow", "to move the compost"),
    ("soldering iron", "to mend the radio"),
)  # fmt: skip
"""(thing that is borrowed, what for)"""
PRESENTS = ("silk scarf", "puzzle", "cookbook", "pair of gloves", "harmonica", "teapot", "jigsaw saw")
PARCEL_CONTENTS = ("a pair of hiking boots", "a bread knife", "two cushions", "a globe", "running shorts",
                   "a chess set", "a desk fan")  # fmt: skip
SENDERS = ("grandmother", "the bookshop", "an old school friend", "the insurance", "the neighbours upstairs",
           "the camping store", "a cousin in Oslo")  # fmt: skip
